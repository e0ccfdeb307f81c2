r"""Gradient descent with any line search: what the methods of this room are measured against.

.. math::  x_{k+1} = x_k - \alpha_k\, g_k
"""

import jax

from jaxdl.second_order.line_search import Search, armijo, constant
from jaxdl.second_order.method import Method, Objective, no_memory, nothing_learned
from jaxdl.typing import Scalar


def gradient_descent(rate: Scalar | None = None, *, search: Search | None = None) -> Method:
    """Steepest descent: at a fixed rate, or with a line search.

    Args:
      rate: η > 0, the same in every step. May be traced.
      search: In place of a rate; ``armijo()`` where neither is given. With ``exact()`` it is Cauchy's method.

    Returns:
      The method.

    Raises:
      ValueError: both were given, or a rate that is not positive.
    """
    if rate is not None and search is not None:
        raise ValueError("give rate or search, not both.")
    descends = rate is None
    chosen = constant(rate) if rate is not None else search or armijo()

    def direction(objective: Objective, x: jax.Array, gradient: jax.Array, memory: tuple[()]) -> jax.Array:
        del objective, x, memory
        return -gradient

    return Method(no_memory, direction, nothing_learned, chosen, descends)
