r"""Extreme eigenpairs of a symmetric matrix from its products with vectors: Lanczos' method.

From a unit vector q₁, m products give an orthonormal basis Q and a tridiagonal T with

.. math::

    A Q = Q T + \beta_m\, q_{m+1} e_m^\top, \qquad T = \operatorname{tridiag}(\beta, \alpha, \beta).

The eigenvalues θ of T are the Ritz values, with vectors :math:`y = Q s`, and each carries its certificate: in exact
arithmetic :math:`\lVert A y - \theta y\rVert = \beta_m |s_m|`, and an eigenvalue of A lies at most that far from θ.

Every new vector is orthogonalised **twice** against the whole basis. Without that the basis loses its orthogonality as
soon as a Ritz value converges and copies of it appear; one pass is unsafe where β vanishes. There (relative to T) the
basis spans an invariant subspace: the iteration then goes on from a fresh direction that is orthogonal to it, with
β = 0, and so finds further copies of multiple eigenvalues and never divides by rounding noise. In exact arithmetic one
starting vector sees one copy of each multiple eigenvalue before that.

Source: Lanczos, "An iteration method for the solution of the eigenvalue problem", 1950; Parlett, "The symmetric
eigenvalue problem", 1998, chapter 13; Giraud, Langou and Rozložník, "The loss of orthogonality in the Gram–Schmidt
orthogonalization process", 2005 (twice is enough).
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature import flat
from jaxdl.curvature.flat import MatVec
from jaxdl.curvature.products import Loss, Product, hessian
from jaxdl.typing import Params, PyTree

BREAKDOWN = 30
"""β is taken for zero below so many roundings of the largest entry of T: products in float32 err by about ten."""

STEPS = 64
"""Products of one run by default; fewer leave the outer eigenvalues of a network's Hessian wrong by percents."""


class Krylov(NamedTuple):
    """``alpha``: diagonal of T, shape ``(m,)``. ``beta``: β₁ … β_m, the last couples to the basis' complement, shape
    ``(m,)``. ``basis``: Q, rows are the vectors, shape ``(m, P)``."""

    alpha: jax.Array
    beta: jax.Array
    basis: jax.Array


class Eigenpairs(NamedTuple):
    """``values``: shape ``(k,)``. ``vectors``: orthonormal, a tree with a leading axis k. ``residuals``: ‖A y − θ y‖ up
    to rounding, shape ``(k,)``. ``converged``: whether the residual is below the tolerance, shape ``(k,)``."""

    values: jax.Array
    vectors: PyTree
    residuals: jax.Array
    converged: jax.Array


