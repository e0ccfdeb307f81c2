"""Studies on disk: they survive a crash, can be extended, read and verified.

A study that is started again, with the same arguments or with more, runs only the cells that have no row; lanes that
were in flight go on from the last checkpoint. Layout and chunks are those of the study's first part, so that a row is
the same bit for bit whether or not anything happened in between.
"""

import functools
import json
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxdl import statistics, store, tables
from jaxdl.ledger import Ledger
from jaxdl.sweeps import dataset, engine, manifest, planner, programs, runs
from jaxdl.sweeps.definition import Definition
from jaxdl.sweeps.rows import Work, run_tables

if TYPE_CHECKING:
    import xarray


class DamageWarning(UserWarning):
    """A part of a stored study was damaged, and is run again."""


class Account(NamedTuple):
    """What a call had to do: runs that were ``stored`` already, were ``continued`` from fewer steps, are ``new``."""

    stored: int
    continued: int
    new: int


class Summary(NamedTuple):
    """A study at a glance: ``done`` of ``total`` runs; ``bytes`` on disk; ``environments``: in which it was made;
    ``origin``: see :func:`jaxdl.sweep`; ``damaged``: what was found damaged, one sentence each.
    """

    folder: Path
    problem: str
    optimizers: str
    done: int
    total: int
    bytes: int
    environments: list[dict[str, Any]]
    origin: Any
    damaged: list[str]


class Verification(NamedTuple):
    """Runs that were done again: their names, and the largest relative ``difference`` of a recorded value.

    ``damaged``: what was found damaged, and so could not be compared, one sentence each.
    """

    names: list[str]
    difference: float
    damaged: Sequence[str] = ()

    @property
    def identical(self) -> bool:
        """Whether all came out the same bit for bit."""
        return self.difference == 0


def exists(folder: str | os.PathLike[str]) -> bool:
    """Whether there is a study in a folder."""
    return (Path(folder) / "manifest.json").exists()


def record(
    folder: str | os.PathLike[str],
    define: Callable[..., Definition],
    *,
    origin: Any = None,
    keep_states: bool = True,
    anyway: bool = False,
    on_progress: Callable[[runs.Progress], None] | None = None,
) -> tuple[Account, Definition]:
    """Runs what a study lacks; makes the study where there is none.

    Args:
      folder: Where the study is or is to be.
      define: Makes the definition, given ``layout``, ``chunk_records`` and ``record_every`` of a study that exists.
      origin: JSON to keep with the study.
      keep_states: Whether to keep the states in which runs end, so that they can be continued.
      anyway: Whether to go on with a study of other versions or of another kind of device; the study says so then.
      on_progress: Called after every chunk.

    Returns:
      What there was to do, and the definition with the layout of the study.

    Raises:
      ValueError: the folder holds another study. OSError: it cannot be written, or another process is writing to it.
    """
    if exists(folder):
        ledger = Ledger.open(folder, write=True)
        with ledger:
            stored = ledger.manifest
            chosen = planner.kept(_going_on(define, stored, folder))
            new = manifest.of(chosen.definition, origin, _skeleton(chosen.definition))
            ledger.amend(manifest.grown(stored, new, str(folder), anyway=anyway))
            teller = runs.Teller(chosen.definition.lane_steps, chosen.definition.size, on_progress)
            return _run(chosen, ledger, keep_states, teller), chosen.definition
    definition = define()
    for name in definition.work.records:
        tables.check_name("what a study records", name)
    store.check_makable(folder)  # what compiling or measuring costs is not spent on a folder that cannot be
    teller = runs.Teller(definition.lane_steps, definition.size, on_progress)
    chosen = planner.choose(definition, teller.compiled)
    with Ledger.create(folder, manifest.of(chosen.definition, origin, _skeleton(chosen.definition))) as ledger:
        return _run(chosen, ledger, keep_states, teller), chosen.definition


def _run(chosen: planner.Choice, ledger: Ledger, keep_states: bool, teller: runs.Teller) -> Account:
    definition = chosen.definition
    named = [(part, manifest.keys(part, definition)) for part in definition.parts]
    work = [Work(part, keys, ledger, keep_states, definition.teams) for part, keys in named]
    stored = sum(w.stored for w in work)
    teller.begins(chosen.describe(), definition.lane_steps - sum(w.owed for w in work), stored)
    checkpoint = ledger.load_checkpoint()
    for sentence in ledger.damaged:
        warnings.warn(f"{sentence} What is wanted of it is run again.", DamageWarning, stacklevel=2)
    for index, w in enumerate(work):
        w.run(functools.partial(chosen.build, index, teller.compiled), checkpoint, teller)
    ledger.drop_checkpoint()
    return Account(stored, sum(w.continued for w in work), sum(w.new for w in work))


