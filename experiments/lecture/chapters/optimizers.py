"""Slides 22–26: momentum, RMSProp, Adam, the demo, and the schedule."""

from collections.abc import Iterable

import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import claims, demo, measures
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near, row, within

lecture = jaxdl.conventions.lecture


def _gradients(count: int = 40) -> np.ndarray:
    return np.random.default_rng(7).standard_normal((count, 6))


def _increments(tx: object, gradients: np.ndarray) -> np.ndarray:
    """What a rule makes of a given sequence of gradients."""
    state, made = tx.init(jnp.zeros(gradients.shape[1])), []  # type: ignore[attr-defined]
    for g in gradients:
        delta, state = tx.update(jnp.asarray(g), state)  # type: ignore[attr-defined]
        made.append(np.asarray(delta))
    return np.stack(made)


@row("C46", "22", "Momentum, recursive", "Δθ_t = ρΔθ_{t−1} − ηg_t, ρ usually 0.9")
def recursive(lab: Laboratory) -> Iterable[Claim]:
    g, eta, rho = _gradients(), 0.05, 0.9
    expected, delta = [], np.zeros(g.shape[1])
    for now in g:
        delta = rho * delta - eta * now
        expected.append(delta)
    inside, outside = (_increments(tx, g) for tx in (lecture.momentum(eta, rho), jaxdl.momentum(eta, rho)))
    yield below("η inside the velocity (the slide's)", np.abs(inside - expected).max(), 1e-12)
    yield below("η outside (torch's): equal while η is constant", np.abs(inside - outside).max(), 1e-12)
    halved = jaxdl.schedules.piecewise_constant(eta, {20: 0.5})
    pair = (_increments(tx, g) for tx in (lecture.momentum(halved, rho), jaxdl.momentum(halved, rho)))
    yield above("and different as soon as η changes", np.abs(np.subtract(*pair)).max(), 1e-2)


@row("C47", "22", "Momentum, as a sum", "Δθ_t = −η Σ_τ ρ^{t−τ} g_τ, a weighted moving average of negative gradients")
def as_a_sum(lab: Laboratory) -> Iterable[Claim]:
    g, eta, rho = _gradients(), 0.05, 0.9
    powers = rho ** np.maximum(np.subtract.outer(np.arange(40), np.arange(40)), 0)
    expected = -eta * np.tril(powers) @ g
    yield below("the sum and the recursion", np.abs(_increments(lecture.momentum(eta, rho), g) - expected).max(), 1e-12)
    constant = _increments(lecture.momentum(eta, rho), np.ones((200, 1)))[:, 0]
    t = np.arange(1, 201)
    yield below("weights sum to (1 − ρ^t)/(1 − ρ)", np.abs(constant + eta * (1 - rho**t) / (1 - rho)).max(), 1e-12)
    yield near("and so the rate is at last η/(1 − ρ) = 10 η", -constant[-1] / eta, 10, 1e-6)


@row(
    "C48",
    "22",
    "With and without momentum on an elongated bowl",
    "Zig-zag against a smooth path",
    figures=("momentum",),
)
def elongated(lab: Laboratory) -> Iterable[Claim]:
    plain, heavy = demo.bowl_path(0.4, 0.0), demo.bowl_path(0.4, 0.5)
    closed = np.array([5.0, 2.0]) * (1 - 0.4 * demo.BOWL) ** np.arange(len(plain))[:, None]
    yield below("gradient descent and its closed form", np.abs(plain - closed).max(), 1e-12)
    crossings = [int((np.diff(np.sign(path[:21, 1])) != 0).sum()) for path in (heavy, plain)]
    yield ascending("changes of sign of the steep coordinate in 20 steps, η = 0.4: ρ = 0.5, none", *crossings)
    distances = [float(np.hypot(*path[20])) for path in (heavy, plain)]
    yield ascending("distance to the minimum after those 20 steps: with momentum, without", *distances)


