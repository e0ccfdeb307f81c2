r"""Recurrent network of one Elman layer, unrolled over time by a scan.

.. math::

    h_t = \tanh(W_x x_t + W_h h_{t-1} + b), \qquad y_t = W_y h_t + b_y, \qquad h_0 = 0, \quad t = 1, \dots, T.

The gradient through time multiplies T factors :math:`\mathrm{diag}(1 - h_t^2)\,W_h`: it vanishes or explodes with the
singular values of :math:`W_h`, which therefore starts orthogonal.

Source: Elman, "Finding structure in time", Cognitive Science 14, 1990; Le, Jaitly and Hinton, 2015, and Saxe et al.,
2014, for the recurrent initialisation.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxdl.models.initializers import Initializer, orthogonal, xavier_uniform


class ElmanCell(nn.Module):
    """One step of the recurrence.

    Attributes:
      features: Size of the hidden state.
      kernel_init: Initialiser of W_x.
      recurrent_init: Initialiser of W_h. The bias starts at zero.
      dtype: dtype of the computation.
      param_dtype: dtype of the parameters.
    """

    features: int
    kernel_init: Initializer = xavier_uniform()
    recurrent_init: Initializer = orthogonal()
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, h: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Maps the state ``(n, features)`` and an input ``(n, inputs)`` to the new state, twice, as ``scan`` wants."""
        dtypes = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        from_input = nn.Dense(self.features, kernel_init=self.kernel_init, name="input", **dtypes)(x)
        from_state = nn.Dense(
            self.features, use_bias=False, kernel_init=self.recurrent_init, name="recurrent", **dtypes
        )(h)
        h = jnp.tanh(from_input + from_state)
        return h, h


class RNN(nn.Module):
    """Elman layer over a sequence and a dense layer on every state: a pure ``init`` and ``apply``.

    Attributes:
      features: Size of the hidden state.
      outputs: Width of the output at each time.
      kernel_init: Initialiser of W_x and W_y.
      recurrent_init: Initialiser of W_h. Biases start at zero.
      dtype: dtype of the computation.
      param_dtype: dtype of the parameters.

    >>> model, sequences = RNN(features=4, outputs=1), jnp.ones((2, 7, 3))
    >>> model.init_with_output(jax.random.key(0), sequences)[0].shape
    (2, 7, 1)
    """

    features: int
    outputs: int
    kernel_init: Initializer = xavier_uniform()
    recurrent_init: Initializer = orthogonal()
    dtype: Any = jnp.float32
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, training: bool = False) -> jax.Array:
        """Maps ``(n, times, inputs)`` to ``(n, times, outputs)``; the last time is ``[:, -1]``."""
        del training
        dtypes = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        scanned = nn.scan(ElmanCell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1)
        cell = scanned(self.features, self.kernel_init, self.recurrent_init, name="cell", **dtypes)
        start = jnp.zeros((len(x), self.features), self.dtype)
        _, states = cell(start, x.astype(self.dtype))
        return nn.Dense(self.outputs, kernel_init=self.kernel_init, name="readout", **dtypes)(states)
