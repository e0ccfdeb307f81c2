r"""The gradient noise scale: the batch size at which a step's noise is as large as its signal.

With gₙ the gradients of N samples, G their mean over the distribution and Σ their covariance,

.. math::  B_\text{simple} = \frac{\operatorname{tr}\Sigma}{\lVert G\rVert^2},

from unbiased estimates of both, :math:`\bar g` the mean of the N gradients:

.. math::

    \operatorname{tr}\Sigma \approx \frac{\sum_n \lVert g_n\rVert^2 - N \lVert\bar g\rVert^2}{N-1}, \qquad
    \lVert G\rVert^2 \approx \lVert\bar g\rVert^2 - \frac{\operatorname{tr}\Sigma}{N}.

Batches much smaller average away little of the noise and are used fully; much larger ones repeat what is known. The
standard error is the jackknife's, over samples.

Source: McCandlish, Kaplan, Amodei and others, "An empirical model of large-batch training", 2018, section 2 and
appendix A.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature.products import Loss
from jaxdl.typing import Batch, Params


class NoiseScale(NamedTuple):
    """All of shape ``()``. ``value``: B, in samples; it is negative or huge where the signal is lost in the noise.
    ``standard_error``: of it. ``signal``: the estimate of ‖G‖². ``noise``: that of tr Σ."""

    value: jax.Array
    standard_error: jax.Array
    signal: jax.Array
    noise: jax.Array


@partial(jax.jit, static_argnames=("loss", "batch_size"))
def noise_scale(loss: Loss, params: Params, batch: Batch, *args: Any, batch_size: int = 32) -> NoiseScale:
    """The gradient noise scale of a loss at θ; the equations stand at the top of this file.

    Args:
      loss: ``loss(params, batch, *args)``, a mean over the samples of the batch.
      params: θ.
      batch: Arrays whose first axis is that of the N ≥ 3 samples.
      *args: What else the loss is given.
      batch_size: Gradients that are held at a time.

    Returns:
      The noise scale.

    Raises:
      ValueError: fewer than 3 samples.

    >>> samples = jnp.array([0.0, 1.0, 2.0])  # gradients −x: mean −1, variance 1
    >>> found = noise_scale(lambda w, x: jnp.mean((w - x) ** 2) / 2, jnp.array(0.0), samples)
    >>> print(found.noise, found.signal.round(4))
    1.0 0.6667
    """
    checks.positive_integer(batch_size=batch_size)
    samples = jax.tree.leaves(batch)[0].shape[0]
    if samples < 3:
        raise ValueError(f"the noise scale needs at least 3 samples, got {samples}.")

    def gradient(sample: Batch) -> Params:
        return jax.grad(loss)(params, jax.tree.map(lambda x: x[None], sample), *args)

    mean = jax.grad(loss)(params, batch, *args)
    # Deviations are squared, not gradients: the difference of two large squares would cancel.
    deviations, along = jax.lax.map(lambda s: _about(gradient(s), mean), batch, batch_size=min(batch_size, samples))
    n = jnp.asarray(samples, deviations.dtype)
    total, squared = jnp.sum(deviations), tree.squared_norm(mean)

    def estimates(total: jax.Array, squared: jax.Array, n: jax.Array) -> tuple[jax.Array, jax.Array]:
        noise = total / (n - 1)
        return noise, squared - noise / n

    noise, signal = estimates(total, squared, n)
    # Without sample i the mean is ḡ − dᵢ/(N−1), and the squared deviations about it sum to D − N|dᵢ|²/(N−1).
    left_noise, left_signal = estimates(
        total - n / (n - 1) * deviations, squared - 2 / (n - 1) * along + deviations / (n - 1) ** 2, n - 1
    )
    left = left_noise / left_signal
    error = jnp.sqrt((n - 1) / n * jnp.sum((left - jnp.mean(left)) ** 2))
    return NoiseScale(noise / signal, error, signal, noise)


def _about(gradient: Params, mean: Params) -> tuple[jax.Array, jax.Array]:
    """‖g − ḡ‖² and ⟨g − ḡ, ḡ⟩."""
    deviation = jax.tree.map(jnp.subtract, gradient, mean)
    return tree.squared_norm(deviation), tree.inner_product(deviation, mean)