@row("C49", "23", "RMSProp as printed", "h ← αh + (1 − α)g·g; W ← W − ηg/√h: no ε, h₀ unstated")
def rmsprop(lab: Laboratory) -> Iterable[Claim]:
    eta = 0.1
    for alpha, factor in ((0.9, 3.1623), (0.99, 10.0)):
        first = _increments(lecture.rmsprop(eta, alpha), np.array([[2.5, -0.3]]))[0]
        text = f"α = {alpha}: the first step is η/√(1 − α) long, whatever the gradient"
        yield below(text, np.abs(np.abs(first) / eta - 1 / np.sqrt(1 - alpha)).max(), 1e-12)
        yield near("in units of η", abs(first[0]) / eta, factor, 1e-4)
    still = _increments(lecture.rmsprop(eta, 0.9), np.zeros((1, 2)))
    yield below("0/0 counts as no step", np.abs(still).max(), 0.0)
    g = np.full((1, 1), 1e-4)
    in_root, beside = (jaxdl.rmsprop(eta, 0.9, 1e-3, eps_in_sqrt=inside) for inside in (True, False))
    steps = [float(-_increments(tx, g)[0, 0]) for tx in (in_root, beside)]
    expected = [eta * 1e-4 / np.sqrt(0.1 * 1e-8 + 1e-3), eta * 1e-4 / (np.sqrt(0.1 * 1e-8) + 1e-3)]
    yield below("ε under the root and beside it", np.abs(np.subtract(steps, expected)).max(), 1e-12)


@row("C50", "23", "What RMSProp does", "A small g is amplified by 1/√h, a large one is held back")
def scale_free(lab: Laboratory) -> Iterable[Claim]:
    g = _gradients()
    paths = [_increments(lecture.rmsprop(0.1, 0.9), scale * g) for scale in (1.0, 1e3)]
    yield below("the loss times 1000 leaves the path as it is", np.abs(np.subtract(*paths)).max(), 1e-12)


@row("C51", "24", "Adam's moments", "m_t = β₁m_{t−1} + (1 − β₁)g_t, v_t = β₂v_{t−1} + (1 − β₂)g_t², from 0")
def moments(lab: Laboratory) -> Iterable[Claim]:
    g, tx = _gradients(), jaxdl.scale_by_adam(0.9, 0.999)
    state = tx.init(jnp.zeros(6))
    for now in g:
        _, state = tx.update(jnp.asarray(now), state)
    age = np.arange(40)[::-1, None]
    yield below("m is its weighted sum", np.abs(state.mu - (0.1 * 0.9**age * g).sum(0)).max(), 1e-12)
    yield below("v is its weighted sum", np.abs(state.nu - (0.001 * 0.999**age * g**2).sum(0)).max(), 1e-12)


@row("C52", "24", "Adam's bias correction", "m̂_t = m_t/(1 − β₁^t), v̂_t = v_t/(1 − β₂^t)")
def bias_correction(lab: Laboratory) -> Iterable[Claim]:
    g = np.tile([3.0, -0.02], (30, 1))
    corrected = _increments(lecture.adam(0.1, epsilon=0.0), g)
    text = "a constant gradient: m̂ = g and v̂ = g², a step of η every time"
    yield below(text, np.abs(np.abs(corrected) - 0.1).max(), 1e-12)
    raw = _increments(jaxdl.adam(0.1, eps=0.0, bias_correction=False), g)[0]
    yield near("without correction the first step is (1 − β₁)/√(1 − β₂) η", abs(raw[0]) / 0.1, 0.1 / 0.001**0.5, 1e-9)


@row("C53", "24", "Adam's update", "θ_t = θ_{t−1} − η m̂_t/(√v̂_t + ε); η = 0.001, β₁ = 0.9, β₂ = 0.999, ε = 1e-8")
def adam(lab: Laboratory) -> Iterable[Claim]:
    g = _gradients()
    age = np.arange(1, 41)[:, None]
    m, v = np.zeros_like(g), np.zeros_like(g)
    for t in range(40):
        m[t] = 0.9 * (m[t - 1] if t else 0) + 0.1 * g[t]
        v[t] = 0.999 * (v[t - 1] if t else 0) + 0.001 * g[t] ** 2
    expected = -0.001 * (m / (1 - 0.9**age)) / (np.sqrt(v / (1 - 0.999**age)) + 1e-8)
    ours = _increments(lecture.adam(), g)
    yield below("with its defaults as printed", np.abs(ours - expected).max(), 1e-12)
    slack = 1.01 * 0.001 * 1e-8 / np.abs(g[0]).min()
    yield below("the first step is −η sign(g), up to ηε/|g|", np.abs(ours[0] + 0.001 * np.sign(g[0])).max(), slack)
    theirs = demo.torch_increments(g)
    if theirs is None:
        text = "torch.optim.Adam (not installed here; its recorded path is compared in tests/conventions)"
        yield holds(text, True, "skipped")
    else:
        yield below("torch.optim.Adam, per step", np.abs(ours - theirs).max(), 1e-7)


