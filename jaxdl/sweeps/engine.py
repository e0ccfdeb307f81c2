"""Cells become runs: chunks of steps, one after another, until every cell is done.

A *cell* is one run that is asked for: hyper-parameters, seed and number of steps. :func:`run` seats cells in the lanes
of a study's programs, advances them by a chunk, and yields what happened: what finished, and all that is needed to go
on from there. It knows no disk and no clock. :func:`execute` is the plain use of it: all results at once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from jaxdl.stepping import TrainState
from jaxdl.sweeps import slots, states
from jaxdl.sweeps.lanes import Study
from jaxdl.sweeps.programs import Programs
from jaxdl.sweeps.runs import Begun, Border, Cells, Flight, Results

Records: TypeAlias = Mapping[str, jax.Array]
"""Records of lanes, by name, perhaps still being computed."""


def run(
    study: Study,
    teams: Sequence[Programs],
    optimizer: str,
    cells: Cells,
    wanted: Iterable[int] | None = None,
    flights: Sequence[Flight] = (),
    begun: Begun | None = None,
) -> Iterator[Border]:
    """Runs cells, chunk by chunk.

    Every team of devices works for itself, on cells from one queue. The state of a border is given to its team's next
    chunk, which reuses its memory, when the next border is asked for: copy before that what is to be kept.

    Args:
      study: What all lanes share.
      teams: From ``programs.build`` of the same study, on different devices.
      optimizer: Name of one of its factories.
      cells: The cells that ``flights`` and ``wanted`` count.
      wanted: Which of them are to be begun; by default all.
      flights: Lanes to go on with, from borders of the same study.
      begun: Cells of which a part is known.

    Yields:
      A border after every chunk of every team.
    """
    count = len(cells.seeds)
    done = np.zeros(count, int) if begun is None else begun.steps
    waiting = slots.Waiting(range(count) if wanted is None else wanted, cells.seeds, done)
    under_way: deque[tuple[int, Flight, Records, Records]] = deque()
    resumed = dict(enumerate(flights))

    def launch(team: int, flight: Flight | None) -> None:
        before, alive = (None, None) if flight is None else (flight.slots, flight.alive)
        seats = slots.seat(study.layout, waiting, before, alive, study.chunk_steps)
        if seats is not None:
            flight, first = _seated(study, teams[team], optimizer, cells, seats, flight, begun)
            under_way.append((team, *_launched(teams[team], optimizer, cells, study, flight), first))

    for team in range(len(teams)):
        launch(team, resumed.get(team))
    while under_way:
        team, flight, records, first = under_way.popleft()
        border = _landed(study, cells, flight, records, first, team)
        yield border
        launch(team, border.flight)


def execute(
    study: Study,
    teams: Sequence[Programs],
    optimizer: str,
    cells: Cells,
    on_runs: Callable[[int], None] | None = None,
) -> Results:
    """Runs all cells and keeps everything in memory.

    Args:
      study: What all lanes share.
      teams: From ``programs.build`` of the same study, on different devices.
      optimizer: Name of one of its factories.
      cells: What to run.
      on_runs: Called after every chunk with the number of runs that it completed, in units of whole runs.

    Returns:
      The records, in the order of ``cells``.
    """
    count = len(cells.seeds)
    total, done, told = float(cells.steps.sum()), 0, 0
    results = Results({}, np.full(count, -1, np.int32))
    finished = 0
    for border in run(study, teams, optimizer, cells):
        results.put(border.finished, border.results)
        finished, done = finished + len(border.finished), done + border.steps
        if on_runs is not None:
            runs = count if finished == count else int(count * done / total)
            on_runs(runs - told)
            told = runs
    return results


def blank(study: Study, programs: Programs, optimizer: str, cells: Cells) -> TrainState:
    """A state of all lanes, for its shapes and its place; its values do not matter."""
    everywhere = np.zeros((study.layout.groups, study.layout.width), int)
    return _begun(study, programs, optimizer, cells, everywhere, everywhere[:, 0])[0]


def _begun(
    study: Study, programs: Programs, optimizer: str, cells: Cells, which: np.ndarray, seeds: np.ndarray
) -> tuple[TrainState, Records]:
    """States and first records of lanes that begin."""
    lane = cells.lane(study, which)
    params, first = programs.prepared.init(programs.data, seeds.astype(np.uint32), lane)
    return programs.lanes[optimizer].start(programs.data, params, lane), first


def _seated(
    study: Study,
    programs: Programs,
    optimizer: str,
    cells: Cells,
    seats: slots.Slots,
    before: Flight | None,
    begun: Begun | None,
) -> tuple[Flight, Records]:
    """Lanes in their seats: those that go on brought there, the others begun, with the first records of these."""
    if before is not None and seats.stays:
        return before._replace(slots=seats), {}
    records, diverged_at = _host_moved(study, seats, before)
    state = None if before is None else before.state
    first: Records = {}
    if seats.begins.any() or state is None:
        new, first = _begun(study, programs, optimizer, cells, np.maximum(seats.cells, 0), seats.seeds)
        if begun is not None:
            for name, values in first.items():
                records.setdefault(name, _blank(study, values.dtype))
            new = _continued(new, records, seats, begun)
    else:
        new = state
    if state is None or not (seats.source >= 0).any():
        state = new
    else:
        state = programs.lanes[optimizer].move(state, new, seats.source.astype(np.int32))
    return Flight(seats, state, records, diverged_at, seats.cells >= 0), first


def _continued(new: TrainState, records: dict[str, np.ndarray], seats: slots.Slots, begun: Begun) -> TrainState:
    """Lanes that begin where others ended: their states and records in place of those at step 0."""
    places = seats.begins & (begun.steps[np.maximum(seats.cells, 0)] > 0)
    if not places.any():
        return new
    state, known = begun.read(seats.cells[places])
    for name, values in known.items():
        records[name][places, : values.shape[1]] = values
    return states.filled(new, state, places)


def _blank(study: Study, dtype: Any) -> np.ndarray:
    return np.full((study.layout.groups, study.layout.width, len(study.record_steps)), np.nan, dtype)


def _host_moved(study: Study, seats: slots.Slots, before: Flight | None) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Records and divergence of the lanes in their new seats; blank where a lane begins or none sits."""
    kept, origin = seats.source >= 0, np.maximum(seats.source, 0)
    if before is None:
        return {}, np.full(kept.shape, -1, np.int32)
    records = {}
    for name, values in before.records.items():
        flat = values.reshape(-1, values.shape[-1])
        records[name] = np.where(kept[..., None], flat[origin], np.array(np.nan, values.dtype))
    return records, np.where(kept, before.diverged_at.ravel()[origin], np.int32(-1))


