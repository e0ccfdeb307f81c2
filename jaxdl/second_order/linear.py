r"""Conjugate gradients for a linear system :math:`A x = b` with A symmetric and positive definite.

From :math:`r_0 = b - A x_0`, :math:`p_0 = r_0`:

.. math::

    \alpha_k = \frac{r_k^\top r_k}{p_k^\top A p_k}, \quad
    x_{k+1} = x_k + \alpha_k p_k, \quad
    r_{k+1} = r_k - \alpha_k A p_k, \quad
    p_{k+1} = r_{k+1} + \frac{r_{k+1}^\top r_{k+1}}{r_k^\top r_k}\, p_k

The directions are conjugate, :math:`p_i^\top A p_j = 0`, so that x is the solution after as many steps as A has
distinct eigenvalues, rounding apart. The iteration stops before a direction along which A is not positive.

Source: Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature import flat
from jaxdl.curvature.flat import MatVec
from jaxdl.typing import PyTree, Scalar


class LinearResult(NamedTuple):
    """``x``: shaped like b. ``residual_norm``: ‖b − A x‖ as the recurrence has it. ``steps``: products spent; the
    last may have met negative curvature. ``indefinite``: whether it did. ``path``: x with a leading axis ``steps + 1``,
    the start first and the last point repeated after the end; ``directions``: p with a leading axis ``steps``, zero
    after the end. Both None unless they were asked for."""

    x: PyTree
    residual_norm: jax.Array
    steps: jax.Array
    indefinite: jax.Array
    path: PyTree | None = None
    directions: PyTree | None = None


class _State(NamedTuple):
    x: jax.Array
    residual: jax.Array
    direction: jax.Array
    squared: jax.Array
    steps: jax.Array
    indefinite: jax.Array


def linear_conjugate_gradient(
    matvec: MatVec,
    b: PyTree,
    start: PyTree | None = None,
    *,
    steps: int | None = None,
    tolerance: Scalar = 0.0,
    record: bool = False,
) -> LinearResult:
    """Solves A x = b by products with A alone. Pure: jit it, vmap it.

    Args:
      matvec: x to A x, such as ``jaxdl.curvature.hessian(loss, params)``.
      b: The right-hand side, a tree of real arrays.
      start: x₀, shaped like b; zero by default.
      steps: Products at most; by default as many as b has elements.
      tolerance: Norm of the residual that counts as zero. May be traced.
      record: Whether to keep the points and the directions.

    Returns:
      The solution as far as it came.

    Raises:
      ValueError: ``steps`` below 1, a negative tolerance, or a b that is not real.

    >>> print(linear_conjugate_gradient(lambda x: jnp.array([1.0, 4.0]) * x, jnp.array([1.0, 2.0])).x.round(4))
    [1.  0.5]
    """
    form = flat.flat(b)
    limit = form.size if steps is None else steps
    checks.positive_integer(steps=limit)
    checks.nonnegative(tolerance=tolerance)
    apply, target = flat.on_vectors(matvec, form), flat.ravel(form, b)
    state = _start(target, None if start is None else flat.ravel(form, start), apply)
    bound = jnp.asarray(tolerance).astype(form.dtype) ** 2

    def active(state: _State) -> jax.Array:
        return (state.steps < limit) & (state.squared > bound) & ~state.indefinite

    def advance(state: _State) -> _State:
        return _advanced(state, apply(state.direction))

    path = directions = None
    if record:

        def recorded(state: _State, _: None) -> tuple[_State, tuple[jax.Array, jax.Array]]:
            going = active(state)
            direction = jnp.where(going, state.direction, jnp.zeros_like(state.direction))
            state = jax.lax.cond(going, advance, lambda state: state, state)
            return state, (state.x, direction)

        first = state.x
        state, (points, moves) = jax.lax.scan(recorded, state, length=limit)
        trees = jax.vmap(partial(flat.unravel, form))
        path, directions = trees(jnp.concatenate([first[None], points])), trees(moves)
    else:
        state = jax.lax.while_loop(active, advance, state)
    norm = jnp.sqrt(state.squared)
    return LinearResult(flat.unravel(form, state.x), norm, state.steps, state.indefinite, path, directions)


def _start(b: jax.Array, x: jax.Array | None, apply: Callable[[jax.Array], jax.Array]) -> _State:
    point, residual = (jnp.zeros_like(b), b) if x is None else (x, b - apply(x))
    return _State(point, residual, residual, jnp.sum(residual**2), jnp.int32(0), jnp.bool_(False))


def _advanced(state: _State, image: jax.Array) -> _State:
    """One step, with ``image`` the product of the matrix with the direction."""
    curvature = jnp.sum(state.direction * image)
    positive = curvature > 0
    alpha = state.squared / jnp.where(positive, curvature, jnp.ones_like(curvature))
    residual = state.residual - alpha * image
    squared = jnp.sum(residual**2)
    after = state._replace(
        x=state.x + alpha * state.direction,
        residual=residual,
        direction=residual + squared / state.squared * state.direction,
        squared=squared,
    )
    state = tree.select(positive, after, state)
    return state._replace(steps=state.steps + 1, indefinite=~positive)
