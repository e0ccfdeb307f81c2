"""TensorFlow 1's optimizers: ``tf.train`` (today ``tf.compat.v1.train``), which know no decay.

``use_locking`` and ``name`` are left out.

Source: TensorFlow, ``tensorflow/python/training/*.py`` and the kernels in ``core/kernels/training_ops.cc``.
"""

from jaxdl import optimizers
from jaxdl.conventions.binding import absent
from jaxdl.transforms.denominators import hat
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


def GradientDescentOptimizer(learning_rate: ScalarOrSchedule) -> Transform:
    """``tf.train.GradientDescentOptimizer``."""
    return optimizers.sgd(learning_rate)


def MomentumOptimizer(learning_rate: ScalarOrSchedule, momentum: Scalar, use_nesterov: bool = False) -> Transform:
    """``tf.train.MomentumOptimizer``: the rate *outside* the velocity, unlike Keras."""
    return optimizers.sgd(learning_rate, momentum, use_nesterov)


def AdagradOptimizer(learning_rate: ScalarOrSchedule, initial_accumulator_value: Scalar = 0.1) -> Transform:
    """``tf.train.AdagradOptimizer``: no ε."""
    return optimizers.adagrad(learning_rate, initial_accumulator_value, 0.0)


def AdadeltaOptimizer(learning_rate: ScalarOrSchedule = 0.001, rho: Scalar = 0.95, epsilon: Scalar = 1e-8) -> Transform:
    """``tf.train.AdadeltaOptimizer``."""
    return optimizers.adadelta(learning_rate, rho, epsilon)


def RMSPropOptimizer(
    learning_rate: ScalarOrSchedule,
    decay: Scalar = 0.9,
    momentum: Scalar = 0.0,
    epsilon: Scalar = 1e-10,
    centered: bool = False,
) -> Transform:
    """``tf.train.RMSPropOptimizer``: the mean square starts from 1, ε under the root, the rate inside the velocity."""
    velocity = None if absent(momentum) else momentum
    return optimizers.rmsprop(learning_rate, decay, epsilon, 1.0, centered=centered, momentum=velocity)


def AdamOptimizer(
    learning_rate: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, epsilon: Scalar = 1e-8
) -> Transform:
    """``tf.train.AdamOptimizer``: ε̂ beside the uncorrected root."""
    return optimizers.adam(learning_rate, beta1, beta2, epsilon, divide=hat)
