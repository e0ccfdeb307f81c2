r"""Lion: the sign of a mixture of momentum and gradient.

.. math::

    u_t = \operatorname{sign}(\beta_1 m_{t-1} + (1-\beta_1)\,g_t), \qquad
    m_t = \beta_2 m_{t-1} + (1-\beta_2)\,g_t, \qquad m_0 = 0

torch has no Lion; Keras, optax and the paper agree on all of it.

Source: Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, algorithm 2.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByLionState(NamedTuple):
    """``mu``: the momentum m."""

    mu: Updates


@equation("u ← sign(b1 m + (1 − b1) g)\nm ← b2 m + (1 − b2) g")
def scale_by_lion(b1: Scalar = 0.9, b2: Scalar = 0.99, mu_dtype: Any = None) -> Transform:
    """Replaces the gradient by Lion's signs; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the weight of the past in what is signed. May be traced, like ``b2``.
      b2: β₂ in [0, 1), the weight of the past in what is kept.
      mu_dtype: dtype in which m is stored; each parameter's own by default.

    Returns:
      A transformation whose state is :class:`ScaleByLionState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1).

    >>> tx = scale_by_lion()
    >>> _, state = tx.update(jnp.full(1, -9.0), tx.init(jnp.zeros(1)))
    >>> print(tx.update(jnp.full(1, 0.5), state)[0])  # 0.9 · (−0.09) + 0.1 · 0.5
    [-1.]
    """
    checks.decay_rate(b1=b1, b2=b2)

    def init(params: Params) -> OptState:
        return ScaleByLionState(mu=tree.zeros_like(params, mu_dtype))

    def rule(g: jax.Array, m: jax.Array, *, b1: jax.Array, b2: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.sign(b1 * m + (1 - b1) * g), b2 * m + (1 - b2) * g

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        updates, mu = tree.elementwise(rule, updates, state.mu, b1=b1, b2=b2)
        return updates, ScaleByLionState(mu=mu)

    return optax.GradientTransformationExtraArgs(init, update)
