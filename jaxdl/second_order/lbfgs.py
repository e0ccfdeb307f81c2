r"""L-BFGS: the BFGS direction from the last m steps, without a matrix.

B is never formed: :math:`B_k g` is two passes over the pairs (s, y), newest first and then oldest first, between them a
multiple of the identity that has the size of the inverse Hessian along the last step,

.. math::  B_k^0 = \gamma_k I, \qquad \gamma_k = \frac{s^\top y}{y^\top y}.

Source: Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989; Nocedal and Wright,
"Numerical optimization", 2nd edition, 2006, algorithms 7.4 and 7.5.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.second_order.bfgs import curvature_is_positive
from jaxdl.second_order.line_search import Search, strong_wolfe
from jaxdl.second_order.method import Method, Objective, Step


class Pairs(NamedTuple):
    """The last m steps, newest last. ``s``, ``y``: shape ``(m, P)``. ``rho``: 1/sᵀy, shape ``(m,)``, 0 where there is
    no step yet. ``scale``: γ, shape ``()``."""

    s: jax.Array
    y: jax.Array
    rho: jax.Array
    scale: jax.Array


def lbfgs(memory: int = 10, *, search: Search | None = None) -> Method:
    """BFGS with limited memory: 2 m P numbers and 4 m P multiplications per step.

    Args:
      memory: m ≥ 1, how many steps are remembered.
      search: How far along each direction; ``strong_wolfe()`` by default.

    Returns:
      The method; its memory is :class:`Pairs`.

    Raises:
      ValueError: ``memory`` below 1.
    """
    checks.positive_integer(memory=memory)

    def init(gradient: jax.Array) -> Pairs:
        none = jnp.zeros((memory, len(gradient)), gradient.dtype)
        return Pairs(s=none, y=none, rho=jnp.zeros(memory, gradient.dtype), scale=jnp.ones((), gradient.dtype))

    return Method(init, _direction, _remembered, search or strong_wolfe())


def _direction(objective: Objective, x: jax.Array, gradient: jax.Array, pairs: Pairs) -> jax.Array:
    del objective, x
    return -inverse_product(pairs, gradient)


def inverse_product(pairs: Pairs, vector: jax.Array) -> jax.Array:
    """B times a vector of shape ``(P,)``: the two passes. An empty pair has ρ = 0 and does nothing."""

    def down(q: jax.Array, pair: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        s, y, rho = pair
        a = rho * jnp.sum(s * q)
        return q - a * y, a

    def up(r: jax.Array, pair: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
        s, y, rho, a = pair
        return r + (a - rho * jnp.sum(y * r)) * s, None

    q, a = jax.lax.scan(down, vector, (pairs.s, pairs.y, pairs.rho), reverse=True)
    return jax.lax.scan(up, pairs.scale * q, (pairs.s, pairs.y, pairs.rho, a))[0]


def _remembered(pairs: Pairs, step: Step) -> Pairs:
    """The oldest pair gives way to the newest, unless that has no positive curvature."""
    s, y = step.s, step.y
    curved = curvature_is_positive(s, y)
    product = jnp.where(curved, jnp.sum(s * y), jnp.ones((), s.dtype))
    squared = jnp.where(curved, jnp.sum(y * y), jnp.ones((), s.dtype))
    new = Pairs(
        s=jnp.concatenate([pairs.s[1:], s[None]]),
        y=jnp.concatenate([pairs.y[1:], y[None]]),
        rho=jnp.concatenate([pairs.rho[1:], 1 / product[None]]),
        scale=product / squared,
    )
    kept: Pairs = tree.select(curved, new, pairs)
    return kept
