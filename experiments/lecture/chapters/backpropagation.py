"""Slides 11–14: the model in matrix form and its gradients by hand, against automatic differentiation."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.lecture import backprop
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, below, holds, near, row
from jaxdl import losses

SIZES = (3, 5, 4, 3)
"""d, d₁, d₂, C of the example."""


def _example() -> tuple[backprop.Weights, np.ndarray, np.ndarray]:
    """Weights, X of seven samples and their Y*."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, SIZES[-1], 7)
    return backprop.random_weights(rng, *SIZES), rng.standard_normal((7, SIZES[0])), backprop.one_hot(labels, SIZES[-1])


def _from_h1(weights: backprop.Weights, h1: jax.Array, targets: jax.Array) -> jax.Array:
    return _from_h2(weights, jax.nn.relu(h1 @ weights.w2.T + weights.b2[None]), targets)


def _from_h2(weights: backprop.Weights, h2: jax.Array, targets: jax.Array) -> jax.Array:
    return _from_z(h2 @ weights.w.T + weights.b[None], targets)


def _from_z(z: jax.Array, targets: jax.Array) -> jax.Array:
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(z), axis=1))


def _loss(weights: backprop.Weights, x: jax.Array, targets: jax.Array) -> jax.Array:
    """The same model for JAX to differentiate."""
    return _from_h1(weights, jax.nn.relu(x @ weights.w1.T + weights.b1[None]), targets)


def automatic() -> tuple[backprop.Gradients, backprop.Gradients]:
    """The gradients of the example by hand and by JAX."""
    weights, x, targets = _example()
    h1, h2, z, _ = backprop.forward(weights, x)
    traced: Any = backprop.Weights(*(jnp.asarray(array) for array in weights))  # type: ignore[arg-type]
    arrays = [jnp.asarray(array) for array in (x, targets, h1, h2, z)]
    of_weights = [np.asarray(array) for array in jax.grad(_loss)(traced, arrays[0], arrays[1])]
    of_outputs = (
        jax.grad(_from_h1, argnums=1)(traced, arrays[2], arrays[1]),
        jax.grad(_from_h2, argnums=1)(traced, arrays[3], arrays[1]),
        jax.grad(_from_z)(arrays[4], arrays[1]),
    )
    by_jax = backprop.Gradients(*of_weights, *(np.asarray(array) for array in of_outputs))
    return backprop.backward(weights, x, targets), by_jax


