r"""How simple the decision boundary of the network 2-32-1 is: where it bends, exactly, and by how much.

The logit is linear wherever the signs of the hidden units stay, so the boundary p = ½ is a chain of segments. It bends
where it crosses the line :math:`w_i \cdot x + b_i = 0` of a unit, from the normal :math:`g` to :math:`g + v_i w_i`,
with the output weight :math:`v_i`. Along that line the logit is linear between the lines of the other units, so every
crossing follows from the logits at those knots. Angles depend on the scales of the axes: they are those of a square
picture.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import protocol, studies
from experiments.lecture.data import TRAINING
from jaxdl.models import regions

LOW, HIGH = TRAINING.features.min(axis=0), TRAINING.features.max(axis=0)
"""The window: the thirteen points in their bounding box, which becomes the unit square."""


class Bends(NamedTuple):
    """``points``: in the unit square, shape ``(n, 2)``. ``angles``: in degrees, 0 to 180, shape ``(n,)``."""

    points: np.ndarray
    angles: np.ndarray


def bends(params: protocol.Params, low: np.ndarray = LOW, high: np.ndarray = HIGH) -> Bends:
    """All bends of the boundary inside a window.

    >>> corner = {"w1": np.eye(2), "b1": np.zeros(2), "w2": np.ones(2), "b2": -0.5}  # max(0, x) + max(0, y) = ½
    >>> print(bends(corner, np.array([-1.0, -1.0]), np.array([1.0, 1.0])).angles)
    [45. 45.]
    """
    w, b, v, c = (np.asarray(params[name], np.float64) for name in ("w1", "b1", "w2", "b2"))
    w, b = w * (high - low), b + w @ low
    points, angles = [], []
    for unit in range(len(w)):
        for point in _crossings(unit, w, b, v, float(c)):
            active = w @ point + b > 0
            active[unit] = False
            before = v[active] @ w[active]
            after = before + v[unit] * w[unit]
            turn = np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after)
            points.append(point)
            angles.append(abs(np.degrees(turn)))
    return Bends(np.array(points).reshape(-1, 2), np.array(angles))


def _crossings(unit: int, w: np.ndarray, b: np.ndarray, v: np.ndarray, c: float) -> np.ndarray:
    """Where the logit is 0 on the line of a unit, inside the unit square; shape ``(n, 2)``."""
    length = np.hypot(*w[unit])
    foot, along = -b[unit] * w[unit] / length**2, np.array([-w[unit, 1], w[unit, 0]]) / length
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.sort(np.stack([-foot / along, (1 - foot) / along]), axis=0)
        others = -(w @ foot + b) / (w @ along)
    left, right = np.nanmax(sides[0]), np.nanmin(sides[1])
    if left >= right:
        return np.empty((0, 2))
    inner = others[np.isfinite(others) & (others > left) & (others < right)]
    knots = np.sort(np.concatenate([[left, right], inner]))
    z = np.maximum((foot + knots[:, None] * along) @ w.T + b, 0) @ v + c
    ends = np.nonzero(z[:-1] * z[1:] < 0)[0]
    zeros = knots[ends] + z[ends] / (z[ends] - z[ends + 1]) * (knots[ends + 1] - knots[ends])
    return np.asarray(foot + zeros[:, None] * along)


def linear_regions(params: protocol.Params, points: int = 60) -> int:
    """Linear regions of the hidden layer that a grid over the window meets."""
    ticks = LOW + np.linspace(0, 1, points)[:, None] * (HIGH - LOW)
    grid = np.stack(np.meshgrid(*ticks.T), -1).reshape(-1, 2)
    return regions.count_patterns(grid @ np.asarray(params["w1"]).T + np.asarray(params["b1"]))


class Shape(NamedTuple):
    """Medians over seeds, of one λ. ``turning``: sum of all angles in degrees. ``bends``: those of at least 5°.
    ``regions``: :func:`linear_regions`."""

    turning: float
    bends: float
    regions: float


def shapes(seeds: studies.Seeds, epochs: int = studies.EPOCHS) -> list[Shape]:
    """Of R0 … R3, after the last epoch."""
    keys = jax.vmap(jax.random.key)(jnp.asarray(range(seeds) if isinstance(seeds, int) else seeds))
    steps, problem = epochs * protocol.EPOCH, protocol.problem()

    def train(weight: jax.Array, key: jax.Array) -> protocol.Params:
        tx = protocol.penalised_adam(studies.ADAM_RATE, weight)
        state, _ = jaxdl.train(
            problem, tx, key, steps, record_every=steps, evaluated=False, divergence_factor=studies.NEVER
        )
        params: protocol.Params = state.params
        return params

    weights = jnp.asarray(list(studies.PENALTIES.values()))
    each = jax.vmap(jax.vmap(train, in_axes=(None, 0)), in_axes=(0, None))
    ends = jax.device_get(jax.jit(each)(weights, keys))
    return [_shape([{k: a[i, s] for k, a in ends.items()} for s in range(len(keys))]) for i in range(len(weights))]


def _shape(of: list[protocol.Params]) -> Shape:
    found = [bends(params).angles for params in of]
    each = [(a.sum(), (a >= 5).sum(), linear_regions(params)) for a, params in zip(found, of, strict=True)]
    return Shape(*(float(value) for value in np.median(np.array(each), axis=0)))
