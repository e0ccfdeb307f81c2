r"""Residual network of dense layers, normalised before each branch ("pre-norm").

.. math::

    h_0 = W_0 x + b_0, \qquad
    h_{l+1} = h_l + V_l\,\phi\bigl(U_l\,\mathrm{LN}_l(h_l) + c_l\bigr) + d_l, \qquad
    y = W\,\mathrm{LN}(h_L) + b,

with :math:`\mathrm{LN}(h) = \gamma \odot (h - \bar h)/\sqrt{\mathrm{var}(h) + \epsilon} + \beta`, mean and variance
over the features of one sample, :math:`\epsilon = 10^{-6}`. The identity runs untouched from the first layer to the
last normalisation, so gradients reach every depth.

Source: He et al., "Identity mappings in deep residual networks", ECCV 2016; Xiong et al., "On layer normalization in
the transformer architecture", ICML 2020 (pre-norm); Ba, Kiros and Hinton, "Layer normalization", 2016.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxdl.models.initializers import Initializer, he_normal


class ResidualMLP(nn.Module):
    """Dense layer, ``blocks`` normalised residual branches of two dense layers, normalisation, dense layer.

    The weights before a normalisation are scale-free, which is what sets weight decay and rate sensitivity apart here
    from a plain MLP.

    Attributes:
      width: Features of the residual stream and of each branch.
      blocks: Number of residual branches.
      outputs: Width of the output.
      activation: Elementwise function inside each branch.
      kernel_init: Initialiser of the weights; biases start at zero, γ at one.
      dtype: dtype of the computation; the normalisation computes in float32 or wider.
      param_dtype: dtype of the parameters.

    >>> model, images = ResidualMLP(width=6, blocks=1), jnp.ones((2, 8, 8, 1))
    >>> print(*jax.eval_shape(model.init, jax.random.key(0), images)["params"])
    Dense_0 Dense_1 Dense_2 Dense_3 LayerNorm_0 LayerNorm_1
    """

    width: int = 32
    blocks: int = 2
    outputs: int = 10
    activation: Callable[[jax.Array], jax.Array] = nn.relu
    kernel_init: Initializer = he_normal()
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool = False) -> jax.Array:
        """Maps ``(n, …)`` to ``(n, outputs)``; the same in training and out of it."""
        del training
        dtypes = {"dtype": self.dtype, "param_dtype": self.param_dtype}

        def dense(width: int) -> nn.Dense:
            return nn.Dense(width, kernel_init=self.kernel_init, **dtypes)

        def norm() -> nn.LayerNorm:
            return nn.LayerNorm(use_fast_variance=False, **dtypes)  # the fast one is E[h²] − E[h]², which cancels

        h = dense(self.width)(x.reshape(len(x), -1).astype(self.dtype))
        for _ in range(self.blocks):
            branch = self.activation(dense(self.width)(norm()(h)))
            h = h + dense(self.width)(branch)
        return dense(self.outputs)(norm()(h))
