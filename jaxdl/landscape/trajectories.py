r"""Where runs went, seen on one plane, and how much of it the plane shows.

A picture of paths on a plane invites more trust than it deserves. The contour at a path's place is the loss of the
projection and not of the path; and the two principal axes even of a walk without any aim hold three quarters of its
variance. So beside the coordinates stand, for every point,

.. math::

    \text{distance} = \lVert\theta - \hat\theta\rVert, \qquad L(\theta), \qquad L(\hat\theta),
    \qquad \hat\theta = c + \textstyle\sum_i a_i d_i

with :math:`\hat\theta` the orthogonal projection; and for the plane its share of the variance of all points, beside the
shares that **walks** would give their own principal axes which start where the runs start and get as far, but every
step in a direction of its own. In many dimensions their steps are orthogonal, so that these shares need no simulation:
with starts :math:`s_i`, the Gram matrix of the walks' points at times u, t of T is

.. math::  \langle s_i, s_j\rangle + \delta_{ij}\, \lVert\theta^{(i)}_T - s_i\rVert^2\, \min(u, t) / T .

For one long run that is 6/(π k)²: 61, 15 and 7 %.

**Every run counts alike.** A run that goes twice as far as another would have four times its variance, and the plane to
itself; so in all of these shares, of runs and of walks, and in the principal axes of several runs, the points of run i
have the weight

.. math::  w_i = 1 / \lVert\theta^{(i)}_T - s_i\rVert^2 .

Source: Antognini and Sohl-Dickstein, "PCA of high dimensional random walks with comparison to neural network training",
NeurIPS 2018; Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018 (principal axes of a path).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl.curvature import flat
from jaxdl.curvature.products import Loss
from jaxdl.landscape.directions import combination, coordinates, gram
from jaxdl.typing import Params, PyTree

if TYPE_CHECKING:
    import xarray

Paths: TypeAlias = Mapping[str, Params | Sequence[Params]]
"""Parameters along runs by the name of what made them: a tree with a leading axis of snapshots, such as
``curves.snapshots``, or a list of such, one a seed; of all names as many seeds and snapshots."""

LEAST_WAY = 0.1
"""A run that gets less far than this part of the farthest counts as if it did: what is a dot needs no axis."""


def stacked(paths: Paths) -> tuple[Params, tuple[int, int, int]]:
    """All points in one tree with one leading axis, and the numbers of names, seeds and snapshots.

    Raises:
      ValueError: no paths, or of different numbers of seeds or snapshots or of different parameters.
    """
    if not paths:
        raise ValueError("there must be at least one path, got none.")
    many = {name: list(path) if isinstance(path, list | tuple) else [path] for name, path in paths.items()}
    shapes = {name: [[x.shape for x in jax.tree.leaves(path)] for path in seeds] for name, seeds in many.items()}
    first = next(iter(shapes))
    for name, found in shapes.items():
        if found != shapes[first]:
            raise ValueError(f"all paths must have the shapes of {first!r}, {shapes[first]}; {name!r} has {found}.")
    joined = jax.tree.map(lambda *x: jnp.concatenate(x), *(path for seeds in many.values() for path in seeds))
    return joined, (len(many), len(shapes[first]), int(shapes[first][0][0][0]))


def weights(paths: Paths) -> np.ndarray:
    """How much each point counts in shares of the variance, so that every run counts alike; see the top of this file.

    Args:
      paths: Of all runs.

    Returns:
      Shape ``(points,)``, in the order of :func:`stacked`: 1 for those of the run that gets farthest, more for others.

    >>> print(weights({"far": jnp.array([[0.0], [4.0]]), "near": jnp.array([[0.0], [2.0]])}))
    [1. 1. 4. 4.]
    """
    points, shape = stacked(paths)
    ways = np.asarray(_from_starts(points, shape), np.float64).reshape(-1, shape[2])[:, -1]
    longest = ways.max()
    if not longest > 0:
        return np.ones(ways.size * shape[2])
    counted: np.ndarray = np.repeat((longest / np.maximum(ways, LEAST_WAY * longest)) ** 2, shape[2])
    return counted


def walk_shares(paths: Paths, count: int = 2, steps: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
    """The shares of variance that the principal axes of walks without aim would have; see the top of this file.

    Args:
      paths: For their starts and how far they get.
      count: How many axes.
      steps: Of the snapshots, ascending from 0; evenly spaced by default.

    Returns:
      Shape ``(count,)``.

    >>> straight = {"run": jnp.arange(400.0)[:, None] * jnp.ones((1, 3))}
    >>> print(walk_shares(straight, 3).round(3))
    [0.608 0.152 0.068]
    """
    points, (names, seeds, snapshots) = stacked(paths)
    form = flat.flat(jax.tree.map(lambda x: x[0], points))
    vectors = jax.vmap(lambda p: flat.ravel(form, p))(points)
    rows = np.asarray(vectors, np.float64).reshape(names * seeds, snapshots, -1)
    starts = rows[:, 0] - rows[:, 0].mean(axis=0)
    time = np.arange(snapshots) if steps is None else np.asarray(steps) - np.asarray(steps)[0]
    walk = np.minimum.outer(time, time) / max(time[-1], 1)
    squared = np.sum((rows[:, -1] - rows[:, 0]) ** 2, axis=1)
    products = np.kron(starts @ starts.T, np.ones((snapshots, snapshots))) + np.kron(np.diag(squared), walk)
    counted = weights(paths)
    products -= np.average(products, axis=0, weights=counted)
    products -= np.average(products, axis=1, weights=counted)[:, None]
    values = np.linalg.eigvalsh(products * np.sqrt(np.outer(counted, counted)))[::-1]
    shares: np.ndarray = values[:count] / values.sum()
    return shares


def on_plane(
    loss: Loss,
    paths: Paths,
    centre: Params,
    directions: Sequence[PyTree],
    *args: Any,
    steps: Sequence[int] | np.ndarray | None = None,
) -> "xarray.Dataset":
    """Paths as they are seen on the plane through ``centre`` along ``directions``, and as they are.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      paths: See :data:`Paths`.
      centre: c.
      directions: Two of them, not necessarily orthonormal.
      *args: What else the loss is given.
      steps: Completed updates at the snapshots; their numbers by default.

    Returns:
      A Dataset with dimensions ``(path, seed, snapshot)``: ``path_x``, ``path_y``, the coordinates in units of the
      directions; ``path_distance``, from the plane; ``path_travelled``, from the start; ``path_loss``, the true loss,
      and ``path_plane_loss``, that of the projection. ``explained(axis)``: the shares of the variance of all points,
      weighted by :func:`weights`, along the first direction and along what is orthogonal to it; ``walk(axis)``: of
      walks without aim.

    Raises:
      ValueError: see :func:`stacked`.
    """
    import xarray

    points, shape = stacked(paths)
    counted = weights(paths)
    given = (points, counted / counted.sum(), centre, tuple(directions), args)
    where, beside, true, seen, spread = jax.jit(_seen, static_argnums=0)(loss, *given)
    begins = np.asarray(_from_starts(points, shape))
    columns = {"x": where[:, 0], "y": where[:, 1], "distance": beside, "loss": true, "plane_loss": seen}
    dims = ("path", "seed", "snapshot")
    variables = {f"path_{name}": (dims, np.asarray(values).reshape(shape)) for name, values in columns.items()}
    # LQ of the two directions as rows: combinations of them in an orthonormal basis that begins with the first.
    lower = np.linalg.cholesky(np.asarray(gram(directions), np.float64))
    inside = np.asarray(where, np.float64)
    inside = (inside - np.average(inside, axis=0, weights=counted)) @ lower
    shares = np.average(inside**2, axis=0, weights=counted) / max(float(spread), np.finfo(np.float64).tiny)
    return xarray.Dataset(
        variables
        | {
            "path_travelled": (dims, begins.reshape(shape)),
            "explained": ("axis", shares),
            "walk": ("axis", walk_shares(paths, 2, steps)),
        },
        coords={
            "path": list(paths),
            "axis": ["x", "y"],
            "step": ("snapshot", np.arange(shape[2]) if steps is None else np.asarray(steps)),
        },
    )


def _seen(
    loss: Loss,
    points: Params,
    weights: jax.Array,
    centre: Params,
    directions: Sequence[PyTree],
    args: tuple[Any, ...],
) -> Any:
    """Coordinates, distances, true and seen losses of points, and their variance with weights that add up to 1."""
    where, beside = coordinates(points, centre, directions)

    def losses(point_and_a: tuple[Params, jax.Array]) -> tuple[jax.Array, jax.Array]:
        point, a = point_and_a
        shadow = jax.tree.map(jnp.add, centre, combination(a, directions))
        return loss(point, *args), loss(shadow, *args)

    true, seen = jax.lax.map(losses, (points, where))

    def variance(x: jax.Array) -> jax.Array:
        w = jnp.expand_dims(weights.astype(x.dtype), tuple(range(1, x.ndim)))
        return jnp.sum(w * (x - jnp.sum(w * x, axis=0, keepdims=True)) ** 2)

    return where, beside, true, seen, sum(variance(x) for x in jax.tree.leaves(points))


def _from_starts(points: Params, shape: tuple[int, int, int]) -> jax.Array:
    """Distances of points from the first of their run, shape ``(points,)``."""
    snapshots = shape[2]

    def squared(x: jax.Array) -> jax.Array:
        runs = x.reshape(-1, snapshots, int(np.prod(x.shape[1:])))
        return jnp.sum((runs - runs[:, :1]) ** 2, axis=-1).ravel()

    return jnp.sqrt(jnp.sum(jnp.stack([squared(x) for x in jax.tree.leaves(points)]), axis=0))
