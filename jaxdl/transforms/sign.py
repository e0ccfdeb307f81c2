r"""The sign of every element: a step of the same length in every coordinate.

.. math::  u_t = \operatorname{sign}(g_t)

0 stays 0, and a complex number becomes its phase. After an average of the gradient it is Signum.

Source: Bernstein, Wang, Azizzadenesheli and Anandkumar, "signSGD: compressed optimisation for non-convex problems",
ICML 2018, algorithms 1 and 2.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxdl import tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Transform, Updates


@equation("u ← sign(g)")
def scale_by_sign() -> Transform:
    """Replaces every element by its sign.

    Returns:
      A stateless transformation. An infinite gradient has a sign; NaN stays NaN.

    >>> tx = scale_by_sign()
    >>> print(tx.update(jnp.array([-3.0, 0.0, 0.5]), tx.init(jnp.zeros(3)))[0])
    [-1.  0.  1.]
    """

    def init(params: Params) -> OptState:
        del params
        return optax.EmptyState()

    def rule(g: jax.Array) -> tuple[jax.Array]:
        return (jnp.sign(g),)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        (updates,) = tree.elementwise(rule, updates)
        return updates, state

    return optax.GradientTransformationExtraArgs(init, update)
