"""The demo of slide 25 and the elongated bowl of slide 22, run with jaxdl's optimizers.

Source: Dupont, "Optimization visualization", 2018 (bl.ocks.org/EmilienDupont): function, rates and numbers of steps.
The start is read off the slide. The page's Adam has no bias correction, the slide's has: that is ``adam, corrected``.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxdl

START = (0.633, 1.214)
BOWL = np.array([0.2, 4.0])
"""Eigenvalues of the Hessian of 0.1 x₁² + 2 x₂²."""

lecture = jaxdl.conventions.lecture
FUNCTION = jaxdl.problems.planar.FUNCTIONS["dupont"]


def value(point: np.ndarray) -> float:
    """f at a point ``(2,)``."""
    return float(FUNCTION.value(jnp.asarray(point)))


def path(loss: Callable[[jax.Array], jax.Array], tx: Any, start: tuple[float, float], steps: int) -> np.ndarray:
    """All points of a run, start included; shape ``(steps + 1, 2)``."""

    def step(carry: tuple[jax.Array, Any], _: None) -> tuple[tuple[jax.Array, Any], jax.Array]:
        point, state = carry
        delta, state = tx.update(jax.grad(loss)(point), state, point)
        moved = optax.apply_updates(point, delta)
        return (moved, state), moved

    @jax.jit
    def run(point: jax.Array) -> jax.Array:
        return jax.lax.scan(step, (point, tx.init(point)), length=steps)[1]

    first = jnp.asarray(start, jnp.float64)
    return np.concatenate([np.asarray(first)[None], np.asarray(run(first))])


@functools.cache
def paths(start: tuple[float, float] = START, corrected_steps: int = 100) -> dict[str, np.ndarray]:
    """The paths of the page's four optimizers with its rates and steps, and of Adam with bias correction.

    Args:
      start: A point of [−2, 2]².
      corrected_steps: Of the last; the page's Adam has 100.

    Returns:
      Points ``(steps + 1, 2)`` by name.
    """
    runs = {
        "sgd": (lecture.sgd(2e-2), 500),
        "momentum": (lecture.momentum(1e-2, 0.8), 200),
        "rmsprop": (lecture.demo_rmsprop(), 300),
        "adam": (lecture.demo_adam(), 100),
        "adam, corrected": (jaxdl.adam(1e-2, 0.7, 0.999, 1e-6), corrected_steps),
    }
    return {name: path(FUNCTION.value, tx, start, steps) for name, (tx, steps) in runs.items()}


def bowl_path(eta: float, rho: float, steps: int = 60) -> np.ndarray:
    """Momentum (none for ρ = 0) on 0.1 x₁² + 2 x₂² from (5, 2)."""
    tx = lecture.momentum(eta, rho) if rho else lecture.sgd(eta)
    return path(lambda x: 0.5 * jnp.sum(jnp.asarray(BOWL) * x**2), tx, (5.0, 2.0), steps)


def torch_increments(gradients: np.ndarray) -> np.ndarray | None:
    """What torch's Adam with its defaults makes of the same gradients; None where torch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    theta = torch.zeros(gradients.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer, made = torch.optim.Adam([theta]), []
    for g in gradients:
        before = theta.detach().clone()
        theta.grad = torch.from_numpy(g.copy())
        optimizer.step()
        made.append((theta.detach() - before).numpy())
    return np.stack(made)
