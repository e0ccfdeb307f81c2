"""Multi-layer perceptron of any depth, width and activation, with optional dropout."""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


class MLP(nn.Module):
    """Dense layers with an activation between them and none after the last.

    Attributes:
      features: Width of every layer, the output last: ``(64, 32, 10)`` has two hidden layers.
      activation: Elementwise function between layers.
      dropout_rate: Probability of setting a hidden unit to zero in training; the rest is scaled by 1/(1 − rate).
      kernel_init: Initialiser of the weights, ``(key, shape, dtype) -> array``; biases start at zero.
      dtype: dtype of the computation. ``param_dtype``: dtype of the parameters.
    """

    features: Sequence[int]
    activation: Callable[[jax.Array], jax.Array] = nn.relu
    dropout_rate: float = 0.0
    kernel_init: Callable[..., jax.Array] = nn.initializers.he_normal()
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool = False) -> jax.Array:
        """Maps ``(n, …)`` to ``(n, features[-1])``; with dropout in training, ``apply`` needs ``rngs={"dropout": key}``."""
        x = x.reshape(len(x), -1).astype(self.dtype)
        for i, width in enumerate(self.features):
            x = nn.Dense(width, kernel_init=self.kernel_init, dtype=self.dtype, param_dtype=self.param_dtype)(x)
            if i < len(self.features) - 1:
                x = self.activation(x)
                x = nn.Dropout(self.dropout_rate, deterministic=not training)(x)
        return x
