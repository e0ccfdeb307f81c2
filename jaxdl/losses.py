"""Losses and penalties. Each is a mean over the batch, so that its scale does not depend on the batch size."""

import jax
import jax.numpy as jnp

from jaxdl import tree
from jaxdl.typing import Params


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean of −log softmax(logits)[label], in nats.

    Args:
      logits: Shape ``(n, classes)``.
      labels: Class numbers, integers of shape ``(n,)``.

    Returns:
      Shape ``()``.

    >>> print(cross_entropy(jnp.zeros((1, 4)), jnp.array([2])).round(4))  # log 4
    1.3863
    """
    # log_softmax in which the label's logit is picked before the normaliser is subtracted: the same arithmetic on fewer
    # numbers, and as safe, because the largest logit is subtracted from both.
    shifted = logits - jax.lax.stop_gradient(jnp.max(logits, axis=1, keepdims=True))
    picked = jnp.take_along_axis(shifted, labels[:, None], axis=1)[:, 0]
    return jnp.mean(jnp.log(jnp.sum(jnp.exp(shifted), axis=1)) - picked)


def binary_cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean of −y log σ(z) − (1 − y) log(1 − σ(z)), in nats, computed without forming σ.

    Args:
      logits: z, shape ``(n,)``.
      labels: y in {0, 1}, shape ``(n,)``, of any real dtype.

    Returns:
      Shape ``()``.

    >>> print(binary_cross_entropy(jnp.zeros(2), jnp.array([0, 1])).round(4))  # log 2
    0.6931
    """
    return jnp.mean(jax.nn.softplus(logits) - labels.astype(logits.dtype) * logits)


def accuracy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Part of the samples whose largest logit is the label's. Shapes as in :func:`cross_entropy`; returns ``()``."""
    predicted = jnp.argmax(logits, axis=-1).astype(labels.dtype)
    return jnp.mean((predicted == labels).astype(logits.dtype))


def squared_error(predictions: jax.Array, targets: jax.Array) -> jax.Array:
    """Mean over samples of ½‖prediction − target‖². Shapes ``(n, …)``, equal; returns ``()``."""
    difference = (predictions - targets).reshape(len(predictions), -1)
    return 0.5 * jnp.mean(jnp.sum(difference**2, axis=-1))


def l2_penalty(params: Params) -> jax.Array:
    """½ Σ θ² over all leaves, in float32 or wider; its gradient is θ. Shape ``()``."""
    return 0.5 * tree.squared_norm(params)
