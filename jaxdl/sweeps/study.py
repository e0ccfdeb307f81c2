"""``jaxdl.sweep``: optimizers over a grid and over seeds, in one compiled program per structure."""

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jaxdl import checks, grids, training
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import dataset, engine, planner, record, runs
from jaxdl.sweeps.audit import audit as audited
from jaxdl.sweeps.definition import Definition, define
from jaxdl.sweeps.structure import ProblemFactory
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray


def sweep(
    problem: Problem | ProblemFactory,
    factory: OptimizerFactory | Mapping[str, OptimizerFactory],
    axes: Mapping[str, Any] | grids.Grid,
    *,
    seeds: int | Sequence[int] = 5,
    steps: int = 500,
    record_every: int | None = None,
    evaluated: bool = True,
    divergence_factor: float = training.DIVERGENCE_FACTOR,
    batch: str = "shared",
    exact: bool = False,
    observe: Iterable[str] | Mapping[str, Observer] = (),
    audit: int = 0,
    memory: int | None = None,
    out: str | os.PathLike[str] | None = None,
    keep_states: bool = True,
    anyway: bool = False,
    origin: Any = None,
    on_progress: Callable[[runs.Progress], None] | None = None,
) -> "xarray.Dataset":
    """Trains every point of a grid with every seed.

    Args:
      problem: From ``jaxdl.problems.get`` or your own. Where axes are arguments of the problem, its factory, such as
        ``functools.partial(jaxdl.problems.get, "quadratic")``.
      factory: The optimizer: any function that takes the axes' names as keywords and returns an optax transformation.
        It is called with traced floats inside the compiled program. Several, by name, are an axis ``optimizer``.
      axes: Name to its values, all combinations of which are run; or a grid of ``jaxdl.grids``. A name is an argument
        of the optimizer; with the prefix ``problem.`` one of the problem; or ``steps``, the length of each run, which
        is also given to an optimizer that has an argument ``steps``. Values that are not numbers, or that the program
        cannot take as numbers, get a program each.
      seeds: How many seeds (0, 1, …), or which. A seed is initial parameters, order of batches and noise, the same at
        every point.
      steps: Updates of each run, where they are no axis.
      record_every: Updates between records; about 50 records by default. Lengths of runs that differ must be multiples
        of it.
      evaluated: Whether records hold the metrics on ``val`` and ``test``.
      divergence_factor: A run whose loss exceeds this many times max(|initial loss|, 1) is frozen and counted.
      batch: ``"shared"``: the runs of a seed see the same batches (common random numbers, and faster). ``"own"``: every
        point draws its own.
      exact: Whether each run is to be the run of :func:`jaxdl.train` bit for bit; several times as slow. Otherwise the
        last bits differ, and with them the course of runs at the edge of stability.
      observe: What to watch at every step, recorded as means between records: names from ``jaxdl.observation``, or
        observers by name.
      audit: How many random runs to do again exactly, besides the median run of the best point. Runs that come out
        otherwise, at the edge of stability, are marked as chaotic. 0: no audit.
      memory: Bytes that the programs may take, records of the runs under way included; by default half of what is free.
      out: Folder of a study, where every finished run is kept. The same call again, after whatever end, runs only what
        is missing, and a call with more points, seeds, optimizers or steps only what is new: bit for bit as if it had
        been one call. More steps continue the runs that are there, unless their optimizer is told the number of steps
        or they ended between two records; where runs did not end with a chunk of the study, their continuation may
        differ in the last bits.
      keep_states: Whether the study keeps the states in which runs end, so that they can be continued.
      anyway: Whether to go on with a study of other versions or of another kind of device; the study says so then.
      origin: JSON to keep with the study.
      on_progress: Called after every chunk with a :class:`jaxdl.sweeps.runs.Progress`.

    Returns:
      A Dataset with dimensions ``(*axes, seed, step)``, or ``(point, seed, step)`` for a list or draw of points:
      ``train_loss``, ``val_loss`` and the problem's other metrics, NaN after the end of a shorter run, and
      ``diverged_at(*axes, seed)``. After an audit also ``audit_difference(*axes, seed)`` and ``chaotic(*axes, seed)``:
      see :func:`jaxdl.sweeps.audit.variables`. With ``out``, the attributes ``runs_stored``, ``runs_continued`` and
      ``runs_new`` count what this call found and did.

    Raises:
      ValueError: an axis that nothing takes or that holds no values, a value that a factory rejects, no seeds or steps,
        ``audit`` not a whole number, a loss that is not scalar, or too little memory for one run; or ``out`` holds
        another study.
      OSError: ``out`` cannot be written to, or another process is writing to it.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> study = sweep(problem, jaxdl.sgd, {"learning_rate": [0.1, 1.0]}, seeds=1, steps=10, record_every=5)
    >>> dict(study.sizes)
    {'learning_rate': 2, 'seed': 1, 'step': 3}
    """
    if audit:
        checks.positive_integer(audit=audit)
    given: dict[str, Any] = {} if record_every is None else {"record_every": record_every}
    settings: dict[str, Any] = {"evaluated": evaluated, "divergence_factor": divergence_factor, "batch": batch}
    settings |= {"exact": exact, "observe": observe, "memory": memory}
    defined = functools.partial(define, problem, factory, axes, seeds, steps, **settings)
    if out is None:
        definition, found = _in_memory(defined(**given), on_progress)
    else:
        kept: dict[str, Any] = {"origin": origin, "keep_states": keep_states, "anyway": anyway}
        # What the caller says holds, also against the study: it refuses what it was not made with.
        definition, found = _on_disk(out, lambda **known: defined(**{**known, **given}), on_progress, **kept)
    return found.assign(audited(definition, dataset.results(found), audit)) if audit else found


def _in_memory(
    definition: Definition, on_progress: Callable[[runs.Progress], None] | None
) -> tuple[Definition, "xarray.Dataset"]:
    """Runs all cells; the definition comes back with the layout that it got."""
    teller = runs.Teller(definition.lane_steps, definition.size, on_progress)
    chosen = planner.choose(definition, teller.compiled)
    teller.begins(chosen.describe())
    results = definition.empty()
    for index in range(len(definition.parts)):
        part, teams, _ = chosen.build(index, teller.compiled)
        for border in engine.run(part.study, teams, part.optimizer, part.cells):
            results.put(part.indices[border.finished], border.results)
            teller.landed(border)
    return chosen.definition, dataset.whole(chosen.definition, results)


def _on_disk(
    out: str | os.PathLike[str],
    defined: Callable[..., Definition],
    on_progress: Callable[[runs.Progress], None] | None,
    **kept: Any,
) -> tuple[Definition, "xarray.Dataset"]:
    """Runs the cells that the study in ``out`` lacks, and reads all of them."""
    account, definition = record.record(out, defined, on_progress=on_progress, **kept)
    counts = {f"runs_{name}": count for name, count in account._asdict().items()}
    return definition, record.load(out).assign_attrs(counts)
