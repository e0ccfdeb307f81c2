"""Losses, norms and penalties. A loss is a mean over the batch, so that its scale does not depend on the batch size."""

import math

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.typing import Params, PyTree, Scalar


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


def norm(x: PyTree, p: float) -> jax.Array:
    r"""The Lᵖ norm of all elements of a tree together, in float32 or wider.

    .. math::  \lVert x\rVert_p = \Bigl(\sum_i |x_i|^p\Bigr)^{1/p}, \qquad
               \lVert x\rVert_\infty = \max_i |x_i|, \qquad \lVert x\rVert_0 = |\{i : x_i \ne 0\}|

    A norm for p ≥ 1. Below that the triangle inequality fails, and the count of p = 0 is not even homogeneous.

    Args:
      x: A tree of real arrays.
      p: From 0 to ``math.inf``. A Python number, because its limits are formulas of their own.

    Returns:
      Shape ``()``. At x = 0 the gradient of every norm is 0, one of its subgradients; for p < 1 it grows without bound
      towards elements that are zero, and is 0 at them.

    Raises:
      ValueError: a negative p.

    >>> x = jnp.array([3.0, -4.0, 0.0])
    >>> print(*[norm(x, p).round(4) for p in (0, 1, 2, 3, jnp.inf)])
    2.0 7.0 5.0 4.4979 4.0
    """
    checks.nonnegative(p=p)
    leaves = jax.tree.leaves(x)
    dtype = tree.compute_dtype(*leaves)
    flat = jnp.concatenate([leaf.astype(dtype).ravel() for leaf in leaves])
    magnitudes = flat * jnp.sign(flat)  # whose slope at 0 is 0; that of jnp.abs is 1
    if p == 0:
        return jnp.sum((magnitudes != 0).astype(dtype))
    largest = jnp.max(magnitudes)
    if p == math.inf or p == 1:
        return largest if p == math.inf else jnp.sum(magnitudes)
    # Divided by the largest first, or its p-th power overflows; its part in the gradient cancels.
    scale = jax.lax.stop_gradient(jnp.where(largest > 0, largest, jnp.ones_like(largest)))
    return scale * _safe_power(jnp.sum(_safe_power(magnitudes / scale, p)), 1 / p)


def _safe_power(x: jax.Array, exponent: float) -> jax.Array:
    """x to a power for x ≥ 0, with slope 0 at 0 whatever the exponent."""
    positive = x > 0
    return jnp.where(positive, jnp.where(positive, x, jnp.ones_like(x)) ** exponent, jnp.zeros_like(x))


def l1_penalty(params: Params) -> jax.Array:
    """Σ |θ| over all leaves, in float32 or wider; its gradient is sign θ, and 0 at 0. Shape ``()``."""
    return norm(params, 1)


def l2_norm_penalty(params: Params) -> jax.Array:
    """‖θ‖₂, without the square: its gradient θ/‖θ‖ has length 1 however small θ is. Shape ``()``.

    As lectures write the penalty L_p with p = 2. What weight decay goes with is :func:`l2_penalty`.
    """
    return norm(params, 2)


def squared_norm_penalty(params: Params) -> jax.Array:
    """Σ θ², twice :func:`l2_penalty`: its gradient is 2θ. Shape ``()``."""
    return tree.squared_norm(params)


def soft_threshold(params: Params, threshold: Scalar) -> Params:
    r"""The minimum of :math:`\tfrac12 \lVert \theta - \theta_0\rVert^2 + \tau\lVert\theta\rVert_1`, elementwise.

    .. math::  \operatorname{sign}(\theta_0)\,\max(|\theta_0| - \tau,\, 0)

    So an L1 penalty gives zeros, where ½ τ‖θ‖² gives θ₀/(1 + τ), which is none.

    Args:
      params: θ₀, a tree of real arrays.
      threshold: τ ≥ 0. May be traced.

    Returns:
      The tree, each leaf in its own dtype.

    Raises:
      ValueError: a negative threshold.

    >>> print(soft_threshold(jnp.array([3.0, -0.5]), 1.0))
    [ 2. -0.]
    """
    checks.nonnegative(threshold=threshold)

    def rule(theta: jax.Array, *, tau: jax.Array) -> tuple[jax.Array]:
        return (jnp.sign(theta) * jnp.maximum(jnp.abs(theta) - tau, 0),)

    return tree.elementwise(rule, params, tau=threshold)[0]


def project_to_ball(params: Params, radius: Scalar) -> Params:
    """The nearest point with ‖θ‖₂ ≤ radius: a norm constraint in place of a penalty.

    Args:
      params: A tree of real arrays.
      radius: ≥ 0. May be traced.

    Returns:
      The tree, each leaf in its own dtype; unchanged where it is in the ball.

    Raises:
      ValueError: a negative radius.

    >>> print(project_to_ball(jnp.array([3.0, 4.0]), 2.5))
    [1.5 2. ]
    """
    checks.nonnegative(radius=radius)
    length = tree.global_norm(params)
    inside = length <= jnp.asarray(radius).astype(length.dtype)
    ratio = jnp.asarray(radius).astype(length.dtype) / jnp.where(inside, jnp.ones_like(length), length)

    def rule(theta: jax.Array, *, ratio: jax.Array) -> tuple[jax.Array]:
        return (theta * ratio,)

    return tree.select(inside, params, tree.elementwise(rule, params, ratio=ratio)[0])
