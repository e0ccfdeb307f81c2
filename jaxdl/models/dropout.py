r"""Dropout: in training every unit is set to zero with probability p, independently; two ways to make up for it.

.. math::

    \text{inverted:}       &\quad h \leftarrow h \odot m / (1 - p) \ \text{in training}, \quad h \ \text{afterwards} \\
    \text{weight scaling:} &\quad h \leftarrow h \odot m \ \text{in training}, \quad (1 - p)\, h \ \text{afterwards}

with :math:`m_i \sim \mathrm{Bernoulli}(1 - p)`. Either way the next layer sees the same mean in training and
afterwards. The two are one method for weights that differ by the factor 1 − p, and train differently at one rate.

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014, section 4
(weight scaling) and section 10 (inverted).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxdl.typing import Key, Scalar


class Dropout(NamedTuple):
    """``in_training``: ``(key, h, rate) -> h``. ``in_evaluation``: ``(h, rate) -> h``; the rate may be traced."""

    in_training: Callable[[Key, jax.Array, Scalar], jax.Array]
    in_evaluation: Callable[[jax.Array, Scalar], jax.Array]


def off(rate: Scalar) -> bool:
    """Whether the rate is known to be zero, so that no random number need be drawn."""
    return isinstance(rate, float | int) and rate == 0


def _kept(key: Key, h: jax.Array, rate: Scalar) -> jax.Array:
    """m, where to keep: bool, shaped like h."""
    return jax.random.bernoulli(key, 1 - jnp.asarray(rate, jnp.float32), h.shape)


def _divided(key: Key, h: jax.Array, rate: Scalar) -> jax.Array:
    part = 1 - jnp.asarray(rate).astype(h.dtype)
    # Where nothing is kept, 0/0 would reach the gradient.
    return jnp.where(_kept(key, h, rate), h / jnp.where(part > 0, part, jnp.ones_like(part)), jnp.zeros_like(h))


def _masked(key: Key, h: jax.Array, rate: Scalar) -> jax.Array:
    return jnp.where(_kept(key, h, rate), h, jnp.zeros_like(h))


def _whole(h: jax.Array, rate: Scalar) -> jax.Array:
    del rate
    return h


def _scaled(h: jax.Array, rate: Scalar) -> jax.Array:
    return h * (1 - jnp.asarray(rate).astype(h.dtype))


inverted = Dropout(_divided, _whole)
"""What is kept grows by 1/(1 − p) in training; the network is used as it is afterwards."""

weight_scaling = Dropout(_masked, _scaled)
"""What is kept stays as it is in training; afterwards every unit shrinks by 1 − p."""
