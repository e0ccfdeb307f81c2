"""The five tables of the lecture: printed value, our median and band over seeds, verdict, misclassified points."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from experiments.lecture import measures, studies
from experiments.lecture.data import TRAINING, VALIDATION, Points
from experiments.lecture.measures import Run

QUANTILES = (0.05, 0.95)
"""Of the band."""


class Setting(NamedTuple):
    """A line of a table.

    Attributes:
      id: S1 … E2.
      row: Of the catalogue.
      text: What was run.
      printed: The lecture's value.
      lecture: The band that the catalogue gives for it.
      run: Id of the run that it is read from.
      measure: Reads one number per seed.
      wrong: Reads the misclassified points as bits per seed.
      points: Which points those are.
      digits: Printed decimal places.
    """

    id: str
    row: str
    text: str
    printed: float
    lecture: tuple[float, float]
    run: str
    measure: Callable[[Run], np.ndarray]
    wrong: Callable[[Run], np.ndarray]
    points: Points = TRAINING
    digits: int = 3


def _final(of: Run) -> np.ndarray:
    return of.final


def _wrong(of: Run) -> np.ndarray:
    return of.wrong[:, -1]


def _of_loss(id: str, row: str, text: str, printed: float, low: float, high: float, run: str = "") -> Setting:
    return Setting(id, row, text, printed, (low, high), run or id, _final, _wrong)


def _of_stopping(id: str, row: str, text: str, printed: float, band: tuple[float, float], **how: Any) -> Setting:
    return Setting(id, row, text, printed, band, "R0", points=VALIDATION, **how)


def _last_validation(of: Run) -> np.ndarray:
    return of.val_wrong[:, -1]


def _best_validation(of: Run) -> np.ndarray:
    return measures.stop(of).val_wrong


TABLES: dict[str, tuple[str, tuple[Setting, ...]]] = {
    "learning-rates": (
        "Learning rates (学习率), slides 20–21: SGD",
        (
            _of_loss("S1", "C41", "η = 0.3, 1000 epochs", 0.158, 0.118, 0.325),
            _of_loss("S2", "C42", "η = 0.05, 1000 epochs", 0.258, 0.178, 0.299),
            _of_loss("S3", "C43", "η = 0.01, 1000 epochs", 0.281, 0.269, 0.293),
            _of_loss("S4", "C44", "η = 0.01, 5000 epochs", 0.166, 0.123, 0.264),
        ),
    ),
    "optimizers": (
        "Schedule (动态学习率) and Adam, slide 26",
        (
            _of_loss("S5", "C56", "SGD, η = 0.3, 0.05, 0.01 in stages", 0.053, 0.041, 0.150),
            _of_loss("S6", "C57", "Adam, η = 0.03", 0.000, 0.000, 0.0005),
        ),
    ),
    "l2": (
        "L2 regularisation (L2 正则化), slides 38–39: Adam, η = 0.03",
        (
            _of_loss("R0", "C82", "λ = 0", 0.000, 0.000, 0.0005),
            _of_loss("R1", "C83", "λ = 1e-4", 0.012, 0.007, 0.112),
            _of_loss("R2", "C84", "λ = 1e-3", 0.107, 0.087, 0.174),
            _of_loss("R3", "C85", "λ = 5e-3", 0.276, 0.270, 0.331),
        ),
    ),
    "dropout": (
        "Dropout (随机失活), slides 41–42: Adam, η = 0.03",
        (
            _of_loss("D0", "C88", "p = 0", 0.000, 0.000, 0.0005),
            _of_loss("D1", "C89", "p = 0.1", 0.028, 0.010, 0.242),
            _of_loss("D2", "C90", "p = 0.5", 0.210, 0.193, 0.341),
            _of_loss("D3", "C91", "p = 0.9", 0.602, 0.389, 0.657),
        ),
    ),
    "early-stopping": (
        "Early stopping (早停), slides 45–46: Adam, η = 0.03",
        (
            _of_stopping(
                "E1 train", "C95", "loss at epoch 1000", 0.000, (0.0, 0.0005), measure=_final, wrong=_last_validation
            ),
            _of_stopping(
                "E1 val",
                "C95",
                "validation loss at epoch 1000",
                1.420,
                (1.131, 1.844),
                measure=lambda of: of.val[:, -1],
                wrong=_last_validation,
            ),
            _of_stopping(
                "E2 epoch",
                "C96",
                "epoch of the smallest validation loss",
                194,
                (36, 347),
                measure=lambda of: measures.stop(of).epoch,
                wrong=_best_validation,
                digits=0,
            ),
            _of_stopping(
                "E2 train",
                "C96",
                "loss there",
                0.259,
                (0.209, 0.381),
                measure=lambda of: measures.stop(of).train,
                wrong=_best_validation,
            ),
            _of_stopping(
                "E2 val",
                "C96",
                "validation loss there",
                0.040,
                (0.034, 0.071),
                measure=lambda of: measures.stop(of).val,
                wrong=_best_validation,
            ),
        ),
    ),
}
"""Name to title and lines."""

SETTINGS = {setting.id: setting for _, lines in TABLES.values() for setting in lines}


class Line(NamedTuple):
    """A line, measured. ``inside``: whether the printed value lies in the band, at its printed precision."""

    setting: Setting
    median: float
    band: tuple[float, float]
    inside: bool
    errors: float
    wrong: str


def holds(band: tuple[float, float], value: float, digits: int) -> bool:
    """Whether a band, rounded to the printed digits, holds a printed value.

    >>> holds((0.0401, 0.2), 0.04, 3), holds((0.0406, 0.2), 0.04, 3)
    (True, False)
    """
    low, high = (round(float(edge), digits) for edge in band)
    return low <= value <= high


def line(found: studies.Studies, setting: Setting) -> Line:
    """Median, band and misclassified points of a setting over the seeds of the studies."""
    of = measures.run(found, setting.run)
    values, wrong = setting.measure(of), setting.wrong(of)
    low, high = np.quantile(values, QUANTILES)
    band = (float(low), float(high))
    return Line(
        setting,
        float(np.median(values)),
        band,
        holds(band, setting.printed, setting.digits),
        float(np.median(measures.errors(wrong))),
        measures.common(wrong, setting.points),
    )


def lines(found: studies.Studies, names: Iterable[str] = tuple(TABLES)) -> list[Line]:
    """All lines of the named tables."""
    return [line(found, setting) for name in names for setting in TABLES[name][1]]


class Ordering(NamedTuple):
    """A claim on medians, with what was measured."""

    text: str
    values: tuple[float, ...]
    true: bool


CHAINS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "learning-rates": (
        ("five times the epochs lower the loss of η = 0.01", ("S4", "S3")),
        ("η = 0.01 is slowest in 1000 epochs", ("S2", "S3")),
    ),
    "optimizers": (("Adam < staged SGD < constant SGD", ("S6", "S5", "S1")), ("… < η = 0.05", ("S6", "S5", "S2"))),
    "l2": (("the loss rises with λ", ("R0", "R1", "R2", "R3")),),
    "dropout": (("the loss rises with p", ("D0", "D1", "D2", "D3")),),
    "early-stopping": (("stopping early: a larger training loss", ("E1 train", "E2 train")),),
}
"""Settings whose medians ascend, by table; and early stopping's validation loss must fall: :func:`orderings`."""


def orderings(found: studies.Studies, names: Iterable[str] = tuple(TABLES)) -> list[Ordering]:
    """The orderings that the lecture claims, judged on medians."""
    wanted = [chain for name in names for chain in CHAINS[name]]
    if "early-stopping" in names:
        wanted.append(("stopping early: a smaller validation loss", ("E2 val", "E1 val")))
    made = []
    for text, ids in wanted:
        medians = tuple(line(found, SETTINGS[id]).median for id in ids)
        made.append(Ordering(text, medians, all(a < b for a, b in itertools.pairwise(medians))))
    return made
