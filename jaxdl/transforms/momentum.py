r"""Heavy-ball and Nesterov momentum: a decaying trace of past directions.

.. math::

    b_t &= \mu\, b_{t-1} + g_t, \qquad b_0 = 0 \\
    u_t &= b_t                  && \text{heavy ball (Polyak 1964)} \\
    u_t &= g_t + \mu\, b_t      && \text{Nesterov, in the look-ahead variables of Sutskever et al. (2013)}

Where the learning rate η multiplies is not decided here but by the place in the chain, and it matters as soon as η
changes with t:

- rate *outside* the velocity, ``chain(trace(μ), scale_by_learning_rate(η))``: :math:`\Delta\theta_t = -\eta_t b_t`.
  Used by torch and optax.
- rate *inside* the velocity, ``chain(scale_by_learning_rate(η), trace(μ))``:
  :math:`\Delta\theta_t = \mu\,\Delta\theta_{t-1} - \eta_t g_t`. Used by Sutskever et al., Keras and the lecture.

Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Sutskever, Martens, Dahl and
Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, equations 3–6.
"""

from typing import Any, NamedTuple

import jax
import optax

from jaxdl import checks, tree
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class TraceState(NamedTuple):
    """The velocity b, shaped like the parameters."""

    trace: Updates


def trace(decay: Scalar, nesterov: bool = False, accumulator_dtype: Any = None) -> Transform:
    r"""Adds up past directions, each forgotten at rate ``decay``; the equations stand at the top of this file.

    Args:
      decay: μ ≥ 0, the part of the velocity that survives a step; it converges only below 1. May be traced.
      nesterov: Whether to return :math:`g_t + \mu b_t` instead of :math:`b_t`.
      accumulator_dtype: dtype in which b is stored; each parameter's own by default.

    Returns:
      A transformation whose state is :class:`TraceState`.

    Raises:
      ValueError: ``decay`` is negative.

    >>> import jax.numpy as jnp
    >>> tx = trace(0.5)
    >>> state = tx.init(jnp.zeros(1))
    >>> for _ in range(3):
    ...     direction, state = tx.update(jnp.ones(1), state)
    >>> print(direction)
    [1.75]
    """
    checks.nonnegative(decay=decay)

    def init(params: Params) -> OptState:
        return TraceState(trace=tree.zeros_like(params, accumulator_dtype))

    def rule(g: jax.Array, b: jax.Array, *, mu: jax.Array) -> tuple[jax.Array, jax.Array]:
        b = mu * b + g
        return (g + mu * b if nesterov else b), b

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        updates, b = tree.elementwise(rule, updates, state.trace, mu=decay)
        return updates, TraceState(trace=b)

    return optax.GradientTransformationExtraArgs(init, update)