def krylov(matvec: MatVec, start: PyTree, steps: int) -> Krylov:
    """The Krylov basis of a starting vector and T in it; the equation stands at the top of this file.

    Args:
      matvec: The symmetric matrix A.
      start: Any vector, shaped like the parameters; where it is zero a fixed random one is taken.
      steps: m ≥ 1, the number of products; at most P, the number of parameters, are taken.

    Returns:
      α, β and the basis, in float32 or wider; memory (m + 1) P numbers.
    """
    checks.positive_integer(steps=steps)
    form = flat.flat(start)
    apply, m, dtype = flat.on_vectors(matvec, form), min(steps, form.size), form.dtype
    eps = jnp.finfo(dtype).eps
    spare = arbitrary(form)
    first = flat.ravel(form, start)
    basis = jnp.zeros((m + 1, form.size), dtype).at[0].set(_unit(jnp.where(_norm(first) > 0, first, spare)))

    def step(carry: tuple[jax.Array, jax.Array], j: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
        basis, scale = carry
        w, along = _orthogonalised(apply(basis[j]), basis)
        alpha, beta = along[j], _norm(w)
        scale = jnp.maximum(scale, jnp.abs(alpha) + beta)
        broken = beta <= BREAKDOWN * eps * scale
        w = jax.lax.cond(broken, lambda: _orthogonalised(_unit(jnp.roll(spare, j + 1)), basis)[0], lambda: w)
        basis = basis.at[j + 1].set(_unit(w))
        return (basis, scale), (alpha, jnp.where(broken, jnp.zeros_like(beta), beta))

    (basis, _), (alpha, beta) = jax.lax.scan(step, (basis, jnp.zeros((), dtype)), jnp.arange(m))
    return Krylov(alpha, beta, basis[:m])


def arbitrary(form: flat.Flat) -> jax.Array:
    """A fixed vector without structure, shape ``(P,)``: it has a part along every eigenvector, almost surely."""
    return jax.random.normal(jax.random.key(0), (form.size,), form.dtype)


def _norm(vector: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum(vector * vector))


def _unit(vector: jax.Array) -> jax.Array:
    """The vector at length 1; zero stays zero."""
    norm = _norm(vector)
    return jnp.where(norm > 0, vector / jnp.where(norm > 0, norm, jnp.ones_like(norm)), jnp.zeros_like(vector))


def _orthogonalised(vector: jax.Array, basis: jax.Array) -> tuple[jax.Array, jax.Array]:
    """What of a vector is orthogonal to the rows of ``basis``, by two passes, and its coefficients along them."""
    product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    first = product(basis, vector)
    vector = vector - product(first, basis)
    second = product(basis, vector)
    return vector - product(second, basis), first + second


def ritz(space: Krylov) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Ritz values ascending, shape ``(m,)``; coefficients s in columns, ``(m, m)``; residuals β_m|s_m|, ``(m,)``."""
    t = jnp.diag(space.alpha) + jnp.diag(space.beta[:-1], 1) + jnp.diag(space.beta[:-1], -1)
    values, coefficients = jnp.linalg.eigh(t)
    return values, coefficients, space.beta[-1] * jnp.abs(coefficients[-1])


def pairs(
    space: Krylov, like: PyTree, k: int, *, largest: bool = True, tolerance: float | jax.Array = 1e-3
) -> Eigenpairs:
    """The k outermost Ritz pairs of a Krylov space.

    Args:
      space: From :func:`krylov`.
      like: A tree shaped like the parameters.
      k: How many, at most the m of the space.
      largest: Whether the algebraically largest, in falling order, or the smallest, in rising order.
      tolerance: A pair counts as converged where its residual is at most this part of the largest Ritz value in
        magnitude.

    Returns:
      The pairs.

    Raises:
      ValueError: ``k`` is larger than the space.
    """
    checks.positive_integer(k=k)
    if k > len(space.alpha):
        raise ValueError(f"k must be at most the {len(space.alpha)} dimensions of the Krylov space, got {k}.")
    form = flat.flat(like)
    values, coefficients, residuals = ritz(space)
    bound = jnp.asarray(tolerance).astype(values.dtype) * jnp.max(jnp.abs(values))
    chosen = slice(-1, -k - 1, -1) if largest else slice(0, k)
    vectors = jnp.matmul(coefficients[:, chosen].T, space.basis, precision=jax.lax.Precision.HIGHEST)
    return Eigenpairs(
        values=values[chosen],
        vectors=jax.vmap(partial(flat.unravel, form))(vectors),
        residuals=residuals[chosen],
        converged=residuals[chosen] <= bound,
    )


@partial(jax.jit, static_argnames=("loss", "k", "largest", "steps", "product"))
def eigenpairs(
    loss: Loss,
    params: Params,
    *args: Any,
    k: int = 1,
    largest: bool = True,
    steps: int | None = None,
    start: PyTree | None = None,
    tolerance: float | jax.Array = 1e-3,
    product: Product = hessian,
) -> Eigenpairs:
    """The k largest or smallest eigenvalues of the curvature of a loss, with vectors and certificates.

    It is compiled once for a loss, a product and shapes: keep the same function objects along a run. Largest means
    algebraically: the most negative eigenvalue comes with ``largest=False``.

    Args:
      loss: ``loss(params, *args) -> scalar``, and no floats of its own that change.
      params: θ, a tree of real arrays.
      *args: What else the loss is given: a batch, a key.
      k: How many pairs.
      largest: Which end of the spectrum.
      steps: Products to spend; by default ``max(64, 8 k)``, and never more than there are parameters.
      start: Vector to start from, such as an eigenvector of an earlier θ; an arbitrary fixed one by default.
      tolerance: Relative residual that counts as converged. The eigenvalue errs by the residual's square over the gap.
      product: Whose eigenvalues: ``hessian`` (default), ``gauss_newton(model)``, ``empirical_fisher``,
        ``in_batches(hessian, 256)``, …

    Returns:
      The pairs; a pair that is not ``converged`` needs more steps.

    Raises:
      ValueError: more pairs than steps or parameters, or parameters that are not real.

    >>> curvatures = jnp.array([5.0, 3.0, -2.0, 1.0])
    >>> print(eigenpairs(lambda x: 0.5 * jnp.sum(curvatures * x**2), jnp.zeros(4), k=2).values.round(4))
    [5. 3.]
    """
    matvec = product(loss, params, *args)
    space = krylov(
        matvec, tree.zeros_like(params) if start is None else start, max(STEPS, 8 * k) if steps is None else steps
    )
    return pairs(space, params, k, largest=largest, tolerance=tolerance)
