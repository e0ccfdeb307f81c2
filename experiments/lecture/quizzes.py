"""The course's questions on this lecture, answered by numbers, and closed forms of the chapters that it refers to."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import demo, nonlinearity
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near
from jaxdl.models import regions


def claims(lab: Laboratory) -> Iterable[Claim]:
    """C105; C65 is a row of its own."""
    yield holds("“larger rates always help”: false; rise of the loss at η = 0.3 and 0.01", *_larger_rates(lab))
    penalised, free = lab.run("R2"), lab.run("R0")
    pair = (float(np.median(penalised.val[:, -1])), float(np.median(free.val[:, -1])))
    yield ascending("“L2 raises the loss and so hurts”: false; validation loss with λ = 1e-3, and without", *pair)
    longer = free.val[:, -1] > free.val[:, 99]
    yield above(
        "“more epochs prevent over-fitting”: false; seeds whose validation loss rises from epoch 100 on",
        longer.mean(),
        0.95,
    )
    yield from _tanh()
    yield from _chain_rule()
    yield from _matrix_derivative()
    sure = float(np.median(free.final))
    worse = float(np.median(free.val[:, -1]))
    yield holds(
        "“is a lower loss always better?”: no",
        worse > 1.0 > 0.001 > sure,
        f"training {sure:.4f}, validation {worse:.2f}",
    )
    yield from nonlinearity.collapse()


def _larger_rates(lab: Laboratory) -> tuple[bool, str]:
    rises = [float(np.median(np.diff(lab.run(id).loss, axis=1).max(axis=1))) for id in ("S1", "S3")]
    return rises[0] > 10 * rises[1], f"{rises[0]:.3f} and {rises[1]:.5f}"


def _tanh() -> Iterable[Claim]:
    z = np.array([800.0])
    with np.errstate(over="ignore", invalid="ignore"):
        naive = (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))
    yield holds("tanh by its formula overflows at 800", bool(np.isnan(naive[0])), str(naive[0]))
    stable = np.sign(z) * (1 - np.exp(-2 * np.abs(z))) / (1 + np.exp(-2 * np.abs(z)))
    yield near("written with e^(−2|z|) it does not", stable[0], 1.0, 0.0)


def _chain_rule() -> Iterable[Claim]:
    z = jnp.linspace(-1.0, 1.0, 7)
    upstream = jnp.arange(1.0, 8.0)
    gradient = jax.grad(lambda z: upstream @ (jnp.sin(z**2) + jnp.exp(z)))(z)
    by_hand = upstream * (jnp.cos(z**2) * 2 * z + jnp.exp(z))
    yield below("y = f(g(z)) + t(z): ∂L/∂z = ∂L/∂y ∘ (f′(g)g′ + t′)", jnp.abs(gradient - by_hand).max(), 1e-12)


def _matrix_derivative() -> Iterable[Claim]:
    rng = np.random.default_rng(0)
    a, w, x = (jnp.asarray(rng.standard_normal(shape)) for shape in ((3,), (3, 4), (4,)))
    yield below("∂(aᵀWx)/∂x = Wᵀa", jnp.abs(jax.grad(lambda x: a @ w @ x)(x) - w.T @ a).max(), 1e-12)


def closed_forms() -> Iterable[Claim]:
    """C100: formulas of the chapters that slide 50 names."""
    h, target, alpha = np.array([0.5, 4.0]), np.array([1.0, -2.0]), 0.7
    run = demo.path(
        lambda w: 0.5 * jnp.sum(h * (w - target) ** 2) + 0.5 * alpha * jnp.sum(w**2), jaxdl.sgd(0.2), (0.0, 0.0), 400
    )
    yield below("Goodfellow 7.1, L2: w̃ᵢ = λᵢ/(λᵢ + α) wᵢ*", np.abs(run[-1] - h / (h + alpha) * target).max(), 1e-12)
    yield from _early_stopping_is_l2(h, target)
    yield near("Goodfellow 6.1: XOR with W = [[1,1],[1,1]], c = (0, −1), w = (1, −2)", _goodfellow_xor(), 0.0, 0.0)
    sphere = demo.path(lambda w: jnp.sum(w**2), jaxdl.sgd(0.2), (3.0, 4.0), 20)
    yield below(
        "Qiu (邱锡鹏) 7.2: gradient descent on ‖w‖² from (3, 4): wₜ = (1 − 2η)ᵗ w₀",
        np.abs(sphere[-1] - 0.6**20 * np.array([3, 4])).max(),
        1e-12,
    )
    yield near("Dive into Deep Learning 3.15: 0.2³⁰", np.prod(np.full(30, 0.2)) * 1e21, 1.07, 0.01)
    yield near("and 5³⁰", np.prod(np.full(30, 5.0)) / 1e20, 9.31, 0.01)
    yield from _saddle_of_the_book()
    pieces = len(regions.breakpoints(regions.folding_layers((2, 2, 2)), 0.0, 1.0)) + 1
    yield near("Goodfellow 6.4.1: pieces of a folding network 1-2-2-2", pieces, 12, 0)


def _early_stopping_is_l2(h: np.ndarray, target: np.ndarray) -> Iterable[Claim]:
    """Goodfellow 7.8: after τ steps from 0, (1 − ελ)^τ = α/(λ + α): for small ελ, τ ≈ 1/(εα)."""
    small, rate, steps = 1e-3 * h, 1e-2, 2000
    stopped = (1 - (1 - rate * small) ** steps) * target
    ridge = small / (small + 1 / (rate * steps)) * target
    yield below(
        "Goodfellow 7.8: early stopping as L2 with α = 1/(ετ): relative difference",
        np.abs(stopped / ridge - 1).max(),
        0.05,
    )


def _goodfellow_xor() -> float:
    x, y = nonlinearity.XOR
    hidden = np.maximum(x @ np.ones((2, 2)) + np.array([0.0, -1.0]), 0)
    return float(np.abs(hidden @ np.array([1.0, -2.0]) - y).max())


def _saddle_of_the_book() -> Iterable[Claim]:
    """Dive into Deep Learning 7.1: x³ at 0 has no slope and no curvature, and no minimum either."""
    slope, curvature = (float(f(0.0)) for f in (jax.grad(lambda x: x**3), jax.grad(jax.grad(lambda x: x**3))))
    yield near("Dive into Deep Learning 7.1: x³ at 0, slope", slope, 0.0, 0.0)
    yield near("and curvature", curvature, 0.0, 0.0)
