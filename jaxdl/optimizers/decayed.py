"""Optimizers with decoupled weight decay: AdamW, NAdamW, AdamaxW. Its conventions: ``jaxdl/transforms/shrink.py``."""

from typing import Any

from jaxdl.optimizers.moments import look_ahead
from jaxdl.rules import chain, equation
from jaxdl.transforms.adam import scale_by_adam
from jaxdl.transforms.adamax import Infinity, scale_by_adamax
from jaxdl.transforms.decay import add_decayed_weights
from jaxdl.transforms.denominators import Division
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.shrink import Shrinkage, shrink_weights, times_rate
from jaxdl.typing import Mask, Scalar, ScalarOrSchedule, Transform


def decayed_steps(
    learning_rate: ScalarOrSchedule,
    weight_decay: ScalarOrSchedule,
    mask: Mask | None,
    decay_by: Shrinkage | None,
    peak_rate: Scalar | None,
) -> tuple[Transform, Transform]:
    """What turns a direction into an increment with decay: the last two links of a chain."""
    rate = scale_by_learning_rate(learning_rate)
    if decay_by in (None, times_rate) and peak_rate is None:
        return add_decayed_weights(weight_decay, mask), rate
    return rate, shrink_weights(weight_decay, learning_rate, by=decay_by, peak_rate=peak_rate, mask=mask)


@equation("")
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
    divide: Division | None = None,
    decay_by: Shrinkage | None = None,
    peak_rate: Scalar | None = None,
) -> Transform:
    """Adam with decoupled weight decay: each step also shrinks θ, by (1 − ηλ) unless ``decay_by`` says otherwise.

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
      divide: Where ε stands, a function of ``jaxdl/transforms/denominators.py``.
      decay_by: By how much θ shrinks, a function of ``jaxdl/transforms/shrink.py``; ``times_rate`` by default.
      peak_rate: The largest rate, where ``decay_by`` reads it and the rate is a schedule.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or a ``peak_rate`` missing or superfluous.
    """
    direction = scale_by_adam(
        b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov, bias_correction=bias_correction, divide=divide
    )
    return chain(direction, *decayed_steps(learning_rate, weight_decay, mask, decay_by, peak_rate))


@equation("")
def nadamw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask | None = None,
    *,
    momentum_decay: Scalar | None = None,
    decay_by: Shrinkage | None = None,
    peak_rate: Scalar | None = None,
) -> Transform:
    """:func:`jaxdl.optimizers.nadam` with decoupled weight decay.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/nadam.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0 outside the root.
      eps_root: ≥ 0 inside the root.
      mu_dtype: dtype of the first moment; each parameter's own by default.
      weight_decay: λ ≥ 0 or a schedule.
      mask: Which leaves decay; all by default.
      momentum_decay: ψ ≥ 0, how fast the momentum rises; None for a constant β₁ as in optax.
      decay_by: By how much θ shrinks, a function of ``jaxdl/transforms/shrink.py``; ``times_rate`` by default.
      peak_rate: The largest rate, where ``decay_by`` reads it and the rate is a schedule.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or a ``peak_rate`` missing or superfluous.
    """
    direction = look_ahead(b1, b2, eps, eps_root, mu_dtype, momentum_decay)
    return chain(direction, *decayed_steps(learning_rate, weight_decay, mask, decay_by, peak_rate))


@equation("")
def adamaxw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask | None = None,
    *,
    norm: Infinity | None = None,
    decay_by: Shrinkage | None = None,
    peak_rate: Scalar | None = None,
) -> Transform:
    """:func:`jaxdl.optimizers.adamax` with decoupled weight decay.

    Args:
      learning_rate: η ≥ 0, about the size of a step in each parameter.
      b1: β₁ in [0, 1). Equations: ``jaxdl/transforms/adamax.py``.
      b2: β₂ in [0, 1).
      eps: ε ≥ 0.
      weight_decay: λ ≥ 0 or a schedule.
      mask: Which leaves decay; all by default.
      norm: Where ε stands, a function of that file.
      decay_by: By how much θ shrinks, a function of ``jaxdl/transforms/shrink.py``; ``times_rate`` by default.
      peak_rate: The largest rate, where ``decay_by`` reads it and the rate is a schedule.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or a ``peak_rate`` missing or superfluous.
    """
    direction = scale_by_adamax(b1, b2, eps, norm=norm)
    return chain(direction, *decayed_steps(learning_rate, weight_decay, mask, decay_by, peak_rate))
