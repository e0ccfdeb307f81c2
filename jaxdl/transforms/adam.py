r"""Adam: bias-corrected running means of the gradient and of its square.

.. math::

    m_t &= \beta_1 m_{t-1} + (1-\beta_1)\,g_t,   & \hat m_t &= m_t / (1-\beta_1^t) \\
    v_t &= \beta_2 v_{t-1} + (1-\beta_2)\,g_t^2, & \hat v_t &= v_t / (1-\beta_2^t) \\
    u_t &= \hat m_t / (\sqrt{\hat v_t + \epsilon_\text{root}} + \epsilon), && m_0 = v_0 = 0, \quad t = 1, 2, \dots

With ``nesterov`` (NAdam), :math:`\hat m_t = \beta_1 m_t/(1-\beta_1^{t+1}) + (1-\beta_1)\,g_t/(1-\beta_1^t)`.
Without ``bias_correction``, :math:`\hat m_t = m_t` and :math:`\hat v_t = v_t`.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; Dozat, "Incorporating
Nesterov momentum into Adam", 2016, algorithm 2. ε stands outside the root and beside the *corrected* v̂, as in the
algorithm, torch and optax; Keras adds it to the uncorrected √v, which is the paper's ε̂.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByAdamState(NamedTuple):
    """``count``: completed updates, int32. ``mu``: m. ``nu``: v, real, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mu: Updates
    nu: Updates


def scale_by_adam(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
    bias_correction: bool = True,
) -> Transform:
    r"""Scales to Adam's direction; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the memory of the mean. May be traced, like every float here.
      b2: β₂ in [0, 1), the memory of the mean square.
      eps: ε ≥ 0, outside the root.
      eps_root: ≥ 0, inside the root. Gradients *through* the update do not need it: our root has slope 0 at 0.
      mu_dtype: dtype in which m is stored; each parameter's own by default.
      nesterov: Whether to look ahead as in NAdam with constant β₁.
      bias_correction: Whether to divide by :math:`1-\beta^t`, computed in float32 or wider.

    Returns:
      A transformation whose state is :class:`ScaleByAdamState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), or a negative ``eps`` or ``eps_root``.

    >>> tx = scale_by_adam()
    >>> direction, _ = tx.update(jnp.array([0.0, 1e-3, -5.0]), tx.init(jnp.zeros(3)))
    >>> print(direction.round(4))  # the first step is the sign of the gradient
    [ 0.  1. -1.]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root)

    def init(params: Params) -> OptState:
        return ScaleByAdamState(
            count=jnp.zeros((), jnp.int32),
            mu=tree.zeros_like(params, mu_dtype),
            nu=tree.full_like_real(params, 0.0),
        )

    def rule(
        g: jax.Array, m: jax.Array, v: jax.Array, *, b1: jax.Array, b2: jax.Array, t: jax.Array, **eps: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * jnp.real(g * jnp.conj(g))
        m_hat = b1 * m + (1 - b1) * g if nesterov else m
        v_hat = v
        if bias_correction:
            correction = 1 - b1**t
            m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / correction if nesterov else m / correction
            v_hat = v / (1 - b2**t)
        return m_hat / (tree.root(v_hat + eps["eps_root"]) + eps["eps"]), m, v

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        t = tree.increment(state.count)
        updates, mu, nu = tree.elementwise(
            rule, updates, state.mu, state.nu, b1=b1, b2=b2, t=t, eps=eps, eps_root=eps_root
        )
        return updates, ScaleByAdamState(count=t, mu=mu, nu=nu)

    return optax.GradientTransformationExtraArgs(init, update)
