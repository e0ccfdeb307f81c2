r"""Preprocessing of features: affine maps, fitted on the training split alone.

.. math::

    \text{min-max:}     &\quad z_i = (x_i - \min_i) / (\max_i - \min_i) \\
    \text{standardise:} &\quad z_i = (x_i - \mu_i) / \sigma_i \\
    \text{PCA:}         &\quad z = V^\top (x - \mu), \qquad C = V \Lambda V^\top \\
    \text{whiten:}      &\quad z = \Lambda^{-1/2}\, V^\top (x - \mu)

with the mean μ, the standard deviation σ over n and the covariance C over n − 1 samples. scikit-learn does the fitting.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Affine(NamedTuple):
    """The map :math:`z = (x - \\text{shift})\\, A` of row vectors, and its inverse. ``shift``: shape ``(d,)``.
    ``matrix``: A, shape ``(d, d)``. ``inverse``: A⁻¹. All float64."""

    shift: np.ndarray
    matrix: np.ndarray
    inverse: np.ndarray


Fit = Callable[[np.ndarray], Affine]
"""Features ``(n, d)`` to the map: :func:`min_max`, :func:`standardise`, :func:`pca`, :func:`whiten`."""


def apply(affine: Affine, features: np.ndarray) -> np.ndarray:
    """z of features of shape ``(n, d)``: float64."""
    mapped: np.ndarray = (features - affine.shift) @ affine.matrix
    return mapped


def invert(affine: Affine, features: np.ndarray) -> np.ndarray:
    """x of preprocessed features of shape ``(n, d)``: float64."""
    mapped: np.ndarray = features @ affine.inverse + affine.shift
    return mapped


def min_max(features: np.ndarray) -> Affine:
    """Every feature to [0, 1] on these samples; one that is constant to 0.

    >>> data = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> print(apply(min_max(data), data).tolist())
    [[0.0, 0.0], [1.0, 0.0]]
    """
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(features)
    return _scaling(scaler.data_min_, 1 / scaler.scale_)


def standardise(features: np.ndarray) -> Affine:
    """Every feature to mean 0 and standard deviation 1 on these samples; one that is constant to 0."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    return _scaling(scaler.mean_, scaler.scale_)


def pca(features: np.ndarray) -> Affine:
    """To the principal axes of these samples, largest variance first: features without correlation.

    Args:
      features: Shape ``(n, d)`` with n > d.

    Returns:
      The map, a rotation about the mean, perhaps with a reflection.

    Raises:
      ValueError: not more samples than features.
    """
    mean, axes, _ = _principal(features)
    return Affine(mean, axes.T, axes)


def whiten(features: np.ndarray) -> Affine:
    """To principal axes, each divided by its standard deviation: covariance I. Arguments as of :func:`pca`.

    Raises:
      ValueError: not more samples than features, or features that depend on each other linearly.
    """
    mean, axes, variances = _principal(features)
    if not variances[-1] > 1e-12 * variances[0]:
        raise ValueError(f"whitening divides by every variance, got principal variances {variances}.")
    deviations = np.sqrt(variances)
    return Affine(mean, axes.T / deviations, deviations[:, None] * axes)


def preprocessed(
    data: Mapping[str, tuple[np.ndarray, np.ndarray]], fit: Fit
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """All splits through a map that is fitted on ``train`` alone; features keep their dtype.

    >>> data = {"train": (np.array([[0.0], [4.0]]), np.zeros(2)), "val": (np.array([[6.0]]), np.zeros(1))}
    >>> print(preprocessed(data, min_max)["val"][0])
    [[1.5]]
    """
    affine = fit(data["train"][0])
    return {name: (apply(affine, x).astype(x.dtype), labels) for name, (x, labels) in data.items()}


def gram_condition_number(features: np.ndarray) -> float:
    r"""Condition number of :math:`\tilde X^\top \tilde X`, :math:`\tilde x = (x, 1)`, features of shape ``(n, d)``.

    It is that of a linear model's least squares: gradient descent needs a number of steps in proportion to it.
    """
    extended = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
    return float(np.linalg.cond(extended.T @ extended))


def _scaling(shift: np.ndarray, scale: np.ndarray) -> Affine:
    return Affine(shift.astype(np.float64), np.diag(1 / scale), np.diag(scale))


def _principal(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, principal axes in rows, and variances along them, falling."""
    from sklearn.decomposition import PCA

    samples, dimension = features.shape
    if samples <= dimension:
        raise ValueError(f"principal axes need more samples than features, got {samples} of {dimension}.")
    fitted = PCA().fit(features.astype(np.float64))
    return fitted.mean_, fitted.components_, fitted.explained_variance_
