"""Named optimizers. Every body is one chain; the arithmetic and the equations live in ``jaxdl/transforms``.

Keyword names and defaults are optax's, so that one dictionary drives both; what optax lacks is keyword-only and off by
default. Every float may be traced, and every learning rate may be a schedule.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import optax

from jaxdl import checks
from jaxdl.transforms.adam import scale_by_adam
from jaxdl.transforms.decay import add_decayed_weights
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.momentum import trace
from jaxdl.transforms.rms import scale_by_rms, scale_by_stddev
from jaxdl.typing import Mask, Scalar, ScalarOrSchedule, Transform


def sgd(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
    *,
    learning_rate_in_velocity: bool = False,
) -> Transform:
    """Stochastic gradient descent, with a trace of past gradients where ``momentum`` is given.

    Args:
      learning_rate: η ≥ 0.
      momentum: μ ≥ 0, or None for plain gradient descent. Equations: ``jaxdl/transforms/momentum.py``.
      nesterov: Whether the trace looks ahead; without ``momentum`` it changes nothing.
      accumulator_dtype: dtype of the trace; each parameter's own by default.
      learning_rate_in_velocity: Whether η multiplies the gradient before the trace (Sutskever et al., Keras, the
        lecture) and not the trace (torch, optax). The two part as soon as η changes from step to step.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: a negative rate or momentum.
    """
    checks.nonnegative(momentum=momentum)
    rate = scale_by_learning_rate(learning_rate)
    if momentum is None:
        return optax.chain(rate)
    velocity = trace(momentum, nesterov, accumulator_dtype)
    return optax.chain(rate, velocity) if learning_rate_in_velocity else optax.chain(velocity, rate)


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


def nesterov(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar = 0.9,
    accumulator_dtype: Any = None,
    *,
    learning_rate_in_velocity: bool = False,
) -> Transform:
    """:func:`sgd` with Nesterov momentum 0.9 by default; its arguments, returns and errors."""
    return sgd(learning_rate, momentum, True, accumulator_dtype, learning_rate_in_velocity=learning_rate_in_velocity)


def rmsprop(
    learning_rate: ScalarOrSchedule,
    decay: Scalar = 0.9,
    eps: Scalar = 1e-8,
    initial_scale: Scalar = 0.0,
    eps_in_sqrt: bool = True,
    centered: bool = False,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    bias_correction: bool = False,
    *,
    learning_rate_in_velocity: bool = True,
) -> Transform:
    """RMSProp, plain or centred, with a trace of past steps where ``momentum`` is given.

    Args:
      learning_rate: η ≥ 0.
      decay: α in [0, 1), the lecture's α. Equations: ``jaxdl/transforms/rms.py``.
      eps: ε ≥ 0.
      initial_scale: Initial mean square: 0 here as in optax and torch, 1 in TensorFlow 1.
      eps_in_sqrt: Whether ε is added under the root (optax, Keras) or to it (torch).
      centered: Whether to divide by the standard deviation, computed without cancellation, in place of the root mean
        square.
      momentum: μ ≥ 0 of a trace after the scaling, or None.
      nesterov: Whether that trace looks ahead.
      bias_correction: Whether the averages have weights that sum to one.
      learning_rate_in_velocity: Whether η multiplies before the trace (optax, Keras, TensorFlow) or after it (torch).

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``decay`` outside [0, 1), or a negative float.
    """
    checks.nonnegative(momentum=momentum)
    scale = (scale_by_stddev if centered else scale_by_rms)(decay, eps, initial_scale, eps_in_sqrt, bias_correction)
    rate = scale_by_learning_rate(learning_rate)
    if momentum is None:
        return optax.chain(scale, rate)
    velocity = trace(momentum, nesterov)
    return optax.chain(scale, rate, velocity) if learning_rate_in_velocity else optax.chain(scale, velocity, rate)


def adam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
    bias_correction: bool = True,
) -> Transform:
    """Adam (Kingma and Ba, 2015, algorithm 1); with ``nesterov``, NAdam with constant β₁.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/adam.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      nesterov: Whether the first moment looks ahead.
      bias_correction: Whether the moments are divided by 1 − βᵗ.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative float.
    """
    direction = scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov, bias_correction=bias_correction)
    return optax.chain(direction, scale_by_learning_rate(learning_rate))


def adamw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask | None = None,
    *,
    nesterov: bool = False,
    bias_correction: bool = True,
) -> Transform:
    """Adam with decoupled weight decay: each step also shrinks θ by (1 − ηλ).

    Args:
      learning_rate: η ≥ 0; it multiplies the decay too (see ``jaxdl/transforms/decay.py``).
      b1: β₁ in [0, 1).
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      weight_decay: λ ≥ 0 or a schedule. 1e-4 as in optax; torch has 1e-2, Keras 4e-3.
      mask: Which leaves decay; all by default.
      nesterov: Whether the first moment looks ahead.
      bias_correction: Whether the moments are divided by 1 − βᵗ.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative float.
    """
    direction = scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov, bias_correction=bias_correction)
    return optax.chain(direction, add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))


FACTORIES: Mapping[str, Any] = MappingProxyType(
    {"sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "adamw": adamw}
)
"""Every named optimizer."""

LEARNING_RATE_RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "sgd": (1e-3, 10.0),
        "momentum": (1e-4, 1.0),
        "nesterov": (1e-4, 1.0),
        "rmsprop": (1e-5, 0.1),
        "adam": (1e-5, 0.1),
        "adamw": (1e-5, 0.1),
    }
)
"""Where a comparison starts to look for each optimizer's learning rate: four decades for all, log-spaced."""
