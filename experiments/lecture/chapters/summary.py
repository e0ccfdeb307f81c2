"""Slides 48–51, and what holds for all experiments: one style, one meaning of "loss", one command, repeatability."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from experiments.lecture import bands, quizzes, studies, tables
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import Claim, ascending, catalogue, holds, near, row

README = Path(__file__).parents[1] / "README.md"
BULLETS = {
    "non-linear modelling": ("C09", "C11"),
    "architectures": ("C14", "C15", "C16"),
    "dynamic learning rate": ("C56",),
    "Adam": ("C53", "C57"),
    "L2": ("C85",),
    "weight decay": ("C79",),
    "dropout": ("C87",),
    "early stopping": ("C93",),
    "augmentation": ("C97",),
}
"""Slide 48's summary, to the rows that show each bullet."""


@row(
    "C98",
    "48",
    "Summary",
    "Non-linear modelling; architectures; learning rate, Adam; five regularisations",
    stands_in="each bullet has a row, and the page for teachers names its command",
)
def summary(lab: Laboratory) -> Iterable[Claim]:
    page, rows = README.read_text(encoding="utf-8"), catalogue()
    for bullet, ids in BULLETS.items():
        yield holds(f"{bullet}: {', '.join(ids)}", all(id in rows and id in page for id in ids))


@row(
    "C99",
    "49",
    "To master this week",
    "Principles, matrix and vector derivatives, norms, and tutorial-4 (T1–T9)",
    stands_in="the tutorial's nine exercises on scikit-learn's digits, tutorial.py",
)
def tutorial(lab: Laboratory) -> Iterable[Claim]:
    from experiments.lecture import tutorial

    yield from tutorial.claims()


@row(
    "C100",
    "50",
    "References",
    "Goodfellow ch. 7, 8; Qiu (邱锡鹏) ch. 7, App. B; Dive into Deep Learning 3.11–3.15, ch. 4, 7",
    stands_in="closed forms of those chapters",
)
def references(lab: Laboratory) -> Iterable[Claim]:
    yield from quizzes.closed_forms()


@row("C101", "all", "One figure style", "Decision map and loss curve for every experiment", figures=("S1",))
def one_style(lab: Laboratory) -> Iterable[Claim]:
    from experiments.lecture.figures import catalogue as figures

    wanted = {f"C{number}" for number in (*range(41, 45), 56, 57, *range(82, 86), *range(88, 92), 95, 96)}
    drawn = {id for id in wanted if any(name in figures.FIGURES for name in catalogue()[id].figures)}
    yield holds("every experiment of the tables has its two-panel figure", drawn == wanted, f"{len(drawn)} of 16")
    yield holds(
        "seven bands, the white one at the boundary", figures.LEVELS == (0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05)
    )


@row("C102", "all", "What “loss” means", "The mean of an epoch's losses while training; not the loss after the epoch")
def two_losses(lab: Laboratory) -> Iterable[Claim]:
    of = lab.run("S3")
    yield near("SGD, η = 0.01: mean while training", np.median(of.final), 0.283, 0.006)
    yield near("SGD, η = 0.01: after the epoch", np.median(of.end[:, -1]), 0.268, 0.006)
    dropped = lab.run("D3")
    pair = (np.median(dropped.end[:, -1]), np.median(dropped.final))
    yield ascending("dropout 0.9: after the epoch (dropout off) < while training (on)", *pair)


@row("C103", "all", "One command per table", "Printed value, median, band, verdict, over N seeds")
def one_command(lab: Laboratory) -> Iterable[Claim]:
    described = bands.describe(lab.studies)
    yield near("lines of the five tables", len(described["lines"]), len(tables.SETTINGS), 0)
    keys = {"printed", "median", "band", "printed_inside", "misclassified"}
    yield holds("each with printed value, median, band, verdict", all(keys <= set(line) for line in described["lines"]))
    covered = {line["row"] for line in described["lines"]}
    yield holds("C41–44, C56–57, C82–85, C88–91, C95–96", len(covered) == 16, f"{len(covered)} rows")


@row("C104", "all", "Determinism", "The same seed and precision give bit-identical curves on a CPU")
def determinism(lab: Laboratory) -> Iterable[Claim]:
    one, two = (studies.penalty(2, epochs=20) for _ in range(2))
    same = all((one[name].values == two[name].values).all() for name in ("train_loss", "end_loss"))
    yield holds("two runs of the same seeds, 20 epochs of Adam with λ, bit for bit", same)
    different = bool((one["train_loss"].isel(seed=0).values != one["train_loss"].isel(seed=1).values)[:, 1:].all())
    yield holds("and seeds differ", different)
    yield holds("in float64", one["train_loss"].dtype == np.float64, str(one["train_loss"].dtype))


@row("C105", "all", "Quizzes", "The course's questions on this lecture, each with a demonstration by numbers")
def exercise(lab: Laboratory) -> Iterable[Claim]:
    yield from quizzes.claims(lab)


@row(
    "C106", "—", "Other data in the plane", "Playground's circle, spiral, xor, gauss; moons, rings", figures=("planar",)
)
def planar(lab: Laboratory) -> Iterable[Claim]:
    from experiments.lecture import playground

    yield from playground.claims()
