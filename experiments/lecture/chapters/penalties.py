"""Slides 32–37: over-fitting, norms, and weight decay beside L2."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import contact, polynomials, protocol
from experiments.lecture.data import TRAINING
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near, row
from jaxdl import losses
from jaxdl.second_order import minimise, newton

lecture = jaxdl.conventions.lecture


@row(
    "C72",
    "32",
    "What is over-fitting?",
    "Five points, three curves; the test error falls, then rises",
    figures=("over-fitting",),
)
def over_fitting(lab: Laboratory) -> Iterable[Claim]:
    of = lab.run("R0")
    best = of.val.argmin(axis=1)
    yield above("median epoch N of the smallest validation loss (arg-min, found by itself)", np.median(best + 1), 10)
    before, at, after = (np.median(of.val[:, 0]), np.median(of.val.min(axis=1)), np.median(of.val[:, -1]))
    yield ascending("validation loss at N, and at the first epoch", at, before)
    yield ascending("validation loss at N, and at the last epoch", at, after)
    yield ascending(
        "while the training loss ends below that at N",
        np.median(of.final),
        np.median(of.loss[np.arange(len(best)), best]),
    )


@row("C73", "32–33", "Remedies", "L1/L2, weight decay, dropout; early stopping, augmentation", figures=("remedies",))
def remedies(lab: Laboratory) -> Iterable[Claim]:
    from experiments.lecture import remedies as training

    yield from training.claims()


@row("C74", "34", "Polynomials", "f(x) = w₀ + w₁x + … + w_n xⁿ")
def polynomial(lab: Laboratory) -> Iterable[Claim]:
    x = np.linspace(-1, 1, 9)
    for degree in (0, 1, 3, 7):
        w = np.random.default_rng(degree).standard_normal(degree + 1)
        y = sum(coefficient * x**power for power, coefficient in enumerate(w))
        found = polynomials.fit(x, y, degree)
        yield below(f"degree {degree}: coefficients found again", np.abs(found - w).max(), 1e-9)
        step = minimise(
            lambda v, y=y: jnp.sum((jnp.polyval(v[::-1], x) - y) ** 2), jnp.zeros(len(w)), method=newton(), steps=1
        )
        yield below(f"degree {degree}: as one of Newton's steps finds them", np.abs(step.params - w).max(), 1e-9)


@row(
    "C75", "34", "Small w₃, w₄, w₅", "Then a polynomial of degree 5 is nearly one of degree 2", figures=("polynomials",)
)
def small_coefficients(lab: Laboratory) -> Iterable[Claim]:
    x, y = polynomials.points()
    fits = [polynomials.fit(x, y, 5, penalty) for penalty in (0.0, 1e-3, 1e-1, 10.0)]
    sizes = [float(np.linalg.norm(w[3:])) for w in fits]
    yield ascending("‖(w₃, w₄, w₅)‖ for λ = 10, 0.1, 0.001, 0", *sizes[::-1])
    ticks = np.linspace(-1, 1, 201)
    for w in fits[1:]:
        gap = np.abs(polynomials.value(w, ticks) - polynomials.value(w[:3], ticks)).max()
        yield below("max |f₅ − f₂| on [−1, 1], of Σ|w₃|, |w₄|, |w₅|", gap / np.abs(w[3:]).sum(), 1.0 + 1e-12)


@row("C76", "35", "The regularised objective", "Σ (1/m) L + λ L_p(θ), p = 1 or 2")
def objective(lab: Laboratory) -> Iterable[Claim]:
    theta = jnp.array([3.0, -4.0])
    slopes = {
        "‖θ‖₁": (lambda t: losses.norm(t, 1), jnp.sign(theta)),
        "‖θ‖₂, as printed": (lambda t: losses.norm(t, 2), theta / 5),
        "½‖θ‖², as in the experiments": (losses.l2_penalty, theta),
        "‖θ‖²": (lambda t: 2 * losses.l2_penalty(t), 2 * theta),
    }
    for name, (penalty, expected) in slopes.items():
        measured = jax.grad(penalty)(theta)
        yield below(f"gradient of {name} is {np.asarray(expected).tolist()}", jnp.abs(measured - expected).max(), 1e-12)
    params, data = protocol.init(jax.random.key(0)), protocol.arrays(TRAINING)
    added, _ = jaxdl.add_l2_gradient(5e-3).update(g := jax.grad(protocol.loss)(params, data), (), params)
    whole = jax.grad(lambda p: protocol.loss(p, data) + 5e-3 * losses.l2_penalty(p))(params)
    worst = max(float(jnp.abs(a - b).max()) for a, b in zip(*map(jax.tree.leaves, (added, whole)), strict=True))
    yield below("λθ added to the gradient is the gradient of L + ½ λ‖θ‖²", worst, 1e-15)
    yield holds("and is not the gradient of L", bool((added["w1"] != g["w1"]).any()))


@row("C77", "35", "L2 ball and L1 diamond", "L1 sets parameters to 0, L2 does not", figures=("contact",))
def sparsity(lab: Laboratory) -> Iterable[Claim]:
    weight = 1.0
    l1, l2 = contact.lasso(weight), contact.ridge(weight)
    yield near("L1: the second coordinate is exactly 0", l1[1], 0.0, 0.0)
    yield above("L2 at the same λ: it is not", abs(l2[1]), 0.05)
    yield above("without a penalty: it is not", abs(contact.MINIMUM[1]), 0.05)
    yield below("soft threshold against minimisation on a fine grid", np.abs(l1 - contact.by_grid(weight)).max(), 2e-3)


@row("C78", "36", "Norms", "‖x‖_p; ‖x‖₁, ‖x‖₂, ‖x‖_∞; ‖x‖₀ counts", figures=("balls",))
def norms(lab: Laboratory) -> Iterable[Claim]:
    x = jnp.array([3.0, -4.0, 0.0])
    for p, expected in ((1, 7), (2, 5), (np.inf, 4), (0, 2), (3, 4.4979)):
        yield near(f"‖(3, −4, 0)‖ for p = {p}", losses.norm(x, p), expected, 5e-5)
    yield near("p = 200 is nearly p = ∞", losses.norm(x, 200), 4.0, 1e-6)
    yield near("‖2x‖₀ = ‖x‖₀: not homogeneous, no norm", losses.norm(2 * x, 0), 2, 0)


def _paths(one: object, two: object, steps: int = 200) -> float:
    """Largest difference of two rules' parameters along a run on the thirteen points, samples in order."""
    data = protocol.arrays(TRAINING)

    def run(tx: object) -> jax.Array:
        problem = protocol.problem()._replace(data={"train": data, "val": data})
        _, curves = jaxdl.train(problem, tx, jax.random.key(0), steps, record_every=10, snapshots=20, evaluated=False)
        return jnp.concatenate([leaf.reshape(len(leaf), -1) for leaf in jax.tree.leaves(curves.snapshots)], axis=1)

    return float(jax.jit(lambda: jnp.abs(run(one) - run(two)).max())())


