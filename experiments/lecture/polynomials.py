"""Polynomials by least squares, with a penalty on the coefficients."""

import numpy as np


def value(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Σ w_k xᵏ, coefficients ascending, shape of ``x``."""
    return np.asarray(np.polynomial.polynomial.polyval(x, w))


def fit(x: np.ndarray, y: np.ndarray, degree: int, penalty: float = 0.0) -> np.ndarray:
    """Coefficients of least Σ (f(x) − y)² + λ Σ_{k ≥ 1} w_k², ascending; for λ = 0 and too few points the shortest.

    Raises:
      ValueError: a negative degree or penalty.
    """
    if degree < 0 or penalty < 0:
        raise ValueError(f"degree and penalty must not be negative, got {degree} and {penalty}.")
    design = np.vander(x, degree + 1, increasing=True)
    if penalty == 0:
        return np.asarray(np.linalg.lstsq(design, y, rcond=None)[0])
    weights = penalty * np.diag([0.0, *[1.0] * degree])
    return np.asarray(np.linalg.solve(design.T @ design + weights, design.T @ y))


def points() -> tuple[np.ndarray, np.ndarray]:
    """Eight noisy points of a parabola on [−1, 1]."""
    x = np.linspace(-1, 1, 8)
    return x, 1 - 0.5 * x - 1.5 * x**2 + 0.25 * np.random.default_rng(3).standard_normal(8)
