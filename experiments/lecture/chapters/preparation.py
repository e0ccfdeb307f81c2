"""Slides 27–31: hyper-parameters, initial parameters, preprocessing."""

import functools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import conditioning, fitting, protocol
from experiments.lecture.data import TRAINING
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near, row
from jaxdl.data.digits import digits
from jaxdl.models import initializers
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP

DRAWN = (400, 500)
"""Shape of the arrays whose sample variance is measured."""


@row("C59", "27", "Hyper-parameters", "Layers, neurons, learning rate, regularisation coefficient, batch size")
def hyperparameters(lab: Laboratory) -> Iterable[Claim]:
    def adam(learning_rate: float, penalty: float) -> object:
        return jaxdl.chain(jaxdl.add_l2_gradient(penalty), jaxdl.adam(learning_rate))

    axes: dict[str, list[Any]] = {
        "problem.hidden": [(8,), (8, 8)],
        "problem.batch_size": [16, 64],
        "learning_rate": [1e-3, 1e-2],
        "penalty": [0.0, 1e-2],
    }
    grid = jaxdl.grids.product(axes)
    yield near("a grid over layers and neurons, batch size, rate and λ: points", grid.size, 16, 0)
    digits = functools.partial(jaxdl.problems.get, "digits-mlp")
    study = jaxdl.sweep(digits, adam, grid, seeds=1, steps=20, record_every=20)
    ends = study["val_loss"].isel(step=-1).values.ravel()
    yield holds("all of them run", bool(np.isfinite(ends).all()), str(dict(study.sizes)))
    yield near("and each of the five matters: different losses among them", len(set(ends.tolist())), 16, 0)
    drawn = jaxdl.grids.random({"learning_rate": (1e-4, 1e-1), "penalty": (1e-5, 1e-1)}, 8)
    yield near("or random points", drawn.size, 8, 0)


@row("C60", "28", "Initialisation: pre-trained", "Load weights")
def pretrained(lab: Laboratory) -> Iterable[Claim]:
    data = protocol.arrays(TRAINING)
    params, _ = fitting.fit(lambda p: protocol.loss(p, data), protocol.init(jax.random.key(0)), jaxdl.adam(0.03), 50)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trained.msgpack"
        initializers.save(path, params)
        loaded = initializers.from_saved(path, params)(jax.random.key(1))
        yield near(
            "warm start: loss at the saved one's", protocol.loss(loaded, data), float(protocol.loss(params, data)), 0.0
        )
        fresh = protocol.init(jax.random.key(2))
        mixed = {**fresh, "w1": loaded["w1"], "b1": loaded["b1"]}
        yield holds(
            "only matching layers, the rest new",
            bool((mixed["w1"] == params["w1"]).all() & (mixed["w2"] != params["w2"]).all()),
        )
        try:
            initializers.from_saved(path, {**params, "w1": jnp.zeros((3, 2))})
            yield holds("parameters that do not fit are refused", False, "accepted")
        except ValueError as error:
            yield holds("parameters that do not fit are refused", True, str(error).replace(folder, "…"))


@row("C61", "28", "Initialisation: random", "A generator with a seed")
def seeded(lab: Laboratory) -> Iterable[Claim]:
    one, again, other = (protocol.init(jax.random.key(seed)) for seed in (3, 3, 4))
    yield holds("the same seed, the same weights", bool((one["w1"] == again["w1"]).all()))
    yield holds("another seed, others", bool((one["w1"] != other["w1"]).all()))


@row("C62", "28", "Initialisation: a fixed value", "Biases usually 0")
def fixed(lab: Laboratory) -> Iterable[Claim]:
    filled = initializers.constant(0.25)(jax.random.key(0), (3, 2), jnp.float64)
    yield holds("constant(0.25)", bool((filled == 0.25).all()))
    bias = MLP((4, 2)).init(jax.random.key(0), jnp.ones((1, 3)))["params"]["Dense_0"]["bias"]
    yield holds("the biases of an MLP start at 0", bool((bias == 0).all()))


@row("C63", "29", "Gaussian", "Mean 0, variance 0.01, that is standard deviation 0.1")
def gaussian(lab: Laboratory) -> Iterable[Claim]:
    size = DRAWN[0] * DRAWN[1]
    for name, init in (
        ("normal_with_variance(0.01)", initializers.normal_with_variance(0.01)),
        ("normal_with_std(0.1)", initializers.normal_with_std(0.1)),
    ):
        drawn = np.asarray(init(jax.random.key(0), DRAWN, jnp.float64))
        yield near(f"{name}: sample variance", drawn.var(), 0.01, 4 * 0.01 * np.sqrt(2 / size))
        yield near(f"{name}: sample mean", drawn.mean(), 0.0, 4 * 0.1 / np.sqrt(size))
    tutorial = np.asarray(initializers.normal_with_std(0.01)(jax.random.key(0), DRAWN, jnp.float64)).var()
    yield near("the tutorial's standard deviation 0.01 is a hundred times less variance", tutorial, 1e-4, 2e-6)


@row("C64", "29", "Uniform", "U[−r, r]: variance r²/3; r from the fans")
def uniform(lab: Laboratory) -> Iterable[Claim]:
    a, b = DRAWN
    presets = {
        "symmetric_uniform(0.3)": (initializers.symmetric_uniform(0.3), 0.3),
        "Xavier": (initializers.xavier_uniform(), np.sqrt(6 / (a + b))),
        "He": (initializers.he_uniform(), np.sqrt(6 / a)),
        "1/√fan-in": (initializers.symmetric_uniform(a**-0.5), a**-0.5),
    }
    for name, (init, r) in presets.items():
        drawn = np.asarray(init(jax.random.key(0), DRAWN, jnp.float64))
        variance = r**2 / 3
        yield near(f"{name}: variance over r²/3", drawn.var() / variance, 1.0, 4 * np.sqrt(0.8 / drawn.size))
        yield near(f"{name}: largest over r", np.abs(drawn).max() / r, 1.0, 1e-3)


