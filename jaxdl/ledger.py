"""A study on disk: rows of results that exist whole or not at all, whenever the process dies.

    DIR/manifest.json    the study's definition, and the declarations of its tables; written before anything else
    DIR/journal.jsonl    one line per committed block: table, block, row keys, SHA-256 of the block's files
    DIR/results.zarr/    one zarr group per table, for any reader of zarr
    DIR/checkpoint.bin   the state of work in flight
    DIR/lock             held by the one writer; the operating system lets go of it when the process dies

zarr has no transaction over several arrays, and reads a missing chunk as its fill value. So the files of a block are
written, flushed and renamed first, and then the journal says that its rows exist: **a row exists if and only if an
intact journal line names it and the files of its block match that line's checksums.** The rest is padding or leftover,
and the next transaction writes over it. Row i of block b is row ``b · block_rows + i`` of the zarr arrays.

A line about a block replaces earlier lines about the same block; a key committed again is read from its last intact
block. Works where ``flock`` does (Linux, macOS), on a disk that keeps its promise of fsync.
"""

import contextlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from jaxdl import blocks, checkpoint, checks, journal, store
from jaxdl.tables import Array, Column, Table, check, checked_arrays, checked_keys

_MANIFEST = "manifest.json"


class Ledger:
    """A study folder. Made by :meth:`create` or :meth:`open`; a context manager that lets go of the lock.

    Example:
      >>> import tempfile
      >>> folder = tempfile.mkdtemp()
      >>> with Ledger.create(f"{folder}/study", {"seeds": 2}) as ledger:
      ...     ledger.table("runs", {"loss": Column((3,), "float32", ("step",))}, block_rows=2)
      ...     ledger.append("runs", ["sgd/0", "sgd/1"], {"loss": np.ones((2, 3), np.float32)})
      >>> with Ledger.open(f"{folder}/study") as ledger:
      ...     ledger.manifest, ledger.keys("runs"), ledger.damaged
      ({'seeds': 2}, ['sgd/0', 'sgd/1'], [])
    """

    def __init__(self, folder: Path, lock: IO[bytes] | None) -> None:
        self.folder = folder
        self._lock = lock
        self._journal = folder / "journal.jsonl"
        self._checkpoint = folder / "checkpoint.bin"
        written = journal.read(self._journal)  # before the manifest: whoever commits a block has declared its table
        self._study = store.read_sealed(folder / _MANIFEST)
        self._tables = {name: Table.from_json(value) for name, value in self._study["tables"].items()}
        self._rows: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in self._tables}
        self._lost: dict[str, set[tuple[str, str]] | None] = {  # by sentence, (table, key); None where nobody can know
            f"line {line} of {str(self._journal)!r} is damaged; its rows are lost.": None for line in written.damaged
        }
        self._end = written.end
        self._free: dict[str, list[int]] = {}  # blocks to write to, downwards; the first is the end of the table
        self._index(written.entries)
        if lock is not None:
            if written.damaged or not self._journal.exists():
                self._end = journal.rewrite(self._journal, written.entries)
            for name in self._tables:
                blocks.lay_out(self._group(name), self._tables[name], self._free[name][0])

    @classmethod
    def create(cls, folder: str | os.PathLike[str], manifest: Any) -> Self:
        """Makes a study and opens it for writing.

        Args:
          folder: where; made if it is not there.
          manifest: the study's definition, anything that JSON can hold.

        Raises:
          FileExistsError: there is a study in the folder. OSError: the folder cannot be written to.
        """
        path = store.make_folder(folder)
        with contextlib.ExitStack() as on_error:
            lock = on_error.enter_context(store.lock(path))
            there = [name for name in (_MANIFEST, "journal.jsonl", "results.zarr") if (path / name).exists()]
            if there:
                held = "already holds a study; open it, or" if _MANIFEST in there else f"has lost its {_MANIFEST};"
                raise FileExistsError(f"{str(path)!r} {held} choose another folder.")
            store.write_sealed(path / _MANIFEST, {"study": manifest, "tables": {}})
            ledger = cls(path, lock)
            on_error.pop_all()
        return ledger

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, write: bool = False) -> Self:
        """Opens a study and verifies every block (reading all of it, at about a gigabyte per second).

        Readers need no lock; what a writer commits later they see when they open again. A writer removes the damaged
        lines of the journal, so only this ledger's :attr:`damaged` tells of them.

        Args:
          folder: where the study is.
          write: for :meth:`append`, :meth:`save_checkpoint`, …; one at a time.

        Raises:
          FileNotFoundError: there is no study. ValueError: its manifest is damaged. store.LockedError: it has a writer.
          OSError: it cannot be read, or ``write`` and it cannot be written.
        """
        path = Path(folder)
        if not (path / _MANIFEST).exists():
            raise FileNotFoundError(f"no study at {str(path)!r}; expected a folder with a manifest.json.")
        with contextlib.ExitStack() as on_error:
            ledger = cls(path, on_error.enter_context(store.lock(path)) if write else None)
            on_error.pop_all()
        return ledger

    def close(self) -> None:
        """Lets go of the lock; the ledger can still be read."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def manifest(self) -> Any:
        """The study's definition, as JSON gives it back; a copy."""
        return json.loads(json.dumps(self._study["study"]))

    def amend(self, manifest: Any) -> None:
        """Replaces the study's definition, atomically."""
        self._rewrite_manifest({**self._study, "study": manifest})

    @property
    def tables(self) -> dict[str, Table]:
        """The declared tables by name."""
        return dict(self._tables)

    def table(self, name: str, columns: Mapping[str, Column], block_rows: int) -> None:
        """Declares a table; the same declaration again changes nothing.

        Args:
          name: letters, digits, ``_``, ``-``, ``.``.
          columns: its arrays by name.
          block_rows: rows of one block, the unit of a transaction and of a zarr chunk.

        Raises:
          ValueError: the name is taken by a different declaration, or zarr or xarray cannot hold the table.
        """
        table = Table(dict(columns), block_rows)
        check(name, table)
        value = json.loads(json.dumps(table.to_json()))
        if name not in self._tables:
            self._rewrite_manifest({**self._study, "tables": {**self._study["tables"], name: value}})
            self._tables[name], self._rows[name], self._free[name] = Table.from_json(value), {}, [0]
        elif value != self._study["tables"][name]:
            raise ValueError(f"table {name!r} is declared as {self._study['tables'][name]}, which is not {value}.")
        if self._lock is not None:
            blocks.lay_out(self._group(name), self._tables[name], self._free[name][0])

    @property
    def damaged(self) -> list[str]:
        """What was found damaged on opening and has not been committed again since, one sentence each."""
        return [sentence for sentence, rows in self._lost.items() if rows is None or rows]

    def keys(self, name: str) -> list[str]:
        """The rows of a table that exist, in the order of their commit."""
        self._known(name)
        return list(self._rows[name])

    def append(self, name: str, keys: Sequence[str], arrays: Mapping[str, Any]) -> None:
        """Commits rows; when it returns they are on the disk.

        A transaction is a block of at most ``block_rows`` rows; the next call starts a new block.

        Args:
          name: a declared table.
          keys: names of the n rows, distinct. A key that exists is replaced by its new row.
          arrays: for every column an array (n, *shape) of exactly its dtype.

        Raises:
          ValueError: keys or arrays do not fit the table; nothing was committed.
          OSError: a block could not be written; those before it are committed. Call again with what is missing.
        """
        self._check_writable()
        table = self._known(name)
        keys = checked_keys(keys)
        columns = checked_arrays(table, arrays, len(keys))
        for start in range(0, len(keys), table.block_rows):
            block = slice(start, start + table.block_rows)
            self._commit(name, keys[block], {label: array[block] for label, array in columns.items()})

    def read(
        self, name: str, columns: Sequence[str] | None = None, keys: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Reads rows that exist, every block once; checksums were verified on opening.

        Args:
          name: a declared table.
          columns: which; None for all.
          keys: which rows; None for all that exist.

        Returns:
          For every column an array (n, *shape), rows in the order of ``keys``.

        Raises:
          KeyError: a row does not exist.
          ValueError: a column does not.
        """
        table, rows = self._known(name), self._rows[name]
        keys = list(rows) if keys is None else keys
        if missing := [key for key in keys if key not in rows]:
            raise KeyError(f"table {name!r} has no row {missing[0]!r} ({len(missing)} of {len(keys)} are missing).")
        columns = list(table.columns) if columns is None else columns
        for label in columns:
            checks.known("column", label, table.columns)
        places = np.array([rows[key] for key in keys], np.int64).reshape(-1, 2)
        return {
            label: blocks.gather(self._group(name), label, table.columns[label], table.block_rows, places)
            for label in columns
        }

    def save_checkpoint(self, arrays: Mapping[str, Any], note: Any) -> None:
        """Replaces the checkpoint, atomically; see :func:`jaxdl.checkpoint.save`."""
        self._check_writable()
        checkpoint.save(self._checkpoint, arrays, note)

    def load_checkpoint(self) -> tuple[dict[str, Array], Any] | None:
        """The arrays and the note of the last checkpoint; None if there is none, or a damaged one (see ``damaged``)."""
        try:
            return checkpoint.load(self._checkpoint)
        except FileNotFoundError:
            return None
        except ValueError:
            self._lost[f"the checkpoint {str(self._checkpoint)!r} is damaged; the work in flight is lost."] = None
            return None

    def drop_checkpoint(self) -> None:
        """Removes the checkpoint, if there is one."""
        self._check_writable()
        with store.naming(self._checkpoint):
            self._checkpoint.unlink(missing_ok=True)
        store.sync_folder(self.folder)

    def _group(self, name: str) -> Path:
        return self.folder / "results.zarr" / name

    def _known(self, name: str) -> Table:
        checks.known("table", name, self._tables)
        return self._tables[name]

    def _check_writable(self) -> None:
        if self._lock is None:
            raise io.UnsupportedOperation(f"{str(self.folder)!r} is not open for writing; open it with write=True.")

    def _rewrite_manifest(self, study: Any) -> None:
        self._check_writable()
        self._study = store.write_sealed(self.folder / _MANIFEST, study)

    def _index(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Finds the rows that exist, the damage, and the free blocks, from the journal and the files."""
        latest = journal.latest(entries, ("table", "block"))
        free = {name: {0} for name in self._tables}
        for name, block in latest:
            if name not in free:
                raise ValueError(
                    f"the journal in {str(self.folder)!r} names the table {name!r}, its manifest does not."
                )
            free[name] |= set(range(max(free[name]), block + 2))
        for (name, block), entry in latest.items():
            if problem := blocks.problem(self._group(name), self._tables[name], block, entry["files"]):
                lost = {(name, key) for key in entry["keys"]}
                self._lost[f"block {block} of table {name!r}: {problem}; rows lost: {len(lost)}."] = lost
            else:
                free[name].remove(block)
                self._admit(name, block, entry["keys"])
        self._free = {name: sorted(found, reverse=True) for name, found in free.items()}

    def _commit(self, name: str, keys: Sequence[str], arrays: Mapping[str, Array]) -> None:
        """One transaction: the files of a block, then the journal line that makes its rows exist."""
        free = self._free[name]
        block = free[-1]
        grown = block + 1 if block == free[0] else None
        files = blocks.write(self._group(name), self._tables[name], block, arrays, grown)
        line = {"table": name, "block": block, "keys": keys, "files": files}
        self._end = journal.append(self._journal, line, self._end)
        free.pop()
        if not free:
            free.append(block + 1)
        self._admit(name, block, keys)

    def _admit(self, name: str, block: int, keys: Sequence[str]) -> None:
        """The rows of a block exist from now on, and are no longer lost."""
        self._rows[name].update((key, (block, row)) for row, key in enumerate(keys))
        for rows in self._lost.values():
            if rows:
                rows.difference_update((name, key) for key in keys)
