r"""Clipping, by value and by global norm.

.. math::

    u &\leftarrow \min(\max(u, -\delta), \delta)                 && \text{elementwise} \\
    u &\leftarrow u \cdot \frac{c}{\max(c, \lVert u \rVert_2)}  && \text{norm over all leaves}

The global norm is accumulated in float32 or wider. By norm, a gradient that holds an infinity or a NaN stays
non-finite: a divergence is to be seen, not clipped away.

Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013,
algorithm 1. torch scales by c/(‖u‖ + 1e-6) instead.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


def _empty(params: Params) -> OptState:
    del params
    return optax.EmptyState()


@equation("u ← min(max(u, −max_delta), max_delta)")
def clip(max_delta: Scalar) -> Transform:
    """Limits every element to [−``max_delta``, ``max_delta``].

    Args:
      max_delta: δ ≥ 0 in units of the gradient. May be traced.

    Returns:
      A stateless transformation.

    Raises:
      ValueError: ``max_delta`` is negative.

    >>> tx = clip(1.0)
    >>> print(tx.update(jnp.array([-3.0, 0.5]), tx.init(jnp.zeros(2)))[0])
    [-1.   0.5]
    """
    checks.nonnegative(max_delta=max_delta)

    def rule(u: jax.Array, *, delta: jax.Array) -> tuple[jax.Array]:
        return (jnp.clip(u, -delta, delta),)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        (updates,) = tree.elementwise(rule, updates, delta=max_delta)
        return updates, state

    return optax.GradientTransformationExtraArgs(_empty, update)


@equation("u ← u · max_norm / max(max_norm, ‖u‖)")
def clip_by_global_norm(max_norm: Scalar) -> Transform:
    """Shrinks the whole tree to Euclidean norm ``max_norm`` where it is longer.

    Args:
      max_norm: c > 0 in units of the gradient. May be traced.

    Returns:
      A stateless transformation.

    Raises:
      ValueError: ``max_norm`` is not positive.

    >>> tx = clip_by_global_norm(1.0)
    >>> print(tx.update(jnp.array([3.0, 4.0]), tx.init(jnp.zeros(2)))[0])
    [0.6 0.8]
    """
    checks.positive(max_norm=max_norm)

    def rule(u: jax.Array, *, c: jax.Array, norm: jax.Array) -> tuple[jax.Array]:
        return (u * (c / jnp.maximum(c, norm)),)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        (updates,) = tree.elementwise(rule, updates, c=max_norm, norm=tree.global_norm(updates))
        return updates, state

    return optax.GradientTransformationExtraArgs(_empty, update)
