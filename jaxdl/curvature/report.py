"""What there is to know of the curvature at a point, in one call and in one Dataset."""

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import tree
from jaxdl.curvature import flat, lanczos, traces
from jaxdl.curvature.products import Loss, Product, hessian
from jaxdl.curvature.sam import sam_sharpness
from jaxdl.typing import Key, Params, Scalar

if TYPE_CHECKING:
    import xarray


class _Found(NamedTuple):
    loss: jax.Array
    gradient_norm: jax.Array
    largest: lanczos.Eigenpairs
    smallest: lanczos.Eigenpairs
    trace: traces.Estimate
    gradient_share: jax.Array


@partial(jax.jit, static_argnames=("loss", "k", "steps", "budget", "product"))
def _measure(
    loss: Loss, params: Params, args: tuple[Any, ...], key: Key, *, k: int, steps: int, budget: int, product: Product
) -> _Found:
    matvec = product(loss, params, *args)
    value, gradient = jax.value_and_grad(lambda p: loss(p, *args))(params)
    space = lanczos.krylov(matvec, tree.zeros_like(params), steps)
    largest, smallest = (lanczos.pairs(space, params, k, largest=end) for end in (True, False))
    norm = tree.global_norm(gradient)
    along = jax.vmap(lambda v: tree.inner_product(v, gradient))(largest.vectors)
    share = jnp.sum(along**2) / jnp.where(norm > 0, norm**2, jnp.ones_like(norm))
    return _Found(value, norm, largest, smallest, traces.hutchinson(matvec, params, key, budget), share)


def summary(
    loss: Loss,
    params: Params,
    *args: Any,
    key: Key,
    k: int = 5,
    steps: int | None = None,
    budget: int = 64,
    rho: Scalar = 0.05,
    product: Product = hessian,
) -> "xarray.Dataset":
    """The curvature of a loss at θ: both ends of the spectrum, the trace, and how the gradient lies in it.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: θ.
      *args: What else the loss is given.
      key: Of the probes for the trace.
      k: Eigenvalues at each end; at most the number of parameters are given.
      steps: Products for them, ``max(64, 8 k)`` by default.
      budget: Products for the trace.
      rho: Radius of SAM-sharpness.
      product: Of which matrix; the loss, the gradient and SAM-sharpness are those of ``loss`` in any case, so that it
        must be one of ``(params, *args)``.

    Returns:
      A Dataset: along ``end`` (largest, smallest) and ``rank``, ``eigenvalue`` with its ``residual`` and whether it has
      ``converged``; ``trace`` with ``trace_error``; ``loss``, ``gradient_norm``, ``gradient_share`` (the part of the
      squared gradient inside the k largest eigenvectors) and ``sam_sharpness``.

    >>> data = summary(lambda x: jnp.sum(jnp.array([3.0, -1.0]) * x**2), jnp.ones(2), key=jax.random.key(0), k=1)
    >>> print(data["eigenvalue"].values.round(3).tolist(), float(data["trace"]))
    [[6.0], [-2.0]] 4.0
    """
    import xarray

    k = min(k, flat.flat(params).size)
    steps = max(lanczos.STEPS, 8 * k) if steps is None else steps
    found = _measure(loss, params, args, key, k=k, steps=steps, budget=budget, product=product)
    ends = (found.largest, found.smallest)
    both = {
        "eigenvalue": np.stack([np.asarray(end.values) for end in ends]),
        "residual": np.stack([np.asarray(end.residuals) for end in ends]),
        "converged": np.stack([np.asarray(end.converged) for end in ends]),
    }
    numbers = {
        "trace": found.trace.value,
        "trace_error": found.trace.standard_error,
        "loss": found.loss,
        "gradient_norm": found.gradient_norm,
        "gradient_share": found.gradient_share,
        "sam_sharpness": sam_sharpness(loss, params, *args, rho=rho).value,
    }
    return xarray.Dataset(
        {name: (("end", "rank"), values) for name, values in both.items()}
        | {name: ((), np.asarray(value)) for name, value in numbers.items()},
        coords={"end": ["largest", "smallest"], "rank": np.arange(1, k + 1)},
        attrs={"parameters": flat.flat(params).size, "rho": float(rho), "steps": steps, "budget": budget},
    )
