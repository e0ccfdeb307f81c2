r"""Adadelta: steps as large as past steps, divided by the root mean square of the gradient.

.. math::

    E_t &= \rho E_{t-1} + (1-\rho)\,g_t^2, \qquad
    u_t = g_t\,\sqrt{X_{t-1} + \epsilon} / \sqrt{E_t + \epsilon} \\
    X_t &= \rho X_{t-1} + (1-\rho)\,u_t^2, \qquad E_0 = X_0 = 0

X averages the directions, not the steps: a learning rate after it does not enter X. torch, Keras, TensorFlow and optax
agree on all of this and differ in defaults only.

Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1, whose learning rate is 1.
"""

from typing import Any, NamedTuple

import jax
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByAdadeltaState(NamedTuple):
    """``e_g``: E, mean square of the gradient. ``e_x``: X, of the direction. Both real, float32 or wider."""

    e_g: Updates
    e_x: Updates


@equation("E ← rho E + (1 − rho) g²\nu ← g √(X + eps) / √(E + eps)\nX ← rho X + (1 − rho) u²")
def scale_by_adadelta(rho: Scalar = 0.9, eps: Scalar = 1e-6) -> Transform:
    """Scales to Adadelta's direction; the equations stand at the top of this file.

    Args:
      rho: ρ in [0, 1), the memory of both averages. May be traced, like ``eps``.
      eps: ε ≥ 0 under both roots. It starts everything: the first step is about √(ε/(1−ρ)); with 0 nothing moves.

    Returns:
      A transformation whose state is :class:`ScaleByAdadeltaState`.

    Raises:
      ValueError: ``rho`` outside [0, 1) or a negative ``eps``.

    >>> import jax.numpy as jnp
    >>> tx = scale_by_adadelta(rho=0.75, eps=0.25)
    >>> direction, _ = tx.update(jnp.full(1, 3.0), tx.init(jnp.zeros(1)))  # 3 √¼ / √(¼·9 + ¼)
    >>> print(f"{direction[0]:.2f}")
    0.95
    """
    checks.decay_rate(rho=rho)
    checks.nonnegative(eps=eps)

    def init(params: Params) -> OptState:
        return ScaleByAdadeltaState(e_g=tree.full_like_real(params, 0.0), e_x=tree.full_like_real(params, 0.0))

    def rule(
        g: jax.Array, e_g: jax.Array, e_x: jax.Array, *, rho: jax.Array, eps: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        e_g = rho * e_g + (1 - rho) * tree.square(g)
        u = g * (tree.root(e_x + eps) / tree.root(e_g + eps))
        return u, e_g, rho * e_x + (1 - rho) * tree.square(u)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        updates, e_g, e_x = tree.elementwise(rule, updates, state.e_g, state.e_x, rho=rho, eps=eps)
        return updates, ScaleByAdadeltaState(e_g=e_g, e_x=e_x)

    return optax.GradientTransformationExtraArgs(init, update)
