"""A landscape with the runs that crossed it: one plane for all of them, the loss on it, and what to doubt."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks, tree
from jaxdl.curvature.lanczos import eigenpairs
from jaxdl.curvature.products import Loss
from jaxdl.landscape import directions as along
from jaxdl.landscape import evaluation, slices, trajectories
from jaxdl.landscape.honesty import doubts
from jaxdl.landscape.trajectories import Paths
from jaxdl.typing import Key, Params, PyTree

if TYPE_CHECKING:
    import xarray


MARGIN = 0.2
"""Room around paths, as a part of their extent."""


class Plane(NamedTuple):
    """``centre`` and two ``directions``, trees shaped like the parameters. ``extent``: coordinates that the picture
    must show, for x and y. ``name``: for its axes."""

    centre: Params
    directions: tuple[PyTree, PyTree]
    extent: tuple[slices.Range, slices.Range] = ((0.0, 0.0), (0.0, 0.0))
    name: str = "given"


PlaneRule: TypeAlias = Callable[[Loss, Paths, tuple[Any, ...], Key], Plane]
"""``rule(loss, paths, args, key) -> plane``."""


def principal(loss: Loss, paths: Paths, args: tuple[Any, ...], key: Key) -> Plane:
    """The two principal axes of all points, through their mean: no plane is nearer to them if every run counts alike.

    Counted point by point the run that goes farthest has the plane to itself, and the contours are wrong for others.
    Axes point where the runs go, on the whole: their sign is otherwise an accident of the eigenvectors.
    """
    del loss, args, key
    points, (_, _, snapshots) = trajectories.stacked(paths)
    found = along.principal(points, 2, trajectories.weights(paths))
    ways = jax.tree.map(lambda x: (x[snapshots - 1 :: snapshots] - x[::snapshots]).sum(axis=0), points)
    first, second = (_towards(axis, ways) for axis in found.axes)
    return Plane(found.mean, (first, second), name="pca")


def _towards(axis: PyTree, goal: PyTree) -> PyTree:
    """The axis, or its opposite where that points more to the goal."""
    sign = jnp.where(tree.inner_product(axis, goal) < 0, -1.0, 1.0)
    turned: PyTree = jax.tree.map(lambda x: x * sign.astype(x.dtype), axis)
    return turned


def random(loss: Loss, paths: Paths, args: tuple[Any, ...], key: Key) -> Plane:
    """Two Gaussian directions, filter-normalised, through the end with the smallest loss; one unit to all sides."""
    centre = best_end(loss, paths, args)
    u, v = along.random(key, centre)
    return Plane(centre, (u, v), ((-1.0, 1.0), (-1.0, 1.0)), "random")


def hessian(loss: Loss, paths: Paths, args: tuple[Any, ...], key: Key) -> Plane:
    """The two eigenvectors of largest curvature at the end with the smallest loss, through that end."""
    del key
    centre = best_end(loss, paths, args)
    pairs = eigenpairs(loss, centre, *args, k=2)
    u, v = (jax.tree.map(lambda x, i=i: x[i], pairs.vectors) for i in range(2))
    return Plane(centre, (u, v), name="hessian")


PLANES: Mapping[str, PlaneRule] = MappingProxyType({"pca": principal, "random": random, "hessian": hessian})


def best_end(loss: Loss, paths: Paths, args: tuple[Any, ...]) -> Params:
    """The last point of the run whose loss is smallest there."""
    points, shape = trajectories.stacked(paths)
    ends = jax.tree.map(lambda x: x[shape[2] - 1 :: shape[2]], points)
    losses = jax.jit(lambda ends, args: jax.lax.map(lambda p: loss(p, *args), ends))(ends, args)
    best = int(np.nanargmin(losses))
    end: Params = jax.tree.map(lambda x: x[best], ends)
    return end


def portrait(
    loss: Loss,
    paths: Paths,
    *args: Any,
    plane: str | PlaneRule | Plane = "pca",
    grid: int | tuple[int, int] = 51,
    margin: float = MARGIN,
    steps: Sequence[int] | np.ndarray | None = None,
    key: Key | None = None,
    floor: float | None = None,
    units: str = "1",
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The loss on a plane and the paths of runs over it, any number of optimizers and seeds.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      paths: Name to parameters with a leading axis of snapshots, such as the ``snapshots`` of the curves of
        ``jaxdl.train``; or to a list of such, one a seed.
      *args: What else the loss is given, such as a batch.
      plane: ``"pca"``, ``"random"``, ``"hessian"``, a function such as those of this file, or a :class:`Plane`.
      grid: Points along x and y, or one number for both.
      margin: Room around the paths, as a part of their extent.
      steps: Completed updates at the snapshots.
      key: Of random directions; ``jax.random.key(0)`` by default.
      floor: Infimum of the loss, where it is known: logarithmic contours are of the height above it.
      units: Unit of the loss.
      **options: See :class:`jaxdl.landscape.Options`.

    Returns:
      The Datasets of :func:`jaxdl.landscape.plane` and :func:`jaxdl.landscape.on_plane` in one. The attribute
      ``doubts`` lists in JSON why the picture misleads, if it does.

    Raises:
      ValueError: an unknown plane, or what either raises.

    >>> import jax.numpy as jnp
    >>> path = jnp.array([[2.0, 1.0, 0.1], [1.0, 0.2, 0.0], [0.5, 0.1, 0.0], [0.0, 0.0, 0.0]])
    >>> data = portrait(lambda w: jnp.sum(w**2), {"sgd": path}, grid=5)
    >>> data["loss"].shape, data["path_x"].shape, json.loads(data.attrs["doubts"])
    ((5, 5), (1, 1, 4), [])
    """
    if isinstance(plane, str):
        checks.known("plane", plane, PLANES)
        plane = PLANES[plane]
    chosen = plane if isinstance(plane, Plane) else plane(loss, paths, args, jax.random.key(0) if key is None else key)
    seen = trajectories.on_plane(loss, paths, chosen.centre, chosen.directions, *args, steps=steps)
    extent = (
        _extent(seen["path_x"].values, chosen.extent[0], margin),
        _extent(seen["path_y"].values, chosen.extent[1], margin),
    )
    data = slices.plane(loss, chosen.centre, chosen.directions, *args, grid=grid, extent=extent, **options)
    data = data.merge(seen).assign_attrs(plane=chosen.name, loss_units=units)
    data = data if floor is None else data.assign_attrs(floor=floor)
    return data.assign_attrs(doubts=json.dumps(doubts(data)))


def _extent(coordinates: np.ndarray, shown: slices.Range, margin: float) -> slices.Range:
    """From the smallest to the largest coordinate with room on both sides, and what must be shown anyway."""
    finite = coordinates[np.isfinite(coordinates)]
    low, high = float(finite.min()), float(finite.max())
    room = margin * (high - low) or 1.0
    if shown[0] == shown[1]:
        return low - room, high + room
    return min(low - room, shown[0]), max(high + room, shown[1])
