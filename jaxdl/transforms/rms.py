r"""RMSProp: divide by a running root mean square of the gradient, or by its running standard deviation.

Plain (:func:`scale_by_rms`), the lecture's h ← αh + (1−α)g²:

.. math::

    \nu_t &= \alpha\,\nu_{t-1} + (1-\alpha)\,g_t^2, \qquad \nu_0 = \texttt{initial\_scale} \\
    u_t   &= g_t / \sqrt{\nu_t + \epsilon} \quad\text{or}\quad g_t / (\sqrt{\nu_t} + \epsilon)

Centred (:func:`scale_by_stddev`), with s the running variance in place of ν:

.. math::

    \delta_t = g_t - \mu_{t-1}, \qquad \mu_t = \mu_{t-1} + a_t\,\delta_t, \qquad
    s_t = (1-a_t)\,(s_{t-1} + a_t\,\delta_t^2), \qquad a_t = 1-\alpha

This is Welford's form. It equals the textbook :math:`\nu_t - \mu_t^2` in exact arithmetic, but it is a sum of squares
and cannot turn negative: for a steady gradient :math:`\nu_t - \mu_t^2` cancels to noise of either sign, whose root is
NaN sooner or later (float32, g = 1 ± 1e-4: within 300 steps).

With ``bias_correction`` the averages have weights that sum to one: :math:`\hat\nu_t = \nu_t/(1-\alpha^t)`, and in the
centred form :math:`a_t = (1-\alpha)/(1-\alpha^t)`.

Source: Tieleman and Hinton, Coursera lecture 6.5, 2012; centred form: Graves, "Generating sequences with recurrent
neural networks", 2013, equations 38–45; weighted variance: West, "Updating mean and variance estimates", 1979.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.denominators import Division, check, inside, outside, written
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByRmsState(NamedTuple):
    """``count``: completed updates, int32. ``nu``: running mean square, real, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    nu: Updates


