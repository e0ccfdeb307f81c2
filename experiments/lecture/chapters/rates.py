"""Slides 19–21: SGD and what its learning rate does."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import claims, measures, protocol
from experiments.lecture.data import TRAINING
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, above, ascending, below, holds, near, row, within


@row("C40", "19", "SGD", "g_t = ∇L_t(θ), θ_t = θ_{t−1} − ηg_t, Δθ_t = −ηg_t")
def update(lab: Laboratory) -> Iterable[Claim]:
    eta, tx = 0.3, jaxdl.conventions.lecture.sgd(0.3)
    params, (features, labels) = protocol.init(jax.random.key(0)), protocol.arrays(TRAINING)
    state, worst = tx.init(params), 0.0
    for sample in range(5):
        g = jax.grad(protocol.loss)(params, (features[sample, None], labels[sample, None]))
        delta, state = tx.update(g, state, params)
        exact = jax.tree.map(lambda d, g: jnp.max(jnp.abs(d + eta * g)), delta, g)
        worst = max(worst, *(float(leaf) for leaf in jax.tree.leaves(exact)))
        params = jax.tree.map(jnp.add, params, delta)
    yield below("Δθ_t + ηg_t over five samples", worst, 0.0)


@row("C41", "20", "SGD, η = 0.3", "Loss 0.158; a plateau, a sudden drop, then noise", figures=("S1",))
def large(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S1")
    of = lab.run("S1")
    yield above("spiky: median largest rise of an epoch", np.median(claims.rise(of)), 0.05)
    yield claims.share_of_seeds("the second epoch is worse than the first", of.loss[:, 1] > of.loss[:, 0], 0.5)
    yield from _plateau(of)


def _plateau(of: measures.Run) -> Iterable[Claim]:
    """Read off running medians of 21 epochs: flat from epoch 100 to 200, then a fall within 50 epochs."""
    smooth = claims.running_median(of.loss)
    flat = smooth[:, 90:191]
    yield near("plateau, on the slide at about 0.38: median over epochs 100–200", np.median(flat), 0.38, 0.02)
    yield claims.share_of_seeds("there the loss changes by less than 0.05", np.ptp(flat, axis=1) < 0.05, 0.9)
    falls = smooth[:, 100:-50] - smooth[:, 150:]
    sudden = falls.max(axis=1) > 0.08
    yield claims.share_of_seeds("then it falls by more than 0.08 within 50 epochs", sudden, 0.5)
    begins = 110 + falls.argmax(axis=1)[sudden]
    yield within("begin of the fall, on the slide at about 350: among those of the seeds", 350, *_ends(begins))


def _ends(epochs: np.ndarray) -> tuple[float, float]:
    return float(epochs.min()), float(epochs.max())


@row("C42", "20", "SGD, η = 0.05", "Loss 0.258; smooth at first, then a growing comb", figures=("S2",))
def middle(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S2")
    of = lab.run("S2")
    early, late = (np.median(np.abs(np.diff(part, 2, axis=1))) for part in (of.loss[:, 50:300], of.loss[:, -250:]))
    yield ascending("jaggedness (second difference): epochs 50–300, last 250", early, late)


@row("C43", "21", "SGD, η = 0.01", "Loss 0.281; smooth; a nearly straight boundary; b7 misclassified", figures=("S3",))
def small(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S3")
    of = lab.run("S3")
    share = measures.share(of.wrong[:, -1], ("b7",))
    yield above("share of seeds that misclassify b7 and nothing else", share, 0.95)
    yield below("smooth: median largest rise of an epoch", np.median(claims.rise(of)), 0.001)


@row("C44", "21", "SGD, η = 0.01, 5000 epochs", "Loss 0.166", figures=("S4",))
def longer(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.of_line(lab, "S4")
    yield claims.share_of_seeds("below the loss after 1000 epochs", lab.run("S4").final < lab.run("S3").final, 1.0)


@row(
    "C45",
    "20–21",
    "Comparison",
    "Too large a rate oscillates, too small a one is slow; more epochs compensate",
    figures=("learning-rates",),
)
def comparison(lab: Laboratory) -> Iterable[Claim]:
    yield from claims.orders(lab, "learning-rates")
    spread = {id: claims.unrest(lab.run(id)) for id in ("S3", "S2", "S1")}
    yield ascending("standard deviation over the last 100 epochs: η = 0.01, 0.05, 0.3", *spread.values())
    below_every = bool((lab.run("S4").final < lab.run("S3").final).all())
    yield holds("5000 epochs end below 1000 for every seed", below_every)