def _launched(programs: Programs, optimizer: str, cells: Cells, study: Study, flight: Flight) -> tuple[Flight, Records]:
    """A chunk under way: its state to be, and its records to be."""
    seats = flight.slots
    taken = seats.cells >= 0
    # Empty seats run cell 0 once more, and what they give is dropped.
    lane = cells.lane(study, np.maximum(seats.cells, 0))
    seeds, steps = seats.seeds.astype(np.uint32), seats.steps.astype(np.int32)
    indices = programs.prepared.batches(seeds, steps, lane)
    advance = programs.lanes[optimizer].advance
    state, records = advance(programs.data, flight.state, indices, seeds, steps, lane, taken.any(axis=1))
    return flight._replace(state=state), records


def _landed(study: Study, cells: Cells, flight: Flight, new: Records, first: Records, team: int) -> Border:
    """Waits for a chunk and says what it brought."""
    seats, state = flight.slots, flight.state
    _enter_first(study, flight.records, seats, first)
    taken, horizons = seats.cells >= 0, cells.steps[np.maximum(seats.cells, 0)]
    ends = np.minimum(seats.steps[:, None] + study.chunk_steps, horizons)
    records = _recorded(study, flight.records, seats.steps, {name: np.asarray(x) for name, x in new.items()}, ends)
    diverged_at = np.where(taken, np.asarray(state.diverged_at), np.int32(-1))
    over = taken & ((ends >= horizons) | (diverged_at >= 0))
    # A diverged run counts as done: nobody waits for its remaining steps.
    worked = np.where(diverged_at >= 0, horizons, ends) - seats.steps[:, None]
    results = Results({name: values[over] for name, values in records.items()}, diverged_at[over])
    flight = Flight(seats, state, records, diverged_at, taken & ~over)
    return Border(team, seats.cells[over], results, np.flatnonzero(over), flight, int(worked[taken].sum()))


def _enter_first(study: Study, records: dict[str, np.ndarray], seats: slots.Slots, first: Records) -> None:
    """Enters the first records of lanes that begin at step 0; read late, so that no device waits for the host."""
    begins = seats.begins & (seats.steps == 0)[:, None]
    for name, values in first.items():
        column = records.setdefault(name, _blank(study, values.dtype))
        value = np.asarray(values) if study.own_starts else np.asarray(values)[:, None]
        column[..., 0] = np.where(begins, value, column[..., 0])


def _recorded(
    study: Study, records: dict[str, np.ndarray], steps: np.ndarray, new: dict[str, np.ndarray], ends: np.ndarray
) -> dict[str, np.ndarray]:
    """``records`` with the rows of a chunk, as far as they lie before each lane's end."""
    made = next(iter(new.values())).shape[-1]
    begins = study.record_steps[:-1]  # of the steps that each record after the first is about
    for group, step in enumerate(steps.tolist()):
        first = step // study.record_every
        wanted = begins[first : first + made] < ends[group, :, None]
        for name, values in new.items():
            part = values[group, :, : wanted.shape[1]]
            records[name][group, :, 1 + first : 1 + first + wanted.shape[1]] = np.where(wanted, part, np.nan)
    return records
