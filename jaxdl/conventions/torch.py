"""torch's optimizers: ``torch.optim``, whose ``weight_decay`` is coupled unless the name or a flag says otherwise.

>>> from jaxdl import conventions
>>> tx = conventions.torch.SGD(lr=0.1, momentum=0.9, dampening=0.1)  # a rate outside the velocity, b₁ = g₁

Of all signatures ``foreach``, ``maximize``, ``capturable``, ``differentiable`` and ``fused`` are left out. As in torch,
a momentum, a dampening or a decay of 0 is none; a traced one counts as given.

Source: torch 2.13.0, ``torch/optim/*.py``.
"""

import jax.numpy as jnp

from jaxdl import optimizers, schedules
from jaxdl.conventions.binding import absent, coupled, decoupled, two
from jaxdl.transforms.amsgrad import of_raw
from jaxdl.transforms.denominators import hat
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


def SGD(
    lr: ScalarOrSchedule = 1e-3,
    momentum: Scalar = 0,
    dampening: Scalar = 0,
    weight_decay: Scalar = 0,
    nesterov: bool = False,
) -> Transform:
    """``torch.optim.SGD``: rate outside the velocity, the first gradient undampened, coupled L2.

    Raises:
      ValueError: ``nesterov`` without momentum or with dampening, as in torch; or a negative float.
    """
    if nesterov and (absent(momentum) or not absent(dampening)):
        raise ValueError("Nesterov momentum needs a momentum and no dampening in torch.")
    if absent(momentum):
        return coupled(weight_decay, optimizers.sgd(lr))
    if absent(dampening):
        return coupled(weight_decay, optimizers.sgd(lr, momentum, nesterov))
    return coupled(weight_decay, optimizers.sgd(lr, momentum, dampening=dampening, dampen_first=False))


def Adagrad(
    lr: ScalarOrSchedule = 1e-2,
    lr_decay: Scalar = 0,
    weight_decay: Scalar = 0,
    initial_accumulator_value: Scalar = 0,
    eps: Scalar = 1e-10,
) -> Transform:
    """``torch.optim.Adagrad``: ε outside the root, s₀ = 0; ``lr_decay`` divides the rate by 1 + (t−1) d."""
    rate = lr if absent(lr_decay) else schedules.product(lr, schedules.inverse_time(1.0, 1, lr_decay))
    return coupled(weight_decay, optimizers.adagrad(rate, initial_accumulator_value, eps, eps_in_sqrt=False))


def Adadelta(lr: ScalarOrSchedule = 1.0, rho: Scalar = 0.9, eps: Scalar = 1e-6, weight_decay: Scalar = 0) -> Transform:
    """``torch.optim.Adadelta``."""
    return coupled(weight_decay, optimizers.adadelta(lr, rho, eps))


def RMSprop(
    lr: ScalarOrSchedule = 1e-2,
    alpha: Scalar = 0.99,
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    momentum: Scalar = 0,
    centered: bool = False,
) -> Transform:
    """``torch.optim.RMSprop``: ε outside the root, the rate outside the velocity."""
    rule = optimizers.rmsprop(
        lr,
        alpha,
        eps,
        eps_in_sqrt=False,
        centered=centered,
        momentum=None if absent(momentum) else momentum,
        learning_rate_in_velocity=False,
    )
    return coupled(weight_decay, rule)


def Adam(
    lr: ScalarOrSchedule = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    amsgrad: bool = False,
    *,
    decoupled_weight_decay: bool = False,
) -> Transform:
    """``torch.optim.Adam``: coupled L2, and AMSGrad's maximum is of the raw mean square."""
    rule = (
        optimizers.amsgrad(lr, *two(betas), eps, maximum=of_raw) if amsgrad else optimizers.adam(lr, *two(betas), eps)
    )
    return _decayed(weight_decay, lr, rule, decoupled_weight_decay)


def AdamW(
    lr: ScalarOrSchedule = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 1e-2,
    amsgrad: bool = False,
) -> Transform:
    """``torch.optim.AdamW``: decay times the rate."""
    return Adam(lr, betas, eps, weight_decay, amsgrad, decoupled_weight_decay=True)


def NAdam(
    lr: ScalarOrSchedule = 2e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    momentum_decay: Scalar = 4e-3,
    decoupled_weight_decay: bool = False,
) -> Transform:
    """``torch.optim.NAdam``: Dozat's rising momentum."""
    rule = optimizers.nadam(lr, *two(betas), eps, momentum_decay=momentum_decay)
    return _decayed(weight_decay, lr, rule, decoupled_weight_decay)


def RAdam(
    lr: ScalarOrSchedule = 1e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
    decoupled_weight_decay: bool = False,
) -> Transform:
    """``torch.optim.RAdam``: rectified where ρ > 5, ε̂ beside the uncorrected root."""
    rule = optimizers.radam(lr, *two(betas), eps, reaches=jnp.greater, divide=hat)
    return _decayed(weight_decay, lr, rule, decoupled_weight_decay)


def Adamax(
    lr: ScalarOrSchedule = 2e-3,
    betas: tuple[Scalar, Scalar] = (0.9, 0.999),
    eps: Scalar = 1e-8,
    weight_decay: Scalar = 0,
) -> Transform:
    """``torch.optim.Adamax``: ε in the maximum."""
    return coupled(weight_decay, optimizers.adamax(lr, *two(betas), eps))


def _decayed(weight_decay: Scalar, lr: ScalarOrSchedule, rule: Transform, beside: bool) -> Transform:
    return decoupled(weight_decay, lr, rule) if beside else coupled(weight_decay, rule)
