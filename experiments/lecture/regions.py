r"""Linear regions of ReLU networks: bounds, counts, and folding constructions that attain them.

One layer of n units on d inputs has at most :math:`\sum_{j \le d} \binom{n}{j}` regions (hyperplanes in general
position); L layers of widths :math:`n_i \ge d` can have

.. math::  \prod_{i=1}^{L-1} \lfloor n_i/d \rfloor^d \cdot \sum_{j=0}^{d} \binom{n_L}{j}

or more. Source: Montúfar, Pascanu, Cho and Bengio, "On the number of linear regions of deep neural networks", 2014.
"""

import math
from collections.abc import Sequence

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]
"""Weights ``(out, in)`` and bias."""


def most_of_one_layer(inputs: int, width: int) -> int:
    """The largest number of regions of one layer.

    >>> most_of_one_layer(2, 32)
    529
    """
    return sum(math.comb(width, j) for j in range(inputs + 1))


def least_of_best(inputs: int, widths: Sequence[int]) -> int:
    """What the best network of these widths has at least.

    >>> least_of_best(2, (16, 16))
    8768
    """
    *first, last = widths
    return math.prod((width // inputs) ** inputs for width in first) * most_of_one_layer(inputs, last)


def patterns(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """Which hidden units are active at points ``(n, d)``: booleans ``(n, units)``."""
    found = []
    for w, b in layers:
        z = x @ w.T + b
        found.append(z > 0)
        x = np.maximum(z, 0)
    return np.concatenate(found, axis=1)


def count_on_grid(layers: Sequence[Layer], low: float, high: float, points: int) -> int:
    """Different activation patterns on a square grid of the plane: never more than the regions there are."""
    ticks = np.linspace(low, high, points)
    x = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    return len(np.unique(np.packbits(patterns(layers, x), axis=1), axis=0))


def pieces(layers: Sequence[Layer], readout: np.ndarray, low: float, high: float) -> int:
    """Exact number of linear pieces on [low, high] of a network with one input, whose output is readout · h.

    Breakpoints of each layer are zeros of its units between the breakpoints below, where units are linear.
    """
    knots = np.array([low, high])
    for depth in range(1, len(layers) + 1):
        z = _preactivations(layers[:depth], knots[:, None])
        a, b = z[:-1], z[1:]
        crossing = a * b < 0
        at = np.where(crossing, knots[:-1, None] + (knots[1:] - knots[:-1])[:, None] * a / np.where(crossing, a - b, 1), np.nan)
        knots = np.unique(np.concatenate([knots, at[crossing]]).round(12))
    output = np.maximum(_preactivations(layers, knots[:, None]), 0) @ readout
    slopes = np.diff(output) / np.diff(knots)
    return int(1 + (np.abs(np.diff(slopes)) > 1e-6).sum())


def _preactivations(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    for place, (w, b) in enumerate(layers):
        z: np.ndarray = x @ w.T + b
        if place == len(layers) - 1:
            return z
        x = np.maximum(z, 0)
    raise ValueError("expected at least one layer, got none.")


def folding(depth: int) -> tuple[list[Layer], np.ndarray]:
    """A network with one input and ``depth`` layers of two units, each folding [0, 1] onto itself: 2^depth pieces.

    A tent, 2x up to ½ and 2 − 2x from there, is 2 ReLU(x) − 4 ReLU(x − ½).
    """
    first: Layer = (np.array([[1.0], [1.0]]), np.array([0.0, -0.5]))
    tent = np.array([2.0, -4.0])
    later: Layer = (np.stack([tent, tent]), np.array([0.0, -0.5]))
    return [first, *[later] * (depth - 1)], tent


def folds(depth: int, inputs: int) -> int:
    """Copies of a pattern that ``depth`` nested absolute values per input make: 2^(depth·inputs)."""
    count: int = 2 ** (depth * inputs)
    return count
