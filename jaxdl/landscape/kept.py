"""What is done of a slice or of its runs, in memory or in a folder that outlives the process: rows of a ledger.

A folder belongs to one slice, or to one set of runs: functions, parameters, directions, data and points are known by a
checksum. A row exists whole or not at all, see ``jaxdl.ledger``; the batch size of a slice is part of its folder, so
that what is computed later is the same to the bit.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import provenance
from jaxdl.landscape import programs
from jaxdl.ledger import Ledger
from jaxdl.tables import Column
from jaxdl.typing import PyTree

_TABLE, _RUNS = "points", "runs"
BLOCK = 1024
"""Rows of one transaction at most."""


class Done:
    """What is known of the points so far; with a folder, what is known there too."""

    def __init__(self, record: Mapping[str, Any], folder: "_Folder | None" = None) -> None:
        self._columns = {name: _column(value) for name, value in record.items()}
        self._folder = folder
        self._parts = [] if folder is None else folder.parts()

    @property
    def batch_size(self) -> int | None:
        """How many points the folder was begun with at a time; None where nothing is begun."""
        return None if self._folder is None else self._folder.batch_size

    @property
    def count(self) -> int:
        """Points that are done."""
        return sum(len(which) for which, _ in self._parts)

    def begin(self, batch_size: int) -> None:
        """Makes the folder, where one is wanted and there is none; called before the first points are computed."""
        if self._folder is not None:
            self._folder.begin(batch_size, self._columns)

    def missing(self, total: int) -> np.ndarray:
        """Numbers of the points that are not done."""
        known = np.concatenate([np.zeros(0, int), *(which for which, _ in self._parts)])
        return np.setdiff1d(np.arange(total), known)

    def add(self, which: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Takes in the values of points."""
        self._parts.append((which, {name: values[name].astype(c.dtype) for name, c in self._columns.items()}))
        if self._folder is not None:
            self._folder.append(*self._parts[-1])

    def values(self, total: int) -> dict[str, np.ndarray]:
        """All of them, in order."""
        found = {name: np.empty((total, *c.shape), c.dtype) for name, c in self._columns.items()}
        for which, values in self._parts:
            for name, array in values.items():
                found[name][which] = array
        return found


