"""What a study is, worked out before anything runs: its grid, its seeds, and the cells of every program.

A *cell* is one run: a point of the grid with one seed. Cells are numbered in C order of (point, seed). A *part* is the
cells that share one compiled program.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxdl import checks, grids, labels, memory, recording, training
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import dependence, plan, refusals, runs, structure, work
from jaxdl.sweeps.lanes import Lane, Study
from jaxdl.sweeps.plan import Demand, Layout
from jaxdl.sweeps.structure import PROBLEM, ProblemFactory, Structure
from jaxdl.typing import OptimizerFactory

BATCHES = ("shared", "own")
"""Whether the runs of a seed see the same batches, or every point its own."""


class Part(NamedTuple):
    """Cells that share one program. ``indices``: their numbers; ``cells``: the same as the engine wants them.

    ``settled``: whether cells have run, so that the layout must stay as it is.
    """

    study: Study
    structure: Structure
    factories: dict[str, OptimizerFactory]
    indices: np.ndarray
    cells: runs.Cells
    settled: bool = False

    @property
    def optimizer(self) -> str:
        """Name of the only factory."""
        return self.structure.optimizer

    @property
    def knows_its_length(self) -> bool:
        """Whether the optimizer is told the number of steps, so that a longer run is another one from the start."""
        made = self.factories[self.optimizer]
        return "steps" in self.cells.factory or (isinstance(made, partial) and "steps" in made.keywords)

    @property
    def lane(self) -> Lane:
        """What lanes set, for ``programs.build``."""
        return self.cells.lane(self.study, np.array(0))


class Definition(NamedTuple):
    """A study. ``teams``: on how many devices each program runs, each for itself. ``attributes``: for the Dataset.

    For the planner: ``work`` and ``demand`` of the largest part; ``given``: whether the layout must stay as it is;
    ``memory``: bytes that the study may take, None for a part of what is free. ``longest_chunk``: most records of one.
    """

    grid: grids.Grid
    seeds: np.ndarray
    parts: list[Part]
    teams: int
    attributes: dict[str, Any]
    work: work.Work
    demand: Demand
    given: bool
    memory: int | None
    longest_chunk: int | None = None

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.grid.size * len(self.seeds)

    @property
    def lane_steps(self) -> int:
        """Updates of all cells."""
        return sum(int(part.cells.steps.sum()) for part in self.parts)

    @property
    def room(self) -> int:
        """Lanes for which there is memory, at a guess; what layouts take exactly is known when they are compiled."""
        # At a border with newcomers there are three states of a lane.
        lane = 3 * self.work.state + self.work.written
        return max(1, int(memory.budget(self.memory) / (self.demand.devices * lane)))

    def empty(self) -> runs.Results:
        """Room for the results of all cells."""
        return runs.Results({}, np.full(self.size, -1, np.int32))

    def cut_short(self, records: int) -> "Definition":
        """The study with chunks of at most so many records."""
        return self._replace(longest_chunk=records).laid_out(self.parts[0].study.layout)

    def laid_out(self, layout: Layout, records: int | None = None) -> "Definition":
        """The study with ``layout`` in every part, and chunks of so many records, or to match."""
        if records is None:
            records = plan.chunk_records(layout, self.demand, self.parts[0].study.record_every, self.longest_chunk)
        studies = [part.study._replace(layout=layout, chunk_records=records) for part in self.parts]
        parts = [part._replace(study=study) for part, study in zip(self.parts, studies, strict=True)]
        return self._replace(parts=parts, teams=self.demand.teams(layout.width))


def define(
    problem: Problem | ProblemFactory,
    factory: OptimizerFactory | Mapping[str, OptimizerFactory],
    axes: Mapping[str, Any] | grids.Grid,
    seeds: int | Sequence[int],
    steps: int,
    record_every: int | None = None,
    *,
    evaluated: bool = True,
    divergence_factor: float = training.DIVERGENCE_FACTOR,
    batch: str = "shared",
    exact: bool = False,
    observe: Iterable[str] | Mapping[str, Observer] = (),
    memory: int | None = None,
    layout: Layout | None = None,
    chunk_records: int | None = None,
) -> Definition:
    """Checks and sorts what :func:`jaxdl.sweep` is given; its arguments are described there.

    ``layout``, of one team, and ``chunk_records``, of an earlier part of the same study, are kept whatever the planner
    would say: a lane's last bits depend on the layout, and lanes in flight on the chunks.
    """
    checks.known("batch", batch, BATCHES)
    numbers = seed_numbers(seeds)
    refusals.divergence_factor(divergence_factor)
    factories = dict(factory) if isinstance(factory, Mapping) else {_name(factory): factory}
    refusals.functions(problem, factories)
    grid = _grid(axes, list(factories) if isinstance(factory, Mapping) else None)
    horizons = np.asarray(grid.columns.get("steps", np.full(grid.size, steps)))
    common = {**_lengths(horizons, record_every), "observe": _watched(observe), "own_batches": batch == "own"}
    common |= {"evaluated": evaluated, "divergence_factor": divergence_factor}
    parts = [
        _part(_study(problem, of, grid, common), of, factories[of.optimizer], grid, horizons, numbers)
        for of in structure.structures(grid, factories, problem)
    ]
    cost, demand = _demand(parts, len(numbers))
    refusals.names(grid.columns, cost.records)
    names = ", ".join(dict.fromkeys(part.optimizer for part in parts))
    attributes = {"optimizer": names, "batch": batch, "exact": int(exact)}
    made = Definition(grid, numbers, parts, 1, attributes, cost, demand, layout is not None or exact, memory)
    if layout is None:
        layout = plan.exact(demand) if exact else plan.cut(plan.shapes(cost.written, demand, made.room)[0], demand)
    return made.laid_out(layout, chunk_records)


def seed_numbers(seeds: int | Sequence[int], first: int = 0) -> np.ndarray:
    """Seeds as an int64 array: ``first``, ``first + 1``, … where only their number is given.

    Raises:
      ValueError: fewer than one, negative, repeated, or not whole numbers.
    """
    if isinstance(seeds, int | np.integer):
        checks.positive_integer(seeds=seeds)
        return np.arange(first, first + seeds)
    numbers = np.asarray(seeds)
    valid = numbers.ndim == 1 and numbers.size and numbers.dtype.kind in "iu" and numbers.min() >= 0
    if not valid or len(np.unique(numbers)) != len(numbers) or numbers.max() >= 2**32:
        raise ValueError(f"seeds must be a number or a list of different whole numbers in [0, 2**32), got {seeds!r}.")
    return numbers.astype(np.int64)


def _watched(observe: Iterable[str] | Mapping[str, Observer]) -> tuple[str, ...] | Mapping[str, Observer]:
    if isinstance(observe, str):
        raise ValueError(f"observe must be a list of names, such as ({observe!r},), got {observe!r}.")
    return observe if isinstance(observe, Mapping) else tuple(observe)


def _name(factory: Callable[..., Any]) -> str:
    inner = factory.func if isinstance(factory, partial) else factory
    return str(getattr(inner, "__name__", type(inner).__name__))


def _grid(axes: Mapping[str, Any] | grids.Grid, several: list[str] | None) -> grids.Grid:
    """The grid, across the names of several optimizers where it does not say which is whose."""
    if not isinstance(axes, grids.Grid):
        if not axes:
            raise ValueError("a sweep needs at least one axis, such as {'learning_rate': [0.01, 0.1]}, got none.")
        if not isinstance(axes, Mapping):
            raise ValueError(f"axes must be a dictionary or a grid of jaxdl.grids, got a {type(axes).__name__}.")
        axes = grids.product(axes)
    if several is not None and "optimizer" not in axes.columns:
        axes = grids.across(axes, "optimizer", several)
    refusals.told_apart(axes)
    return axes


def _lengths(horizons: np.ndarray, record_every: int | None) -> dict[str, Any]:
    """What a study says about the lengths of its runs."""
    interval = _interval(horizons, record_every)
    differ = bool((horizons != horizons[0]).any())
    return {"steps": int(horizons.max()), "record_every": interval, "horizons": differ}


def _interval(horizons: np.ndarray, record_every: int | None) -> int:
    """Steps between records; where runs differ in length, each must end with a record."""
    for steps in dict.fromkeys(horizons.tolist()):
        checks.positive_integer(steps=steps)
    if (horizons == horizons[0]).all():
        return recording.record_interval(int(horizons[0]), record_every)
    common = int(np.gcd.reduce(horizons.astype(np.int64)))
    if record_every is not None:
        interval = recording.record_interval(int(horizons.max()), record_every)
        if common % interval:
            raise ValueError(
                f"steps must be multiples of record_every={interval}, got {sorted(set(horizons.tolist()))}."
            )
        return interval
    most = max(1, int(horizons.max()) // recording.RECORDS)
    return max(divisor for divisor in range(1, min(most, common) + 1) if common % divisor == 0)


def _problem_arguments(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(PROBLEM): value for name, value in columns.items() if name.startswith(PROBLEM)}


def _study(problem: Problem | ProblemFactory, of: Structure, grid: grids.Grid, common: Mapping[str, Any]) -> Study:
    """What the lanes of a structure have in common: with its problem, made of its arguments."""
    fixed, lanes = _problem_arguments(of.fixed), _problem_arguments(of.lanes)
    if isinstance(problem, Problem):
        return Study(problem=problem, layout=plan.flat(1, 1), **common)
    make = partial(problem, **fixed)
    first = {name: grid.columns[PROBLEM + name][int(of.points[0])] for name in lanes}
    return Study(
        problem=problem(**fixed, **first),
        layout=plan.flat(1, 1),
        make_problem=make if lanes else None,
        varying=dependence.lane_data(make, lanes) if lanes else None,
        **common,
    )


def _demand(parts: list[Part], seeds: int) -> tuple[work.Work, Demand]:
    """What a lane of the largest part costs, and what that part asks for."""
    lead = max(parts, key=lambda part: len(part.indices))
    cost = work.of_lane(lead.study, lead.factories[lead.optimizer], lead.lane)
    points, devices = len(lead.structure.points), jax.local_device_count()
    return cost, Demand(points, seeds, lead.study.steps, cost.seconds(), devices)


def _part(
    study: Study,
    of: Structure,
    factory: OptimizerFactory,
    grid: grids.Grid,
    horizons: np.ndarray,
    seeds: np.ndarray,
) -> Part:
    """The cells of a structure: its points, each with every seed."""
    points, which = np.repeat(of.points, len(seeds)), np.tile(np.arange(len(seeds)), len(of.points))
    columns = {name: refusals.cast(name, grid.columns[name], dtype)[points] for name, dtype in of.lanes.items()}
    to = structure.destinations(columns, factory)
    fixed = structure.destinations({k: v for k, v in of.fixed.items() if k != "steps"}, factory).optimizer
    if "steps" in of.fixed and "steps" in structure.destinations({"steps": 0}, factory).optimizer:
        fixed["steps"] = of.fixed["steps"]
    made = partial(factory, **fixed) if fixed else factory
    identities = np.array([_identity(grid, point) for point in of.points], np.uint32)
    cells = runs.Cells(to.optimizer, to.problem, seeds[which], horizons[points], np.repeat(identities, len(seeds)))
    return Part(study, of, {of.optimizer: made}, points * len(seeds) + which, cells)


def _identity(grid: grids.Grid, point: int) -> int:
    """A number for a point that depends on its values alone: not on the grid around it, nor on how long it runs."""
    values = {n: labels.column(column[point : point + 1])[0] for n, column in grid.columns.items() if n != "steps"}
    return zlib.crc32(json.dumps(values, sort_keys=True).encode())
