r"""Convolutional network for small images, with convolutions that stay fast inside ``lax.scan``.

.. math::

    h_0 = x, \qquad h_l = \phi(W_l *_{s_l} h_{l-1} + b_l), \quad s_1 = 1,\; s_{l>1} = 2, \qquad
    y = W\,\mathrm{mean}_{2 \times 2}(h_L) + b

The stride halves the image where other networks take a maximum over windows, whose gradient is slow on a CPU; the mean
over blocks of 2 × 2 makes the last layer four times smaller, and better on data it has not seen.
"""

from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxdl.models.convolution import patch_convolution
from jaxdl.models.initializers import Initializer, he_normal


class CNN(nn.Module):
    """3 × 3 convolutions with an activation after each, a mean over 2 × 2 blocks, one dense layer.

    Attributes:
      channels: Output channels of each convolution: ``(16, 32)`` takes 8 × 8 × 1 to 8 × 8 × 16, 4 × 4 × 32 and, by the
        mean, 2 × 2 × 32.
      outputs: Width of the output.
      activation: Elementwise function after each convolution.
      kernel_init: Initialiser of the weights; biases start at zero.
      dtype: dtype of the computation.
      param_dtype: dtype of the parameters.

    >>> model, images = CNN((4,)), jnp.ones((2, 8, 8, 1))
    >>> jax.eval_shape(model.init, jax.random.key(0), images)["params"]["Dense_0"]["kernel"].shape
    (64, 10)
    """

    channels: Sequence[int] = (16, 32)
    outputs: int = 10
    activation: Callable[[jax.Array], jax.Array] = nn.relu
    kernel_init: Initializer = he_normal()
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool = False) -> jax.Array:
        """Maps images ``(n, height, width, channels)`` to ``(n, outputs)``; the same in training and out of it."""
        del training
        shared = {"kernel_init": self.kernel_init, "dtype": self.dtype, "param_dtype": self.param_dtype}
        x = x.astype(self.dtype)
        for i, width in enumerate(self.channels):
            strides = 1 if i == 0 else 2
            x = nn.Conv(width, (3, 3), strides, conv_general_dilated=patch_convolution, **shared)(x)
            x = self.activation(x)
        return nn.Dense(self.outputs, **shared)(_mean_of_blocks(x).reshape(len(x), -1))


def _mean_of_blocks(x: jax.Array) -> jax.Array:
    """Means over 2 × 2 pixels: ``(n, 2 h, 2 w, c)`` to ``(n, h, w, c)``."""
    n, height, width, channels = x.shape
    if height % 2 or width % 2:
        raise ValueError(f"the last convolution must leave an even height and width, got {height} × {width}.")
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
