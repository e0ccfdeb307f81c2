r"""Linear regions of ReLU networks: bounds on their number, and counts.

A network of ReLU layers is linear wherever the signs of its pre-activations stay. With :math:`n_0` inputs and layers of
widths :math:`n_1, \dots, n_L`:

.. math::

    \text{one layer, at most:}  &\quad \sum_{j=0}^{n_0} \binom{n_1}{j} \\
    \text{several, attained:}   &\quad \Bigl(\prod_{i=1}^{L-1} \lfloor n_i / n_0 \rfloor^{n_0}\Bigr)
                                   \sum_{j=0}^{n_0} \binom{n_L}{j}

The second grows exponentially with depth: every layer but the last folds its input onto itself, and what the next one
draws is repeated in every fold.

Source: Montúfar, Pascanu, Cho and Bengio, "On the number of linear regions of deep neural networks", NeurIPS 2014,
theorem 5; Zaslavsky, 1975, for one layer.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxdl import checks

Layers = Sequence[tuple[np.ndarray, np.ndarray]]
"""``(kernel, bias)`` of each ReLU layer, shapes ``(in, out)`` and ``(out,)``."""


def shallow_bound(inputs: int, width: int) -> int:
    """The most linear regions that one ReLU layer can have.

    >>> shallow_bound(2, 32)
    529
    """
    checks.positive_integer(inputs=inputs, width=width)
    return sum(math.comb(width, j) for j in range(inputs + 1))


def deep_bound(inputs: int, widths: Sequence[int]) -> int:
    """Linear regions that ReLU layers of these widths attain with the best weights, at least.

    Args:
      inputs: n₀.
      widths: n₁ … n_L, each at least n₀.

    Returns:
      The number; for one layer it is :func:`shallow_bound`.

    Raises:
      ValueError: no layer, or one narrower than the input.

    >>> deep_bound(2, (16, 16)), deep_bound(1, (2, 2, 2))
    (8768, 12)
    """
    checks.positive_integer(inputs=inputs)
    if not widths or min(widths) < inputs:
        raise ValueError(f"every layer must be at least as wide as the {inputs} inputs, got widths {tuple(widths)}.")
    *folding, last = widths
    folds = math.prod([int((width // inputs) ** inputs) for width in folding])
    return folds * shallow_bound(inputs, last)


def count_patterns(pre_activations: ArrayLike) -> int:
    """Different patterns of signs among points: the linear regions that they lie in, patterns being regions.

    Args:
      pre_activations: What goes into every ReLU, shape ``(points, units)``, the layers side by side.

    Returns:
      How many; a lower bound on the regions of the plane, exact where the points miss none.

    >>> count_patterns([[1.0, -1.0], [2.0, -0.5], [1.0, 1.0]])
    2
    """
    return len(np.unique(np.asarray(pre_activations) > 0, axis=0))


def breakpoints(layers: Layers, low: float, high: float) -> np.ndarray:
    """Where a network with one input bends, exactly: the ends of its linear pieces inside an interval.

    Between two points at which no unit of the layers before switches, every pre-activation is linear, so its zero
    follows from its values at both.

    Args:
      layers: The ReLU layers, the first with one input; a linear output layer bends nothing.
      low: Left end.
      high: Right end.

    Returns:
      Points ascending, strictly inside the interval; there are as many pieces as points, and one.

    >>> print(breakpoints([(np.array([[1.0, 1.0]]), np.array([0.0, -0.5]))], -1.0, 1.0))
    [0.  0.5]
    """
    x = np.array([low, high], np.float64)
    values = x[:, None]
    for kernel, bias in layers:
        z = values @ kernel + bias
        left, right = z[:-1], z[1:]
        piece, unit = np.nonzero(left * right < 0)
        part = left[piece, unit] / (left[piece, unit] - right[piece, unit])
        x, places = np.unique(np.concatenate([x, x[piece] + part * np.diff(x)[piece]]), return_index=True)
        between = z[piece] + part[:, None] * (z[piece + 1] - z[piece])
        values = np.maximum(np.concatenate([z, between])[places], 0)
    return _bends(x, values)


def _bends(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The inner points at which the slope of some unit changes."""
    slopes = np.diff(values, axis=0) / np.diff(x)[:, None]
    change = np.abs(np.diff(slopes, axis=0)).max(axis=1)
    bends: np.ndarray = x[1:-1][change > 1e-9 * max(1.0, np.abs(slopes).max())]
    return bends


def folding_layers(widths: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    r"""A network with one input that attains :func:`deep_bound` on [0, 1].

    Every layer but the last folds [0, 1] into :math:`n_i` pieces that each cover it again, the zigzag
    :math:`n\,\bigl(h_1 - 2 h_2 + 2 h_3 - \dots\bigr)` of :math:`h_j = \max(0, x - (j - 1)/n)`; the last bends it at
    :math:`n_L` places, its first unit downwards and the others upwards, so that no fold falls where all of them rest.

    Args:
      widths: n₁ … n_L; the last at least 2, or every second fold stays unseen.

    Returns:
      Kernel and bias of every layer.

    Raises:
      ValueError: no layers, or a last one of fewer than two units.

    >>> len(breakpoints(folding_layers((2, 2, 2)), 0.0, 1.0)) + 1
    12
    """
    if not widths or widths[-1] < 2:
        raise ValueError(f"the last layer must have at least two units, got widths {tuple(widths)}.")
    layers, combination = [], np.ones((1, 1))
    for width in widths[:-1]:
        layers.append((np.repeat(combination, width, axis=1), -np.arange(width) / width))
        signs = np.where(np.arange(width) % 2 == 0, 2.0, -2.0)
        signs[0] = 1.0
        combination = width * signs[:, None]
    last = widths[-1]
    upwards = np.where(np.arange(last) == 0, -1.0, 1.0)
    layers.append((combination * upwards[None, :], -upwards * np.arange(1, last + 1) / (last + 1)))
    return layers
