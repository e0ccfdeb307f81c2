"""Functions of the parameters at many points of a slice: how many at a time, on which devices, what is kept.

A program, see ``programs.py``, takes a chunk of points: each device gets as many and goes through them ``batch_size``
at a time, in a ``lax.map``. Devices do not talk to each other, so a point's values depend on the batch size (in their
last bits) and not on the number of devices. On a CPU one to eight points at a time are fastest, and many cost memory
and time. On other backends the batch size comes from the memory budget alone, up to a cap: as many points as the
compiler says fit, which has not been tuned for speed.
"""

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import jax
import numpy as np

from jaxdl import checks, memory
from jaxdl.curvature.products import Loss
from jaxdl.landscape import kept, programs
from jaxdl.landscape.programs import Slice

POINTS_AT_ONCE = {"cpu": 4}
"""Most points evaluated together by a device, by backend."""
MOST_AT_ONCE = 256
"""The same of other backends."""
CHUNKS = 20
"""About how many chunks a grid has: so often progress is seen and what is done is kept."""
ROUNDINGS = 16.0
"""The shortcut must agree with what it replaces up to so many √ε: mistakes are larger, TF32's roundings smaller."""


class Options(TypedDict, total=False):
    """How points are evaluated, whatever the slice.

    Attributes:
      metrics: Further functions like ``loss``, by name.
      derivatives: Whether to record ``gradient_norm``, the length of the whole gradient, and the derivatives within
        the slice: ``slope`` along each axis and ``curvature``, the Hessian of f(a).
      batch_size: Points at a time on a device; by default what suits the backend and fits into memory.
      memory: Bytes that the program may take; by default half of what is free.
      devices: On which devices; by default all of this process.
      shortcut: Whether to compute once what is affine in the coordinates, see ``affine.py``. By default wherever that
        saves a matrix product or convolution and, at three points of the slice, agrees with it; it is never done with
        ``derivatives``.
      out: Folder in which finished points are kept: the same call again, after whatever end, computes the rest.
      on_progress: Called with points done and points in all.
    """

    metrics: Mapping[str, Loss] | None
    derivatives: bool
    batch_size: int | None
    memory: int | None
    devices: Sequence[jax.Device] | None
    shortcut: bool | None
    out: str | os.PathLike[str] | None
    on_progress: Callable[[int, int], None] | None


def evaluate(slice_: Slice, points: np.ndarray, options: Options) -> dict[str, np.ndarray]:
    """Every function of a slice at the points with coordinates ``points``, shape ``(n, k)``.

    Returns:
      Arrays with a leading axis n, by name.

    Raises:
      ValueError: a batch size or a memory budget below 1, no devices, a shortcut where there is none or that does not
        agree, or ``out`` holds another slice or one made elsewhere.
    """
    devices = tuple(options.get("devices") or jax.local_devices())
    allowed = memory.budget(options.get("memory"))
    points = points.astype(slice_.dtype)
    program = _program(slice_, points, devices, options.get("shortcut"), allowed)
    runner = _Runner(program, program.prepared(slice_), len(points))
    folder = options.get("out")
    with kept.points(folder, lambda: kept.digest(slice_.all, slice_, points), program.record) as done:
        batch_size = options.get("batch_size") or done.batch_size
        if options.get("batch_size") is not None:
            checks.positive_integer(batch_size=options["batch_size"])
        if batch_size is None:
            batch_size = _fitting(runner, len(points), allowed)
        done.begin(batch_size)
        tell = options.get("on_progress") or (lambda *_: None)
        missing = done.missing(len(points))
        tell(len(points) - len(missing), len(points))
        length = runner.length(batch_size)
        for start in range(0, len(missing), length):
            which = missing[start : start + length]
            done.add(which, runner.run(points[which], batch_size))
            tell(done.count, len(points))
        return done.values(len(points))


def _program(
    slice_: Slice, points: np.ndarray, devices: tuple[jax.Device, ...], shortcut: bool | None, allowed: int
) -> programs.Program:
    """By the shortcut where that is wanted, possible, fits into memory and agrees with the loss; else plainly."""
    known = programs.of(slice_, devices)
    program, short = known.chosen(shortcut, allowed)
    if not short:
        return program
    error = known.error(slice_, points[[0, len(points) // 3, -1]])
    if error <= ROUNDINGS:
        return program
    found = f"the shortcut must agree with what it replaces within {ROUNDINGS:g} √ε, it is off by {error:.2g} √ε"
    if shortcut:
        raise ValueError(f"{found}: shortcut=True cannot be.")
    warnings.warn(f"{found}: the slice is computed without it.", stacklevel=5)
    return known.chosen(False, allowed)[0]


class _Runner:
    """Runs a program on chunks of points that are all of one length."""

    def __init__(self, program: programs.Program, prepared: Any, points: int) -> None:
        self._program, self._prepared, self._points = program, prepared, points

    def length(self, batch_size: int) -> int:
        """Points of a chunk: whole turns, so that about :data:`CHUNKS` chunks hold all points with the least room left.

        Of one turn XLA makes straight code, which is rounded otherwise.
        """
        turns = math.ceil(self._points / (batch_size * self._program.devices))
        possible = (max(2, math.ceil(turns / chunks)) for chunks in range(CHUNKS - 5, CHUNKS + 6))
        best = min(possible, key=lambda each: each * math.ceil(turns / each))
        return best * batch_size * self._program.devices

    def run(self, points: np.ndarray, batch_size: int) -> dict[str, np.ndarray]:
        """Values at points, in order; the last is repeated to fill the chunk."""
        filled = np.concatenate([points, np.repeat(points[-1:], self.length(batch_size) - len(points), axis=0)])
        found = self._program.run(self._prepared, filled, batch_size)
        return {name: values[: len(points)] for name, values in found.items()}

    def bytes(self, batch_size: int) -> int:
        """What the program takes on all devices with this batch size."""
        return self._program.bytes(self._prepared, self.length(batch_size), batch_size)


def _fitting(runner: _Runner, points: int, allowed: int) -> int:
    """The most points at a time that suit the backend and fit into memory.

    Raises:
      ValueError: not even one fits.
    """
    most = min(POINTS_AT_ONCE.get(jax.default_backend(), MOST_AT_ONCE), max(1, points // 2))
    if runner.bytes(most) <= allowed:
        return most
    # Bytes are affine in the batch size, from two on: a single point is compiled without an axis.
    fits = memory.Affine.through((2, runner.bytes(2)), (4, runner.bytes(4))).most(allowed)
    if fits >= 2:
        return min(fits, most)
    if runner.bytes(1) > allowed:
        raise ValueError(f"the memory budget must hold one point, {runner.bytes(1)} bytes, got {allowed}.")
    return 1
