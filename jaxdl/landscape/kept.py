"""Points of a slice that are done, in memory or in a folder that outlives the process: rows of a ledger.

A folder belongs to one slice: functions, parameters, directions, data and points are known by a checksum. A row exists
whole or not at all, see ``jaxdl.ledger``; the batch size is part of the folder, so that what is computed later is the
same to the bit.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import provenance
from jaxdl.landscape import programs
from jaxdl.ledger import Ledger
from jaxdl.tables import Column

_TABLE = "points"
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
        self._ledger = self._opened() if (path / "manifest.json").exists() else None

    def _opened(self) -> Ledger:
        ledger = Ledger.open(self._path, write=True)
        stored = ledger.manifest
        problem = None
        if stored.get("slice") != self._identity:
            problem = "holds another slice, or something else; choose another folder"
        elif different := provenance.differences(stored["environment"]):
            problem = f"was made elsewhere: {'; '.join(different)}; choose another folder"
        if problem is not None:
            ledger.close()
            raise ValueError(f"the folder {str(self._path)!r} {problem}.")
        return ledger

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
    found = hashlib.sha256(provenance.digest(str(closed.jaxpr)).encode())
    given = (slice_.params, slice_.directions, slice_.args, slice_.derivatives, points)
    for leaf in jax.tree.leaves((given, list(closed.consts))):
        programs.add(found, leaf)
    return found.hexdigest()


def _column(value: Any) -> Column:
    wide = jnp.issubdtype(value.dtype, jnp.floating) and jnp.finfo(value.dtype).bits < 32
    dims = tuple(f"axis_{i}" for i in range(len(value.shape)))
    return Column(tuple(value.shape), "float32" if wide else np.dtype(value.dtype).name, dims)
