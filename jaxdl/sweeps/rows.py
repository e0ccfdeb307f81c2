"""What one program of a study lacks on disk, and the doing of it.

Every finished run is a row of the study's ledger, named by what it is: optimizer, values, seed and number of steps.
Finished runs are written as they gather; lanes in flight are saved now and then, so that not much is lost. The state in
which a run ended is kept beside it: a longer run of the same goes on from there, unless its optimizer is told how long
it is to be.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxdl.ledger import Ledger
from jaxdl.sweeps import engine, manifest, planner, programs, runs, slots, states
from jaxdl.sweeps.definition import Part
from jaxdl.tables import Column

BLOCK_ROWS = 256
"""Most runs of one transaction: a transaction costs a few dozen milliseconds however small it is."""

PATIENCE = 1.0
"""Seconds after which finished runs are written though they fill no block, and lanes in flight are saved."""


class Work:
    """A part of a study: ``stored``, ``continued`` and ``new`` count its runs, ``owed`` the updates that it lacks.

    Args:
      part: The part, made with the layout of the study.
      keys: Names of its cells.
      ledger: Of the study, open for writing.
      keep_states: Whether to keep the states in which runs end.
      teams: On how many devices it runs.
    """

    def __init__(self, part: Part, keys: list[str], ledger: Ledger, keep_states: bool, teams: int) -> None:
        self._keys, self._ledger, self._keep_states = keys, ledger, keep_states
        self._program = manifest.program(part)
        self._table, self._states = f"runs-{part.study.steps}", f"states-{self._program[:16]}"
        known = {key for name in run_tables(ledger) for key in ledger.keys(name)}
        self._missing = [cell for cell, key in enumerate(keys) if key not in known]
        self._part, self._teams = part, teams
        self._begun = self._find_begun()
        begun = self._begun.steps[self._missing]
        off_beat = bool((begun % part.study.chunk_steps).any())
        self._part = part._replace(study=part.study._replace(off_beat=off_beat))
        self.stored = len(keys) - len(self._missing)
        self.continued = int((begun > 0).sum())
        self.new = len(self._missing) - self.continued
        self.owed = int((part.cells.steps[self._missing] - begun).sum())
        self._finished: list[tuple[np.ndarray, runs.Results, list[np.ndarray]]] = []
        self._flights: dict[int, tuple[dict[str, np.ndarray], dict[str, Any]]] = {}
        self._written = time.monotonic()

    def run(
        self,
        build: Callable[[], planner.Built],
        checkpoint: tuple[dict[str, np.ndarray], Any] | None,
        teller: runs.Teller,
    ) -> None:
        """Runs what is missing and writes it as it ends; ``build`` makes the programs where anything is."""
        if not self._missing:
            return
        built = self._built(build)
        part = self._part  # with the layout that was built
        flights = self._flights_of(checkpoint, built)
        flying = {int(cell) for flight in flights for cell in flight.slots.cells[flight.alive]}
        wanted = [cell for cell in self._missing if cell not in flying]
        ends = (f.alive * (f.slots.steps[:, None] + part.study.chunk_steps) for f in flights)
        teller.flown(sum(int(end.sum()) for end in ends) - int(self._begun.steps[list(flying)].sum()))
        for border in engine.run(part.study, built, part.optimizer, part.cells, wanted, flights, self._begun):
            self._take(border)
            teller.landed(border)
        self._flush()

    def _built(self, build: Callable[[], planner.Built]) -> list[programs.Programs]:
        """The planned programs, or, where lanes begin off the beat of chunks, such as allow it."""
        part = self._part
        if part.study.off_beat:
            return programs.build(part.study, part.factories, part.lane, self._teams)
        built = build()
        self._part = built.part
        if not built.part.settled:
            self._ledger.amend(manifest.settle(self._ledger.manifest, built.part))
        return built.teams

    def _take(self, border: runs.Border) -> None:
        """Keeps what a chunk brought, and writes where enough has gathered or enough time has passed."""
        if len(border.finished):
            kept = states.of_lanes(border.flight.state, border.places) if self._keep_states else []
            self._finished.append((border.finished, border.results, kept))
        late = time.monotonic() - self._written > PATIENCE
        if late or sum(len(cells) for cells, _, _ in self._finished) >= BLOCK_ROWS:
            self._flush()
        if late and border.flight.alive.any():
            self._flights[border.team] = _packed(border, self._keys)
            arrays = {f"{team}/{name}": a for team, (found, _) in self._flights.items() for name, a in found.items()}
            notes = {str(team): note for team, (_, note) in self._flights.items()}
            self._ledger.save_checkpoint(arrays, {"part": self._program, "flights": notes})

    def _flush(self) -> None:
        """Writes finished runs: states first, because a row says that its run is over."""
        self._written = time.monotonic()
        if not self._finished:
            return
        cells = np.concatenate([found for found, _, _ in self._finished])
        keys = [self._keys[cell] for cell in cells]
        if self._keep_states:
            leaves = [np.concatenate(rows) for rows in zip(*(kept for _, _, kept in self._finished), strict=True)]
            columns = {f"leaf_{i}": _storable(leaf) for i, leaf in enumerate(leaves)}
            self._append(self._states, keys, columns, {})
        names = self._finished[0][1].metrics
        metrics = {name: np.concatenate([found.metrics[name] for _, found, _ in self._finished]) for name in names}
        diverged = np.concatenate([found.diverged_at for _, found, _ in self._finished])
        self._append(self._table, keys, {**metrics, "diverged_at": diverged}, manifest.units(self._part.study, names))
        self._finished.clear()

    def _append(self, table: str, keys: list[str], columns: Mapping[str, np.ndarray], units: Mapping[str, str]) -> None:
        declared = {
            name: Column(
                array.shape[1:],
                array.dtype.name,
                ("step",) if name in units else tuple(f"{name}_{axis}" for axis in range(array.ndim - 1)),
                {"units": units[name]} if name in units else {},
            )
            for name, array in columns.items()
        }
        self._ledger.table(table, declared, BLOCK_ROWS)
        self._ledger.append(table, keys, columns)

    def _find_begun(self) -> runs.Begun:
        """Which of the missing runs are known to fewer steps, and how to read those.

        A run that ended between two records is not continued: its records would not lie where the longer run's do.
        """
        part, ledger = self._part, self._ledger
        steps = np.zeros(len(self._keys), int)
        origin: dict[int, tuple[str, str]] = {}
        if self._missing and self._states in ledger.tables and not part.knows_its_length:
            ended = set(ledger.keys(self._states))
            shorter: dict[str, list[tuple[int, str, str]]] = {}
            for table in run_tables(ledger):
                for key in ended & set(ledger.keys(table)):
                    what, length = manifest.split_key(key)
                    shorter.setdefault(what, []).append((length, table, key))
            for cell in self._missing:
                what, length = manifest.split_key(self._keys[cell])
                every = part.study.record_every
                known = [found for found in shorter.get(what, []) if found[0] < length and found[0] % every == 0]
                if known:
                    steps[cell], *where = max(known)
                    origin[cell] = (where[0], where[1])

        def read(cells: np.ndarray) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
            leaves: list[list[np.ndarray]] = []
            records: list[dict[str, np.ndarray]] = []
            for cell in cells.tolist():
                table, key = origin[cell]
                found = ledger.read(self._states, keys=[key])
                leaves.append([found[f"leaf_{i}"][0] for i in range(len(found))])
                records.append({n: v[0] for n, v in ledger.read(table, keys=[key]).items() if n != "diverged_at"})
            longest = max(len(next(iter(record.values()))) for record in records)
            columns = {name: np.stack([runs.of_length(r[name], longest) for r in records]) for name in records[0]}
            return [np.stack(rows) for rows in zip(*leaves, strict=True)], columns

        return runs.Begun(steps, read)

    def _flights_of(
        self, checkpoint: tuple[dict[str, np.ndarray], Any] | None, built: Sequence[programs.Programs]
    ) -> list[runs.Flight]:
        """Lanes that were in flight, as far as they are still wanted and there is a device for them."""
        if checkpoint is None or checkpoint[1]["part"] != self._program:
            return []
        arrays, note = checkpoint
        missing = {self._keys[cell]: cell for cell in self._missing}
        flights = []
        for (team, found), program in zip(note["flights"].items(), built, strict=False):
            own = {name.partition("/")[2]: a for name, a in arrays.items() if name.startswith(f"{team}/")}
            blank = engine.blank(self._part.study, program, self._part.optimizer, self._part.cells)
            flights.append(_unpacked(own, found, missing, blank, len(self._part.study.record_steps)))
        return flights


def run_tables(ledger: Ledger) -> list[str]:
    """Tables of finished runs; each holds as many records of a run as its longest has."""
    return [name for name in ledger.tables if name.startswith("runs-")]


def _storable(leaf: np.ndarray) -> np.ndarray:
    """zarr knows no bfloat16 and its like: their bits are stored as integers."""
    return leaf if leaf.dtype.kind in "biuf" else leaf.view(f"u{leaf.dtype.itemsize}")


def _packed(border: runs.Border, keys: Sequence[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Lanes in flight as arrays and a note that names them."""
    flight = border.flight
    arrays = {f"state/{i}": leaf for i, leaf in enumerate(states.arrays(flight.state))}
    arrays |= {f"records/{name}": values for name, values in flight.records.items()}
    arrays |= {"seeds": flight.slots.seeds, "steps": flight.slots.steps}
    rows = zip(flight.slots.cells.tolist(), flight.alive.tolist(), strict=True)
    return arrays, {"lanes": [[keys[c] if goes_on else None for c, goes_on in zip(*row, strict=True)] for row in rows]}


def _unpacked(
    arrays: Mapping[str, np.ndarray], note: Mapping[str, Any], wanted: Mapping[str, int], blank: Any, rows: int
) -> runs.Flight:
    """The inverse of :func:`_packed`; lanes that are not wanted any more leave their seats.

    The study may have been given other lengths since: there is room for ``rows`` records of every lane.
    """
    cells = np.array([[wanted.get(key, -1) for key in row] for row in note["lanes"]])
    leaves = [arrays[f"state/{i}"] for i in range(sum(name.startswith("state/") for name in arrays))]
    records = {n.partition("/")[2]: runs.of_length(a, rows) for n, a in arrays.items() if n.startswith("records/")}
    seats = slots.Slots(cells, arrays["seeds"], arrays["steps"], np.full(cells.shape, -1))
    return runs.Flight(seats, states.filled(blank, leaves), records, np.full(cells.shape, -1, np.int32), cells >= 0)
