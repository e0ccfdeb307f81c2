r"""The trace and the diagonal of a symmetric matrix from its products with random vectors, with standard errors.

With v of independent signs and Q an orthonormal basis of the range of A on random vectors,

.. math::

    \text{Hutchinson:} \quad & \operatorname{tr} A = \mathbb E\, v^\top A v \\
    \text{Hutch++:}    \quad & \operatorname{tr} A = \operatorname{tr} Q^\top A Q
                               + \mathbb E\, v^\top (I - QQ^\top) A (I - QQ^\top) v \\
    \text{XTrace:}     \quad & \text{Hutch++ with every probe once left out of Q and used for the rest, averaged} \\
    \text{diagonal:}   \quad & \operatorname{diag} A = \mathbb E\, v \odot A v

Hutchinson's error falls as n^{-1/2}, with variance 2(‖A‖² − Σ Aᵢᵢ²)/n in the Frobenius norm; it is exact for a diagonal
matrix. The others spend products on the outer eigenvalues first: at equal budget they are better where the spectrum
falls quickly and **worse** where it is flat or the budget is a few dozen. Every estimate says how far to trust it.

Source: Hutchinson, "A stochastic estimator of the trace of the influence matrix", 1989; Meyer, Musco, Musco and
Woodruff, "Hutch++: optimal stochastic trace estimation", 2021; Epperly, Tropp and Webber, "XTrace: making the most of
every sample in stochastic trace estimation", 2024; Bekas, Kokiopoulou and Saad, "An estimator for the diagonal of a
matrix", 2007.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.curvature import flat
from jaxdl.curvature.flat import MatVec
from jaxdl.curvature.products import Loss, Product, hessian
from jaxdl.typing import Key, Params, PyTree

Vectors = Callable[[jax.Array], jax.Array]


class Estimate(NamedTuple):
    """``value`` and its ``standard_error``, of one shape; NaN where the budget is too small to know it."""

    value: Any
    standard_error: Any


def hutchinson(matvec: MatVec, like: PyTree, key: Key, budget: int) -> Estimate:
    """Mean of vᵀAv over ``budget`` probes; the equation stands at the top of this file. Shapes ``()``."""
    checks.positive_integer(budget=budget)
    form = flat.flat(like)
    apply = flat.on_vectors(matvec, form)
    return _mean(jax.lax.map(lambda v: jnp.sum(v * apply(v)), flat.rademacher(form, key, budget)))


def hutch_plus_plus(matvec: MatVec, like: PyTree, key: Key, budget: int) -> Estimate:
    """Hutch++ with ``budget`` ≥ 3 products, a third each for the range, its trace and the rest. Shapes ``()``.

    The standard error is that of the probes of the rest, given the range.
    """
    _at_least(3, budget)
    form = flat.flat(like)
    apply = flat.on_vectors(matvec, form)
    key_range, key_rest = jax.random.split(key)
    rank = min(budget // 3, form.size)
    q, _ = _range(_products(apply, flat.rademacher(form, key_range, rank)))
    inside = jnp.sum(q * _products(apply, q))

    def outside(v: jax.Array) -> jax.Array:
        v = v - _dot(_dot(q, v), q)
        return jnp.sum(v * apply(v))

    rest = _mean(jax.lax.map(outside, flat.rademacher(form, key_rest, budget - 2 * rank)))
    return Estimate(inside + rest.value, rest.standard_error)


def xtrace(matvec: MatVec, like: PyTree, key: Key, budget: int) -> Estimate:
    """XTrace with ``budget`` ≥ 4 products, half for the range and half for its trace. Shapes ``()``.

    The standard error is the spread of the left-out estimates over √n, as in the paper. They share most of Q, so that
    it comes out 10 to 30 % small: mind that in a test. Where A has no more rank than there are probes, the trace is
    exact and the error 0.
    """
    _at_least(4, budget)
    form = flat.flat(like)
    apply = flat.on_vectors(matvec, form)
    count = min(budget // 2, form.size)
    probes = _spherical(form, key, count)
    images = _products(apply, probes)
    q, r = _range(images)
    z = _products(apply, q)
    diagonal = jnp.abs(jnp.diagonal(r))
    full_rank = jnp.min(diagonal) > form.size * jnp.finfo(form.dtype).eps * jnp.max(diagonal)
    safe = jnp.where(full_rank, r, jnp.eye(count, dtype=r.dtype))
    each = _left_out(probes, q, z, safe, form.size)
    exact = jnp.sum(q * z)
    estimate = _mean(each)
    return Estimate(
        jnp.where(full_rank, estimate.value, exact),
        jnp.where(full_rank, estimate.standard_error, jnp.zeros_like(exact)),
    )


def _left_out(probes: jax.Array, q: jax.Array, z: jax.Array, r: jax.Array, size: int) -> jax.Array:
    """The estimates with each probe left out of the range, shape ``(n,)``; rows of ``q`` and ``z = A q`` are vectors.

    Column i of S is the direction, in coordinates of Q, by which the range shrinks without probe i.
    """
    count = len(probes)
    s = jax.scipy.linalg.solve_triangular(r, jnp.eye(count, dtype=r.dtype), trans=1)
    s = s / jnp.sqrt(jnp.sum(s**2, axis=0, keepdims=True))
    h, w = _dot(q, z.T), _dot(q, probes.T)
    shrunk = w - s * jnp.sum(s * w, axis=0, keepdims=True)  # the probe's part in its own smaller range
    inside = jnp.trace(h) - jnp.sum(s * _dot(h, s), axis=0)
    at_probe = jnp.sum(w * r, axis=0)  # ωᵀAω
    cross = jnp.sum(shrunk * _dot(z, probes.T), axis=0)  # ωᵀA P ω
    outside = at_probe - 2 * cross + jnp.sum(shrunk * _dot(h, shrunk), axis=0)
    # The part outside is uniform on a sphere of its space: measured at that sphere's radius it varies less.
    norms = jnp.sum(probes**2, axis=1) - jnp.sum(shrunk**2, axis=0)
    dimension = jnp.asarray(size - count + 1, r.dtype)
    return inside + outside * dimension / jnp.where(norms > 0, norms, jnp.ones_like(norms))


def diagonal(matvec: MatVec, like: PyTree, key: Key, budget: int) -> Estimate:
    """Mean of v ⊙ Av over ``budget`` probes, with a standard error for every entry; trees shaped like ``like``."""
    checks.positive_integer(budget=budget)
    form = flat.flat(like)
    apply = flat.on_vectors(matvec, form)

    def add(sums: tuple[jax.Array, jax.Array, jax.Array], v: jax.Array) -> tuple[Any, None]:
        count, mean, squares = sums
        value = v * apply(v)
        count = count + 1
        change = value - mean
        mean = mean + change / count
        return (count, mean, squares + change * (value - mean)), None

    nothing = (jnp.zeros((), form.dtype), jnp.zeros(form.size, form.dtype), jnp.zeros(form.size, form.dtype))
    (_, mean, squares), _ = jax.lax.scan(add, nothing, flat.rademacher(form, key, budget))
    error = jnp.sqrt(squares / (budget * (budget - 1))) if budget > 1 else jnp.full_like(mean, jnp.nan)
    return Estimate(flat.unravel(form, mean), flat.unravel(form, error))


@partial(jax.jit, static_argnames=("loss", "budget", "method", "product"))
def trace(
    loss: Loss,
    params: Params,
    *args: Any,
    key: Key,
    budget: int = 64,
    method: Callable[[MatVec, PyTree, Key, int], Estimate] = hutchinson,
    product: Product = hessian,
) -> Estimate:
    """The trace, or with ``method=diagonal`` the diagonal, of the curvature of a loss, with its standard error.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: θ.
      *args: What else the loss is given.
      key: Of the probes.
      budget: Products to spend.
      method: :func:`hutchinson`, :func:`hutch_plus_plus`, :func:`xtrace` or :func:`diagonal`.
      product: Of which matrix: ``hessian``, ``gauss_newton(model)``, …

    Returns:
      The estimate.

    Raises:
      ValueError: a budget too small for the method.

    >>> found = trace(lambda x: jnp.sum(jnp.array([1.0, 2.0, 3.0]) * x**2), jnp.zeros(3), key=jax.random.key(0))
    >>> print(found.value, found.standard_error)  # exact, because the Hessian is diagonal
    12.0 0.0
    """
    return method(product(loss, params, *args), params, key, budget)


def _at_least(least: int, budget: int) -> None:
    checks.positive_integer(budget=budget)
    if budget < least:
        raise ValueError(f"budget must be at least {least} products, got {budget}.")


_dot = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def _products(apply: Vectors, vectors: jax.Array) -> jax.Array:
    """A times each row, one after the other: on a CPU faster than all at once, and in the memory of one."""
    images: jax.Array = jax.lax.map(apply, vectors)
    return images


def _range(images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Orthonormal rows that span the rows of ``images``, and the triangle R with ``images.T = q.T @ R``."""
    q, r = jnp.linalg.qr(images.T)
    return q.T, r


def _spherical(form: flat.Flat, key: Key, count: int) -> jax.Array:
    """Probes uniform on the sphere of radius √P, shape ``(count, P)``."""
    normal = jax.random.normal(key, (count, form.size), form.dtype)
    return normal * jnp.sqrt(form.size / jnp.sum(normal**2, axis=1, keepdims=True))


def _mean(samples: jax.Array) -> Estimate:
    count = len(samples)
    mean = jnp.mean(samples)
    if count < 2:
        return Estimate(mean, jnp.full_like(mean, jnp.nan))
    return Estimate(mean, jnp.sqrt(jnp.sum((samples - mean) ** 2) / (count * (count - 1))))