class _Folder:
    """A ledger that belongs to one slice, opened where it exists and otherwise made when it is begun."""

    def __init__(self, path: Path, identity: str) -> None:
        self._path, self._identity = path, identity
        self._ledger = _opened(path, "slice", identity) if (path / "manifest.json").exists() else None

    @property
    def batch_size(self) -> int | None:
        return None if self._ledger is None else int(self._ledger.manifest["batch_size"])

    def parts(self) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Numbers and values of the points that are there."""
        keys = [] if self._ledger is None else self._ledger.keys(_TABLE)
        return [(np.array([int(key) for key in keys]), self._ledger.read(_TABLE))] if self._ledger and keys else []

    def begin(self, batch_size: int, columns: Mapping[str, Column]) -> None:
        if self._ledger is None:
            environment = provenance.environment()
            manifest = {"slice": self._identity, "batch_size": batch_size, "environment": environment}
            self._ledger = Ledger.create(self._path, manifest)
            self._ledger.table(_TABLE, dict(columns), BLOCK)
        elif batch_size != self.batch_size:
            raise ValueError(
                f"the folder {str(self._path)!r} was begun with batch_size {self.batch_size}, got {batch_size}."
            )

    def append(self, which: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        """Commits the values of points."""
        if self._ledger is not None:
            self._ledger.append(_TABLE, [str(i) for i in which], values)

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()


def _opened(path: Path, kind: str, identity: str) -> Ledger:
    """The ledger in a folder.

    Raises:
      ValueError: it is of another slice, or of other runs, or was made elsewhere.
    """
    ledger = Ledger.open(path, write=True)
    stored = ledger.manifest
    problem = None
    if stored.get(kind) != identity:
        problem = f"holds {'another slice' if kind == 'slice' else f'other {kind}'}, or something else"
    elif different := provenance.differences(stored["environment"]):
        problem = f"was made elsewhere: {'; '.join(different)}"
    if problem is not None:
        ledger.close()
        raise ValueError(f"the folder {str(path)!r} {problem}; choose another folder.")
    return ledger


class Runs:
    """Paths of runs by name, all seeds in one tree; with a ledger they outlive the process."""

    def __init__(self, form: PyTree, ledger: Ledger | None = None) -> None:
        self._leaves, self._structure = jax.tree.flatten(form)
        self._columns = {str(i): _column(leaf, f"{i}_") for i, leaf in enumerate(self._leaves)}
        self._ledger = ledger
        if ledger is not None:
            ledger.table(_RUNS, self._columns, 1)

    def get(self, name: str) -> PyTree | None:
        """What is kept under a name; None where there is nothing."""
        if self._ledger is None or name not in self._ledger.keys(_RUNS):
            return None
        read = self._ledger.read(_RUNS, keys=[name])
        arrays = [jnp.asarray(read[str(i)][0], leaf.dtype) for i, leaf in enumerate(self._leaves)]
        return jax.tree.unflatten(self._structure, arrays)

    def add(self, name: str, paths: PyTree) -> None:
        """Keeps the paths of a name."""
        if self._ledger is not None:
            pairs = zip(self._columns.items(), jax.tree.leaves(paths), strict=True)
            rows = {label: np.asarray(leaf, column.dtype)[None] for (label, column), leaf in pairs}
            self._ledger.append(_RUNS, [name], rows)


@contextlib.contextmanager
def runs(folder: str | os.PathLike[str] | None, identity: Callable[[], str], form: PyTree) -> Iterator[Runs]:
    """The runs that are done, to be added to.

    Args:
      folder: Where they are kept; None for nowhere.
      identity: Gives the checksum of what is run.
      form: Shapes and dtypes of the paths of a name.

    Raises:
      ValueError: the folder holds other runs.
    """
    if folder is None:
        yield Runs(form)
        return
    path, known = Path(folder), identity()
    if (path / "manifest.json").exists():
        ledger = _opened(path, _RUNS, known)
    else:
        ledger = Ledger.create(path, {_RUNS: known, "environment": provenance.environment()})
    with ledger:
        yield Runs(form, ledger)


@contextlib.contextmanager
def points(
    folder: str | os.PathLike[str] | None, identity: Callable[[], str], record: Mapping[str, Any]
) -> Iterator[Done]:
    """The points of a slice that are done, to be added to.

    Args:
      folder: Where they are kept; None for in memory alone.
      identity: Gives the checksum of the slice.
      record: Shapes and dtypes of what there is of a point, by name.

    Raises:
      ValueError: the folder holds another slice.
    """
    if folder is None:
        yield Done(record)
        return
    stored = _Folder(Path(folder), identity())
    try:
        yield Done(record, stored)
    finally:
        stored.close()


def digest(function: Callable[..., Any], slice_: Any, points: np.ndarray) -> str:
    """SHA-256 of the operations of a function and of all numbers that it is given."""
    closed = jax.make_jaxpr(function)(slice_.params, *slice_.args)
    return checksum([closed], (slice_.params, slice_.directions, slice_.args, slice_.derivatives, points))


def checksum(traced: Iterable[Any], given: Any) -> str:
    """SHA-256 of the operations of programs, the numbers that they have captured, and those that they are given."""
    found = hashlib.sha256()
    for closed in traced:
        found.update(provenance.digest(str(closed.jaxpr)).encode())
        for value in closed.consts:
            programs.add(found, value)
    for leaf in jax.tree.leaves(given):
        programs.add(found, leaf)
    return found.hexdigest()


def _column(value: Any, prefix: str = "") -> Column:
    wide = jnp.issubdtype(value.dtype, jnp.floating) and jnp.finfo(value.dtype).bits < 32
    dims = tuple(f"{prefix}axis_{i}" for i in range(len(value.shape)))
    return Column(tuple(value.shape), "float32" if wide else np.dtype(value.dtype).name, dims)