@row(
    "C65",
    "30",
    "Quiz: all parameters 0?",
    "A: no loss; B: the output layer cannot be adjusted; C: the hidden layer cannot",
    figures=("zeros",),
)
def all_zero(lab: Laboratory) -> Iterable[Claim]:
    data = protocol.arrays(TRAINING)
    zero = jax.tree.map(jnp.zeros_like, protocol.init(jax.random.key(0)))
    value, gradient = jax.value_and_grad(protocol.loss)(zero, data)
    yield near("not A: the loss is ln 2", value, np.log(2))
    yield near("not B: ∂L/∂b_out = 1/26", gradient["b2"], 1 / 26)
    stuck = max(float(jnp.abs(gradient[name]).max()) for name in ("w1", "b1", "w2"))
    yield near("C: ∂L/∂W⁽¹⁾, ∂L/∂b₁ (and ∂L/∂w_out)", stuck, 0.0, 0.0)
    end, curve = fitting.fit(lambda p: protocol.loss(p, data), zero, jaxdl.sgd(1.0), 500)
    yield near("after 500 steps the output's bias is ln(6/7)", end["b2"], np.log(6 / 7), 1e-9)
    yield near("and the loss the entropy of the classes", curve[-1], 0.69019, 5e-6)
    yield near("the hidden layer is where it was", max(float(jnp.abs(end[n]).max()) for n in ("w1", "b1")), 0.0, 0.0)
    yield from conditioning.sigmoid_from_zero()


def _through_ten_layers(std: float) -> float:
    """The largest output of ten linear layers 5 → 5 for ones, median over 200 draws."""
    weights = np.asarray(initializers.normal_with_std(std)(jax.random.key(0), (200, 10, 5, 5), jnp.float64))
    y = np.ones((200, 5))
    for layer in range(10):
        y = np.einsum("nij,nj->ni", weights[:, layer], y)
    return float(np.median(np.abs(y).max(axis=1)))


@row("C66", "—", "Variance scaling (tutorial 4)", "σ_W = √(1/N); ReLU: gain √2")
def variance_scaling(lab: Laboratory) -> Iterable[Claim]:
    yield above("ten layers of N(0, 1), 5 → 5: median largest |y|", _through_ten_layers(1.0), 300)
    yield below("with σ = √(1/5)", _through_ten_layers(5**-0.5), 5.0)
    wide = np.random.default_rng(0).standard_normal((2000, 400))
    for text, init, expected in (
        ("ReLU with gain √2 (he_normal) keeps the mean square", initializers.he_normal(), 1.0),
        ("with gain 1 it halves it", initializers.normal_with_std(400**-0.5), 0.5),
    ):
        kernel = np.asarray(init(jax.random.key(1), (400, 400), jnp.float64))
        yield near(text, (np.maximum(wide @ kernel, 0) ** 2).mean(), expected, 0.05 * expected)


@row("C67", "31", "Image size", "Images are brought to one size")
def image_size(lab: Laboratory) -> Iterable[Claim]:
    pixels, _ = digits()["train"]
    sizes = ((8, 8), (8, 6), (5, 8))
    images = [pixels[k, :height, :width, 0] for k, (height, width) in enumerate(sizes)]
    for method in ("nearest", "linear"):
        batch = jnp.stack([jax.image.resize(image, (16, 16), method) for image in images])[..., None]
        yield holds(f"8 × 8, 8 × 6 and 5 × 8 make one batch, {method}", batch.shape == (3, 16, 16, 1), str(batch.shape))
        logits, _ = CNN((4,)).init_with_output(jax.random.key(0), batch)
        yield holds("which a convolutional network takes", bool(jnp.isfinite(logits).all()), str(logits.shape))
        flat = jax.image.resize(jnp.full((8, 6), 0.3), (16, 16), method)
        yield below(f"a constant image stays constant, {method}", jnp.abs(flat - 0.3).max(), 1e-12)
    doubled = jax.image.resize(images[0], (16, 16), "nearest") - np.kron(images[0], np.ones((2, 2), pixels.dtype))
    yield below("nearest neighbours at twice the size: every pixel four times", jnp.abs(doubled).max(), 0.0)


@row("C68", "31", "Min-max", "(x − min)/(max − min)")
def min_max(lab: Laboratory) -> Iterable[Claim]:
    yield from conditioning.ranges()


@row("C69", "31", "Standardisation", "(x − μ)/σ")
def standardised(lab: Laboratory) -> Iterable[Claim]:
    yield from conditioning.standard()


@row(
    "C70",
    "31",
    "PCA and whitening",
    "Rotate to principal axes; divide by their standard deviations",
    figures=("whitening",),
)
def whitening(lab: Laboratory) -> Iterable[Claim]:
    yield from conditioning.principal()


@row("C71", "31", "Why ranges matter", "Elongated against round contours", figures=("conditioning",))
def round_contours(lab: Laboratory) -> Iterable[Claim]:
    numbers, steps, cosines = conditioning.table()
    for name, value, half in (("raw", 497.4, 0.05), ("min-max", 28.2, 0.05), ("standardised", 3.49, 0.005)):
        yield near(f"condition number of the Gram matrix, {name}, as rounded", numbers[name], value, 1.001 * half)
    order = ("standardised", "min-max", "raw")
    yield ascending("steps of gradient descent to 1e-6: standardised, min-max, raw", *(steps[n] for n in order))
    yield ascending(
        "cosine between −∇ and the way to the minimum: raw, min-max, standardised", *(cosines[n] for n in order[::-1])
    )
