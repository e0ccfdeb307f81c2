r"""Nonlinear conjugate gradients: the last direction bends the next one; one vector of memory.

.. math::  d_k = -g_k + \beta_k d_{k-1}, \qquad d_0 = -g_0

with :math:`y = g_k - g_{k-1}` and

.. math::

    \beta^{FR} = \frac{g_k^\top g_k}{g_{k-1}^\top g_{k-1}}, \quad
    \beta^{PR} = \frac{g_k^\top y}{g_{k-1}^\top g_{k-1}}, \quad
    \beta^{PR+} = \max(0, \beta^{PR}), \quad
    \beta^{HS} = \frac{g_k^\top y}{d_{k-1}^\top y}, \quad
    \beta^{DY} = \frac{g_k^\top g_k}{d_{k-1}^\top y}

On a quadratic with exact line searches all of them are the linear method: directions conjugate, n steps. Elsewhere they
differ: after a bad step Fletcher–Reeves stays bad, Polak–Ribière turns back to −g.

Source: Fletcher and Reeves, 1964; Polak and Ribière, 1969; Hestenes and Stiefel, 1952; Dai and Yuan, 1999. Nocedal and
Wright, "Numerical optimization", 2nd edition, 2006, section 5.2.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl.second_order.line_search import Search, strong_wolfe
from jaxdl.second_order.method import Method, Objective, Step

Formula: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
"""``formula(gradient, last gradient, last direction) -> β``, from vectors of shape ``(P,)``."""


def fletcher_reeves(g: jax.Array, last: jax.Array, d: jax.Array) -> jax.Array:
    """β^{FR}. The equations stand at the top of this file."""
    del d
    return _ratio(jnp.sum(g * g), jnp.sum(last * last))


def polak_ribiere(g: jax.Array, last: jax.Array, d: jax.Array) -> jax.Array:
    """β^{PR}, which may be negative."""
    del d
    return _ratio(jnp.sum(g * (g - last)), jnp.sum(last * last))


def polak_ribiere_plus(g: jax.Array, last: jax.Array, d: jax.Array) -> jax.Array:
    """β^{PR+}: a negative β^{PR} restarts along −g."""
    return jnp.maximum(polak_ribiere(g, last, d), 0)


def hestenes_stiefel(g: jax.Array, last: jax.Array, d: jax.Array) -> jax.Array:
    """β^{HS}: the next direction has no part of y, whatever the line search was."""
    return _ratio(jnp.sum(g * (g - last)), jnp.sum(d * (g - last)))


def dai_yuan(g: jax.Array, last: jax.Array, d: jax.Array) -> jax.Array:
    """β^{DY}: every direction points downhill under the Wolfe conditions."""
    return _ratio(jnp.sum(g * g), jnp.sum(d * (g - last)))


def _ratio(above: jax.Array, below: jax.Array) -> jax.Array:
    """above/below, and 0, a restart, where nothing is below."""
    nothing = below == 0
    return jnp.where(nothing, jnp.zeros_like(above), above / jnp.where(nothing, jnp.ones_like(below), below))


class Last(NamedTuple):
    """``gradient`` and ``direction`` of the last step, shape ``(P,)``; zeros before the first, which make β zero."""

    gradient: jax.Array
    direction: jax.Array


def conjugate_gradient(formula: Formula = polak_ribiere_plus, *, search: Search | None = None) -> Method:
    """Nonlinear conjugate gradients.

    Args:
      formula: :func:`fletcher_reeves`, :func:`polak_ribiere`, :func:`polak_ribiere_plus`, :func:`hestenes_stiefel`,
        :func:`dai_yuan`, or a function of yours.
      search: How far along each direction; ``strong_wolfe(c2=0.1)`` by default, ``exact()`` for a quadratic.

    Returns:
      The method; its memory is :class:`Last`. A direction that does not point downhill gives way to −g.
    """

    def init(gradient: jax.Array) -> Last:
        return Last(jnp.zeros_like(gradient), jnp.zeros_like(gradient))

    def direction(objective: Objective, x: jax.Array, gradient: jax.Array, last: Last) -> jax.Array:
        del objective, x
        return -gradient + formula(gradient, last.gradient, last.direction) * last.direction

    def update(last: Last, step: Step) -> Last:
        del last
        return Last(step.before, step.direction)

    return Method(init, direction, update, search or strong_wolfe(c2=0.1))
