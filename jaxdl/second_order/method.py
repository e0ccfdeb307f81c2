r"""What a method of minimisation is: a direction, and a search for how far to go along it.

.. math::  d_k = \text{direction}(x_k, g_k, m_k), \qquad x_{k+1} = x_k + \alpha_k d_k, \qquad
           m_{k+1} = \text{update}(m_k,\; s_k,\; y_k,\; \dots), \qquad s_k = x_{k+1} - x_k, \quad y_k = g_{k+1} - g_k

All of it works on the parameters as one vector of shape ``(P,)``: this is linear algebra.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from jaxdl.second_order.line_search import Search
from jaxdl.typing import PyTree


class Objective(NamedTuple):
    """The loss of a vector. ``value_and_gradient``: x to f and g. ``product``: x and v to the Hessian times v."""

    value_and_gradient: Callable[[jax.Array], tuple[jax.Array, jax.Array]]
    product: Callable[[jax.Array, jax.Array], jax.Array]


class Step(NamedTuple):
    """A step that was taken. ``s``: change of x. ``y``: change of g. ``direction``: d, of which s is a multiple.
    ``before``, ``after``: g at its ends. All of shape ``(P,)``."""

    s: jax.Array
    y: jax.Array
    direction: jax.Array
    before: jax.Array
    after: jax.Array


class Method(NamedTuple):
    """A method of minimisation.

    Attributes:
      init: Memory before the first step, from g: a tree of arrays.
      direction: ``direction(objective, x, g, memory) -> d``.
      update: ``update(memory, step) -> memory``.
      search: How far along d.
      descends: Whether a direction that does not point downhill is replaced by −g and the memory by a fresh one. Newton
        with a fixed rate goes wherever its direction points.
    """

    init: Callable[[jax.Array], PyTree]
    direction: Callable[[Objective, jax.Array, jax.Array, Any], jax.Array]
    update: Callable[[Any, Step], PyTree]
    search: Search
    descends: bool = True


def no_memory(gradient: jax.Array) -> tuple[()]:
    """The memory of a method that has none."""
    del gradient
    return ()


def nothing_learned(memory: tuple[()], step: Step) -> tuple[()]:
    """The update of a memory that is none."""
    del step
    return memory
