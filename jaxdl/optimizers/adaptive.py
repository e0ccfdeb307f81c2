"""Steps divided by what gradients have been: Adagrad, Adadelta, RMSProp."""

from jaxdl import checks
from jaxdl.rules import chain, equation
from jaxdl.transforms.adadelta import scale_by_adadelta
from jaxdl.transforms.adagrad import scale_by_rss
from jaxdl.transforms.decay import add_l2_gradient
from jaxdl.transforms.denominators import Division
from jaxdl.transforms.learning_rate import scale_by_learning_rate
from jaxdl.transforms.momentum import trace
from jaxdl.transforms.rms import scale_by_rms, scale_by_stddev
from jaxdl.typing import Mask, Scalar, ScalarOrSchedule, Transform


@equation("")
def adagrad(
    learning_rate: ScalarOrSchedule,
    initial_accumulator_value: Scalar = 0.1,
    eps: Scalar = 1e-7,
    *,
    eps_in_sqrt: bool = True,
) -> Transform:
    """Adagrad: divides by the root of the sum of all squared gradients.

    Args:
      learning_rate: η ≥ 0.
      initial_accumulator_value: s₀ ≥ 0: 0.1 here as in optax, Keras and TensorFlow, 0 in the paper and torch.
        Equations: ``jaxdl/transforms/adagrad.py``.
      eps: ε ≥ 0.
      eps_in_sqrt: Whether ε is added under the root (optax, Keras) or to it (the paper, torch).

    Returns:
      A gradient transformation.

    Raises:
      ValueError: a negative float.
    """
    scale = scale_by_rss(initial_accumulator_value, eps, eps_in_sqrt=eps_in_sqrt)
    return chain(scale, scale_by_learning_rate(learning_rate))


@equation("")
def adadelta(
    learning_rate: ScalarOrSchedule = 1.0,
    rho: Scalar = 0.9,
    eps: Scalar = 1e-6,
    weight_decay: ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask | None = None,
) -> Transform:
    """Adadelta, with a coupled L2 penalty as in torch and optax.

    Args:
      learning_rate: η ≥ 0; 1 in the paper. optax's default, None, leaves out the sign too and ascends.
      rho: ρ in [0, 1). Equations: ``jaxdl/transforms/adadelta.py``.
      eps: ε ≥ 0 under both roots.
      weight_decay: λ ≥ 0 of the penalty ½ λ‖θ‖², whose gradient joins g.
      weight_decay_mask: Which leaves are penalised; all by default.

    Returns:
      A gradient transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``rho`` outside [0, 1), or a negative float.
    """
    penalty = add_l2_gradient(weight_decay, weight_decay_mask)
    return chain(penalty, scale_by_adadelta(rho, eps), scale_by_learning_rate(learning_rate))


@equation("")
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
    divide: Division | None = None,
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
      divide: Another place for ε, from ``jaxdl/transforms/denominators.py``; it overrides ``eps_in_sqrt``.

    Returns:
      A gradient transformation.

    Raises:
      ValueError: ``decay`` outside [0, 1), or a negative float.
    """
    checks.nonnegative(momentum=momentum)
    scale_by = scale_by_stddev if centered else scale_by_rms
    scale = scale_by(decay, eps, initial_scale, eps_in_sqrt, bias_correction, divide=divide)
    rate = scale_by_learning_rate(learning_rate)
    if momentum is None:
        return chain(scale, rate)
    velocity = trace(momentum, nesterov)
    return chain(scale, rate, velocity) if learning_rate_in_velocity else chain(scale, velocity, rate)
