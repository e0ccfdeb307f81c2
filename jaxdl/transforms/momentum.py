r"""Heavy-ball and Nesterov momentum: a decaying trace of past directions.

.. math::

    b_t &= \mu\, b_{t-1} + (1-d_t)\,g_t, \qquad b_0 = 0 \\
    u_t &= b_t                          && \text{heavy ball (Polyak 1964)} \\
    u_t &= g_t + \mu\, b_t              && \text{Nesterov, in the look-ahead variables of Sutskever et al. (2013)} \\
    u_t &= (1-d_t)\,g_t + \mu\, b_t     && \text{Nesterov with dampening, as in Muon (\texttt{damped})}

The dampening d is 0 unless given: d = μ makes b an average of the directions. At the first step torch takes b₁ = g₁,
undampened (``dampen_first=False``: d₁ = 0); averages are dampened from the start.

Where the learning rate η multiplies is not decided here but by the place in the chain, and it matters as soon as η
changes with t:

- rate *outside* the velocity, ``chain(trace(μ), scale_by_learning_rate(η))``: :math:`\Delta\theta_t = -\eta_t b_t`.
  Used by torch, optax and TensorFlow 1.
- rate *inside* the velocity, ``chain(scale_by_learning_rate(η), trace(μ))``:
  :math:`\Delta\theta_t = \mu\,\Delta\theta_{t-1} - \eta_t g_t`. Used by Sutskever et al., Keras and the lecture.

Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Sutskever, Martens, Dahl and
Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013, equations 3–6; dampening:
torch's ``SGD``; averaged Nesterov momentum: Jordan, "Muon", 2024.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates

LookAhead: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
"""``look_ahead(g, b, mu, kept)``: Nesterov's direction; ``kept`` is 1 − d."""


class TraceState(NamedTuple):
    """The velocity b, shaped like the parameters."""

    trace: Updates


class CountedTraceState(NamedTuple):
    """``count``: completed updates, int32, to know the first. ``trace``: the velocity b."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    trace: Updates


def undamped(g: jax.Array, b: jax.Array, mu: jax.Array, kept: jax.Array) -> jax.Array:
    """g + μb: torch, optax, Keras."""
    del kept
    return g + mu * b


def damped(g: jax.Array, b: jax.Array, mu: jax.Array, kept: jax.Array) -> jax.Array:
    """(1 − d) g + μb: the recurrence once more, with the same gradient. Muon."""
    return kept * g + mu * b


def _written(*, nesterov: bool, dampening: Any, dampen_first: bool, look_ahead: LookAhead | None, **rest: Any) -> str:
    g = "g" if dampening is None else "(1 − dampening) g"
    ahead = f"{g if look_ahead is damped else 'g'} + decay b"
    first = "" if dampen_first else " (at first b ← g)"
    return f"b ← decay b + {g}{first}\nu ← {ahead if nesterov else 'b'}"


@equation(_written)
def trace(
    decay: Scalar,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
    *,
    dampening: Scalar | None = None,
    dampen_first: bool = True,
    look_ahead: LookAhead | None = None,
) -> Transform:
    r"""Adds up past directions, each forgotten at rate ``decay``; the equations stand at the top of this file.

    Args:
      decay: μ ≥ 0, the part of the velocity that survives a step; it converges only below 1. May be traced.
      nesterov: Whether to return :math:`g_t + \mu b_t` instead of :math:`b_t`.
      accumulator_dtype: dtype in which b is stored; each parameter's own by default.
      dampening: d in [0, 1], the part of each new direction that is left out, or None for 0. May be traced.
      dampen_first: Whether the first direction is dampened too (averages) or enters whole (torch).
      look_ahead: Nesterov's direction: :func:`undamped`, the default, or :func:`damped`.

    Returns:
      A transformation whose state is :class:`TraceState`, or :class:`CountedTraceState` without ``dampen_first``.

    Raises:
      ValueError: ``decay`` is negative, ``dampening`` outside [0, 1], ``dampen_first=False`` with no dampening to leave
        out, or ``damped`` where it says nothing.

    >>> tx = trace(0.5)
    >>> state = tx.init(jnp.zeros(1))
    >>> for _ in range(3):
    ...     direction, state = tx.update(jnp.ones(1), state)
    >>> print(direction)
    [1.75]
    """
    checks.nonnegative(decay=decay)
    checks.fraction(dampening=dampening)
    checks.functions("jaxdl.transforms.momentum", look_ahead=look_ahead)
    if dampening is None and not dampen_first:
        raise ValueError("dampen_first=False needs a dampening, got none.")
    if look_ahead is damped and (dampening is None or not nesterov):
        raise ValueError("look_ahead=damped needs nesterov=True and a dampening.")

    direction = look_ahead or undamped

    def init(params: Params) -> OptState:
        b = tree.zeros_like(params, accumulator_dtype)
        return TraceState(trace=b) if dampen_first else CountedTraceState(count=jnp.zeros((), jnp.int32), trace=b)

    def rule(g: jax.Array, b: jax.Array, *, mu: jax.Array, d: jax.Array) -> tuple[jax.Array, jax.Array]:
        b = mu * b + (g if dampening is None else (1 - d) * g)
        return (direction(g, b, mu, 1 - d) if nesterov else b), b

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        d = 0.0 if dampening is None else dampening
        if dampen_first:
            updates, b = tree.elementwise(rule, updates, state.trace, mu=decay, d=d)
            return updates, TraceState(trace=b)
        d = jnp.where(state.count == 0, jnp.zeros_like(d), d)
        updates, b = tree.elementwise(rule, updates, state.trace, mu=decay, d=d)
        return updates, CountedTraceState(count=tree.increment(state.count), trace=b)

    return optax.GradientTransformationExtraArgs(init, update)