class ScaleByStddevState(NamedTuple):
    """``count``: completed updates, int32. ``mu``: running mean. ``var``: running variance, float32 or wider."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mu: Updates
    var: Updates


def _division(eps_in_sqrt: bool, divide: Division | None) -> Division:
    return divide or (inside if eps_in_sqrt else outside)


def _written_rms(*, eps_in_sqrt: bool, bias_correction: bool, divide: Division | None, **rest: Any) -> str:
    corrected = "(ν/(1 − decayᵗ))" if bias_correction else "ν"
    division = written(_division(eps_in_sqrt, divide), "g", corrected, "1 − decayᵗ")
    return f"ν ← decay ν + (1 − decay) g²\nu ← {division}"


def _written_stddev(*, eps_in_sqrt: bool, bias_correction: bool, divide: Division | None, **rest: Any) -> str:
    weight = "(1 − decay)/(1 − decayᵗ)" if bias_correction else "1 − decay"
    moments = "s ← (1 − a)(s + a (g − m)²)\nm ← m + a (g − m)"
    return f"a ← {weight}\n{moments}\nu ← {written(_division(eps_in_sqrt, divide), 'g', 's')}"


@equation(_written_rms)
def scale_by_rms(
    decay: Scalar = 0.9,
    eps: Scalar = 1e-8,
    initial_scale: Scalar = 0.0,
    eps_in_sqrt: bool = True,
    bias_correction: bool = False,
    *,
    divide: Division | None = None,
) -> Transform:
    """Divides by the running root mean square of the gradient; the equations stand at the top of this file.

    Args:
      decay: α in [0, 1), the weight of the past. May be traced, like ``eps`` and ``initial_scale``.
      eps: ε ≥ 0, which keeps a vanishing gradient from being divided by zero.
      initial_scale: ν₀ ≥ 0: 0 in torch, Keras and optax, 1 in TensorFlow 1.
      eps_in_sqrt: Whether ε is added under the root (optax, Keras) or to the root (torch).
      bias_correction: Whether to divide ν by 1 − αᵗ.
      divide: Another place for ε, from ``jaxdl/transforms/denominators.py``; it overrides ``eps_in_sqrt``.

    Returns:
      A transformation whose state is :class:`ScaleByRmsState`.

    Raises:
      ValueError: ``decay`` outside [0, 1), or a negative ``eps`` or ``initial_scale``.

    >>> tx = scale_by_rms(decay=0.75, eps=0.0)
    >>> direction, _ = tx.update(jnp.ones(1), tx.init(jnp.zeros(1)))
    >>> print(direction)
    [2.]
    """
    checks.decay_rate(decay=decay)
    checks.nonnegative(eps=eps, initial_scale=initial_scale)
    divide_by = _division(eps_in_sqrt, divide)
    check(divide_by, eps, bias_correction)

    def init(params: Params) -> OptState:
        return ScaleByRmsState(count=jnp.zeros((), jnp.int32), nu=tree.full_like_real(params, initial_scale))

    def rule(
        g: jax.Array, nu: jax.Array, *, alpha: jax.Array, eps: jax.Array, t: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        nu = alpha * nu + (1 - alpha) * tree.square(g)
        c = 1 - alpha**t if bias_correction else jnp.ones_like(alpha)
        nu_hat = nu / c if bias_correction else nu
        return divide_by(g, nu_hat, eps, c), nu

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        count = tree.increment(state.count)
        updates, nu = tree.elementwise(rule, updates, state.nu, alpha=decay, eps=eps, t=count)
        return updates, ScaleByRmsState(count=count, nu=nu)

    return optax.GradientTransformationExtraArgs(init, update)


@equation(_written_stddev)
def scale_by_stddev(
    decay: Scalar = 0.9,
    eps: Scalar = 1e-8,
    initial_scale: Scalar = 0.0,
    eps_in_sqrt: bool = True,
    bias_correction: bool = False,
    *,
    divide: Division | None = None,
) -> Transform:
    """Divides by the running standard deviation of the gradient; the equations stand at the top of this file.

    Args:
      decay: α in [0, 1), the weight of the past. May be traced, like ``eps`` and ``initial_scale``.
      eps: ε ≥ 0; for a steady gradient it alone bounds the step, which tends to η g/√ε (inside) or η g/ε (outside).
      initial_scale: s₀ ≥ 0; with ``bias_correction`` the first gradient replaces it.
      eps_in_sqrt: Whether ε is added under the root or to the root.
      bias_correction: Whether mean and variance have weights that sum to one.
      divide: Another place for ε, from ``jaxdl/transforms/denominators.py``; it overrides ``eps_in_sqrt``.

    Returns:
      A transformation whose state is :class:`ScaleByStddevState`.

    Raises:
      ValueError: ``decay`` outside [0, 1), or a negative ``eps`` or ``initial_scale``.

    >>> tx = scale_by_stddev(decay=0.5, eps=0.0)
    >>> direction, _ = tx.update(jnp.ones(1), tx.init(jnp.zeros(1)))
    >>> print(direction)
    [2.]
    """
    checks.decay_rate(decay=decay)
    checks.nonnegative(eps=eps, initial_scale=initial_scale)
    divide_by = _division(eps_in_sqrt, divide)
    check(divide_by, eps, bias_correction)

    def init(params: Params) -> OptState:
        # The mean is kept as precisely as the variance: its rounding error enters the variance squared.
        mu = tree.zeros_like_wide(params)
        var = tree.full_like_real(params, initial_scale)
        return ScaleByStddevState(count=jnp.zeros((), jnp.int32), mu=mu, var=var)

    def rule(
        g: jax.Array, mu: jax.Array, var: jax.Array, *, alpha: jax.Array, eps: jax.Array, t: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        a = (1 - alpha) / (1 - alpha**t) if bias_correction else 1 - alpha
        delta = g - mu
        var = (1 - a) * (var + a * tree.square(delta))
        return divide_by(g, var, eps, jnp.ones_like(a)), mu + a * delta, var

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        count = tree.increment(state.count)
        updates, mu, var = tree.elementwise(rule, updates, state.mu, state.var, alpha=decay, eps=eps, t=count)
        return updates, ScaleByStddevState(count=count, mu=mu, var=var)

    return optax.GradientTransformationExtraArgs(init, update)
