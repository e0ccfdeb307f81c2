r"""Stochastic rounding of bfloat16 parameters: small steps are not lost, they are taken with the right frequency.

.. math::  \theta_t = R(\theta_{t-1} + u_t), \qquad \mathbb{E}\,R(x) = x

R rounds to one of the two neighbours of x in bfloat16, to the nearer one more often. Rounding to the nearest, which
``apply_updates`` does, drops every step below half a unit in the last place: a weight of 1 with a rate of 1e-3 and a
gradient of 1 stands still for ever.

Source: Gupta, Agrawal, Gopalakrishnan and Narayanan, "Deep learning with limited numerical precision", ICML 2015,
section 3.1.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks
from jaxdl.rules import equation
from jaxdl.typing import Key, OptState, Params, Transform, Updates


class RoundStochasticallyState(NamedTuple):
    """``key``: what the next step draws from."""

    key: Key


def round_to_bfloat16(x: jax.Array, key: Key) -> jax.Array:
    """Rounds float32 to one of its two bfloat16 neighbours, without bias. What is not finite stays so."""
    # bfloat16 is the upper half of float32: adding 16 random bits to the lower half carries as often as it should.
    bits = jax.lax.bitcast_convert_type(x, jnp.uint32)
    noise = jax.random.bits(key, x.shape, jnp.uint16).astype(jnp.uint32)
    rounded = jax.lax.bitcast_convert_type((bits + noise) & jnp.uint32(0xFFFF0000), jnp.float32)
    return jnp.where(jnp.isfinite(x), rounded, x).astype(jnp.bfloat16)


@equation("u ← R(θ + u) − θ, R rounds to one of the bfloat16 neighbours without bias")
def round_stochastically(key: Key) -> Transform:
    """Makes increments after which bfloat16 parameters are rounded stochastically; other leaves pass through.

    Args:
      key: Where the random numbers come from.

    Returns:
      A transformation of increments, to be placed last; it needs ``params`` at every update. Its increments lead to
      neighbours in bfloat16, so that the rounding in ``apply_updates`` has nothing left to do.

    Raises:
      ValueError: ``key`` is no random key; at update, ``params`` is missing.

    >>> tx = round_stochastically(jax.random.key(0))
    >>> theta = jnp.ones(1000, jnp.bfloat16)
    >>> increment, _ = tx.update(jnp.full(1000, -1e-3), tx.init(theta), theta)  # a quarter of the distance downwards
    >>> print(0.2 < (increment != 0).mean() < 0.3)
    True
    """

    checks.random_key(key=key)

    def init(params: Params) -> OptState:
        del params
        return RoundStochasticallyState(key=key)

    def rounded(u: Any, theta: jax.Array, key_leaf: Key) -> Any:
        if u is None or theta.dtype != jnp.bfloat16:
            return u
        start = theta.astype(jnp.float32)
        end = round_to_bfloat16(start + u.astype(jnp.float32), key_leaf)
        return (end.astype(jnp.float32) - start).astype(u.dtype)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del extra_args
        checks.parameters(params)
        leaves: list[Any]
        treedef: Any
        leaves, treedef = jax.tree.flatten(updates, is_leaf=lambda leaf: leaf is None)
        key_next, *keys = jax.random.split(state.key, 1 + len(leaves))
        rows = zip(leaves, treedef.flatten_up_to(params), keys, strict=True)
        return treedef.unflatten([rounded(*row) for row in rows]), RoundStochasticallyState(key=key_next)

    return optax.GradientTransformationExtraArgs(init, update)
