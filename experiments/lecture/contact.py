r"""Slide 35: where an elongated bowl, :math:`\tfrac12 (x - m)^\top H (x - m)`, touches the L1 diamond and the L2 ball.

H is diagonal, so that both penalised minima are closed forms: soft threshold for L1, shrinkage for L2.
"""

import jax.numpy as jnp
import numpy as np

from jaxdl import losses

MINIMUM = np.array([2.0, 0.6])
"""m: no coordinate is zero."""

CURVATURE = np.array([1.0, 1.5])
"""The diagonal of H."""


def loss(x: np.ndarray) -> np.ndarray:
    """At points ``(…, 2)``."""
    return np.asarray(0.5 * (CURVATURE * (x - MINIMUM) ** 2).sum(-1))


def lasso(weight: float) -> np.ndarray:
    """arg min loss + λ‖x‖₁: every coordinate of m, its threshold λ/H."""
    return np.array(
        [losses.soft_threshold(jnp.asarray(m), weight / h) for m, h in zip(MINIMUM, CURVATURE, strict=True)]
    )


def ridge(weight: float) -> np.ndarray:
    """arg min loss + ½ λ‖x‖²: m·H/(H + λ)."""
    return np.asarray(MINIMUM * CURVATURE / (CURVATURE + weight))


def by_grid(weight: float) -> np.ndarray:
    """arg min loss + λ‖x‖₁ among the points of a grid of mesh 0.002."""
    ticks = np.arange(-0.5, 2.5, 0.002)
    x = np.stack(np.meshgrid(ticks, ticks), -1)
    values = loss(x) + weight * np.abs(x).sum(-1)
    return np.asarray(x.reshape(-1, 2)[values.argmin()])
