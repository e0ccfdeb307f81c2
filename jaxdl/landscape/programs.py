"""The programs of slices: what is computed once for a slice, what at every point, and what is known from earlier calls.

A slice's program is traced at every call, so that it is what the function says now; it is compiled when a program of
the same operations, shapes and captured numbers has not been met on these devices before. Function objects need not be
kept for that.
"""

import functools
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxdl import tree
from jaxdl.curvature.products import Loss
from jaxdl.landscape import affine
from jaxdl.landscape.directions import combination
from jaxdl.typing import Params, PyTree

KEPT = 8
"""Slices whose programs are kept; the one that was used longest ago goes first."""

_known: OrderedDict[Hashable, "Programs"] = OrderedDict()


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

    @property
    def numbers(self) -> tuple[Params, tuple[PyTree, ...], tuple[Any, ...]]:
        """What a program of the slice is given."""
        return self.params, self.directions, self.args

    @property
    def dtype(self) -> np.dtype:
        """Of the coordinates."""
        return tree.compute_dtype(*jax.tree.leaves(self.params))


class Program:
    """``prepare(params, directions, args)``, once, and ``at(prepared, a) -> record`` at the coordinates ``a``; compiled
    for the devices of a mesh. ``record``: shapes and dtypes of a point's record."""

    def __init__(self, prepare: Callable[..., Any], at: Callable[..., Any], slice_: Slice, mesh: Mesh) -> None:
        self._prepare, self._at, self._mesh = jax.jit(prepare), at, mesh
        self._point = jax.ShapeDtypeStruct((len(slice_.directions),), slice_.dtype)
        self._compiled: dict[tuple[int, int], Any] = {}
        self.devices = int(mesh.devices.size)
        self.held = jax.eval_shape(prepare, *slice_.numbers)
        self.record: dict[str, jax.ShapeDtypeStruct] = jax.eval_shape(at, self.held, self._point)

    def prepared(self, slice_: Slice) -> Any:
        """What points are computed from, on every device."""
        return jax.device_put(self._prepare(*slice_.numbers), NamedSharding(self._mesh, PartitionSpec()))

    def compiled(self, prepared: Any, points: int, batch_size: int) -> Any:
        """The program of ``points`` points, a multiple of devices × batch size."""
        if (points, batch_size) not in self._compiled:
            divided, whole = PartitionSpec("point"), PartitionSpec()
            chunk: Callable[..., Any] = jax.shard_map(
                lambda prepared, a: jax.lax.map(lambda x: self._at(prepared, x), a, batch_size=batch_size),
                mesh=self._mesh,
                in_specs=(whole, divided),
                out_specs=divided,
                check_vma=False,
            )
            sharding = NamedSharding(self._mesh, divided)
            shape = jax.ShapeDtypeStruct((points, *self._point.shape), self._point.dtype, sharding=sharding)
            self._compiled[points, batch_size] = jax.jit(chunk).lower(prepared, shape).compile()
        return self._compiled[points, batch_size]

    def run(self, prepared: Any, points: np.ndarray, batch_size: int) -> dict[str, np.ndarray]:
        """Values at ``points``, a multiple of devices × batch size."""
        placed = jax.device_put(points, NamedSharding(self._mesh, PartitionSpec("point")))
        found = self.compiled(prepared, len(points), batch_size)(prepared, placed)
        return {name: np.asarray(values) for name, values in found.items()}

    def bytes(self, prepared: Any, points: int, batch_size: int) -> int:
        """What it takes on all devices."""
        stats = self.compiled(prepared, points, batch_size).memory_analysis()
        held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.generated_code_size_in_bytes
        return self.devices * int(held + stats.temp_size_in_bytes)


class Programs:
    """The two ways to compute a slice: by moving the parameters, and by the shortcut of ``affine.py``."""

    def __init__(self, slice_: Slice, mesh: Mesh, traced: Any) -> None:
        # Kept, since the text of a program may name the address of something in it.
        self._traced = traced
        self._halves = None if slice_.derivatives else _halves(slice_)
        self._plain = Program(lambda *numbers: numbers, functools.partial(_at, slice_), slice_, mesh)
        self._shortcut = None if self._halves is None else Program(self._halves.prepare, self._halves.at, slice_, mesh)
        self._error = None if self._halves is None else jax.jit(self._halves.error)

    def chosen(self, shortcut: bool | None, allowed: int) -> tuple[Program, bool]:
        """The program, and whether it is the shortcut: where that is wanted, or saves something and fits into memory.

        Raises:
          ValueError: the shortcut is wanted where there is none.
        """
        if self._halves is None or self._shortcut is None:
            if shortcut:
                raise ValueError("derivatives are those of the whole parameters: shortcut=True cannot give them.")
            return self._plain, False
        if shortcut is None:
            held = jax.tree.leaves(self._shortcut.held)
            size = sum(x.size * x.dtype.itemsize for x in held if jnp.issubdtype(x.dtype, jnp.number))
            shortcut = self._halves.products > 0 and size <= allowed // 2
        return (self._shortcut, True) if shortcut else (self._plain, False)

    def error(self, slice_: Slice, points: np.ndarray) -> float:
        """How far the shortcut is off at some points, see :class:`jaxdl.landscape.affine.Split`."""
        assert self._error is not None
        return max(float(self._error(*slice_.numbers, point)) for point in points)


def of(slice_: Slice, devices: Sequence[jax.Device]) -> Programs:
    """The programs of a slice on devices, from an earlier call where there was one of the same."""
    point = jax.ShapeDtypeStruct((len(slice_.directions),), slice_.dtype)
    traced, record = jax.make_jaxpr(functools.partial(_at, slice_), return_shape=True)(slice_.numbers, point)
    key = (
        _fingerprint(traced),
        tuple(traced.in_avals),
        jax.tree.structure((slice_.numbers, record)),
        tuple(devices),
        slice_.derivatives,
    )
    if key not in _known:
        mesh = Mesh(np.array(devices), ("point",), axis_types=(AxisType.Auto,))
        _known[key] = Programs(slice_, mesh, traced)
    _known.move_to_end(key)
    while len(_known) > KEPT:
        _known.popitem(last=False)
    return _known[key]


def _halves(slice_: Slice) -> affine.Split:
    return affine.split(slice_.all, slice_.params, len(slice_.directions), slice_.args)


def _at(slice_: Slice, numbers: tuple[Params, tuple[PyTree, ...], tuple[Any, ...]], a: jax.Array) -> dict[str, Any]:
    """The parameters at a point, and all of the functions from them."""
    params, directions, args = numbers

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


def _fingerprint(traced: Any) -> str:
    """SHA-256 of the operations of a program and of the numbers that it has captured."""
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
        found = hashlib.sha256(str(traced.jaxpr).encode())
    for value in traced.consts:
        add(found, value)
    return found.hexdigest()


def add(found: Any, value: Any) -> None:
    """Adds the dtype, shape and bytes of an array or of random keys to a checksum."""
    is_key = isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
    array = np.ascontiguousarray(jax.random.key_data(value) if is_key else value)
    found.update(f"{array.dtype}{array.shape}".encode())
    found.update(array.tobytes())
