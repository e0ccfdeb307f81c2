"""A loss that is a letter: what ``explain`` gives to an update that asks for more than gradients.

The protocol passes extra arguments by keyword; optax's rules ask for the loss at θ (``value``), its gradient (``grad``)
and the loss as a function (``value_fn``). Here they are the letter f, g, and a function whose program is one unread
primitive with a slope, so that a line search that differentiates it can still be read.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import numpy as np
from jax.core import ShapedArray
from jax.extend.core import Primitive

from jaxdl.typing import PyTree

VALUE, SLOPE = Primitive("f"), Primitive("∇f")
VALUE.def_abstract_eval(lambda *leaves: ShapedArray((), np.dtype(np.float64)))
SLOPE.multiple_results = True
SLOPE.def_abstract_eval(lambda *leaves: [ShapedArray(leaf.shape, leaf.dtype) for leaf in leaves])

OF_LOSS = (VALUE.name, SLOPE.name)
"""Calls that are letters, not something unread."""

LETTERS: Mapping[str, str] = MappingProxyType(
    {"value": "value = f, the loss at θ", "grad": "grad = g", "value_fn": "value_fn = f(·), whose slope is ∇f"}
)
"""Extra arguments and what stands for them."""


@jax.custom_jvp
def letter(theta: PyTree) -> jax.Array:
    """f(θ), of which nothing is known."""
    loss: jax.Array = VALUE.bind(*jax.tree.leaves(theta))
    return loss


@letter.defjvp
def _slope(primals: tuple[PyTree], tangents: tuple[PyTree]) -> tuple[jax.Array, jax.Array]:
    leaves = jax.tree.leaves(primals[0])
    products = zip(SLOPE.bind(*leaves), jax.tree.leaves(tangents[0]), strict=True)
    return letter(primals[0]), sum((slope * t).sum() for slope, t in products)


def stand_ins(value: Any, gradient: PyTree) -> Mapping[str, Any]:
    """The extra arguments of an update, by name.

    Args:
      value: what stands for the loss at θ.
      gradient: what stands for its gradient.
    """
    return {"value": value, "grad": gradient, "value_fn": lambda theta, *_, **__: letter(theta)}
