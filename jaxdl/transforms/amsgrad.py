r"""AMSGrad: Adam whose mean square never shrinks.

.. math::

    m_t &= \beta_1 m_{t-1} + (1-\beta_1)\,g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2)\,g_t^2, \qquad
           c_t = 1-\beta_2^t \\
    w_t &= \max(w_{t-1}, v_t),     & \hat v_t &= w_t / c_t && \text{of the raw mean square: torch, Keras} \\
    w_t &= \max(w_{t-1}, v_t/c_t), & \hat v_t &= w_t       && \text{of the corrected one: optax} \\
    u_t &= \hat m_t / (\sqrt{\hat v_t + \epsilon_\text{root}} + \epsilon), && w_0 = 0

The paper corrects neither moment (:math:`c_t = 1`, :math:`\hat m_t = m_t`), and then both maxima are one. Where the
correction is on, they are two algorithms: early on, :math:`v_t/c_t` is the square of single gradients and its maximum
is kept for ever.

Source: Reddi, Kale and Kumar, "On the convergence of Adam and beyond", ICLR 2018, algorithm 2.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.denominators import Division, check, outside, written
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates

Maximum: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
"""``maximum(w, v, c) -> (w, v_hat)``: the renewed maximum and the mean square that divides."""


class ScaleByAmsgradState(NamedTuple):
    """``count``: completed updates, int32. ``mu``: m. ``nu``: v. ``nu_max``: w; both real, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mu: Updates
    nu: Updates
    nu_max: Updates


def of_corrected(w: jax.Array, v: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The maximum of v/c: optax."""
    w = jnp.maximum(w, v / c)
    return w, w


def of_raw(w: jax.Array, v: jax.Array, c: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The maximum of v, corrected afterwards: torch and Keras."""
    w = jnp.maximum(w, v)
    return w, w / c


def _written(
    *,
    bias_correction_mu: bool,
    bias_correction_nu: bool,
    maximum: Maximum | None,
    divide: Division | None,
    **rest: Any,
) -> str:
    c = "1 − b2ᵗ" if bias_correction_nu else "1"
    largest = f"w ← max(w, v)\nv̂ ← w/({c})" if maximum is of_raw else f"w ← max(w, v/({c}))\nv̂ ← w"
    return (
        f"m ← b1 m + (1 − b1) g\nv ← b2 v + (1 − b2) g²\nm̂ ← {'m/(1 − b1ᵗ)' if bias_correction_mu else 'm'}\n"
        f"{largest} + eps_root\nu ← {written(divide or outside, 'm̂', 'v̂', c)}"
    )


@equation(_written)
def scale_by_amsgrad(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    mu_dtype: Any = None,
    bias_correction_mu: bool = True,
    bias_correction_nu: bool = True,
    *,
    maximum: Maximum | None = None,
    divide: Division | None = None,
) -> Transform:
    r"""Scales to AMSGrad's direction; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the memory of the mean. May be traced, like every float here.
      b2: β₂ in [0, 1), the memory of the mean square.
      eps: ε ≥ 0, placed by ``divide``.
      eps_root: ≥ 0, inside the root.
      mu_dtype: dtype in which m is stored; each parameter's own by default.
      bias_correction_mu: Whether to divide m by :math:`1-\beta_1^t`.
      bias_correction_nu: Whether to divide the mean square by :math:`1-\beta_2^t`.
      maximum: Of what the maximum is taken: :func:`of_corrected`, the default, or :func:`of_raw`.
      divide: Where ε stands, a function from ``jaxdl/transforms/denominators.py``; ``outside`` by default.

    Returns:
      A transformation whose state is :class:`ScaleByAmsgradState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), a negative ``eps`` or ``eps_root``, or ``divide=hat`` with nothing
        corrected.

    >>> tx = scale_by_amsgrad(b1=0.0, b2=0.0, eps=0.0)
    >>> _, state = tx.update(jnp.full(1, 4.0), tx.init(jnp.zeros(1)))
    >>> print(tx.update(jnp.ones(1), state)[0])  # divided by the largest gradient so far
    [0.25]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root)
    checks.functions("jaxdl.transforms.amsgrad", maximum=maximum)
    divide_by, largest = divide or outside, maximum or of_corrected
    check(divide_by, eps, bias_correction_nu)

    def init(params: Params) -> OptState:
        return ScaleByAmsgradState(
            count=jnp.zeros((), jnp.int32),
            mu=tree.zeros_like(params, mu_dtype),
            nu=tree.full_like_real(params, 0.0),
            nu_max=tree.full_like_real(params, 0.0),
        )

    def rule(
        g: jax.Array, m: jax.Array, v: jax.Array, w: jax.Array, *, b1: jax.Array, b2: jax.Array, **rest: jax.Array
    ) -> tuple[jax.Array, ...]:
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * tree.square(g)
        c = 1 - b2 ** rest["t"] if bias_correction_nu else jnp.ones_like(b2)
        w, v_hat = largest(w, v, c)
        m_hat = m / (1 - b1 ** rest["t"]) if bias_correction_mu else m
        return divide_by(m_hat, v_hat + rest["eps_root"], rest["eps"], c), m, v, w

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        t = tree.increment(state.count)
        floats: dict[str, Any] = {"b1": b1, "b2": b2, "t": t, "eps": eps, "eps_root": eps_root}
        updates, mu, nu, nu_max = tree.elementwise(rule, updates, state.mu, state.nu, state.nu_max, **floats)
        return updates, ScaleByAmsgradState(count=t, mu=mu, nu=nu, nu_max=nu_max)

    return optax.GradientTransformationExtraArgs(init, update)
