"""How lanes are laid out: a compiled program runs ``groups`` × ``width`` lanes, and calls of it cover all cells.

A *cell* is one (point, seed) of a study. A *group* is lanes of one seed: they share initial parameters and batches, so
that the first layer is one wide matrix product. Groups are divided among devices. Every call has the same shape; what
is left over is padding, whose results are dropped.
"""

from typing import NamedTuple

import jax

MAX_WIDTH = 64
"""Widest group: measured on CPU, 64 lanes of a small network keep their working set in cache; 256 are slower a lane."""
MAX_LANES = 256
"""Most lanes of one call, which bounds memory."""


class Layout(NamedTuple):
    """Shape of one compiled program.

    ``groups``: how many, a multiple of ``devices``, among which they are divided. ``width``: lanes of each.
    ``in_turn``: whether the groups of a device run one after another (``lax.map``) or mapped together (``vmap``).
    """

    groups: int
    width: int
    devices: int
    in_turn: bool = False

    @property
    def exact(self) -> bool:
        """Whether every lane runs by itself, so that it is the run of ``jaxdl.train`` bit for bit."""
        return self.width == 1 and self.in_turn

    def describe(self) -> str:
        """For provenance: what a lane's last bits may depend on."""
        how = " in turn" if self.in_turn else ""
        return f"{self.groups} groups x {self.width} lanes{how} on {self.devices} device(s)"


def flat(lanes: int, devices: int) -> Layout:
    """Groups of one lane each: any cells fit without waste, at the price of a batch per lane."""
    return Layout(groups=_round_up(max(lanes, 1), devices), width=1, devices=devices)


def exact(lanes: int, devices: int) -> Layout:
    """Groups of one lane that run in turn: bit for bit the single run, at the price of doing nothing together."""
    return Layout(_round_up(min(max(lanes, 1), MAX_LANES), devices), 1, devices, in_turn=True)


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
        # In turn, what a group works on stays in cache; narrow groups are better mapped together.
        in_turn = jax.default_backend() == "cpu" and (width >= 16 or groups == used)
        return padded / used * (1 + 0.02 * pieces), Layout(groups, width, used, in_turn)

    fewest = -(-points // MAX_WIDTH)
    return min((candidate(p) for p in range(fewest, min(points, fewest + 8) + 1)), key=lambda c: c[0])[1]


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
