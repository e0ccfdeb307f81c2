"""How lanes are laid out: a compiled program runs ``groups`` × ``width`` lanes, and calls of it cover all cells.

A *cell* is one (point, seed) of a study. A *group* is lanes of one seed: they share initial parameters and batches, so
that the first layer is one wide matrix product. A *team* is a device with a program of its own; teams take cells from
one queue. Every call has the same shape; what is left over is padding, whose results are dropped.

The best *shape* depends on how much one step of a lane writes. On a CPU, what a group works on should stay in cache:
lanes of a few numbers want hundreds together, small networks tens, and large ones almost none. Here are the shapes
worth trying, best guess first, and what follows from a shape; :mod:`jaxdl.sweeps.planner` measures them.
"""

import math
from typing import NamedTuple

import jax

MAX_LANES = 4096
"""Most lanes of one call: beyond, a lane gets no cheaper even where it is two numbers."""
TINY, SMALL = 2**15, 2**22
"""Bytes written by a step of a lane, up to which it is tiny or small."""
CACHE = 700_000
"""Bytes that lanes mapped together may write in a step so that they stay in a core's cache: measured on vectors of 2
and 100 numbers, where four times as much takes up to four times as long."""
WIDE = 256
"""Lanes of two numbers that are enough for a group: more of them mapped together cost each as much or a sixth more."""
FEW, FEW_BYTES = range(4, 13), 1000
"""How many lanes of a device are few, and the bytes that a step of one writes at most, for them to cost less in turn:
mapped together, a step takes two microseconds however narrow it is."""
CHUNK_SECONDS = 0.5
"""How long a chunk should last: long against the milliseconds between chunks, short against patience. The guess of a
step's cost may be wrong by a factor of two or three, and the chunk still lasts 0.2 to 2 seconds."""
NARROW = 0.1
"""What dividing the points into twice as many groups costs a lane, as a part: less is shared."""


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

    @property
    def lanes(self) -> int:
        """Lanes of one call."""
        return self.groups * self.width

    def describe(self) -> str:
        """For provenance: what a lane's last bits may depend on."""
        how = " in turn" if self.in_turn and self.groups > self.devices else ""
        return f"{self.groups} groups x {self.width} lanes{how} on {self.devices} device(s)"


class Shape(NamedTuple):
    """What a layout is cut from. ``width``: most lanes mapped together; ``in_turn``: whether groups run one by one."""

    width: int
    in_turn: bool


