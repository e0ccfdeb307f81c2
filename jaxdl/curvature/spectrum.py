r"""The whole spectrum at once: stochastic Lanczos quadrature.

For a unit vector u, the Ritz values θ of m Lanczos steps from u and the squared first components ω of their vectors are
the nodes and weights of the Gauss quadrature of u's spectral measure,

.. math::

    u^\top f(A)\, u \approx \sum_{i=1}^m \omega_i f(\theta_i), \qquad \sum_i \omega_i = 1,

exact for polynomials up to degree 2m − 1. The mean over random u with independent signs estimates
:math:`\frac1P \operatorname{tr} f(A)`, for the density with a Gaussian of width σ for f:

.. math::  \rho_\sigma(\lambda) = \frac1P \sum_{j=1}^P \mathcal N(\lambda;\, \lambda_j, \sigma^2).

Source: Golub and Meurant, "Matrices, moments and quadrature", 1994; Ubaru, Chen and Saad, "Fast estimation of tr(f(A))
via stochastic Lanczos quadrature", 2017; Ghorbani, Krishnan and Xiao, "An investigation into neural net optimization
via Hessian eigenvalue density", 2019.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks
from jaxdl.curvature import flat, lanczos
from jaxdl.curvature.flat import MatVec
from jaxdl.curvature.products import Loss, Product, hessian
from jaxdl.typing import Key, Params, PyTree

if TYPE_CHECKING:
    import xarray


class Quadrature(NamedTuple):
    """``nodes``: θ, ascending for each probe, shape ``(probes, m)``. ``weights``: ω ≥ 0, rows sum to 1, same shape."""

    nodes: jax.Array
    weights: jax.Array


def gauss(matvec: MatVec, start: PyTree, steps: int) -> Quadrature:
    """Nodes and weights of the spectral measure of one vector, taken at length 1; shapes ``(m,)``."""
    values, coefficients, _ = lanczos.ritz(lanczos.krylov(matvec, start, steps))
    return Quadrature(values, coefficients[0] ** 2)


def quadrature(matvec: MatVec, like: PyTree, key: Key, *, steps: int = lanczos.STEPS, probes: int = 8) -> Quadrature:
    """Nodes and weights for several random probes, one after the other.

    Args:
      matvec: The symmetric matrix.
      like: A tree shaped like its vectors.
      key: Of the probes.
      steps: m, products a probe; at most P.
      probes: How many vectors of independent signs.

    Returns:
      The quadrature.
    """
    checks.positive_integer(steps=steps, probes=probes)
    form = flat.flat(like)
    rule: Quadrature = jax.lax.map(
        lambda probe: gauss(matvec, flat.unravel(form, probe), steps), flat.rademacher(form, key, probes)
    )
    return rule


def mean_of_function(rule: Quadrature, values: jax.Array) -> tuple[jax.Array, jax.Array]:
    r"""Estimate of :math:`\frac1P \operatorname{tr} f(A)` and its standard error over the probes.

    Args:
      rule: From :func:`quadrature`.
      values: f at the nodes, shape ``(probes, m, …)``.

    Returns:
      Mean and standard error, shape ``(…)`` each; the error is NaN for one probe.
    """
    weights = rule.weights.reshape(*rule.weights.shape, *(1,) * (values.ndim - 2))
    each = jnp.sum(weights * values, axis=1)
    spread = jnp.sum((each - jnp.mean(each, axis=0, keepdims=True)) ** 2, axis=0)
    count = len(each)
    return jnp.mean(each, axis=0), jnp.sqrt(
        spread / (count * (count - 1)) if count > 1 else jnp.full_like(spread, jnp.nan)
    )


@partial(jax.jit, static_argnames=("loss", "steps", "probes", "product"))
def _quadrature_of_loss(
    loss: Loss, params: Params, args: tuple[Any, ...], key: Key, steps: int, probes: int, product: Product
) -> Quadrature:
    return quadrature(product(loss, params, *args), params, key, steps=steps, probes=probes)


def density(
    loss: Loss,
    params: Params,
    *args: Any,
    key: Key,
    steps: int = lanczos.STEPS,
    probes: int = 8,
    width: float | None = None,
    points: int = 1024,
    product: Product = hessian,
) -> "xarray.Dataset":
    """The spectral density of the curvature of a loss; the equations stand at the top of this file.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: θ.
      *args: What else the loss is given.
      key: Of the probes.
      steps: Products a probe.
      probes: Random vectors to average over.
      width: σ of the Gaussians, in units of the eigenvalues; 1 % of the range of the nodes by default.
      points: Of the eigenvalue axis, which reaches 5 σ beyond the outermost nodes.
      product: Whose spectrum.

    Returns:
      A Dataset: ``density`` and ``cumulative`` (the share of eigenvalues up to here, not blurred) along
      ``eigenvalue``, their standard errors over the probes ``density_error`` and ``cumulative_error``, and ``node`` and
      ``weight`` of the quadrature along ``probe`` and ``ritz``.

    Raises:
      ValueError: a number below 1, or a ``width`` that is not positive.

    >>> data = density(lambda x: jnp.sum(x**2), jnp.zeros(3), key=jax.random.key(0), width=0.1)
    >>> print(float(data["density"].idxmax().round(2)))
    2.0
    """
    import xarray

    checks.positive_integer(steps=steps, probes=probes, points=points)
    checks.positive(width=width)
    rule = _quadrature_of_loss(loss, params, args, key, steps, probes, product)
    nodes, weights = np.asarray(rule.nodes, np.float64), np.asarray(rule.weights, np.float64)
    low, high = float(nodes.min()), float(nodes.max())
    sigma = (high - low or abs(high) or 1.0) / 100 if width is None else width
    grid = np.linspace(low - 5 * sigma, high + 5 * sigma, points)
    variables: dict[str, Any] = {}
    for name, each in (("density", _blurred), ("cumulative", _share_below)):
        of_probes = np.stack([each(x, w, grid, sigma) for x, w in zip(nodes, weights, strict=True)])
        error = of_probes.std(axis=0, ddof=1) / np.sqrt(probes) if probes > 1 else np.full(points, np.nan)
        unit = {"units": "1/eigenvalue" if name == "density" else "1"}
        variables |= {name: ("eigenvalue", of_probes.mean(axis=0), unit), f"{name}_error": ("eigenvalue", error, unit)}
    variables |= {"node": (("probe", "ritz"), nodes), "weight": (("probe", "ritz"), weights)}
    attributes = {"width": sigma, "parameters": flat.flat(params).size, "steps": nodes.shape[1], "probes": probes}
    return xarray.Dataset(variables, coords={"eigenvalue": ("eigenvalue", grid)}, attrs=attributes)


def _blurred(nodes: np.ndarray, weights: np.ndarray, grid: np.ndarray, sigma: float) -> np.ndarray:
    bells = np.exp(-0.5 * ((grid[:, None] - nodes) / sigma) ** 2) / (sigma * np.sqrt(2 * np.pi))
    blurred: np.ndarray = bells @ weights
    return blurred


def _share_below(nodes: np.ndarray, weights: np.ndarray, grid: np.ndarray, sigma: float) -> np.ndarray:
    del sigma
    share: np.ndarray = np.concatenate([[0.0], np.cumsum(weights)])[np.searchsorted(nodes, grid, side="right")]
    return share
