"""What binds the frameworks' spellings: penalties before a rule, decay after it, and zeros that mean "none"."""

from typing import Any

from jaxdl.rules import chain
from jaxdl.transforms.decay import add_l2_gradient
from jaxdl.transforms.shrink import shrink_weights
from jaxdl.typing import ScalarOrSchedule, Transform


def absent(value: Any) -> bool:
    """Whether a framework would read ``value`` as "none": None or the number 0, but never a traced value."""
    return value is None or (isinstance(value, int | float) and value == 0)


def two(betas: Any) -> tuple[Any, Any]:
    """torch's pair of memories; ValueError where it is none."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"betas must be two numbers, got {betas!r}.")
    return betas[0], betas[1]


def coupled(weight_decay: Any, optimizer: Transform) -> Transform:
    """``optimizer`` of the gradient with λθ added, where there is a λ."""
    return optimizer if absent(weight_decay) else chain(add_l2_gradient(weight_decay), optimizer)


def decoupled(weight_decay: Any, learning_rate: ScalarOrSchedule, optimizer: Transform) -> Transform:
    """``optimizer`` beside which θ shrinks by ηλ, where there is a λ."""
    if absent(weight_decay):
        return optimizer
    return chain(optimizer, shrink_weights(weight_decay, learning_rate))
