"""Where lanes run: groups are divided among devices, and a device runs its groups in turn or together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxdl.sweeps.plan import Layout


class Placement(NamedTuple):
    """Where arrays live: divided among the layout's devices along the axis of groups, or whole on each of them."""

    layout: Layout
    devices: tuple[jax.Device, ...]

    @property
    def mesh(self) -> jax.sharding.Mesh:
        return jax.make_mesh((len(self.devices),), ("group",), axis_types=(AxisType.Auto,), devices=self.devices)

    @property
    def divided(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec("group"))

    @property
    def shared(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec())

    def jit(self, function: Callable[..., Any], shared: int, arguments: int, donate: tuple[int, ...] = ()) -> Any:
        """Jits ``function`` of ``arguments`` arguments, the first ``shared`` of which are whole on every device.

        Each device runs its part of the groups without talking to the others.
        """
        inputs = (self.shared,) * shared + (self.divided,) * (arguments - shared)
        if len(self.devices) > 1:
            specs, out = tuple(sharding.spec for sharding in inputs), self.divided.spec
            function = jax.shard_map(function, mesh=self.mesh, in_specs=specs, out_specs=out, check_vma=False)
        return jax.jit(function, in_shardings=inputs, out_shardings=self.divided, donate_argnums=donate)

    def over_groups(self, function: Callable[..., Any], axes: tuple[int | None, ...]) -> Callable[..., Any]:
        """``function`` of one group, mapped over the groups of a device: in turn or together; a single one as it is."""
        if self.layout.groups == self.layout.devices:
            # Neither a loop nor an axis of batched matrix products for one group.
            return lambda *args: _with_axis(0, function(*_without_axis(axes, args)))
        if not self.layout.in_turn:
            return jax.vmap(function, axes)

        def in_turn(*args: Any) -> Any:
            mapped = tuple(arg for arg, axis in zip(args, axes, strict=True) if axis == 0)

            def one(group: tuple[Any, ...]) -> Any:
                rest = iter(group)
                return function(*(next(rest) if axis == 0 else arg for arg, axis in zip(args, axes, strict=True)))

            return jax.lax.map(one, mapped)

        return in_turn

    def over_lanes(self, function: Callable[..., Any], axes: tuple[Any, ...], out: Any) -> Callable[..., Any]:
        """``function`` of one lane, mapped over the lanes of a group; applied as it stands where lanes run exactly."""
        if not self.layout.exact:
            return jax.vmap(function, axes, out)
        return lambda *args: _with_axis(out, function(*_without_axis(axes, args)))


def _without_axis(axes: Any, values: Any) -> Any:
    """Takes the only element along axis 0 where ``axes``, a prefix of ``values`` as for ``vmap``, says 0."""
    return jax.tree.map(lambda axis, x: _each(lambda a: a[0], x) if axis == 0 else x, axes, values, is_leaf=_is_none)


def _with_axis(axes: Any, values: Any) -> Any:
    return jax.tree.map(lambda axis, x: _each(lambda a: a[None], x) if axis == 0 else x, axes, values, is_leaf=_is_none)


def _each(function: Callable[[jax.Array], jax.Array], tree: Any) -> Any:
    return jax.tree.map(function, tree)


def _is_none(node: Any) -> bool:
    return node is None
