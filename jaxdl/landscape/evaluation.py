"""Functions of the parameters at many points of a slice: how many at a time, on which devices, what is kept.

A program takes a chunk of points: each device gets as many and goes through them ``batch_size`` at a time, in a
``lax.map``. Devices do not talk to each other, so a point's values depend on the batch size (in their last bits) and
not on the number of devices. On a CPU one to eight points at a time are fastest, and many cost memory and time.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxdl import checks, memory, tree
from jaxdl.curvature.products import Loss
from jaxdl.landscape import affine, kept
from jaxdl.landscape.directions import combination
from jaxdl.typing import Params, PyTree

POINTS_AT_ONCE = {"cpu": 4}
"""Most points evaluated together by a device, by backend."""
MOST_AT_ONCE = 256
"""The same of other backends."""
CHUNKS = 20
"""About how many chunks a grid has: so often progress is seen and what is done is kept."""


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
        saves a matrix product or convolution; it is never done with ``derivatives``.
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


class Slice(NamedTuple):
    """A function and where it is looked at: ``functions(params, *args)`` by name, at c + Σ aᵢ dᵢ."""

    functions: Mapping[str, Loss]
    params: Params
    directions: tuple[PyTree, ...]
    args: tuple[Any, ...]
    derivatives: bool = False

    def all(self, params: Params, *args: Any) -> dict[str, jax.Array]:
        """Every function at ``params``."""
        return {name: function(params, *args) for name, function in self.functions.items()}


class _Program(NamedTuple):
    """``prepare(params, directions, args)``, once, and ``at(prepared, a) -> record`` at the coordinates ``a``."""

    prepare: Callable[..., Any]
    at: Callable[[Any, jax.Array], dict[str, jax.Array]]


def evaluate(slice_: Slice, points: np.ndarray, options: Options) -> dict[str, np.ndarray]:
    """Every function of a slice at the points with coordinates ``points``, shape ``(n, k)``.

    Returns:
      Arrays with a leading axis n, by name.

    Raises:
      ValueError: a batch size or a memory budget below 1, no devices, a shortcut where there is none, or ``out`` holds
        another slice or one made elsewhere.
    """
    devices = tuple(options.get("devices") or jax.local_devices())
    allowed = memory.budget(options.get("memory"))
    program = _program(slice_, options.get("shortcut"), allowed)
    prepared = jax.jit(program.prepare)(slice_.params, slice_.directions, slice_.args)
    mesh = Mesh(np.array(devices), ("point",), axis_types=(AxisType.Auto,))
    prepared = jax.device_put(prepared, NamedSharding(mesh, PartitionSpec()))
    dtype = tree.compute_dtype(*jax.tree.leaves(slice_.params))
    points = points.astype(dtype)
    runner = _Runner(program, prepared, mesh, points.shape[1], dtype)
    folder = options.get("out")
    with kept.points(folder, lambda: kept.digest(slice_.all, slice_, points), runner.record) as done:
        batch_size = options.get("batch_size") or done.batch_size
        if options.get("batch_size") is not None:
            checks.positive_integer(batch_size=options["batch_size"])
        if batch_size is None:
            batch_size = _fitting(runner, len(points), allowed)
        done.begin(batch_size)
        tell = options.get("on_progress") or (lambda *_: None)
        missing = done.missing(len(points))
        tell(len(points) - len(missing), len(points))
        for which in _chunks(missing, batch_size * len(devices)):
            done.add(which, runner.run(points[which], batch_size))
            tell(done.count, len(points))
        return done.values(len(points))


def _program(slice_: Slice, shortcut: bool | None, allowed: int) -> _Program:
    """By the shortcut where that is wanted, possible, and fits into memory; else by moving the parameters."""
    if shortcut is False or slice_.derivatives:
        if shortcut:
            raise ValueError("derivatives are those of the whole parameters: shortcut=True cannot give them.")
        return _plain(slice_)
    axes = len(slice_.directions)
    halves = affine.split(slice_.all, slice_.params, axes, slice_.args)
    if shortcut is None:
        held = jax.eval_shape(halves.prepare, slice_.params, slice_.directions, slice_.args)
        size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(held) if jnp.issubdtype(x.dtype, jnp.number))
        if not halves.products or size > allowed // 2:
            return _plain(slice_)
    return _Program(halves.prepare, halves.at)


def _plain(slice_: Slice) -> _Program:
    """At every point the parameters there, and all of the functions from them."""

    def at(prepared: Any, a: jax.Array) -> dict[str, jax.Array]:
        params, directions, args = prepared

        def moved(a: jax.Array) -> Params:
            return jax.tree.map(jnp.add, params, combination(a, directions))

        here = moved(a)
        record = slice_.all(here, *args)
        if slice_.derivatives:
            loss = slice_.functions["loss"]
            gradient = jax.grad(lambda p: loss(p, *args))(here)
            record["gradient_norm"] = tree.global_norm(gradient)
            record["slope"] = jnp.stack([tree.inner_product(gradient, d) for d in directions])
            record["curvature"] = jax.hessian(lambda a: loss(moved(a), *args))(a)
        return record

    return _Program(lambda params, directions, args: (params, directions, args), at)


class _Runner:
    """Compiles the program for chunks of points, and runs it. ``record``: shapes and dtypes of a point's record."""

    def __init__(self, program: _Program, prepared: Any, mesh: Mesh, axes: int, dtype: np.dtype) -> None:
        self._program, self._prepared, self._mesh = program, prepared, mesh
        self._axes, self._dtype = axes, dtype
        self._compiled: dict[tuple[int, int], Any] = {}
        self.record = jax.eval_shape(program.at, prepared, jax.ShapeDtypeStruct((axes,), dtype))

    @property
    def _devices(self) -> int:
        return int(self._mesh.devices.size)

    def compiled(self, points: int, batch_size: int) -> Any:
        """The program of ``points`` points, a multiple of devices × batch size."""
        if (points, batch_size) not in self._compiled:
            divided, whole = PartitionSpec("point"), PartitionSpec()
            chunk: Callable[..., Any] = jax.shard_map(
                lambda prepared, a: jax.lax.map(lambda x: self._program.at(prepared, x), a, batch_size=batch_size),
                mesh=self._mesh,
                in_specs=(whole, divided),
                out_specs=divided,
                check_vma=False,
            )
            shape = jax.ShapeDtypeStruct((points, self._axes), self._dtype, sharding=NamedSharding(self._mesh, divided))
            self._compiled[points, batch_size] = jax.jit(chunk).lower(self._prepared, shape).compile()
        return self._compiled[points, batch_size]

    def run(self, points: np.ndarray, batch_size: int) -> dict[str, np.ndarray]:
        """Values at points, in order; the last is repeated to fill the chunk."""
        together = batch_size * self._devices
        # Of one turn XLA makes straight code, which is rounded otherwise.
        turns = max(2, math.ceil(len(points) / together))
        filled = np.concatenate([points, np.repeat(points[-1:], turns * together - len(points), axis=0)])
        placed = jax.device_put(filled, NamedSharding(self._mesh, PartitionSpec("point")))
        found = self.compiled(len(filled), batch_size)(self._prepared, placed)
        return {name: np.asarray(values)[: len(points)] for name, values in found.items()}

    def bytes(self, batch_size: int) -> int:
        """What the program takes on all devices with this batch size."""
        stats = self.compiled(2 * batch_size * self._devices, batch_size).memory_analysis()
        held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.generated_code_size_in_bytes
        return self._devices * int(held + stats.temp_size_in_bytes)


def _chunks(which: np.ndarray, together: int) -> Iterator[np.ndarray]:
    """About :data:`CHUNKS` parts of equal length, the last shorter, of whole turns of at least two each."""
    turns = math.ceil(len(which) / together)
    per_chunk = together * max(2, math.ceil(turns / CHUNKS))
    for start in range(0, len(which), per_chunk):
        yield which[start : start + per_chunk]


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