def _going_on(define: Callable[..., Definition], stored: Any, folder: str | os.PathLike[str]) -> Definition:
    """The definition of a stored study, with its layouts."""
    return manifest.settled(define(**manifest.given(stored, str(folder))), stored)


def _skeleton(definition: Definition) -> dict[str, Any]:
    """The Dataset of a definition without its data, as JSON."""
    empty = dataset.whole(definition, definition.empty())
    found: dict[str, Any] = empty.drop_vars("diverged_at").to_dict()
    return found


def load(folder: str | os.PathLike[str]) -> "xarray.Dataset":
    """The Dataset of a study, as :func:`jaxdl.sweep` returns it; runs that are missing are NaN, and counted in the
    attribute ``runs_missing``. A study that went on with other versions or on another kind of device has an attribute
    ``environments``: all of them, as JSON.

    Raises:
      FileNotFoundError: there is no study.
    """
    import xarray

    with Ledger.open(folder) as ledger:
        stored = ledger.manifest
        found = xarray.Dataset.from_dict(stored["skeleton"])
        names = _names(stored)
        place = {name: i for i, name in enumerate(names)}
        results = runs.Results({}, np.full(len(names), -1, np.int32))
        units: dict[str, str] = {}
        for table in run_tables(ledger):
            here = [key for key in ledger.keys(table) if key in place]
            if not here:
                continue
            columns = ledger.read(table, keys=here)
            units |= {name: c.attrs.get("units", "1") for name, c in ledger.tables[table].columns.items()}
            diverged = columns.pop("diverged_at")
            rows = found.sizes["step"]
            metrics = {name: runs.of_length(values, rows) for name, values in columns.items()}
            results.put(np.array([place.pop(key) for key in here]), runs.Results(metrics, diverged))
    whole = dataset.filled(found, tuple(stored["dims"]), results, units, missing=len(place))
    mixed = stored["environments"]
    return whole.assign_attrs(environments=json.dumps(mixed)) if len(mixed) > 1 else whole


def _names(stored: dict[str, Any]) -> list[str]:
    """Names of all cells of a stored study, in C order of (point, seed)."""
    columns = stored["columns"]
    points = len(next(iter(columns.values())))
    steps = columns.get("steps", [stored["steps"]] * points)
    optimizers = columns.get("optimizer", stored["optimizers"][:1] * points)
    return [
        manifest.key(optimizers[point], columns, point, seed, int(steps[point]))
        for point in range(points)
        for seed in stored["seeds"]
    ]


def summary(folder: str | os.PathLike[str]) -> Summary:
    """What a study folder holds. Reads only.

    Raises:
      FileNotFoundError: there is no study.
    """
    with Ledger.open(folder) as ledger:
        stored = ledger.manifest
        names = _names(stored)
        there = {key for table in run_tables(ledger) for key in ledger.keys(table)}
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    optimizers = ", ".join(stored["optimizers"])
    done = sum(name in there for name in names)
    return Summary(
        Path(folder),
        stored["problem"],
        optimizers,
        done,
        len(names),
        size,
        stored["environments"],
        stored["origin"],
        ledger.damaged,
    )


def verify(
    folder: str | os.PathLike[str], define: Callable[..., Definition], count: int = 3, seed: int = 0
) -> Verification:
    """Runs some cells of a study again, in its own layout, and compares.

    Args:
      folder: Where the study is.
      define: As for :func:`record`.
      count: How many cells, drawn at random from those that are there.
      seed: Which.

    Returns:
      What was compared, and how it came out. On the same versions and kind of device the curves are identical.

    Raises:
      ValueError: no run of the study is finished.
    """
    with Ledger.open(folder) as ledger:
        stored = ledger.manifest
        where = {key: table for table in run_tables(ledger) for key in ledger.keys(table)}
        if not where:
            why = f": {ledger.damaged[0]}" if ledger.damaged else " yet, so there is nothing to repeat."
            raise ValueError(f"the study in {str(folder)!r} has no finished run{why}")
        definition = _going_on(define, stored, folder)
        names, difference = [], 0.0
        rng = np.random.default_rng(seed)
        for part in definition.parts:
            keys = manifest.keys(part, definition)
            there = [cell for cell, key in enumerate(keys) if key in where]
            share = -(-count * len(keys) // definition.size)
            chosen = rng.permutation(there)[:share]
            if not len(chosen):
                continue
            built = programs.build(part.study, part.factories, part.lane)
            again = engine.execute(part.study, built, part.optimizer, part.cells.some(chosen))
            for row, cell in enumerate(chosen):
                old = ledger.read(where[keys[cell]], keys=[keys[cell]])
                names.append(keys[cell])
                for name, values in again.metrics.items():
                    length = min(values.shape[1], old[name].shape[1])
                    apart = statistics.relative_difference(values[row, :length], old[name][0, :length])
                    difference = max(difference, float(apart))
        return Verification(names, difference, ledger.damaged)
