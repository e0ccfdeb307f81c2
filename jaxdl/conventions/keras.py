"""Keras's optimizers: ``keras.optimizers``, all of whose ``weight_decay`` is decoupled and times the rate.

Momentum has the rate inside the velocity, which decay does not enter. Of all signatures clipping, averaging, loss
scaling, accumulation and ``name`` are left out. A ``LearningRateSchedule`` of Keras computes in float32; ours do not.

Source: Keras 3.15.1, ``keras/src/optimizers/*.py``.
"""

from jaxdl import optimizers
from jaxdl.conventions.binding import absent, decoupled
from jaxdl.transforms.adamax import eps_beside_maximum
from jaxdl.transforms.amsgrad import of_raw
from jaxdl.transforms.denominators import hat
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


def SGD(
    learning_rate: ScalarOrSchedule = 0.01,
    momentum: Scalar = 0.0,
    nesterov: bool = False,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.SGD``: the rate inside the velocity."""
    velocity = None if absent(momentum) else momentum
    rule = optimizers.sgd(learning_rate, velocity, nesterov, learning_rate_in_velocity=True)
    return decoupled(weight_decay, learning_rate, rule)


def Adagrad(
    learning_rate: ScalarOrSchedule = 0.001,
    initial_accumulator_value: Scalar = 0.1,
    epsilon: Scalar = 1e-7,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Adagrad``: ε under the root, s₀ = 0.1."""
    rule = optimizers.adagrad(learning_rate, initial_accumulator_value, epsilon)
    return decoupled(weight_decay, learning_rate, rule)


def Adadelta(
    learning_rate: ScalarOrSchedule = 0.001,
    rho: Scalar = 0.95,
    epsilon: Scalar = 1e-7,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Adadelta``: a rate a thousand times smaller than the paper's 1."""
    return decoupled(weight_decay, learning_rate, optimizers.adadelta(learning_rate, rho, epsilon))


def RMSprop(
    learning_rate: ScalarOrSchedule = 0.001,
    rho: Scalar = 0.9,
    momentum: Scalar = 0.0,
    epsilon: Scalar = 1e-7,
    centered: bool = False,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.RMSprop``: ε under the root, the rate inside the velocity."""
    velocity = None if absent(momentum) else momentum
    rule = optimizers.rmsprop(learning_rate, rho, epsilon, centered=centered, momentum=velocity)
    return decoupled(weight_decay, learning_rate, rule)


def Adam(
    learning_rate: ScalarOrSchedule = 0.001,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.999,
    epsilon: Scalar = 1e-7,
    amsgrad: bool = False,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Adam``: ε̂ beside the uncorrected root; AMSGrad's maximum is of the raw mean square."""
    if amsgrad:
        rule = optimizers.amsgrad(learning_rate, beta_1, beta_2, epsilon, maximum=of_raw, divide=hat)
    else:
        rule = optimizers.adam(learning_rate, beta_1, beta_2, epsilon, divide=hat)
    return decoupled(weight_decay, learning_rate, rule)


def AdamW(
    learning_rate: ScalarOrSchedule = 0.001,
    weight_decay: Scalar = 0.004,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.999,
    epsilon: Scalar = 1e-7,
    amsgrad: bool = False,
) -> Transform:
    """``keras.optimizers.AdamW``: :func:`Adam` with a decay by default."""
    return Adam(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay)


def Nadam(
    learning_rate: ScalarOrSchedule = 0.001,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.999,
    epsilon: Scalar = 1e-7,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Nadam``: a momentum that rises 250 times as fast as Dozat's; ε outside the root."""
    rule = optimizers.nadam(learning_rate, beta_1, beta_2, epsilon, momentum_decay=1.0)
    return decoupled(weight_decay, learning_rate, rule)


def Adamax(
    learning_rate: ScalarOrSchedule = 0.001,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.999,
    epsilon: Scalar = 1e-7,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Adamax``: ε beside the maximum."""
    rule = optimizers.adamax(learning_rate, beta_1, beta_2, epsilon, norm=eps_beside_maximum)
    return decoupled(weight_decay, learning_rate, rule)


def Lion(
    learning_rate: ScalarOrSchedule = 0.001,
    beta_1: Scalar = 0.9,
    beta_2: Scalar = 0.99,
    weight_decay: Scalar | None = None,
) -> Transform:
    """``keras.optimizers.Lion``."""
    rule = optimizers.lion(learning_rate, beta_1, beta_2, weight_decay=0.0)
    return decoupled(weight_decay, learning_rate, rule)
