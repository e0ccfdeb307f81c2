"""Claims that every line of a table makes, and the shape of its curves."""

from collections.abc import Iterable

import numpy as np

from experiments.lecture import tables
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.measures import Run
from experiments.lecture.registry import Claim, holds, within


def of_line(lab: Laboratory, id: str) -> Iterable[Claim]:
    """A line of a table: our median in the stored band and in the catalogue's, the printed value in the stored band."""
    setting, stored = tables.SETTINGS[id], lab.bands[id]
    median = tables.line(lab.studies, setting).median
    digits = setting.digits
    yield _rounded(f"{id}: median in our band of 200 seeds", median, (stored.low, stored.high), digits)
    yield _rounded(f"{id}: median in the catalogue's band", median, setting.lecture, digits)
    inside = tables.holds((stored.low, stored.high), setting.printed, digits)
    band = f"[{stored.low:.{digits}f}, {stored.high:.{digits}f}]"
    yield Claim(f"{id}: the printed value lies in our band", setting.printed, band, inside)


def _rounded(text: str, median: float, band: tuple[float, float], digits: int) -> Claim:
    """Whether a median lies in a band, all of them at the printed precision."""
    low, high = (round(edge, digits) for edge in band)
    return within(text, round(median, digits), low, high)


def orders(lab: Laboratory, table: str) -> Iterable[Claim]:
    """The orderings of a table, on medians."""
    for ordering in tables.orderings(lab.studies, (table,)):
        values = " < ".join(f"{value:.3f}" for value in ordering.values)
        yield Claim(ordering.text, values, "each median below the next", ordering.true)


def rise(of: Run) -> np.ndarray:
    """The largest rise of the loss from one epoch to the next, per seed."""
    largest: np.ndarray = np.diff(of.loss, axis=1).max(axis=1)
    return largest


def running_median(curves: np.ndarray, width: int = 21) -> np.ndarray:
    """Medians of ``width`` epochs, which leave out spikes; shape ``(seeds, n)`` to ``(seeds, n − width + 1)``.

    >>> print(running_median(np.array([[1.0, 9.0, 2.0, 3.0]]), 3))
    [[2. 3.]]
    """
    medians: np.ndarray = np.median(np.lib.stride_tricks.sliding_window_view(curves, width, axis=1), axis=2)
    return medians


def unrest(of: Run) -> float:
    """Median over seeds of the standard deviation of the loss over the last 100 epochs."""
    return float(np.median(of.loss[:, -100:].std(axis=1)))


def share_of_seeds(text: str, truths: np.ndarray, least: float) -> Claim:
    """Holds for at least a share of the seeds."""
    share = float(np.mean(truths))
    return holds(f"{text} (share of seeds ≥ {least:g})", share >= least, share)
