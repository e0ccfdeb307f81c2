r"""Adam: bias-corrected running means of the gradient and of its square.

.. math::

    m_t &= \beta_1 m_{t-1} + (1-\beta_1)\,g_t,   & \hat m_t &= m_t / (1-\beta_1^t) \\
    v_t &= \beta_2 v_{t-1} + (1-\beta_2)\,g_t^2, & \hat v_t &= v_t / (1-\beta_2^t) \\
    u_t &= \hat m_t / (\sqrt{\hat v_t + \epsilon_\text{root}} + \epsilon), && m_0 = v_0 = 0, \quad t = 1, 2, \dots

With ``nesterov`` (NAdam), :math:`\hat m_t = \beta_1 m_t/(1-\beta_1^{t+1}) + (1-\beta_1)\,g_t/(1-\beta_1^t)`.
Without ``bias_correction``, :math:`\hat m_t = m_t` and :math:`\hat v_t = v_t`; either moment can be left uncorrected
alone. With ``divide``, ε stands elsewhere: see ``jaxdl/transforms/denominators.py``.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1; Dozat, "Incorporating
Nesterov momentum into Adam", 2016, algorithm 2. ε stands outside the root and beside the *corrected* v̂, as in the
algorithm, torch and optax; Keras and TensorFlow add it to the uncorrected √v, the paper's ε̂ (``divide=hat``).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.denominators import Division, check, outside, written
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByAdamState(NamedTuple):
    """``count``: completed updates, int32. ``mu``: m. ``nu``: v, real, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mu: Updates
    nu: Updates


def _mean(g: jax.Array, m: jax.Array, b1: jax.Array, t: jax.Array) -> jax.Array:
    return m


def _corrected_mean(g: jax.Array, m: jax.Array, b1: jax.Array, t: jax.Array) -> jax.Array:
    return m / (1 - b1**t)


def _mean_ahead(g: jax.Array, m: jax.Array, b1: jax.Array, t: jax.Array) -> jax.Array:
    return b1 * m + (1 - b1) * g


def _corrected_mean_ahead(g: jax.Array, m: jax.Array, b1: jax.Array, t: jax.Array) -> jax.Array:
    return b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)


_MEANS = {
    (False, False): _mean,
    (False, True): _corrected_mean,
    (True, False): _mean_ahead,
    (True, True): _corrected_mean_ahead,
}
"""m̂ of (g, m, β₁, t), by whether it looks ahead and whether it is corrected."""


_MEANS_WRITTEN = {
    (False, False): "m",
    (False, True): "m/(1 − b1ᵗ)",
    (True, False): "b1 m + (1 − b1) g",
    (True, True): "b1 m/(1 − b1ᵗ⁺¹) + (1 − b1) g/(1 − b1ᵗ)",
}


def _written(*, nesterov: bool, bias_correction: bool, divide: Division | None, **rest: Any) -> str:
    mu, nu = rest["bias_correction_mu"], rest["bias_correction_nu"]
    mean = _MEANS_WRITTEN[nesterov, bias_correction if mu is None else mu]
    square = "v/(1 − b2ᵗ)" if (bias_correction if nu is None else nu) else "v"
    return (
        f"m ← b1 m + (1 − b1) g\nv ← b2 v + (1 − b2) g²\nm̂ ← {mean}\nv̂ ← {square} + eps_root\n"
        f"u ← {written(divide or outside, 'm̂', 'v̂', '1 − b2ᵗ')}"
    )


@equation(_written)
def scale_by_adam(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    *,
    nesterov: bool = False,
    bias_correction: bool = True,
    bias_correction_mu: bool | None = None,
    bias_correction_nu: bool | None = None,
    divide: Division | None = None,
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
      bias_correction_mu: The same for m alone; as ``bias_correction`` by default.
      bias_correction_nu: The same for v alone; as ``bias_correction`` by default.
      divide: Where ε stands, a function from ``jaxdl/transforms/denominators.py``; ``outside`` by default.

    Returns:
      A transformation whose state is :class:`ScaleByAdamState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative ``eps`` or ``eps_root``, or ``divide=hat`` with v
        uncorrected.

    >>> tx = scale_by_adam()
    >>> direction, _ = tx.update(jnp.array([0.0, 1e-3, -5.0]), tx.init(jnp.zeros(3)))
    >>> print(direction.round(4))  # the first step is the sign of the gradient
    [ 0.  1. -1.]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root)
    correct_mu = bias_correction if bias_correction_mu is None else bias_correction_mu
    correct_nu = bias_correction if bias_correction_nu is None else bias_correction_nu
    divide_by = divide or outside
    check(divide_by, eps, correct_nu)

    mean = _MEANS[nesterov, correct_mu]

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
        v = b2 * v + (1 - b2) * tree.square(g)
        c = 1 - b2**t if correct_nu else jnp.ones_like(b2)
        v_hat = v / c if correct_nu else v
        return divide_by(mean(g, m, b1, t), v_hat + eps["eps_root"], eps["eps"], c), m, v

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
