r"""The learning rate, and the only sign flip of the package.

.. math::  \Delta\theta_t = -\eta_t\, u_t
"""

import jax

from jaxdl import checks
from jaxdl.rules import equation
from jaxdl.transforms.scheduled import scheduled
from jaxdl.typing import ScalarOrSchedule, Transform


@equation("u ← −learning_rate · u")
def scale_by_learning_rate(learning_rate: ScalarOrSchedule) -> Transform:
    """Turns a direction into an increment of the parameters: −η times the direction.

    Args:
      learning_rate: η ≥ 0, a float (maybe traced) or a schedule, which is called with the number of completed
        updates, so that η(0) drives the first one.

    Returns:
      A transformation; its state counts updates where the rate is a schedule and is empty where it is a constant.

    Raises:
      ValueError: ``learning_rate`` is negative, or no number and no schedule.

    >>> import jax.numpy as jnp
    >>> tx = scale_by_learning_rate(lambda count: 1 / (1 + count))
    >>> state = tx.init(jnp.zeros(1))
    >>> first, state = tx.update(jnp.ones(1), state)
    >>> second, state = tx.update(jnp.ones(1), state)
    >>> print(first, second)
    [-1.] [-0.5]
    """
    checks.given(learning_rate=learning_rate)
    checks.nonnegative(learning_rate=learning_rate)

    def rule(u: jax.Array, *, c: jax.Array) -> tuple[jax.Array]:
        return (-c * u,)

    return scheduled(learning_rate, rule)
