r"""Weight decay: one line of arithmetic whose meaning is its place in the chain.

.. math::  u_t \leftarrow u_t + \lambda_t\,\theta_{t-1}

- *after* the scaling and before the rate, it is **decoupled**: θ shrinks by (1 − η_t λ) whatever the gradients were
  (:func:`add_decayed_weights`; AdamW);
- *first* in the chain it is **coupled**: the gradient of the penalty ½ λ‖θ‖² joins g and passes through momentum and
  scaling with it (:func:`add_l2_gradient`; what torch's ``Adam(weight_decay=…)`` does).

For plain SGD the two are the same algorithm; for momentum, RMSProp and Adam they are not.

Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2. As in torch and optax,
λ is multiplied by the learning rate; the paper multiplies it by the schedule alone: this and the other conventions are
in ``jaxdl/transforms/shrink.py``.
"""

from typing import Any

import jax
import optax

from jaxdl import checks
from jaxdl.rules import equation
from jaxdl.transforms.scheduled import scheduled
from jaxdl.typing import Mask, OptState, Params, ScalarOrSchedule, Transform, Updates


@equation("u ← u + weight_decay · θ")
def add_decayed_weights(weight_decay: ScalarOrSchedule = 0.0, mask: Mask | None = None) -> Transform:
    """Adds λθ to the direction; the equation and what its place means stand at the top of this file.

    Args:
      weight_decay: λ ≥ 0, a float (maybe traced) or a schedule of the number of completed updates.
      mask: Which leaves decay: a pytree of Python booleans that is the parameters' structure or a prefix of it, or a
        function of the parameters that returns one. All of them by default, biases too, as in torch and optax.

    Returns:
      A transformation that needs ``params`` at every update.

    Raises:
      ValueError: ``weight_decay`` is negative; at update, ``params`` is missing.

    >>> import jax.numpy as jnp
    >>> tx = add_decayed_weights(0.1)
    >>> direction, _ = tx.update(jnp.zeros(1), tx.init(jnp.ones(1)), jnp.array([2.0]))
    >>> print(direction)
    [0.2]
    """
    checks.nonnegative(weight_decay=weight_decay)

    def rule(u: jax.Array, theta: jax.Array, *, c: jax.Array) -> tuple[jax.Array]:
        # A typed zero, many recipes' default, is no decay: three operations less for every leaf, as in optax.
        return (u if isinstance(weight_decay, int | float) and weight_decay == 0 else u + c * theta,)

    everywhere = scheduled(weight_decay, rule, reads_params=True)
    return everywhere if mask is None else where(mask, everywhere)


@equation("g ← g + weight_decay · θ")
def add_l2_gradient(weight_decay: ScalarOrSchedule = 0.0, mask: Mask | None = None) -> Transform:
    """Adds λθ, the gradient of ½ λ‖θ‖², to the gradient: place it first in the chain. Arguments as above.

    It is :func:`add_decayed_weights` under the name of what it does there, so that a chain reads as what it computes.
    """
    return add_decayed_weights(weight_decay, mask)


def where(mask: Mask, inner: Transform) -> Transform:
    """``inner`` on the leaves that ``mask`` names; the others pass through. ``inner`` has no state per leaf."""

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        changed, state = inner.update(updates, state, params, **extra_args)
        prefix = mask(params) if callable(mask) else mask
        per_leaf = jax.tree.map(lambda chosen, below: jax.tree.map(lambda _: chosen, below), prefix, params)
        return jax.tree.map(lambda chosen, new, old: new if chosen else old, per_leaf, changed, updates), state

    return optax.GradientTransformationExtraArgs(inner.init, update)
