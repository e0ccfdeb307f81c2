"""Training states as plain arrays on the host, and back: for the disk, and for lanes that go on with them.

A state's step count is left out: the seats of a chunk say at which step its groups are.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl.stepping import TrainState


def arrays(state: TrainState) -> list[np.ndarray]:
    """Copies of the leaves of a state in order, ``(groups, width, …)`` each; keys of JAX as their integers."""
    return [np.array(jax.random.key_data(leaf) if _is_key(leaf) else leaf) for leaf in _leaves(state)]


def of_lanes(state: TrainState, places: np.ndarray) -> list[np.ndarray]:
    """:func:`arrays` of some lanes: ``places`` are flat indices of slots; shape ``(len(places), …)`` each."""
    return [array.reshape(-1, *array.shape[2:])[places] for array in arrays(state)]


def filled(state: TrainState, values: list[np.ndarray], places: np.ndarray | None = None) -> TrainState:
    """``state`` with other values, on the same devices.

    Args:
      state: For shapes, devices and what is not replaced.
      values: As :func:`arrays` gives them.
      places: Which slots take a row of ``values`` each, ``(groups, width)`` booleans; None where values are whole.
    """

    def put(leaf: jax.Array, given: np.ndarray) -> jax.Array:
        host = np.array(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
        host[... if places is None else places] = given.view(host.dtype)  # bits of bfloat16 are stored as integers
        array: jax.Array = jnp.asarray(host) if not _is_key(leaf) else jax.random.wrap_key_data(jnp.asarray(host))
        placed: jax.Array = jax.device_put(array, leaf.sharding)
        return placed

    fields = state._replace(step=jnp.zeros(0))
    leaves, structure = jax.tree.flatten(fields)
    given = iter(values)
    new: TrainState = jax.tree.unflatten(
        structure, [leaf if leaf is fields.step else put(leaf, next(given)) for leaf in leaves]
    )
    return new._replace(step=state.step)


def _leaves(state: TrainState) -> list[Any]:
    nothing: Any = None
    return jax.tree.leaves(state._replace(step=nothing))


def _is_key(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))
