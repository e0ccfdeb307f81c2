"""Mini-batches as a function of (key, step), so that a run may be cut anywhere and gives the same batches."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl.typing import Batch, Key


def epoch_indices(key: Key, first_step: jax.Array | int, steps: int, samples: int, batch_size: int) -> jax.Array:
    """Which samples each step sees: shuffled epochs laid end to end and cut into batches.

    Every sample is seen once per epoch; where ``batch_size`` does not divide ``samples``, a batch spans two epochs.

    Args:
      key: Decides the order; the permutation of epoch e is drawn from ``fold_in(key, e)``.
      first_step: Number of the first step wanted, maybe traced. ``(first_step + steps) · batch_size`` stays below 2³¹.
      steps: How many steps from there.
      samples: Size of the training split.
      batch_size: Samples per step.

    Returns:
      int32 indices of shape ``(steps, batch_size)``.

    >>> print(jnp.sort(epoch_indices(jax.random.key(0), 0, 2, samples=4, batch_size=2).ravel()))
    [0 1 2 3]
    """
    start = jnp.asarray(first_step, jnp.int32) * batch_size
    first_epoch = start // samples
    epochs = first_epoch + jnp.arange((steps * batch_size - 1) // samples + 2, dtype=jnp.int32)
    # Drawn before the scan over steps: random numbers inside a mapped scan cost dozens of times as much.
    orders = jax.vmap(lambda epoch: _permutation(jax.random.fold_in(key, epoch), samples))(epochs)
    positions = start - first_epoch * samples + jnp.arange(steps * batch_size, dtype=jnp.int32)
    return orders.ravel()[positions].reshape(steps, batch_size)


def ordered_indices(first_step: jax.Array | int, steps: int, samples: int, batch_size: int) -> jax.Array:
    """Which samples each step sees where every epoch is the data in its own order; as :func:`epoch_indices` otherwise.

    >>> print(ordered_indices(1, 3, samples=4, batch_size=2))
    [[2 3]
     [0 1]
     [2 3]]
    """
    start = jnp.asarray(first_step, jnp.int32) * batch_size
    positions = start + jnp.arange(steps * batch_size, dtype=jnp.int32)
    return (positions % samples).reshape(steps, batch_size)


def take(split: Batch, indices: jax.Array) -> Batch:
    """The samples of every array of ``split`` at ``indices``, which must be in bounds."""
    return jax.tree.map(lambda array: array.at[indices].get(mode="promise_in_bounds"), split)


def _permutation(key: Key, samples: int) -> jax.Array:
    """A random order of 0 … samples − 1, int32.

    For up to 4096 samples: random high bits and the index in the low bits, sorted as one integer. XLA sorts single
    integers on CPU ten times as fast as the pairs of ``jax.random.permutation``. Two samples draw the same high bits,
    and then keep their order, with probability 2⁻²⁰ at most.
    """
    index_bits = (samples - 1).bit_length()
    if index_bits > 12:
        return jax.random.permutation(key, samples).astype(jnp.int32)
    random_bits = jax.random.bits(key, (samples,), jnp.uint32)
    keyed = (random_bits >> index_bits << index_bits) | jnp.arange(samples, dtype=jnp.uint32)
    order: jax.Array = jnp.sort(keyed) & np.uint32(2**index_bits - 1)
    return order.astype(jnp.int32)
