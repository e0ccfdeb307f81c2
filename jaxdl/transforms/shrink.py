r"""Decoupled weight decay as the last step, in every convention: how much θ shrinks beside the step it takes.

With Δ the increment that the optimizer made, η the rate at this step, η* its largest value and λ the decay:

.. math::

    \text{times\_rate}     &: \Delta - \eta\lambda\,\theta              && \text{torch, optax, Keras} \\
    \text{times\_schedule} &: \Delta - (\eta/\eta^*)\lambda\,\theta     && \text{Loshchilov and Hutter} \\
    \text{fixed}           &: \Delta - \lambda\,\theta                  && \text{the lecture; "independent"} \\
    \text{corrected}       &: \Delta - (\eta^2/\eta^*)\lambda\,\theta   && \text{AdamC} \\
    \text{palm}            &: \Delta - \eta^2\lambda\,\theta            && \text{PaLM} \\
    \text{proximal}        &: (\Delta - \eta\lambda\,\theta)/(1+\eta\lambda) && \text{Adan}

*Proximal* is :math:`\theta \leftarrow (\theta+\Delta)/(1+\eta\lambda)`, the decay of the point where the step ends.
Placed after momentum with the rate inside, decay does not enter the velocity: that is Keras. Where nothing stands
between, *times rate* is :func:`jaxdl.transforms.add_decayed_weights` before the rate.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2; Defazio, "Why gradients
rapidly increase near the end of training", 2025 (corrected); Chowdhery et al., "PaLM", 2022, section 5; Xie et al.,
"Adan", 2022, algorithm 1 (proximal).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.decay import where
from jaxdl.typing import Mask, OptState, Params, Scalar, ScalarOrSchedule, Transform, Updates

Shrinkage: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
"""``shrink(increment, theta, eta, peak, decay)``: the increment with the decay in it."""


class ShrinkState(NamedTuple):
    """``count``: completed updates, int32: the argument of the schedules."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count


def times_rate(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """θ shrinks by ηλ."""
    del peak
    return u - eta * decay * theta


def times_schedule(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """θ shrinks by (η/η*) λ."""
    return u - eta / peak * decay * theta


def fixed(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """θ shrinks by λ, whatever the rate."""
    del eta, peak
    return u - decay * theta


def corrected(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """θ shrinks by (η²/η*) λ."""
    return u - eta * eta / peak * decay * theta


def palm(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """θ shrinks by η²λ."""
    del peak
    return u - eta * eta * decay * theta


def proximal(u: jax.Array, theta: jax.Array, eta: jax.Array, peak: jax.Array, decay: jax.Array) -> jax.Array:
    """The step and the decay at the point where they end: θ + Δ is divided by 1 + ηλ."""
    del peak
    return (u - eta * decay * theta) / (1 + eta * decay)


READS_PEAK = (times_schedule, corrected)
"""The conventions in which the largest rate has a part."""


_PARTS = {
    times_rate: "learning_rate · weight_decay",
    times_schedule: "learning_rate/peak_rate · weight_decay",
    fixed: "weight_decay",
    corrected: "learning_rate²/peak_rate · weight_decay",
    palm: "learning_rate² · weight_decay",
    proximal: "learning_rate · weight_decay",
}


def _written(*, by: Shrinkage | None, **rest: Any) -> str:
    form = by or times_rate
    if form not in _PARTS:
        return f"u ← {form.__name__}(u, θ, learning_rate, peak_rate, weight_decay)"
    additive = f"u − {_PARTS[form]} · θ"
    return f"u ← ({additive}) / (1 + {_PARTS[form]})" if form is proximal else f"u ← {additive}"


@equation(_written)
def shrink_weights(
    weight_decay: ScalarOrSchedule,
    learning_rate: ScalarOrSchedule,
    *,
    by: Shrinkage | None = None,
    peak_rate: Scalar | None = None,
    mask: Mask | None = None,
) -> Transform:
    """Lets the weights shrink beside the step; the conventions stand at the top of this file.

    Args:
      weight_decay: λ ≥ 0, a float (maybe traced) or a schedule.
      learning_rate: η ≥ 0, the rate that made the increment: the same float or schedule.
      by: The convention, a function of this file; :func:`times_rate` by default.
      peak_rate: η* > 0, where ``by`` reads it and the rate is a schedule. Of a constant rate it is the rate.
      mask: Which leaves shrink, as in :func:`jaxdl.transforms.add_decayed_weights`.

    Returns:
      A transformation of increments, to be placed last; it needs ``params`` at every update.

    Raises:
      ValueError: a negative float; ``peak_rate`` missing where it is read, or given where it is not; at update, missing
        ``params``.

    >>> tx = shrink_weights(0.5, 0.1, by=fixed)
    >>> increment, _ = tx.update(jnp.zeros(1), tx.init(jnp.ones(1)), jnp.full(1, 2.0))
    >>> print(increment)
    [-1.]
    """
    checks.nonnegative(weight_decay=weight_decay, learning_rate=learning_rate)
    checks.positive(peak_rate=peak_rate)
    checks.functions("jaxdl.transforms.shrink", by=by)
    shrink = by or times_rate
    if shrink not in READS_PEAK and peak_rate is not None:
        raise ValueError(f"peak_rate has no part in decay by {shrink.__name__}: leave it out.")
    if shrink in READS_PEAK and peak_rate is None and callable(learning_rate):
        raise ValueError(f"decay by {shrink.__name__} under a schedule needs peak_rate, the schedule's largest value.")
    counts = callable(weight_decay) or callable(learning_rate)

    def init(params: Params) -> OptState:
        del params
        return ShrinkState(count=jnp.zeros((), jnp.int32)) if counts else optax.EmptyState()

    def rule(u: jax.Array, theta: jax.Array, **floats: jax.Array) -> tuple[jax.Array]:
        return (shrink(u, theta, floats["eta"], floats["peak"], floats["decay"]),)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del extra_args
        checks.parameters(params)
        eta, decay = (value(state.count) if callable(value) else value for value in (learning_rate, weight_decay))
        floats = {"eta": eta, "decay": decay, "peak": eta if peak_rate is None else peak_rate}
        (updates,) = tree.elementwise(rule, updates, reading=(params,), **floats)
        return updates, ShrinkState(count=tree.increment(state.count)) if counts else state

    everywhere = optax.GradientTransformationExtraArgs(init, update)
    return everywhere if mask is None else where(mask, everywhere)
