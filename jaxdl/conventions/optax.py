"""optax's optimizers, by optax's names: our recipes without the arguments that optax does not have.

Source: optax 0.2.8, ``optax/_src/alias.py``.
"""

from typing import Any

from jaxdl import optimizers
from jaxdl.typing import Mask, Scalar, ScalarOrSchedule, Transform


def sgd(
    learning_rate: ScalarOrSchedule,
    momentum: Scalar | None = None,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
) -> Transform:
    """``optax.sgd``: the rate outside the velocity."""
    return optimizers.sgd(learning_rate, momentum, nesterov, accumulator_dtype)


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
) -> Transform:
    """``optax.rmsprop``: ε under the root, the rate *inside* the velocity."""
    return optimizers.rmsprop(
        learning_rate, decay, eps, initial_scale, eps_in_sqrt, centered, momentum, nesterov, bias_correction
    )


def adagrad(learning_rate: ScalarOrSchedule, initial_accumulator_value: Scalar = 0.1, eps: Scalar = 1e-7) -> Transform:
    """``optax.adagrad``: ε under the root, s₀ = 0.1."""
    return optimizers.adagrad(learning_rate, initial_accumulator_value, eps)


def adadelta(
    learning_rate: ScalarOrSchedule | None = None,
    rho: Scalar = 0.9,
    eps: Scalar = 1e-6,
    weight_decay: ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask | None = None,
) -> Transform:
    """``optax.adadelta``: coupled L2.

    Raises:
      ValueError: no ``learning_rate``, optax's default, with which its Adadelta ascends the gradient.
    """
    if learning_rate is None:
        raise ValueError("learning_rate must be given: without one, optax's adadelta leaves out the sign and ascends.")
    return optimizers.adadelta(learning_rate, rho, eps, weight_decay, weight_decay_mask)


def adam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
) -> Transform:
    """``optax.adam``: as in the paper."""
    return optimizers.adam(learning_rate, b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)


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
) -> Transform:
    """``optax.adamw``: decay times the rate."""
    return optimizers.adamw(learning_rate, b1, b2, eps, eps_root, mu_dtype, weight_decay, mask, nesterov=nesterov)


def amsgrad(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    bias_correction_mu: bool = True,
    bias_correction_nu: bool = True,
) -> Transform:
    """``optax.amsgrad``: the maximum of the *corrected* mean square."""
    return optimizers.amsgrad(learning_rate, b1, b2, eps, eps_root, mu_dtype, bias_correction_mu, bias_correction_nu)


def adamax(learning_rate: ScalarOrSchedule, b1: Scalar = 0.9, b2: Scalar = 0.999, eps: Scalar = 1e-8) -> Transform:
    """``optax.adamax``: ε in the maximum."""
    return optimizers.adamax(learning_rate, b1, b2, eps)


def adamaxw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask | None = None,
) -> Transform:
    """``optax.adamaxw``: decay times the rate."""
    return optimizers.adamaxw(learning_rate, b1, b2, eps, weight_decay, mask)


def nadam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
) -> Transform:
    """``optax.nadam``: constant β₁."""
    return optimizers.nadam(learning_rate, b1, b2, eps, eps_root, mu_dtype)


def nadamw(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-4,
    mask: Mask | None = None,
) -> Transform:
    """``optax.nadamw``: constant β₁."""
    return optimizers.nadamw(learning_rate, b1, b2, eps, eps_root, mu_dtype, weight_decay, mask)


def radam(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    threshold: Scalar = 5.0,
    *,
    nesterov: bool = False,
) -> Transform:
    """``optax.radam``: rectified where ρ ≥ 5, ε outside the root."""
    return optimizers.radam(learning_rate, b1, b2, eps, eps_root, threshold, nesterov=nesterov)


def lion(
    learning_rate: ScalarOrSchedule,
    b1: Scalar = 0.9,
    b2: Scalar = 0.99,
    mu_dtype: Any = None,
    weight_decay: ScalarOrSchedule = 1e-3,
    mask: Mask | None = None,
) -> Transform:
    """``optax.lion``: decay times the rate."""
    return optimizers.lion(learning_rate, b1, b2, mu_dtype, weight_decay, mask)


def sign_sgd(learning_rate: ScalarOrSchedule) -> Transform:
    """``optax.sign_sgd``: signs."""
    return optimizers.sign_sgd(learning_rate)


def signum(learning_rate: ScalarOrSchedule, beta: Scalar = 0.9, accumulator_dtype: Any = None) -> Transform:
    """``optax.signum``: signs of an average without bias correction."""
    return optimizers.signum(learning_rate, beta, accumulator_dtype)
