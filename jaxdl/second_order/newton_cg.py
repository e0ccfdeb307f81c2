r"""Newton's method without the matrix: each direction by conjugate gradients on :math:`H_k d = -g_k`, cut short.

The inner iteration ends where the residual is at most :math:`\min(\tfrac12, \sqrt{\lVert g\rVert})\,\lVert g\rVert`, so
that the outer one converges superlinearly, or at a direction of negative curvature: what was found before it points
downhill, and where it is the first, −g does.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, algorithm 7.1.
"""

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.second_order.line_search import Search, armijo
from jaxdl.second_order.linear import linear_conjugate_gradient
from jaxdl.second_order.method import Method, Objective, no_memory, nothing_learned


def newton_cg(*, search: Search | None = None, products: int = 50) -> Method:
    """Truncated Newton: a few products with the Hessian per step, none of its P² entries.

    Args:
      search: How far along each direction; ``armijo()`` by default, which takes Newton's full step near a minimum.
      products: Of the inner iteration at most, per step.

    Returns:
      The method.

    Raises:
      ValueError: ``products`` below 1.
    """
    checks.positive_integer(products=products)

    def direction(objective: Objective, x: jax.Array, gradient: jax.Array, memory: tuple[()]) -> jax.Array:
        del memory
        norm = jnp.sqrt(jnp.sum(gradient**2))
        forcing = jnp.minimum(jnp.sqrt(norm), 0.5)
        inner = linear_conjugate_gradient(
            lambda v: objective.product(x, v), -gradient, steps=products, tolerance=forcing * norm
        )
        return jnp.where(jnp.any(inner.x != 0), inner.x, -gradient)

    return Method(no_memory, direction, nothing_learned, search or armijo())
