"""Preprocessing of the thirteen points and what it does to gradient descent; zero weights under sigmoid units."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import fitting
from experiments.lecture.data import TRAINING, VALIDATION
from experiments.lecture.registry import Claim, above, below, holds, near
from jaxdl import losses
from jaxdl.data import preprocessing


def scaled(kind: str) -> np.ndarray:
    """The training points, ``raw``, ``min-max`` or ``standardised``."""
    x = TRAINING.features
    if kind == "raw":
        return x
    shift, scale = (x.min(0), np.ptp(x, axis=0)) if kind == "min-max" else (x.mean(0), x.std(0))
    return np.asarray((x - shift) / scale)


def table() -> tuple[dict[str, float], dict[str, int], dict[str, float]]:
    """For each scaling of a linear model's inputs with a constant 1 beside them.

    Returns:
      The condition number of the Gram matrix; steps of gradient descent with rate 1/λ_max until the squared error of
      the labels is 1e-6 above its minimum; mean cosine between −∇ and the way to the minimum, over random starts.
    """
    numbers, steps, cosines = {}, {}, {}
    rng = np.random.default_rng(0)
    for kind in ("raw", "min-max", "standardised"):
        design = np.column_stack([scaled(kind), np.ones(13)])
        gram = design.T @ design / 13
        curvatures = np.linalg.eigvalsh(gram)
        numbers[kind] = float(curvatures[-1] / curvatures[0])
        best = np.linalg.solve(gram, design.T @ TRAINING.labels / 13)
        error, count = -best, 0
        while 0.5 * error @ gram @ error > 1e-6:
            error, count = error - gram @ error / curvatures[-1], count + 1
        steps[kind] = count
        away = rng.standard_normal((500, 3))
        downhill = away @ gram
        products = (away * downhill).sum(1)
        cosines[kind] = float((products / np.linalg.norm(away, axis=1) / np.linalg.norm(downhill, axis=1)).mean())
    return numbers, steps, cosines


def ranges() -> Iterable[Claim]:
    """C68."""
    fitted = preprocessing.min_max(TRAINING.features)
    made, formula = preprocessing.apply(fitted, TRAINING.features), scaled("min-max")
    exact = bool((formula.min(0) == 0).all() and (formula.max(0) == 1).all())
    yield holds("by the formula the training range becomes exactly [0, 1]", exact)
    yield below("jaxdl.data.preprocessing.min_max and the formula", np.abs(made - formula).max(), 1e-12)
    outside = float(preprocessing.apply(fitted, VALIDATION.features).min())
    yield holds("fitted on training points alone: v4 lies outside [0, 1]", outside < 0, outside)
    yield below("and back again", np.abs(preprocessing.invert(fitted, made) - TRAINING.features).max(), 1e-12)
    constant = np.full((4, 1), 0.7)
    safe = preprocessing.apply(preprocessing.min_max(constant), constant)
    yield holds("a constant feature gives 0, not NaN", bool((safe == 0).all()))


def standard() -> Iterable[Claim]:
    """C69."""
    x = TRAINING.features
    made = preprocessing.apply(preprocessing.standardise(x), x)
    yield below("mean 0", np.abs(made.mean(0)).max(), 1e-12)
    yield below("standard deviation 1", np.abs(made.std(0) - 1).max(), 1e-12)
    yield below("the formula", np.abs(made - scaled("standardised")).max(), 1e-12)
    measured, expected = (*x.mean(0), *x.std(0)), (0.0744, 0.9209, 0.0758, 0.4605)
    for text, value, rounded in zip(("mean 1", "mean 2", "std 1", "std 2"), measured, expected, strict=True):
        yield near(f"of the raw points: {text}", value, rounded, 5.1e-5)


def principal() -> Iterable[Claim]:
    """C70."""
    x = TRAINING.features
    rotated = np.cov(preprocessing.apply(preprocessing.pca(x), x).T)
    yield below("PCA: covariance of the output is diagonal", abs(rotated[0, 1]), 1e-12)
    yield near("variances along the axes sum to the total", np.trace(rotated), float(np.trace(np.cov(x.T))))
    white = np.cov(preprocessing.apply(preprocessing.whiten(x), x).T)
    yield below("whitening: covariance is the identity", np.abs(white - np.eye(2)).max(), 1e-12)


def sigmoid_from_zero() -> Iterable[Claim]:
    """C65 with sigmoid units in place of ReLU: the output layer moves, the hidden units stay alike."""
    x, y = jnp.asarray(TRAINING.features), jnp.asarray(TRAINING.labels)
    zero = [(jnp.zeros_like(w), jnp.zeros_like(b)) for w, b in fitting.perceptron(jax.random.key(0), (2, 8, 1))]

    def loss(layers: list[tuple[jax.Array, jax.Array]]) -> jax.Array:
        return losses.binary_cross_entropy(fitting.activations(layers, x, jax.nn.sigmoid)[-1][:, 0], y)

    gradient = jax.grad(loss)(zero)
    yield above("sigmoid units: ∂L/∂W_out is not 0", jnp.abs(gradient[1][0]).min(), 1e-3)
    (w, b), _ = fitting.fit(loss, zero, jaxdl.sgd(0.5), 300)[0]
    spread = float(jnp.abs(w - w[:1]).max() + jnp.abs(b - b[:1]).max())
    yield near("but all hidden units stay one and the same", spread, 0.0, 1e-15)
    yield above("although they move", jnp.abs(w).max(), 1e-2)
