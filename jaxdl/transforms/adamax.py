r"""Adamax: Adam with a decaying maximum in place of the mean square.

.. math::

    m_t &= \beta_1 m_{t-1} + (1-\beta_1)\,g_t, \qquad \hat m_t = m_t / (1-\beta_1^t) \\
    w_t &= \max(\beta_2 w_{t-1}, |g_t| + \epsilon), & u_t &= \hat m_t / w_t              && \text{torch, optax} \\
    w_t &= \max(\beta_2 w_{t-1}, |g_t|),            & u_t &= \hat m_t / (w_t + \epsilon) && \text{Keras}

The paper has no ε. A maximum starts without a bias and is not corrected. Where w is still 0 the direction is 0.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates

Infinity: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
"""``norm(forgotten, magnitude, eps) -> (w, divisor)`` of β₂w and |g|."""


class ScaleByAdamaxState(NamedTuple):
    """``count``: completed updates, int32. ``mu``: m. ``nu``: the maximum w, real, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mu: Updates
    nu: Updates


def eps_in_maximum(forgotten: jax.Array, magnitude: jax.Array, eps: jax.Array) -> tuple[jax.Array, jax.Array]:
    """ε joins every gradient and is forgotten with it: torch and optax."""
    w = jnp.maximum(forgotten, magnitude + eps)
    return w, w


def eps_beside_maximum(forgotten: jax.Array, magnitude: jax.Array, eps: jax.Array) -> tuple[jax.Array, jax.Array]:
    """ε joins the maximum where it divides: Keras."""
    w = jnp.maximum(forgotten, magnitude)
    return w, w + eps


def _written(*, norm: Infinity | None, **rest: Any) -> str:
    beside = norm is eps_beside_maximum
    largest, divisor = ("|g|", "(w + eps)") if beside else ("|g| + eps", "w")
    return f"m ← b1 m + (1 − b1) g\nw ← max(b2 w, {largest})\nu ← m/(1 − b1ᵗ) / {divisor}"


@equation(_written)
def scale_by_adamax(
    b1: Scalar = 0.9, b2: Scalar = 0.999, eps: Scalar = 1e-8, *, norm: Infinity | None = None
) -> Transform:
    """Scales to Adamax's direction; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the memory of the mean. May be traced, like every float here.
      b2: β₂ in [0, 1), by which the maximum shrinks at every step.
      eps: ε ≥ 0.
      norm: Where ε stands: :func:`eps_in_maximum`, the default, or :func:`eps_beside_maximum`.

    Returns:
      A transformation whose state is :class:`ScaleByAdamaxState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative ``eps``.

    >>> tx = scale_by_adamax(b1=0.0, b2=0.5, eps=0.0)
    >>> _, state = tx.update(jnp.full(1, 8.0), tx.init(jnp.zeros(1)))
    >>> print(tx.update(jnp.ones(1), state)[0])  # 1 / max(0.5 · 8, 1)
    [0.25]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps)
    checks.functions("jaxdl.transforms.adamax", norm=norm)
    renewed = norm or eps_in_maximum
    # With a typed ε that float32 holds, no divisor is ever 0: a comparison and a selection less for every leaf.
    known = renewed in (eps_in_maximum, eps_beside_maximum)
    positive = known and isinstance(eps, int | float) and eps >= float(jnp.finfo(jnp.float32).tiny)

    def init(params: Params) -> OptState:
        return ScaleByAdamaxState(
            count=jnp.zeros((), jnp.int32), mu=tree.zeros_like(params), nu=tree.full_like_real(params, 0.0)
        )

    def rule(
        g: jax.Array, m: jax.Array, w: jax.Array, *, b1: jax.Array, b2: jax.Array, t: jax.Array, eps: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        m = b1 * m + (1 - b1) * g
        w, divisor = renewed(b2 * w, jnp.abs(g), eps)
        if not positive:
            # Where nothing was seen yet it is infinite: the direction is 0, and so is its slope.
            divisor = jax.lax.select(divisor == 0, jnp.full_like(divisor, jnp.inf), divisor)
        return m / (1 - b1**t) / divisor, m, w

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        t = tree.increment(state.count)
        updates, mu, nu = tree.elementwise(rule, updates, state.mu, state.nu, b1=b1, b2=b2, t=t, eps=eps)
        return updates, ScaleByAdamaxState(count=t, mu=mu, nu=nu)

    return optax.GradientTransformationExtraArgs(init, update)
