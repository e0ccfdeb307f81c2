"""What rows share while they are checked: the studies, run once, and the stored bands."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from experiments.lecture import bands, measures, studies

if TYPE_CHECKING:
    from experiments.lecture.bands import Band
    from experiments.lecture.measures import Run

SEEDS = 20


class Laboratory:
    """Runs what rows ask for, when they first ask."""

    def __init__(self, seeds: studies.Seeds = SEEDS) -> None:
        self.seeds = seeds

    @functools.cached_property
    def studies(self) -> studies.Studies:
        """The three studies of the tables."""
        return studies.run(self.seeds)

    @functools.cached_property
    def bands(self) -> "dict[str, Band]":
        """Our stored bands."""
        return bands.read()

    def run(self, id: str) -> "Run":
        """The curves of a setting."""
        return measures.run(self.studies, id)

    def median(self, id: str) -> float:
        """The median loss of the last epoch of a setting."""
        return float(np.median(self.run(id).final))

    def seed(self, place: int) -> int:
        """The seed at a place of the studies' curves."""
        return int(self.studies.penalty["seed"].values[place])

    def typical(self, values: np.ndarray) -> int:
        """The seed whose value, of one value per seed, lies nearest the median."""
        return self.seed(int(np.abs(values - np.median(values)).argmin()))
