"""Who sits where: lanes are seated in groups at chunk borders, and dead lanes give up their seats.

A *lane* is one run in flight. A *group* is ``width`` lanes of one seed that have done the same number of steps: they
share their batches, so that the first layer is one wide matrix product. At a chunk border finished and diverged lanes
leave. Where the lanes that are left of one seed and step fit into fewer groups they are seated together, and the groups
that fall free are filled with waiting cells. A lane's result depends neither on its seat nor on its neighbours, so none
of this changes a bit of it.

Everything here is bookkeeping on the host, in NumPy, on indices of cells.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from jaxdl.sweeps.plan import Layout

EMPTY = -1


class Slots(NamedTuple):
    """The seats of one chunk.

    ``cells``: which cell sits in each slot, −1 for none, shape ``(groups, width)``. ``seeds`` and ``steps``: of each
    group, the steps being those completed before the chunk, ``(groups,)``. ``source``: flat index of the slot that each
    lane had in the chunk before, −1 where it begins or the slot is empty, ``(groups, width)``.
    """

    cells: np.ndarray
    seeds: np.ndarray
    steps: np.ndarray
    source: np.ndarray

    @property
    def stays(self) -> bool:
        """Whether every lane sits where it sat."""
        here = np.arange(self.cells.size).reshape(self.cells.shape)
        return bool(np.all((self.cells == EMPTY) | (self.source == here)))

    @property
    def begins(self) -> np.ndarray:
        """Lanes that begin with this chunk, ``(groups, width)``."""
        begun: np.ndarray = (self.cells != EMPTY) & (self.source == EMPTY)
        return begun


class _Row(NamedTuple):
    """A group to be placed: its lanes as (seat, cell, source), and the group it should stay in, or −1."""

    seed: int
    step: int
    lanes: list[tuple[int, int, int]]
    home: int


class Waiting:
    """Cells that have not begun, in order, by (seed, steps already completed): mutable, emptied by :func:`seat`."""

    def __init__(self, cells: Iterable[int], seeds: np.ndarray, steps: np.ndarray) -> None:
        self._queues: dict[tuple[int, int], deque[int]] = {}
        for cell in cells:
            self._queues.setdefault((int(seeds[cell]), int(steps[cell])), deque()).append(cell)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def take(self, width: int) -> tuple[int, int, list[int]] | None:
        """Up to ``width`` cells of the first seed and step that has any: (seed, step, cells)."""
        if not self._queues:
            return None
        (seed, step), queue = next(iter(self._queues.items()))
        taken = [queue.popleft() for _ in range(min(width, len(queue)))]
        if not queue:
            del self._queues[seed, step]
        return seed, step, taken


def seat(layout: Layout, waiting: Waiting, before: Slots | None, alive: np.ndarray | None, steps: int) -> Slots | None:
    """Seats for the next chunk; None where nothing is left to run.

    Args:
      layout: Shape of the program.
      waiting: Cells that have not begun; those that get a seat are taken from it.
      before: Seats of the chunk that ended; None at the beginning.
      alive: Which of its lanes go on, ``(groups, width)``.
      steps: Steps of that chunk.
    """
    rows = [] if before is None or alive is None else _survivors(layout, before, alive, steps)
    while len(rows) < layout.groups and (taken := waiting.take(layout.width)) is not None:
        seed, step, cells = taken
        rows.append(_Row(seed, step, [(w, cell, EMPTY) for w, cell in enumerate(cells)], home=-1))
    return _placed(layout, rows) if rows else None


def _survivors(layout: Layout, before: Slots, alive: np.ndarray, steps: int) -> list[_Row]:
    """Living lanes as groups: as they sat, or closer together where that frees a group."""
    classes: dict[tuple[int, int], list[tuple[int, int, int]]] = {}  # (group, seat, cell) by (seed, step)
    for group, lane in np.argwhere(alive).tolist():
        key = int(before.seeds[group]), int(before.steps[group]) + steps
        classes.setdefault(key, []).append((group, lane, int(before.cells[group, lane])))
    rows = []
    for (seed, step), members in classes.items():
        homes = sorted({group for group, _, _ in members})
        needed = -(-len(members) // layout.width)
        for i in range(needed):
            if needed == len(homes):
                sitting = [(lane, group, cell) for group, lane, cell in members if group == homes[i]]
                row = [(w, cell, group * layout.width + w) for w, group, cell in sitting]
            else:
                part = members[i * layout.width : (i + 1) * layout.width]
                row = [(w, cell, group * layout.width + lane) for w, (group, lane, cell) in enumerate(part)]
            rows.append(_Row(seed, step, row, homes[i] if needed == len(homes) else -1))
    return rows


def _placed(layout: Layout, rows: list[_Row]) -> Slots:
    """Rows in groups, evenly over the devices; a row keeps its group as long as no device has too many for it."""
    per_device = layout.groups // layout.devices
    fair = -(-len(rows) // layout.devices)
    free = {device: list(range(device * per_device, (device + 1) * per_device)) for device in range(layout.devices)}
    load = dict.fromkeys(free, 0)
    places: dict[int, _Row] = {}

    def place(row: _Row, group: int) -> None:
        places[group] = row
        load[group // per_device] += 1
        free[group // per_device].remove(group)

    homeless = []
    for row in rows:
        if row.home >= 0 and load[row.home // per_device] < fair:
            place(row, row.home)
        else:
            homeless.append(row)
    for row in homeless:
        device = min((d for d in free if free[d]), key=lambda d: load[d])
        place(row, free[device][0])

    cells = np.full((layout.groups, layout.width), EMPTY)
    source = np.full((layout.groups, layout.width), EMPTY)
    seeds, done = np.zeros(layout.groups, np.int64), np.zeros(layout.groups, np.int64)
    for group, row in places.items():
        seeds[group], done[group] = row.seed, row.step
        for w, cell, origin in row.lanes:
            cells[group, w], source[group, w] = cell, origin
    return Slots(cells, seeds, done, source)
