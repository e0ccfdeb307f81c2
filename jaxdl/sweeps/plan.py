"""How lanes are laid out: a compiled program runs ``groups`` × ``width`` lanes, and calls of it cover all cells.

A *cell* is one (point, seed) of a study. A *group* is lanes of one seed: they share initial parameters and batches, so
that the first layer is one wide matrix product. Groups are divided among devices. Every call has the same shape; what
is left over is padding, whose results are dropped.
"""

from typing import NamedTuple

import numpy as np

MAX_WIDTH = 64
"""Widest group: measured on CPU, 64 lanes of a small network keep their working set in cache; 256 are slower a lane."""
MAX_LANES = 256
"""Most lanes of one call, which bounds memory."""


class Layout(NamedTuple):
    """Shape of one compiled program. ``devices`` divides ``groups``."""

    groups: int
    width: int
    devices: int

    def describe(self) -> str:
        """For provenance: what a lane's last bits may depend on."""
        return f"{self.groups} groups x {self.width} lanes on {self.devices} device(s)"


class Call(NamedTuple):
    """One execution: ``seeds``: index of each group's seed, ``(groups,)``. ``points``: index of each lane's point,
    ``(groups, width)``. ``used``: which lanes are not padding, same shape.
    """

    seeds: np.ndarray
    points: np.ndarray
    used: np.ndarray


def flat(lanes: int, devices: int) -> Layout:
    """Groups of one lane each: any cells fit without waste, at the price of a batch per lane."""
    return Layout(groups=_round_up(max(lanes, 1), devices), width=1, devices=devices)


def shared(points: int, seeds: int, devices: int) -> Layout:
    """Groups as wide as is good, split so that padding is small; for the full product of points and seeds."""

    def candidate(pieces: int) -> tuple[float, Layout]:
        width = -(-points // pieces)
        total = seeds * pieces
        used = min(devices, total)
        most = max(used, MAX_LANES // width // used * used)
        calls = -(-total // most)
        groups = _round_up(-(-total // calls), used)
        padded = calls * groups * width
        # Fewer devices cost in proportion; a narrower group costs a little, because less is shared.
        return padded / used * (1 + 0.02 * pieces), Layout(groups, width, used)

    fewest = -(-points // MAX_WIDTH)
    return min((candidate(p) for p in range(fewest, min(points, fewest + 8) + 1)), key=lambda c: c[0])[1]


def calls(layout: Layout, cells: list[tuple[int, int]]) -> list[Call]:
    """Covers ``cells``, pairs (point, seed), by calls of one layout; cells of one seed fill groups together."""
    by_seed: dict[int, list[int]] = {}
    for point, seed in cells:
        by_seed.setdefault(seed, []).append(point)
    rows = [
        (seed, members[i : i + layout.width])
        for seed, members in by_seed.items()
        for i in range(0, len(members), layout.width)
    ]
    return [_call(layout, rows[i : i + layout.groups]) for i in range(0, len(rows), layout.groups)]


def _call(layout: Layout, rows: list[tuple[int, list[int]]]) -> Call:
    seeds = np.full(layout.groups, rows[0][0])
    points = np.full((layout.groups, layout.width), rows[0][1][0])
    used = np.zeros((layout.groups, layout.width), bool)
    for group, (seed, members) in enumerate(rows):
        seeds[group] = seed
        points[group, : len(members)] = members
        used[group, : len(members)] = True
    return Call(seeds, points, used)


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
