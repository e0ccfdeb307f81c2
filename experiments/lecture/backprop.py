r"""The model of slides 11–14 in NumPy, forward and backward by hand, as printed there.

.. math::

    h_1 = \mathrm{ReLU}(X W_1^\top + b_1), \quad h_2 = \mathrm{ReLU}(h_1 W_2^\top + b_2), \quad
    Z = h_2 W^\top + b, \quad Y = \mathrm{softmax}(Z), \quad L = -\tfrac1m \sum_{ic} y^*_{ic} \log y_{ic}

Rows of X are samples; weights are stored (out, in). Backward, from :math:`\partial L/\partial Z = (Y - Y^*)/m`:

.. math::

    \frac{\partial L}{\partial W} = \Bigl(\frac{\partial L}{\partial Z}\Bigr)^{\!\top} h_2, \qquad
    \frac{\partial L}{\partial b} = \sum_i \frac{\partial L}{\partial Z_i}, \qquad
    \frac{\partial L}{\partial h_2} = \frac{\partial L}{\partial Z} W,

and so on through the layers below, where ReLU lets the gradient pass as it let the value pass.
"""

from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    """``w1``: ``(d1, d)``; ``w2``: ``(d2, d1)``; ``w``: ``(C, d2)``; biases of the lengths of the layers."""

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    w: np.ndarray
    b: np.ndarray


class Gradients(NamedTuple):
    """The eight gradients that slide 13 asks for, and that with respect to Z."""

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    w: np.ndarray
    b: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    z: np.ndarray


def random_weights(rng: np.random.Generator, inputs: int, first: int, second: int, classes: int) -> Weights:
    """Gaussian weights of the sizes (d, d₁, d₂, C)."""
    sizes = ((first, inputs), (first,), (second, first), (second,), (classes, second), (classes,))
    return Weights(*(rng.standard_normal(size) for size in sizes))


def softmax(z: np.ndarray) -> np.ndarray:
    """Rows of positive numbers that sum to 1; the largest logit is subtracted first, so that none overflows."""
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Y*, shape ``(m, C)``, from class numbers ``(m,)``.

    Raises:
      ValueError: a label outside 0 … C − 1.
    """
    if labels.ndim != 1 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be class numbers in [0, {classes}), shape (m,), got {labels!r}.")
    return np.asarray(np.eye(classes)[labels])


def forward(weights: Weights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """h₁, h₂, Z and Y of slide 12.

    Raises:
      ValueError: X is not ``(m, d)`` with the d of the weights.
    """
    if x.ndim != 2 or x.shape[1] != weights.w1.shape[1]:
        raise ValueError(f"X must be (m, {weights.w1.shape[1]}), rows are samples; got {x.shape}.")
    h1 = np.maximum(x @ weights.w1.T + weights.b1, 0)
    h2 = np.maximum(h1 @ weights.w2.T + weights.b2, 0)
    z = h2 @ weights.w.T + weights.b
    return h1, h2, z, softmax(z)


def cross_entropy(y: np.ndarray, targets: np.ndarray) -> float:
    """−(1/m) Σ y* log y in nats; where y* is 0 nothing is added, whatever y is."""
    tiny = np.finfo(y.dtype).tiny
    return float(-np.sum(np.where(targets > 0, targets * np.log(np.maximum(y, tiny)), 0.0)) / len(y))


def backward(weights: Weights, x: np.ndarray, targets: np.ndarray) -> Gradients:
    """All gradients of slides 13 and 14."""
    h1, h2, _, y = forward(weights, x)
    dz = (y - targets) / len(x)
    dh2 = dz @ weights.w
    da2 = dh2 * (h2 > 0)
    dh1 = da2 @ weights.w2
    da1 = dh1 * (h1 > 0)
    return Gradients(
        w1=da1.T @ x, b1=da1.sum(0), w2=da2.T @ h1, b2=da2.sum(0), w=dz.T @ h2, b=dz.sum(0), h1=dh1, h2=dh2, z=dz
    )
