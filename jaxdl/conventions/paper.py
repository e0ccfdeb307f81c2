"""The optimizers as their papers print them: letters, defaults, and no ε where none is printed.

Where a paper leaves a coefficient to the reader it has no default here.
"""

import jax.numpy as jnp

from jaxdl import optimizers, schedules
from jaxdl.transforms.amsgrad import of_raw
from jaxdl.transforms.denominators import bare
from jaxdl.transforms.shrink import times_schedule
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


def heavy_ball(alpha: ScalarOrSchedule, beta: Scalar) -> Transform:
    """x' = x − αg + β(x − x⁻): the rate inside the velocity.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964, equation 9.
    """
    return optimizers.sgd(alpha, beta, learning_rate_in_velocity=True)


def nesterov(epsilon: ScalarOrSchedule, mu: Scalar) -> Transform:
    """v' = μv − εg(θ + μv), θ' = θ + v', in the variables θ + μv.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013, equations 3–4.
    """
    return optimizers.sgd(epsilon, mu, True, learning_rate_in_velocity=True)


def adagrad(eta: ScalarOrSchedule, delta: Scalar) -> Transform:
    """H = δI + diag(s)^½ from s = 0.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 2011, figure 1.
    """
    return optimizers.adagrad(eta, 0.0, delta, eps_in_sqrt=False)


def rmsprop(learning_rate: ScalarOrSchedule, decay: Scalar = 0.9) -> Transform:
    """g / √MeanSquare, with no ε.

    Source: Tieleman and Hinton, Coursera lecture 6.5, 2012.
    """
    return optimizers.rmsprop(learning_rate, decay, 0.0, divide=bare)


def adadelta(rho: Scalar = 0.95, epsilon: Scalar = 1e-6) -> Transform:
    """No rate at all; ρ and ε as in the paper's experiments.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1.
    """
    return optimizers.adadelta(1.0, rho, epsilon)


def adam(
    alpha: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, epsilon: Scalar = 1e-8
) -> Transform:
    """Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1."""
    return optimizers.adam(alpha, beta1, beta2, epsilon)


def adamax(alpha: ScalarOrSchedule = 0.002, beta1: Scalar = 0.9, beta2: Scalar = 0.999) -> Transform:
    """No ε. Source: Kingma and Ba, ICLR 2015, algorithm 2."""
    return optimizers.adamax(alpha, beta1, beta2, 0.0)


def adamw(
    alpha: Scalar = 0.001,
    beta1: Scalar = 0.9,
    beta2: Scalar = 0.999,
    epsilon: Scalar = 1e-8,
    *,
    lambda_: Scalar,
    eta: ScalarOrSchedule = 1.0,
) -> Transform:
    """θ' = θ − η (α m̂/(√v̂ + ε) + λθ): the schedule multiplier η multiplies the decay, the rate α does not.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
    """
    rate = schedules.product(alpha, eta)
    return optimizers.adamw(rate, beta1, beta2, epsilon, weight_decay=lambda_, decay_by=times_schedule, peak_rate=alpha)


def amsgrad(alpha: ScalarOrSchedule, beta1: Scalar = 0.9, beta2: Scalar = 0.999) -> Transform:
    """No correction of either moment and no ε; the theory has α/√t, a schedule.

    Source: Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2.
    """
    return optimizers.amsgrad(
        alpha,
        beta1,
        beta2,
        0.0,
        bias_correction_mu=False,
        bias_correction_nu=False,
        maximum=of_raw,
        divide=bare,
    )


def nadam(
    alpha: ScalarOrSchedule, mu: Scalar = 0.99, nu: Scalar = 0.999, epsilon: Scalar = 1e-8, psi: Scalar = 0.004
) -> Transform:
    """μ_t = μ (1 − ½ · 0.96^(t/250)).

    Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 2 and section 3.
    """
    return optimizers.nadam(alpha, mu, nu, epsilon, momentum_decay=psi)


def radam(alpha: ScalarOrSchedule, beta1: Scalar = 0.9, beta2: Scalar = 0.999) -> Transform:
    """Rectified where ρ > 4; no ε.

    Source: Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2.
    """
    return optimizers.radam(alpha, beta1, beta2, 0.0, threshold=4.0, reaches=jnp.greater, divide=bare)


def lion(eta: ScalarOrSchedule, beta1: Scalar = 0.9, beta2: Scalar = 0.99, lambda_: Scalar = 0.0) -> Transform:
    """Decay times the rate.

    Source: Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2.
    """
    return optimizers.lion(eta, beta1, beta2, weight_decay=lambda_)
