"""Gradient descent and its momenta. The equations: ``jaxdl/transforms/momentum.py``."""

from typing import Any

from jaxdl import checks
from jaxdl.rules import chain, equation
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.momentum import LookAhead, trace
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


@equation("")
def sgd(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
    *,
    learning_rate_in_velocity: bool = False,
    dampening: Scalar | None = None,
    dampen_first: bool = True,
    look_ahead: LookAhead | None = None,
) -> Transform:
    """Stochastic gradient descent, with a trace of past gradients where ``momentum`` is given.

    Args:
      learning_rate: η ≥ 0.
      momentum: μ ≥ 0, or None for plain gradient descent. Equations: ``jaxdl/transforms/momentum.py``.
      nesterov: Whether the trace looks ahead; without ``momentum`` it changes nothing.
      accumulator_dtype: dtype of the trace; each parameter's own by default.
      learning_rate_in_velocity: Whether η multiplies the gradient before the trace (Sutskever et al., Keras, the
        lecture) and not the trace (torch, optax). The two part as soon as η changes from step to step.
      dampening: d in [0, 1], the part of each gradient that does not enter the trace; None for 0.
      dampen_first: Whether the first gradient is dampened too; torch does not.
      look_ahead: Nesterov's direction, a function of ``jaxdl/transforms/momentum.py``; ``undamped`` by default.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: a negative rate or momentum, a dampening outside [0, 1] or without momentum, or what
        :func:`jaxdl.transforms.trace` refuses.
    """
    checks.nonnegative(momentum=momentum)
    checks.fraction(dampening=dampening)
    rate = scale_by_learning_rate(learning_rate)
    if momentum is None:
        if dampening is not None or not dampen_first:
            raise ValueError("dampening needs a momentum, got none.")
        return chain(rate)
    velocity = trace(
        momentum,
        nesterov,
        accumulator_dtype,
        dampening=dampening,
        dampen_first=dampen_first,
        look_ahead=look_ahead,
    )
    return chain(rate, velocity) if learning_rate_in_velocity else chain(velocity, rate)


@equation("")
def momentum(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar = 0.9,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
    *,
    learning_rate_in_velocity: bool = False,
) -> Transform:
    """:func:`sgd` with heavy-ball momentum 0.9 by default; its arguments, returns and errors."""
    return sgd(
        learning_rate, momentum, nesterov, accumulator_dtype, learning_rate_in_velocity=learning_rate_in_velocity
    )


@equation("")
def nesterov(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar = 0.9,
    accumulator_dtype: Any = None,
    *,
    learning_rate_in_velocity: bool = False,
) -> Transform:
    """:func:`sgd` with Nesterov momentum 0.9 by default; its arguments, returns and errors."""
    return sgd(learning_rate, momentum, True, accumulator_dtype, learning_rate_in_velocity=learning_rate_in_velocity)
