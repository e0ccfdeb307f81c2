r"""Newton's method: to the critical point of the parabola that f has here.

.. math::  d_k = -\tilde H_k^{-1} g_k, \qquad x_{k+1} = x_k + \eta\, d_k

with the Hessian as it is (:func:`unmodified`) or made safe:

.. math::

    \text{damped:}            &\quad \tilde H = H + \lambda I \\
    \text{positive definite:} &\quad \tilde H = H + \max(0, \delta - \lambda_{\min}(H))\, I \\
    \text{absolute:}          &\quad \tilde H = Q \max(|\Lambda|, \delta) Q^\top, \quad H = Q \Lambda Q^\top

As it is, Newton's method solves every quadratic with an invertible Hessian in one step of η = 1, and runs to saddles
and maxima as gladly as to minima. The *absolute* one turns round where the curvature is negative (saddle-free Newton).

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, sections 3.3 and 3.4; Dauphin et al.,
"Identifying and attacking the saddle point problem in high-dimensional non-convex optimization", NeurIPS 2014.
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.second_order.line_search import Search, constant
from jaxdl.second_order.method import Method, Objective, no_memory, nothing_learned
from jaxdl.typing import Scalar

Modification: TypeAlias = Callable[[jax.Array], jax.Array]
"""A symmetric matrix ``(P, P)`` to another."""


def unmodified(hessian: jax.Array) -> jax.Array:
    """The Hessian as it is."""
    return hessian


def damped(damping: Scalar) -> Modification:
    """H + λI, as of Levenberg and Marquardt: large λ turn the step into one of gradient descent at the rate 1/λ.

    Args:
      damping: λ ≥ 0. May be traced.

    Returns:
      The modification.

    Raises:
      ValueError: a negative λ.
    """
    checks.nonnegative(damping=damping)

    def modified(hessian: jax.Array) -> jax.Array:
        return hessian + jnp.asarray(damping).astype(hessian.dtype) * jnp.eye(len(hessian), dtype=hessian.dtype)

    return modified


def positive_definite(floor: Scalar = 1e-3) -> Modification:
    """H plus the least multiple of the identity that leaves no eigenvalue below δ.

    Args:
      floor: δ > 0. May be traced.

    Returns:
      The modification.

    Raises:
      ValueError: δ is not positive.
    """
    checks.positive(floor=floor)

    def modified(hessian: jax.Array) -> jax.Array:
        smallest = jnp.linalg.eigvalsh(hessian)[0]
        shift = jnp.maximum(jnp.asarray(floor).astype(hessian.dtype) - smallest, 0)
        return hessian + shift * jnp.eye(len(hessian), dtype=hessian.dtype)

    return modified


def absolute(floor: Scalar = 1e-3) -> Modification:
    """H with its eigenvalues in magnitude, none below δ. Arguments as of :func:`positive_definite`."""
    checks.positive(floor=floor)

    def modified(hessian: jax.Array) -> jax.Array:
        values, vectors = jnp.linalg.eigh(hessian)
        values = jnp.maximum(jnp.abs(values), jnp.asarray(floor).astype(hessian.dtype))
        rebuilt: jax.Array = (vectors * values[None, :]) @ vectors.T
        return rebuilt

    return modified


def newton(rate: Scalar = 1.0, *, modify: Modification = unmodified, search: Search | None = None) -> Method:
    """Newton's method with the whole Hessian: P products and a solve of P³ operations in every step.

    Args:
      rate: η > 0; 1 is Newton's own. May be traced.
      modify: How the Hessian is made safe: :func:`unmodified`, ``damped(λ)``, ``positive_definite(δ)`` or
        ``absolute(δ)``, or a function of yours.
      search: A line search in place of the rate, such as ``armijo()``. A direction that does not point downhill is then
        replaced by −g.

    Returns:
      The method.

    Raises:
      ValueError: a rate that is not positive, or one beside a search.

    >>> from jaxdl import second_order
    >>> saddle = lambda x: x[0] ** 2 - x[1] ** 2
    >>> print(second_order.minimise(saddle, jnp.array([3.0, 1.0]), method=newton()).params)
    [0. 0.]
    """
    if search is not None and not (isinstance(rate, float | int) and rate == 1):
        raise ValueError("give rate or search, not both.")

    def direction(objective: Objective, x: jax.Array, gradient: jax.Array, memory: tuple[()]) -> jax.Array:
        del memory
        identity = jnp.eye(len(x), dtype=x.dtype)
        hessian = jax.vmap(lambda v: objective.product(x, v))(identity)
        step: jax.Array = jnp.linalg.solve(modify(hessian), gradient)
        return -step

    descends = search is not None
    return Method(no_memory, direction, nothing_learned, search or constant(rate), descends)
