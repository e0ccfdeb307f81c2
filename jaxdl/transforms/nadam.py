r"""NAdam with a momentum that rises: Adam's look-ahead under Sutskever's schedule for β₁.

.. math::

    \mu_t &= \beta_1\,(1 - \tfrac12\,0.96^{\,t\psi}), \qquad P_t = \mu_t P_{t-1}, \qquad P_0 = 1 \\
    m_t &= \beta_1 m_{t-1} + (1-\beta_1)\,g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2)\,g_t^2 \\
    \hat m_t &= \mu_{t+1}\,m_t/(1-\mu_{t+1}P_t) + (1-\mu_t)\,g_t/(1-P_t) \\
    u_t &= \hat m_t / (\sqrt{v_t/(1-\beta_2^t)} + \epsilon)

m itself averages with the constant β₁; only its correction and the look-ahead know the schedule. For
:math:`\psi \to \infty` the momentum is constant and this is :func:`jaxdl.transforms.scale_by_adam` with ``nesterov``,
which optax calls NAdam.

Source: Dozat, "Incorporating Nesterov momentum into Adam", 2016, algorithm 2 and its suggested schedule with
ψ = 1/250 = 0.004, as in torch; Keras has ψ = 1.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByNadamState(NamedTuple):
    """``count``: completed updates, int32. ``product``: P, as wide as the widest leaf. ``mu``: m. ``nu``: v, wide."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    product: jax.Array
    mu: Updates
    nu: Updates


_WRITTEN = (
    "μₜ ← b1 (1 − ½ · 0.96^(t · momentum_decay))\nP ← μₜ P\n"
    "m ← b1 m + (1 − b1) g\nv ← b2 v + (1 − b2) g²\nm̂ ← μₜ₊₁ m/(1 − μₜ₊₁ P) + (1 − μₜ) g/(1 − P)\n"
    "u ← m̂ / (√(v/(1 − b2ᵗ) + eps_root) + eps)"
)


@equation(_WRITTEN)
def scale_by_nadam(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    momentum_decay: Scalar = 0.004,
) -> Transform:
    r"""Scales to the direction of NAdam with rising momentum; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the memory of the mean and the final momentum. May be traced, like every float here.
      b2: β₂ in [0, 1), the memory of the mean square.
      eps: ε ≥ 0, outside the root.
      eps_root: ≥ 0, inside the root.
      mu_dtype: dtype in which m is stored; each parameter's own by default.
      momentum_decay: ψ ≥ 0, how fast the momentum rises from β₁/2 to β₁: half of the way in 17/ψ steps.

    Returns:
      A transformation whose state is :class:`ScaleByNadamState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or another float is negative.

    >>> tx = scale_by_nadam(b1=0.8, eps=0.0, momentum_decay=0.0)  # μ = 0.4 throughout
    >>> direction, _ = tx.update(jnp.full(1, 3.0), tx.init(jnp.zeros(1)))
    >>> print(direction.round(4))  # 0.4 · 0.2 / (1 − 0.16) + 0.6 / (1 − 0.4)
    [1.0952]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root, momentum_decay=momentum_decay)

    def init(params: Params) -> OptState:
        return ScaleByNadamState(
            count=jnp.zeros((), jnp.int32),
            product=jnp.ones((), tree.compute_dtype(*jax.tree.leaves(params))),
            mu=tree.zeros_like(params, mu_dtype),
            nu=tree.full_like_real(params, 0.0),
        )

    def momentum(t: jax.Array, dtype: Any) -> jax.Array:
        beta, psi = (jnp.asarray(x).astype(dtype) for x in (b1, momentum_decay))
        return beta * (1 - 0.5 * 0.96 ** (t.astype(dtype) * psi))

    def rule(
        g: jax.Array, m: jax.Array, v: jax.Array, *, b1: jax.Array, b2: jax.Array, **rest: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * tree.square(g)
        now, ahead = rest["now"], rest["ahead"]
        m_hat = ahead * m / (1 - ahead * rest["product"]) + (1 - now) * g / (1 - rest["product"])
        v_hat = v / (1 - b2 ** rest["t"])
        return m_hat / (tree.root(v_hat + rest["eps_root"]) + rest["eps"]), m, v

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        t, dtype = tree.increment(state.count), state.product.dtype
        now, ahead = momentum(t, dtype), momentum(tree.increment(t), dtype)
        product = now * state.product
        floats = {"b1": b1, "b2": b2, "t": t, "now": now, "ahead": ahead, "product": product}
        updates, mu, nu = tree.elementwise(rule, updates, state.mu, state.nu, **floats, eps=eps, eps_root=eps_root)
        return updates, ScaleByNadamState(count=t, product=product, mu=mu, nu=nu)

    return optax.GradientTransformationExtraArgs(init, update)
