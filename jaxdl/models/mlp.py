"""Multi-layer perceptron of any depth, width and activation, with optional dropout."""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxdl.models.dropout import Dropout, inverted, off
from jaxdl.models.initializers import Initializer, he_normal, zeros
from jaxdl.typing import Scalar


class MLP(nn.Module):
    """Dense layers with an activation between them and none after the last.

    Attributes:
      features: Width of every layer, the output last: ``(64, 32, 10)`` has two hidden layers.
      activation: Elementwise function between layers.
      dropout_rate: Probability of setting a hidden unit to zero in training. May be traced.
      dropout: How what is kept makes up for the rest: ``dropout.inverted`` or ``dropout.weight_scaling``.
      kernel_init: Initialiser of the weights.
      bias_init: Initialiser of the biases.
      dtype: dtype of the computation.
      param_dtype: dtype of the parameters.

    >>> model, images = MLP((32, 10)), jnp.ones((2, 8, 8, 1))
    >>> jax.eval_shape(model.apply, model.init(jax.random.key(0), images), images).shape
    (2, 10)
    """

    features: Sequence[int]
    activation: Callable[[jax.Array], jax.Array] = nn.relu
    dropout_rate: Scalar = 0.0
    dropout: Dropout = inverted
    kernel_init: Initializer = he_normal()
    bias_init: Initializer = zeros
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool = False) -> jax.Array:
        """Maps ``(n, …)`` to ``(n, features[-1])``; dropout in training needs ``rngs={"dropout": key}``."""
        shared = {
            "kernel_init": self.kernel_init,
            "bias_init": self.bias_init,
            "dtype": self.dtype,
            "param_dtype": self.param_dtype,
        }
        *hidden, outputs = self.features
        x = x.reshape(len(x), -1).astype(self.dtype)
        for width in hidden:
            x = self.activation(nn.Dense(width, **shared)(x))
            if not off(self.dropout_rate):
                x = self._dropped(x, training)
        return nn.Dense(outputs, **shared)(x)

    def _dropped(self, x: jax.Array, training: bool) -> jax.Array:
        if training:
            return self.dropout.in_training(self.make_rng("dropout"), x, self.dropout_rate)
        return self.dropout.in_evaluation(x, self.dropout_rate)
