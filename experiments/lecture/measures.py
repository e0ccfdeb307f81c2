"""What the tables read off the curves of a study: numbers per seed."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.lecture import protocol, studies
from experiments.lecture.data import TRAINING, Points

if TYPE_CHECKING:
    import xarray

POINTS = {
    **{id: ("descent", place) for place, id in enumerate((*studies.RATES, "S5"))},
    **{id: ("penalty", place) for place, id in enumerate(studies.PENALTIES)},
    **{id: ("dropout", place) for place, id in enumerate(studies.DROPOUTS)},
    "S6": ("penalty", 0),
}
"""Where each setting of the lecture lies: its study and its point there."""


class Run(NamedTuple):
    """Curves of one setting, an epoch a column, without the record before the first epoch; shape ``(seeds, epochs)``.

    ``loss``: mean while training. ``end``: loss after each epoch, dropout off. ``wrong``: misclassified training points
    as bits, likewise. ``val``, ``val_wrong``: of the validation points.
    """

    loss: np.ndarray
    end: np.ndarray
    wrong: np.ndarray
    val: np.ndarray
    val_wrong: np.ndarray

    @property
    def final(self) -> np.ndarray:
        """The loss of the last epoch, as the lecture prints it; shape ``(seeds,)``."""
        return self.loss[:, -1]


class Stop(NamedTuple):
    """At the epoch of the smallest validation loss, per seed; epochs count from 1."""

    epoch: np.ndarray
    train: np.ndarray
    val: np.ndarray
    val_wrong: np.ndarray


def run(found: studies.Studies, id: str) -> Run:
    """The curves of setting S1 … S6, R0 … R3 or D0 … D3."""
    study, place = POINTS[id]
    data: xarray.Dataset = getattr(found, study).isel(point=place)
    epochs = int(data["steps"]) // protocol.EPOCH if "steps" in data.coords else data.sizes["step"] - 1
    names = ("train_loss", "end_loss", "end_wrong", "val_loss", "val_wrong")
    return Run(*(data[name].values[:, 1 : epochs + 1] for name in names))


def stop(of: Run) -> Stop:
    """Early stopping as the lecture's experiment does it: the best epoch of the whole run (arg-min, not patience)."""
    best = of.val.argmin(axis=1)
    seeds = np.arange(len(best))
    return Stop(best + 1, of.loss[seeds, best], of.val[seeds, best], of.val_wrong[seeds, best])


def errors(bits: np.ndarray) -> np.ndarray:
    """How many points are misclassified, from their bits.

    >>> print(errors(np.array([0.0, 5.0])))
    [0 2]
    """
    return np.array([int(value).bit_count() for value in np.ravel(bits)]).reshape(np.shape(bits))


def names(bits: float, points: Points = TRAINING) -> tuple[str, ...]:
    """Which points are misclassified.

    >>> names(2.0**12 + 1)
    ('c1', 'b7')
    """
    return tuple(name for place, name in enumerate(points.names) if int(bits) >> place & 1)


def share(bits: np.ndarray, expected: tuple[str, ...], points: Points = TRAINING) -> float:
    """The share of seeds that misclassify exactly the ``expected`` points."""
    return float(np.mean([names(value, points) == expected for value in bits]))


def common(bits: np.ndarray, points: Points = TRAINING) -> str:
    """The misclassified points that most seeds agree on, with the share of those seeds: ``b7 (95 %)``."""
    values, counts = np.unique(bits, return_counts=True)
    most = int(counts.argmax())
    return f"{' '.join(names(values[most], points)) or 'none'} ({100 * counts[most] / len(bits):.0f} %)"
