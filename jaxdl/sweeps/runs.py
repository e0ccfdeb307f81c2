"""What is asked for, what came of it, and what is under way: the data that a study's parts hand each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from jaxdl.stepping import TrainState
from jaxdl.sweeps import slots
from jaxdl.sweeps.lanes import Lane, Study, lane_dtype


class Cells(NamedTuple):
    """What is to be run: columns of length n.

    ``factory`` and ``problem``: float arguments of the optimizer's factory and of the problem. ``seeds``: numbers that
    make the keys. ``steps``: horizons. ``identities``: uint32, which tell batches apart where lanes draw their own.
    """

    factory: Mapping[str, np.ndarray]
    problem: Mapping[str, np.ndarray]
    seeds: np.ndarray
    steps: np.ndarray
    identities: np.ndarray

    @classmethod
    def of(
        cls, study: Study, points: Mapping[str, np.ndarray], seeds: ArrayLike, pairs: Sequence[tuple[int, int]]
    ) -> "Cells":
        """Pairs of indices into the columns of ``points`` and into ``seeds``, as cells of full length."""
        point, seed = (np.array([pair[i] for pair in pairs], int) for i in (0, 1))
        columns = {name: np.asarray(column)[point] for name, column in points.items()}
        steps = np.full(len(pairs), study.steps)
        return cls(columns, {}, np.asarray(seeds)[seed], steps, point.astype(np.uint32))

    def some(self, which: np.ndarray) -> "Cells":
        """A selection."""
        factory, problem = ({n: c[which] for n, c in columns.items()} for columns in (self.factory, self.problem))
        return Cells(factory, problem, self.seeds[which], self.steps[which], self.identities[which])

    def lane(self, study: Study, which: np.ndarray) -> Lane:
        """Arguments of lanes, from indices of cells of any shape; NumPy, which programs put where they want it."""
        # A JAX operation here would cost a millisecond.
        factory, problem = (
            {name: np.asarray(column[which], lane_dtype(column)) for name, column in columns.items()}
            for columns in (self.factory, self.problem)
        )
        steps = self.steps[which].astype(np.int32) if study.horizons else None
        return Lane(factory, problem, self.identities[which].astype(np.uint32), steps)


class Results(NamedTuple):
    """Records of runs. ``metrics``: name to ``(n, R + 1)``, NaN after a run's end and after divergence.
    ``diverged_at``: ``(n,)``, −1 where a run stayed healthy.
    """

    metrics: dict[str, np.ndarray]
    diverged_at: np.ndarray

    def some(self, which: np.ndarray) -> "Results":
        """A selection."""
        return Results({name: values[which] for name, values in self.metrics.items()}, self.diverged_at[which])

    def last_rows(self, values: np.ndarray) -> np.ndarray:
        """Index of the last record of each run in ``values``, ``(n, R + 1)``; some end before the longest."""
        finite = ~np.isnan(values)
        last: np.ndarray = values.shape[1] - 1 - np.argmax(finite[:, ::-1], axis=1)
        return last

    def put(self, which: np.ndarray, found: "Results") -> None:
        """Enters results of the runs ``which``; a metric that is new gets room filled with NaN."""
        for name, values in found.metrics.items():
            column = self.metrics.get(name)
            if column is None:
                column = self.metrics[name] = np.full((len(self.diverged_at), values.shape[1]), np.nan, values.dtype)
            column[which] = values
        self.diverged_at[which] = found.diverged_at


def of_length(values: np.ndarray, rows: int) -> np.ndarray:
    """Curves ``(…, R + 1)`` cut to ``rows`` records, or continued with NaN.

    >>> of_length(np.array([1.0, 2.0]), 3), of_length(np.array([1.0, 2.0]), 1)
    (array([ 1.,  2., nan]), array([1.]))
    """
    lacking = max(0, rows - values.shape[-1])
    longer = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, lacking)], constant_values=np.nan)
    return longer[..., :rows]


class Progress(NamedTuple):
    """How far a study is.

    ``phase``: ``"compiling"``, where ``done`` and ``total`` count programs, or ``"running"``, where they count
    lane-steps. ``runs`` of ``all_runs`` are over, ``diverged`` of them lost. ``best``: smallest final validation loss
    so far, or training loss where nothing is evaluated. ``plan``: how the study is run, in one line, once it is known.
    """

    phase: str
    done: int
    total: int
    runs: int
    all_runs: int
    diverged: int = 0
    best: float | None = None
    plan: str = ""

    def after(self, border: "Border") -> "Progress":
        """With what a chunk brought."""
        metrics = border.results.metrics
        losses = metrics.get("val_loss", metrics.get("train_loss"))
        best = self.best
        if losses is not None and np.isfinite(losses).any():
            ended = losses[np.arange(len(losses)), border.results.last_rows(losses)]
            ended = ended[np.isfinite(ended) & (border.results.diverged_at < 0)]
            best = min([*ended.tolist(), *([] if best is None else [best])], default=None)
        return self._replace(
            phase="running",
            done=self.done + border.steps,
            runs=self.runs + len(border.finished),
            diverged=self.diverged + int((border.results.diverged_at >= 0).sum()),
            best=best,
        )


class Teller:
    """Keeps the :class:`Progress` of a study, and tells it to whoever wants to know."""

    def __init__(self, lane_steps: int, all_runs: int, tell: Callable[[Progress], None] | None) -> None:
        self._progress = Progress("running", 0, lane_steps, 0, all_runs)
        self._tell = tell or (lambda progress: None)

    def compiled(self, done: int, total: int) -> None:
        """Programs are compiled; what was said about runs still holds."""
        self._tell(self._progress._replace(phase="compiling", done=done, total=total))

    def begins(self, plan: str, done: int = 0, runs: int = 0) -> None:
        """The plan is known, and what is there already."""
        self._progress = self._progress._replace(plan=plan, done=done, runs=runs)
        self._tell(self._progress)

    def flown(self, steps: int) -> None:
        """Lanes go on that had done ``steps`` updates."""
        self._progress = self._progress._replace(done=self._progress.done + steps)

    def landed(self, border: "Border") -> None:
        """A chunk is over."""
        self._progress = self._progress.after(border)
        self._tell(self._progress)


class Begun(NamedTuple):
    """Runs of which a part is already known.

    ``steps``: completed updates of every cell, 0 where it is to be begun. ``read``: from indices of cells (m,) to their
    training states, as ``states.of_lanes`` gives them, and their records so far, name to ``(m, rows)``.
    """

    steps: np.ndarray
    read: Callable[[np.ndarray], tuple[list[np.ndarray], Mapping[str, np.ndarray]]]


class Flight(NamedTuple):
    """Lanes between two chunks, all that is needed to go on: arrays only, on the host or on the devices.

    ``state``: the training states. ``records``: what was recorded so far, name to ``(groups, width, R + 1)``.
    ``diverged_at``: ``(groups, width)``. ``alive``: lanes that go on.
    """

    slots: slots.Slots
    state: TrainState
    records: dict[str, np.ndarray]
    diverged_at: np.ndarray
    alive: np.ndarray


class Border(NamedTuple):
    """What a chunk of a team brought.

    ``finished``: indices of cells, with their ``results`` in that order and their ``places`` (flat) in
    ``flight.state``. ``flight``: all lanes of the team. ``steps``: updates that were made, over all lanes.
    """

    team: int
    finished: np.ndarray
    results: Results
    places: np.ndarray
    flight: Flight
    steps: int
