"""The optimizers of the lecture "Deep Learning", in its letters: η, ρ, α, β₁, β₂, λ.

Source: "Media and Cognition", lecture 4, slides 21–25 and 37; the ``demo`` is that of slide 25.
"""

from jaxdl import optimizers
from jaxdl.rules import chain
from jaxdl.transforms.denominators import bare
from jaxdl.transforms.shrink import fixed, shrink_weights
from jaxdl.typing import Scalar, ScalarOrSchedule, Transform


def sgd(eta: ScalarOrSchedule) -> Transform:
    """θ' = θ − ηg."""
    return optimizers.sgd(eta)


def momentum(eta: ScalarOrSchedule, rho: Scalar = 0.9) -> Transform:
    """Δθ = ρΔθ⁻ − ηg: the rate inside the velocity."""
    return optimizers.sgd(eta, rho, learning_rate_in_velocity=True)


def rmsprop(eta: ScalarOrSchedule, alpha: Scalar = 0.9) -> Transform:
    """h ← αh + (1−α)g², W ← W − ηg/√h from h = 0, with no ε; where h is 0, nothing moves."""
    return optimizers.rmsprop(eta, alpha, 0.0, divide=bare)


def adam(
    eta: ScalarOrSchedule = 0.001, beta1: Scalar = 0.9, beta2: Scalar = 0.999, epsilon: Scalar = 1e-8
) -> Transform:
    """Adam as in its paper."""
    return optimizers.adam(eta, beta1, beta2, epsilon)


def sgd_with_weight_decay(eta: ScalarOrSchedule, lambda_: Scalar) -> Transform:
    """θ' = (1 − λ)θ − ηg: the decay is not times the rate."""
    return chain(optimizers.sgd(eta), shrink_weights(lambda_, eta, by=fixed))


def demo_rmsprop(eta: ScalarOrSchedule = 0.01, alpha: Scalar = 0.99, epsilon: Scalar = 1e-6) -> Transform:
    """The demo's RMSProp: ε outside the root."""
    return optimizers.rmsprop(eta, alpha, epsilon, eps_in_sqrt=False)


def demo_adam(
    eta: ScalarOrSchedule = 0.01, beta1: Scalar = 0.7, beta2: Scalar = 0.999, epsilon: Scalar = 1e-6
) -> Transform:
    """The demo's Adam: no bias correction, so that the first steps are about 9.5 η long."""
    return optimizers.adam(eta, beta1, beta2, epsilon, bias_correction=False)