@row("C54", "25", "The demo", "Four optimizers on one function, Adam without bias correction", figures=("demo",))
def demonstration(lab: Laboratory) -> Iterable[Claim]:
    ends = {"sgd": (0.9053, 0.0), "momentum": (0.9053, 0.0), "rmsprop": (-0.9363, 0.0), "adam": (-0.9363, 0.0)}
    paths = demo.paths()
    for name, (x, y) in ends.items():
        distance = float(np.hypot(*(paths[name][-1] - (x, y))))
        yield below(f"{name} ends at {_point(paths[name][-1])}: distance to ({x}, {y:g})", distance, 2e-3)
    extremes = {
        "momentum, leftmost x": (paths["momentum"][:, 0].min(), 0.1636),
        "momentum, overshoot": (paths["momentum"][:, 0].max(), 1.018),
        "Adam, overshoot": (paths["adam"][:, 0].min(), -1.038),
        "SGD, leftmost x": (paths["sgd"][:, 0].min(), 0.303),
    }
    for text, (measured, picture) in extremes.items():
        yield near(f"{text}, as digitised from the slide", measured, picture, 0.005)
    again = demo.paths(start=(-1.5, 0.5))["sgd"][-1]
    yield near("another start may be chosen: SGD from (−1.5, 0.5) finds the global minimum", again[0], -0.9363, 1e-3)


def _point(at: np.ndarray) -> str:
    return f"({at[0]:.4f}, {at[1]:.4f})"


@row("C55", "25", "The demo with bias-corrected Adam", "In its 100 steps it stops half-way", figures=("demo",))
def corrected(lab: Laboratory) -> Iterable[Claim]:
    path = demo.paths()["adam, corrected"]
    yield near("x after 100 steps", path[-1][0], 0.075, 5e-4)
    yield near("y after 100 steps", path[-1][1], 0.416, 5e-4)
    yield near("f there", demo.value(path[-1]), 0.163, 5e-4)
    yield near("x after 500 steps", demo.paths(corrected_steps=500)["adam, corrected"][-1][0], -0.9363, 1e-3)


@row("C56", "26", "SGD in stages", "η = 0.3 (1–500), 0.05 (501–900), 0.01 (901–1000): loss 0.053", figures=("S5",))
def staged(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S5")
    of, constant = lab.run("S5"), lab.run("S1")
    yield claims.share_of_seeds("below constant η = 0.3 with the same seed", of.final < constant.final, 0.9)
    same = bool((of.loss[:, :500] == constant.loss[:, :500]).all())
    yield holds("epochs 1–500 are those of η = 0.3, bit for bit: boundaries are inclusive", same)
    yield holds("and epoch 501 is not", bool((of.loss[:, 500] != constant.loss[:, 500]).all()))
    drop = [float(np.median(of.loss[:, k - 20 : k].mean(1) - of.loss[:, k : k + 20].mean(1))) for k in (500, 900)]
    yield above("median drop at epoch 500", drop[0], 0.01)
    yield within("share of seeds without an error (about three quarters)", np.mean(of.wrong[:, -1] == 0), 0.5, 0.95)


@row("C57", "26", "Adam, η = 0.03", "Loss 0.000; first epochs 1.19, 0.49, 0.65; smooth by epoch 300", figures=("S6",))
def adam_experiment(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S6")
    of = lab.run("S6")
    yield claims.share_of_seeds("final loss below 0.0005", of.final < 5e-4, 0.9)
    yield near("median number of misclassified points", np.median(measures.errors(of.wrong[:, -1])), 0, 0)
    first = [float(np.median(lab.run(id).loss[:, 0])) for id in ("S3", "S6")]
    yield ascending("first epoch: SGD, η = 0.01; Adam", *first)


@row("C58", "26", "Comparison", "Adam < SGD in stages < constant SGD", figures=("optimizers",))
def comparison(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.orders(lab, "optimizers")
    yield ascending("medians: Adam, staged, best constant", *(lab.median(id) for id in ("S6", "S5", "S1")))