class Demand(NamedTuple):
    """What is to be run: every one of ``points`` with every one of ``seeds``, for ``steps`` updates of about
    ``seconds`` a lane, on up to ``devices`` devices.
    """

    points: int
    seeds: int
    steps: int
    seconds: float
    devices: int

    @property
    def total(self) -> float:
        """Seconds that all of it takes, about."""
        return self.points * self.seeds * self.steps * self.seconds / self.devices

    def groups(self, width: int) -> int:
        """Groups of ``width`` lanes that hold all points of all seeds."""
        return self.seeds * -(-self.points // width)

    def teams(self, width: int) -> int:
        """Devices that have anything to do."""
        return min(self.devices, self.groups(width))


class Plan(NamedTuple):
    """How a study is run.

    ``layout``: of a team's program. ``teams``: how many devices run it. ``chunk_steps``: updates between two looks.
    ``bytes``: memory of all teams while they run. ``lane_step``: seconds per update of one lane, all teams at work,
    and ``seconds`` of the whole study: measured, read from an earlier measurement, or, unless ``timed``, guessed.
    """

    layout: Layout
    teams: int
    chunk_steps: int
    bytes: int
    lane_step: float
    seconds: float
    timed: bool

    def describe(self) -> str:
        """The plan in one line.

        >>> Plan(Layout(1, 64, 1, True), 2, 250, 41_000_000, 4.2e-6, 14.2, True).describe()
        '64 lanes × 2 devices, chunk 250 steps, 41 MB, 4.2 µs per lane-step, about 14 s'
        """
        devices = "1 device" if self.teams == 1 else f"{self.teams} devices"
        lanes = "1 lane" if self.layout.lanes == 1 else f"{self.layout.lanes} lanes"
        steps = "1 step" if self.chunk_steps == 1 else f"{self.chunk_steps} steps"
        cost = f"{_two_digits(1e6 * self.lane_step)} µs per lane-step, {_duration(self.seconds)}"
        guess = "" if self.timed else " (a guess)"
        return f"{lanes} × {devices}, chunk {steps}, {_megabytes(self.bytes)}, {cost}{guess}"


def flat(lanes: int, devices: int) -> Layout:
    """Groups of one lane each: any cells fit without waste, at the price of a batch per lane."""
    return Layout(groups=_round_up(max(lanes, 1), devices), width=1, devices=devices)


def alone(lanes: int) -> Layout:
    """Up to ``lanes`` runs on one device, one after another, each by itself."""
    return Layout(groups=max(1, min(lanes, 64)), width=1, devices=1, in_turn=True)


def exact(demand: Demand) -> Layout:
    """Groups of one lane that run in turn: bit for bit the single run, at the price of doing nothing together."""
    return cut(Shape(1, in_turn=True), demand)


def shapes(written: float, demand: Demand, room: int, backend: str | None = None) -> list[Shape]:
    """Shapes worth trying, best guess first.

    Args:
      written: Bytes that one step of a lane writes.
      demand: Groups that its points would leave narrow are better mapped together than run in turn.
      room: Most lanes for which there is memory.
      backend: JAX's; by default that in use.
    """
    if (backend or jax.default_backend()) != "cpu":
        found = [Shape(MAX_LANES, False), Shape(512, False), Shape(64, True)]
    elif written <= TINY:
        fit = min(2048, max(64, 2 ** round(math.log2(CACHE / max(written, 1)))))
        first = WIDE if fit > WIDE <= demand.points else fit
        found = [Shape(width, demand.points >= width) for width in (first, fit // 4, 4 * fit)]
        if written <= FEW_BYTES and -(-demand.points * demand.seeds // demand.devices) in FEW:
            found.insert(0, Shape(1, True))
    elif written <= SMALL:
        found = [Shape(32, True) if demand.points >= 16 else Shape(64, False), Shape(16, True), Shape(128, False)]
    else:
        found = [Shape(1, True), Shape(4, True), Shape(16, True)]
    return [shape._replace(width=max(1, min(shape.width, room, MAX_LANES))) for shape in found]


def cut(shape: Shape, demand: Demand) -> Layout:
    """The layout of a team: as wide as the shape allows, divided so that little is padding and every team has work.

    >>> cut(Shape(64, True), Demand(points=130, seeds=1, steps=500, seconds=1e-5, devices=2))
    Layout(groups=2, width=33, devices=1, in_turn=True)
    """
    widest = min(shape.width, MAX_LANES)
    fewest = -(-demand.points // widest)

    def cost(pieces: int) -> float:
        width = -(-demand.points // pieces)
        layout = _grouped(shape, width, demand)
        calls = -(-demand.groups(width) // (layout.groups * demand.teams(width)))
        # Fewer teams cost in proportion; a narrower group costs a little, because less is shared.
        return calls * layout.lanes * (1 + NARROW * (pieces - fewest) / fewest)

    pieces = min(range(fewest, min(demand.points, 3 * fewest + 8) + 1), key=cost)
    return _grouped(shape, -(-demand.points // pieces), demand)


def chunk_records(layout: Layout, demand: Demand, record_every: int, most: int | None = None) -> int:
    """Records of a chunk that lasts about ``CHUNK_SECONDS``, at most ``most``, so that the run is cut evenly."""
    records = -(-demand.steps // record_every)
    lasting = int(CHUNK_SECONDS / (layout.lanes * record_every * demand.seconds))
    most = max(1, min(records, lasting, records if most is None else most))
    return -(-records // -(-records // most))


def more_devices(cores: int) -> str | None:
    """How to use the cores that are idle because JAX has started with one CPU device; None where none are."""
    if jax.default_backend() != "cpu" or jax.local_device_count() > 1 or cores < 2:
        return None
    return (
        f"JAX has started with 1 CPU device on {cores} cores; "
        f"jaxdl.configure(devices={cores}) before the first JAX operation lets a sweep use them all."
    )


def _grouped(shape: Shape, width: int, demand: Demand) -> Layout:
    """Groups of ``width`` lanes: no more than needed in turn, as many as allowed together; calls evenly filled."""
    teams = demand.teams(width)
    total = -(-demand.groups(width) // teams)
    if shape.in_turn:
        # One group at a time wastes least and needs least memory, as long as a call is worth its overhead.
        wanted = int(CHUNK_SECONDS / (width * demand.steps * demand.seconds))
        most = min(max(1, wanted), MAX_LANES // width)
    else:
        most = max(1, shape.width // width)
    calls = -(-total // min(most, total))
    groups = -(-total // calls)
    return Layout(groups, width, 1, shape.in_turn or groups == 1)


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _megabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _duration(seconds: float) -> str:
    if seconds >= 7200:
        return f"about {seconds / 3600:.1f} h"
    if seconds >= 120:
        return f"about {seconds / 60:.0f} min"
    return f"about {_two_digits(seconds)} s" if seconds >= 0.1 else "under 0.1 s"


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}"
