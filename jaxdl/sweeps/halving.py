"""``jaxdl.successive_halving``: many points begin, the worse of them are stopped early, and the rest go on.

A *rung* is a number of steps. All points run to the first; after each, the best 1/η of those that reached it, by their
median loss over seeds, go on to the next. What goes on does so from where it stopped, in the same program, so that the
run of a point that is never stopped is that of :func:`jaxdl.sweep` bit for bit where the layouts are the same.

This is a search. Its points do not get equal budgets, a rate that is slow at first is stopped for it, and the winner is
the best of many: report it only after fresh runs, as :func:`jaxdl.compare` makes them.

Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016,
algorithm 1; Li et al., "Hyperband", JMLR 2018, algorithm 1 with one bracket.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxdl import checks, grids, statistics
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import dataset, definition, engine, planner, runs, states
from jaxdl.sweeps.structure import ProblemFactory
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray

FIRST_RUNG = 27
"""The first rung is so small a part of a run unless the caller says otherwise: three halvings at η = 3."""


class Rung(NamedTuple):
    """``points`` points go from ``begin`` completed updates to ``end``."""

    begin: int
    end: int
    points: int


def rungs(points: int, eta: int, first: int, chunk: int, steps: int) -> list[Rung]:
    """The ladder of a search.

    Args:
      points: How many begin.
      eta: One of so many goes on, but always one.
      first: Steps to the first rung.
      chunk: Rungs lie at multiples of it.
      steps: The last rung.

    >>> [tuple(rung) for rung in rungs(points=30, eta=3, first=5, chunk=4, steps=50)]
    [(0, 8, 30), (8, 16, 10), (16, 48, 3), (48, 50, 1)]
    """
    ladder, begin, end = [], 0, first
    while begin < steps:
        stop = min(steps, -(-end // chunk) * chunk)
        ladder.append(Rung(begin, stop, points))
        begin, end, points = stop, eta * end, max(1, points // eta)
    return ladder


def successive_halving(
    problem: Problem | ProblemFactory,
    factory: OptimizerFactory | Mapping[str, OptimizerFactory],
    axes: Mapping[str, Any] | grids.Grid,
    *,
    seeds: int | Sequence[int] = 1,
    steps: int = 500,
    eta: int = 3,
    min_steps: int | None = None,
    record_every: int | None = None,
    batch: str = "shared",
    observe: Iterable[str] | Mapping[str, Observer] = (),
    memory: int | None = None,
    on_progress: Callable[[runs.Progress], None] | None = None,
) -> "xarray.Dataset":
    """Searches a grid for its best point with a part of the steps that running all of it would take.

    Args:
      problem: As for :func:`jaxdl.sweep`, like all that is not described here.
      factory: The optimizer, or several by name.
      axes: The grid; all of its points have the same length.
      seeds: How many seeds, or which; a point is judged by the median over them.
      steps: Length of the runs that are never stopped.
      eta: η ≥ 2, one of how many points goes on.
      min_steps: Where the first points are stopped; by default after 1/27 of ``steps``. Rungs lie at the ends of chunks
        of a program, at ``min_steps`` · η^k or a little later.
      record_every: Updates between records; by default ``min_steps``, but no more than 1/50 of ``steps``.
      batch: ``"shared"`` or ``"own"``.
      observe: What to watch.
      memory: Bytes that the programs may take.
      on_progress: Called after every chunk; its ``runs`` count the legs between rungs.

    Returns:
      A Dataset like that of :func:`jaxdl.sweep`, in which curves are NaN after a point was stopped, with
      ``stopped_at(*axes)``: updates that the runs of each point got. ``jaxdl.ranking.best`` puts those that went on
      before those that were stopped.

    Raises:
      ValueError: ``eta`` below 2, ``min_steps`` not in 1 … ``steps``, an axis ``steps``, or what a sweep refuses.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> found = successive_halving(problem, jaxdl.sgd, {"learning_rate": [1e-3, 1e-2, 1e-1]}, steps=27)
    >>> print(found["stopped_at"].values, jaxdl.ranking.best(found, 1)[0].values)
    [ 1  1 27] {'learning_rate': 0.1}
    """
    if not isinstance(eta, int) or eta < 2:
        raise ValueError(f"eta must be a whole number of at least 2, got {eta!r}.")
    checks.positive_integer(steps=steps)
    first = max(1, steps // FIRST_RUNG) if min_steps is None else min_steps
    checks.positive_integer(min_steps=first)
    if first > steps:
        raise ValueError(f"min_steps must be at most steps={steps}, got {first}.")
    interval = min(first, max(1, steps // 50)) if record_every is None else record_every
    defined = definition.define(
        problem, factory, axes, seeds, steps, interval, batch=batch, observe=observe, memory=memory
    )
    if "steps" in defined.grid.columns:
        raise ValueError("successive halving compares runs of one length, got an axis 'steps'.")
    records = max(1, first // interval)
    teller = runs.Teller(0, 0, on_progress)
    chosen = planner.choose(defined.cut_short(records), teller.compiled)
    study = chosen.definition.parts[0].study
    ladder = rungs(defined.grid.size, eta, first, study.chunk_steps, study.steps)
    return _Search(chosen, ladder, on_progress).run()


class _Search:
    """A search under way. Cells are numbered as in the definition: C order of (point, seed)."""

    def __init__(
        self, chosen: planner.Choice, ladder: list[Rung], on_progress: Callable[[runs.Progress], None] | None
    ) -> None:
        self._chosen, self._ladder = chosen, ladder
        self._definition = chosen.definition
        self._seeds = len(self._definition.seeds)
        self._built: dict[int, planner.Built] = {}
        self._results = self._definition.empty()
        self._reached = np.zeros(self._definition.size, np.int64)
        self._states: dict[int, list[np.ndarray]] = {}
        legs = [self._seeds * rung.points for rung in ladder]
        steps = sum(leg * (rung.end - rung.begin) for leg, rung in zip(legs, ladder, strict=True))
        self._teller = runs.Teller(steps, sum(legs), on_progress)

    def run(self) -> "xarray.Dataset":
        """All rungs."""
        self._teller.begins(self._chosen.describe())
        points = np.arange(self._definition.grid.size)
        for rung, after in zip(self._ladder, [*self._ladder[1:], None], strict=True):
            self._climb(rung, points, 0 if after is None else after.points)
            points = points if after is None else self._best(points)[: after.points]
        grid = self._definition.grid
        stopped_at = self._reached.reshape(*grid.shape, self._seeds)[..., 0]
        attributes = {"units": "updates", "long_name": "length of the runs of this point"}
        found = dataset.whole(self._definition, self._results)
        found["stopped_at"] = (grid.dims, stopped_at, attributes)
        return found.assign_attrs(search="successive halving: points had unequal budgets")

    def _climb(self, rung: Rung, points: np.ndarray, following: int) -> None:
        """Takes the runs of ``points`` up a rung, of which ``following`` points will go on."""
        for index, part in enumerate(self._definition.parts):
            cells = np.flatnonzero(np.isin(part.indices // self._seeds, points))
            if not len(cells):
                continue
            if index not in self._built:
                self._built[index] = self._chosen.build(index, self._teller.compiled)
            part, teams, _ = self._built[index]
            known = np.zeros(len(part.indices), int)
            known[cells] = rung.begin
            begun = runs.Begun(known, partial(self._read, part.indices, rung.begin))
            to_here = part.cells._replace(steps=np.full(len(part.indices), rung.end))
            for border in engine.run(part.study, teams, part.optimizer, to_here, cells.tolist(), begun=begun):
                self._take(border, part.indices[border.finished], rung.end, following)
                self._teller.landed(border)

    def _read(
        self, indices: np.ndarray, begin: int, which: np.ndarray
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """States and records of runs of a part where they stopped."""
        cells = indices[which]
        rows = 1 + begin // self._definition.parts[0].study.record_every
        leaves = [np.stack(leaf) for leaf in zip(*(self._states[cell] for cell in cells.tolist()), strict=True)]
        return leaves, {name: values[cells, :rows] for name, values in self._results.metrics.items()}

    def _take(self, border: runs.Border, cells: np.ndarray, end: int, following: int) -> None:
        """Keeps the results of ``cells``, and their states as long as their points may yet go on."""
        self._results.put(cells, border.results)
        self._reached[cells] = end
        leaves = states.of_lanes(border.flight.state, border.places) if following else []
        for row, cell in enumerate(cells.tolist()):
            self._states[cell] = [leaf[row].copy() for leaf in leaves]
        there = (self._reached.reshape(-1, self._seeds) == end).all(axis=1)
        for point in self._best(np.flatnonzero(there))[following:].tolist():
            for cell in range(point * self._seeds, (point + 1) * self._seeds):
                self._states.pop(cell, None)

    def _best(self, points: np.ndarray) -> np.ndarray:
        """Points by the median over seeds of their last loss, the smallest first."""
        metrics = self._results.metrics
        losses = metrics.get("val_loss", metrics["train_loss"])
        last = losses[np.arange(len(losses)), self._results.last_rows(losses)]
        lost = np.where(self._results.diverged_at >= 0, np.inf, last).reshape(-1, self._seeds)
        return points[np.argsort(statistics.median(statistics.losses_with_divergence(lost[points])), kind="stable")]