def _relative(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def central_differences(weights: backprop.Weights, x: np.ndarray, targets: np.ndarray, field: str) -> np.ndarray:
    """∂L/∂(one parameter array) by (L(θ + h) − L(θ − h)) / 2h, h = 1e-6."""
    array, h = getattr(weights, field), 1e-6
    found: np.ndarray = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        sides = []
        for sign in (1, -1):
            moved = array.copy()
            moved[index] += sign * h
            sides.append(backprop.cross_entropy(backprop.forward(weights._replace(**{field: moved}), x)[3], targets))
        found[index] = (sides[0] - sides[1]) / (2 * h)
    return found


def graph(sizes: tuple[int, int, int, int] = SIZES) -> str:
    """The model as text: its computational graph with the shape of every matrix for m samples."""
    d, d1, d2, c = sizes
    return (
        f"X (m×{d}) → h1 = ReLU(X·W1ᵀ + b1), W1 {d1}×{d} (m×{d1}) → h2 = ReLU(h1·W2ᵀ + b2), W2 {d2}×{d1} (m×{d2})"
        f" → Z = h2·Wᵀ + b, W {c}×{d2} (m×{c}) → Y = softmax(Z) → L"
    )


@row("C18", "11", "The model", "Two hidden ReLU layers, softmax, cross-entropy, built from (d, d₁, d₂, C)")
def model(lab: Laboratory) -> Iterable[Claim]:
    weights, x, _ = _example()
    shapes = [array.shape for array in backprop.forward(weights, x)]
    yield holds("h₁, h₂, Z, Y have d₁, d₂, C, C columns", shapes == [(7, 5), (7, 4), (7, 3), (7, 3)], str(shapes))
    yield holds("its graph in words", graph().count("→") == 5, graph())


@row("C19", "12", "Data matrices", "X is m×d, rows are samples; Y* is m×C, one-hot")
def matrices(lab: Laboratory) -> Iterable[Claim]:
    labels = np.array([2, 0, 1, 1])
    yield holds("one-hot encoding and back", (backprop.one_hot(labels, 3).argmax(1) == labels).all())
    weights, x, _ = _example()
    for text, call in (
        ("a label outside the classes is refused", lambda: backprop.one_hot(np.array([3]), 3)),
        ("samples in columns are refused", lambda: backprop.forward(weights, x.T)),
    ):
        yield _refused(text, call)


def _refused(text: str, call: object) -> Claim:
    try:
        call()  # type: ignore[operator]
    except ValueError as error:
        return holds(text, True, str(error))
    return holds(text, False, "accepted")


@row("C20", "12", "Weights", "W⁽¹⁾: d₁×d, W⁽²⁾: d₂×d₁, W: C×d₂; biases are added to every row")
def weights_stored(lab: Laboratory) -> Iterable[Claim]:
    weights, x, _ = _example()
    shapes = [w.shape for w in (weights.w1, weights.w2, weights.w)]
    yield holds("stored (out, in)", shapes == [(5, 3), (4, 5), (3, 4)], str(shapes))
    by_row = np.stack([backprop.forward(weights._replace(w=weights.w * 0), x[i : i + 1])[2][0] for i in range(7)])
    yield near("with W = 0 every row of Z is b", np.abs(by_row - weights.b).max(), 0.0, 0.0)


@row("C21", "12", "Forward", "h₁, h₂, Z, Y of a batch in matrix form")
def forward(lab: Laboratory) -> Iterable[Claim]:
    weights, x, _ = _example()
    _, _, z, y = backprop.forward(weights, x)
    singles = np.concatenate([backprop.forward(weights, sample[None])[3] for sample in x])
    yield below("matrix form and a loop over samples", np.abs(y - singles).max(), 1e-12)
    yield below("rows of Y sum to 1", np.abs(y.sum(1) - 1).max(), 1e-12)
    large = backprop.softmax(np.array([[1000.0, -1000.0, 0.0]]))
    yield holds("logits of ±1000 overflow nothing", np.isfinite(large).all() and large[0, 0] == 1, str(large[0]))
    yield below("and as JAX computes it", np.abs(y - np.asarray(jax.nn.softmax(jnp.asarray(z)))).max(), 1e-12)


@row("C22", "12", "Loss", "L = −(1/m) Σᵢ Σ_c y*_ic log y_ic, the mean over the batch")
def loss(lab: Laboratory) -> Iterable[Claim]:
    uniform, target = np.full((1, 10), 0.1), backprop.one_hot(np.array([3]), 10)
    yield near("ten classes, uniform: ln 10", backprop.cross_entropy(uniform, target), 2.3026, 5e-5)
    sure = np.array([[0.95, 0.05]])
    yield near("p = 0.95", backprop.cross_entropy(sure, np.array([[1.0, 0.0]])), 0.0513, 5e-5)
    nothing = backprop.cross_entropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))
    yield holds(
        "p = 0 of the true class gives a large number, not NaN", np.isfinite(nothing) and nothing > 700, nothing
    )
    weights, x, targets = _example()
    ours = losses.cross_entropy(jnp.asarray(backprop.forward(weights, x)[2]), jnp.asarray(targets.argmax(1)))
    difference = abs(float(ours) - backprop.cross_entropy(backprop.forward(weights, x)[3], targets))
    yield below("jaxdl.losses.cross_entropy of the logits is the same", difference, 1e-12)


