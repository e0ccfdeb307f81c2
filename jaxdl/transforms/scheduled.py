"""A transformation with one coefficient c that is a constant, or a schedule of the number of completed updates.

.. math::  u_t = \\text{rule}(u_t, [\\theta_{t-1}], c_t), \\qquad c_t = c \\text{ or } c(t-1), \\quad t = 1, 2, \\dots
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.typing import OptState, Params, ScalarOrSchedule, Transform, Updates


class ScheduleState(NamedTuple):
    """``count``: completed updates, int32: the argument of the next call of the schedule."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count


def scheduled(
    coefficient: ScalarOrSchedule, rule: Callable[..., tuple[jax.Array]], *, reads_params: bool = False
) -> Transform:
    """Applies ``rule(u, c=c)``, or ``rule(u, θ, c=c)`` with ``reads_params``, to every leaf.

    Args:
      coefficient: c, a float (maybe traced) or a schedule. Only a schedule needs a state.
      rule: The arithmetic of one leaf; returns a 1-tuple.
      reads_params: Whether the rule needs the parameters.

    Returns:
      A transformation whose state is ``optax.EmptyState`` or, for a schedule, :class:`ScheduleState`.

    Raises:
      ValueError: at update, where the rule needs parameters and ``params`` is None.
    """

    def init(params: Params) -> OptState:
        del params
        return ScheduleState(count=jnp.zeros((), jnp.int32)) if callable(coefficient) else optax.EmptyState()

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del extra_args
        if reads_params:
            checks.parameters(params)
        c = coefficient(state.count) if callable(coefficient) else coefficient
        (updates,) = tree.elementwise(rule, updates, reading=(params,) if reads_params else (), c=c)
        return updates, ScheduleState(count=tree.increment(state.count)) if callable(coefficient) else state

    return optax.GradientTransformationExtraArgs(init, update)
