"""The words every room shares. Types only: no function lives here."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import jax
import optax

PyTree: TypeAlias = Any
Params: TypeAlias = PyTree
"""A pytree of parameter arrays."""
Updates: TypeAlias = PyTree
"""A pytree shaped like ``Params``: gradients, directions, or increments."""
OptState: TypeAlias = PyTree
Batch: TypeAlias = PyTree
"""What one evaluation of a loss sees: usually ``(inputs, labels)`` with a leading sample axis."""
Key: TypeAlias = jax.Array
"""A JAX random key, as made by ``jax.random.key``."""
Scalar: TypeAlias = float | jax.Array
"""A Python float or an array of shape ``()``; wherever this stands, a traced value is welcome."""
Schedule: TypeAlias = Callable[[jax.Array], jax.Array]
"""Maps the number of completed updates (0 at the first one) to a scalar."""
ScalarOrSchedule: TypeAlias = Scalar | Schedule
Mask: TypeAlias = PyTree | Callable[[Params], PyTree]
"""A (prefix) pytree of booleans, or a function of the parameters that makes one."""
Metrics: TypeAlias = dict[str, jax.Array]
Transform: TypeAlias = optax.GradientTransformationExtraArgs


class LossFn(Protocol):
    """A training loss: parameters, one batch, one key (dropout, noise) to a scalar."""

    def __call__(self, params: Params, batch: Batch, key: Key, /) -> jax.Array: ...


OptimizerFactory: TypeAlias = Callable[..., optax.GradientTransformation]
"""Anything that turns hyper-parameters, given by keyword, into a gradient transformation."""
Data: TypeAlias = Mapping[str, Batch]
"""The splits of a problem by name: ``train``, ``val`` and ``test``."""