@row("C23", "13", "Quantities needed", "∂L/∂W, ∂b, ∂W⁽²⁾, ∂b₂, ∂W⁽¹⁾, ∂b₁, and ∂L/∂h₂, ∂L/∂h₁")
def eight_gradients(lab: Laboratory) -> Iterable[Claim]:
    by_hand, by_jax = automatic()
    for name in ("w", "b", "w2", "b2", "w1", "b1", "h2", "h1"):
        yield below(f"∂L/∂{name} by hand and by JAX", _relative(getattr(by_hand, name), getattr(by_jax, name)), 1e-12)
    example = _example()
    for name in ("w1", "b2", "w"):
        numeric = central_differences(*example, name)
        yield below(f"∂L/∂{name} and central differences", _relative(getattr(by_hand, name), numeric), 1e-6)


@row("C24", "13", "Transposes and order", "∂L/∂h₂ = ∂L/∂Z · W;  ∂L/∂W = (∂L/∂Z)ᵀ · h₂;  ∂L/∂Z is m×C")
def transposes(lab: Laboratory) -> Iterable[Claim]:
    weights, x, targets = _example()
    _, by_jax = automatic()
    h2, y = backprop.forward(weights, x)[1::2]
    dz = by_jax.z
    yield holds("∂L/∂Z is m×C", dz.shape == targets.shape, str(dz.shape))
    yield below("∂L/∂h₂ = ∂L/∂Z · W", _relative(dz @ weights.w, by_jax.h2), 1e-12)
    yield below("∂L/∂W = (∂L/∂Z)ᵀ · h₂", _relative(dz.T @ h2, by_jax.w), 1e-12)
    yield below("∂L/∂Z = (Y − Y*)/m (not on the slide)", _relative((y - targets) / len(x), dz), 1e-12)
    yield below("∂L/∂b: column sums (not on the slide)", _relative(dz.sum(0), by_jax.b), 1e-12)
    yield _refused("W with its transpose forgotten does not fit", lambda: dz @ weights.w.T)


@row("C25", "14", "Matrix calculus", "f = aᵀXb, ∂f/∂X_ij = a_i b_j, ∂f/∂X = abᵀ")
def matrix_calculus(lab: Laboratory) -> Iterable[Claim]:
    a, b = jnp.array([1.0, 2.0]), jnp.array([3.0, 4.0, 5.0])
    gradient = np.asarray(jax.grad(lambda x: a @ x @ b)(jnp.zeros((2, 3))))
    yield holds("a = (1, 2), b = (3, 4, 5)", (gradient == [[3, 4, 5], [6, 8, 10]]).all(), str(gradient.tolist()))
    yield below("abᵀ", np.abs(gradient - np.outer(a, b)).max(), 0.0)


@row("C26", "14", "Corollary", "For Z = h₂Wᵀ + b: “∂Z/∂h₂ = W, ∂Z/∂W = h₂”, a shorthand for how dL/dZ is passed on")
def corollary(lab: Laboratory) -> Iterable[Claim]:
    weights, x, _ = _example()
    h2, w = (jnp.asarray(array) for array in (backprop.forward(weights, x)[1], weights.w))
    dz = jnp.asarray(np.random.default_rng(1).standard_normal((len(x), SIZES[-1])))
    _, pull = jax.vjp(lambda h, w: h @ w.T, h2, w)
    to_h2, to_w = pull(dz)
    yield below("vjp to h₂ is dZ·W", np.abs(to_h2 - dz @ w).max(), 1e-12)
    yield below("vjp to W is dZᵀ·h₂", np.abs(to_w - dz.T @ h2).max(), 1e-12)
    jacobian = jax.jacobian(lambda h: h @ w.T)(h2)
    yield holds("the Jacobian itself is no matrix W: it has four axes", jacobian.ndim == 4, str(jacobian.shape))