@row("C79", "37", "Weight decay", "θ_t = (1 − λ)θ_{t−1} − ηg_t")
def weight_decay(lab: Laboratory) -> Iterable[Claim]:
    theta, g, eta, decay = jnp.array([2.0, -1.0]), jnp.array([0.5, 3.0]), 0.1, 0.02
    for text, tx, expected in (
        ("the slide's: λ is not times η", lecture.sgd_with_weight_decay(eta, decay), (1 - decay) * theta - eta * g),
        (
            "AdamW's: (1 − ηλ)",
            jaxdl.chain(jaxdl.add_decayed_weights(decay), jaxdl.sgd(eta)),
            (1 - eta * decay) * theta - eta * g,
        ),
    ):
        delta, _ = tx.update(g, tx.init(theta), theta)
        yield below(text, jnp.abs(theta + delta - expected).max(), 1e-15)


@row("C80", "37", "Equivalence in plain SGD", "(1 − λ)θ − ηg = θ − (ηg + λθ)")
def equivalence(lab: Laboratory) -> Iterable[Claim]:
    eta, weight = 0.1, 0.02
    coupled = jaxdl.chain(jaxdl.add_l2_gradient(weight), jaxdl.sgd(eta))
    same = _paths(lecture.sgd_with_weight_decay(eta, eta * weight), coupled)
    yield below("λ_decay = η λ_L2 with ½ λ‖θ‖²: difference along 200 steps", same, 1e-12)
    twice = jaxdl.chain(jaxdl.add_l2_gradient(2 * weight), jaxdl.sgd(eta))
    yield below("2 η λ with λ‖θ‖²", _paths(lecture.sgd_with_weight_decay(eta, 2 * eta * weight), twice), 1e-12)
    halved = jaxdl.schedules.piecewise_constant(eta, {100: 0.5})
    pair = (
        lecture.sgd_with_weight_decay(halved, eta * weight),
        jaxdl.chain(jaxdl.add_l2_gradient(weight), jaxdl.sgd(halved)),
    )
    yield above("it breaks when η changes", _paths(*pair), 1e-4)
    theta = jnp.array([3.0, -4.0])
    gap = jax.grad(lambda t: losses.norm(t, 2))(theta) - theta
    yield above("and for the norm itself, whose gradient is θ/‖θ‖", jnp.abs(gap).max(), 1.0)


@row("C81", "37", "Not equivalent in Adam", "Nor with momentum or RMSProp")
def no_equivalence(lab: Laboratory) -> Iterable[Claim]:
    from jaxdl.transforms import shrink

    eta, weight = 0.01, 0.05
    for name, rule in (("Adam", jaxdl.adam(eta)), ("momentum", jaxdl.momentum(eta)), ("RMSProp", jaxdl.rmsprop(eta))):
        coupled = jaxdl.chain(jaxdl.add_l2_gradient(weight), rule)
        decoupled = jaxdl.chain(rule, shrink.shrink_weights(weight, eta))
        yield above(f"{name}: largest difference of a parameter in 200 steps", _paths(coupled, decoupled), 1e-3)
