"""Steps of one length in every coordinate: signSGD, Signum, Lion."""

from typing import Any

from jaxdl import checks
from jaxdl.optimizers.decayed import decayed_steps
from jaxdl.rules import chain, equation
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.lion import scale_by_lion
from jaxdl.transforms.momentum import trace
from jaxdl.transforms.shrink import Shrinkage
from jaxdl.transforms.sign import scale_by_sign
from jaxdl.typing import Mask, Scalar, ScalarOrSchedule, Transform


@equation("")
def sign_sgd(learning_rate: ScalarOrSchedule) -> Transform:
    """Gradient descent by signs.

    Args:
      learning_rate: η ≥ 0, the size of a step in each parameter.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: a negative rate.
    """
    return chain(scale_by_sign(), scale_by_learning_rate(learning_rate))


@equation("")
def signum(learning_rate: ScalarOrSchedule, beta: Scalar = 0.9, accumulator_dtype: Any = None) -> Transform:
    """Signs of an average of the gradient.

    Args:
      learning_rate: η ≥ 0, the size of a step in each parameter.
      beta: β in [0, 1), the memory of the average. Equations: ``jaxdl/transforms/momentum.py`` and ``sign.py``.
      accumulator_dtype: dtype of the average; each parameter's own by default.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``beta`` outside [0, 1), or a negative rate.
    """
    checks.decay_rate(beta=beta)
    average = trace(beta, accumulator_dtype=accumulator_dtype, dampening=beta)
    return chain(average, scale_by_sign(), scale_by_learning_rate(learning_rate))


@equation("")
def lion(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.99,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-3,
    mask: Mask | None = None,
    *,
    decay_by: Shrinkage | None = None,
    peak_rate: Scalar | None = None,
) -> Transform:
    """Lion with decoupled weight decay.

    Args:
      learning_rate: η ≥ 0, the size of a step in each parameter.
      b1: β₁ in [0, 1), the weight of the past in what is signed. Equations: ``jaxdl/transforms/lion.py``.
      b2: β₂ in [0, 1), the weight of the past in what is kept.
      mu_dtype: dtype of the momentum; each parameter's own by default.
      weight_decay: λ ≥ 0 or a schedule.
      mask: Which leaves decay; all by default.
      decay_by: By how much θ shrinks, a function of ``jaxdl/transforms/shrink.py``; ``times_rate`` by default.
      peak_rate: The largest rate, where ``decay_by`` reads it and the rate is a schedule.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative float, or a ``peak_rate`` missing or superfluous.
    """
    direction = scale_by_lion(b1, b2, mu_dtype)
    return chain(direction, *decayed_steps(learning_rate, weight_decay, mask, decay_by, peak_rate))
