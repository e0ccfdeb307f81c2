r"""Directions to look along, and the honest coordinates of points on the plane of two of them.

A point θ has on the plane :math:`\{c + \sum_i a_i d_i\}` the coordinates of its orthogonal projection, which solve

.. math::  G\,a = \bigl(\langle d_i, \theta - c\rangle\bigr)_i, \qquad G_{ij} = \langle d_i, d_j\rangle.

Dividing the inner products by lengths instead, as is often done, is wrong where the directions are not orthonormal.
Gaussian directions are not made orthogonal after their normalisation, which that would undo: in high dimension they
nearly are, and the Gram matrix is reported with every slice.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks, tree
from jaxdl.curvature import flat
from jaxdl.landscape.normalisation import FilterAxes, Rule, normalised
from jaxdl.typing import Key, Params, PyTree

RANDOM_WALK = tuple(6 / (jnp.pi * k) ** 2 for k in (1, 2, 3))
"""The share of variance that the k-th principal axis of a long random walk in many dimensions explains: 61, 15, 7 %."""


class Principal(NamedTuple):
    """``axes``: orthonormal directions, one tree each. ``explained``: their shares of the variance, shape ``(k,)``.
    ``mean``: shaped like the parameters."""

    axes: tuple[PyTree, ...]
    explained: jax.Array
    mean: Params


def random(
    key: Key,
    params: Params,
    count: int = 2,
    rule: str | Rule = "filter",
    *,
    filter_axes: FilterAxes | None = None,
    keep_vectors: bool = False,
) -> tuple[PyTree, ...]:
    """Gaussian directions, scaled to the parameters.

    Args:
      key: Of the draw.
      params: The centre of the picture.
      count: How many.
      rule: How they are scaled, see :func:`jaxdl.landscape.normalised`; likewise the other arguments.
      filter_axes: Which axes number the filters, where it is not the last.
      keep_vectors: Whether biases and scales move too.

    Returns:
      Trees shaped like the parameters.
    """
    checks.positive_integer(count=count)
    form = flat.flat(params)
    drawn = jax.random.normal(key, (count, form.size), form.dtype)
    trees = (flat.unravel(form, d) for d in drawn)
    return tuple(normalised(d, params, rule, filter_axes=filter_axes, keep_vectors=keep_vectors) for d in trees)


def difference(start: Params, end: Params) -> PyTree:
    """The direction from one solution to another: the line through them has them at 0 and 1."""
    return jax.tree.map(jnp.subtract, end, start)


def principal(
    trajectories: Params | Sequence[Params], count: int = 2, weights: Sequence[float] | np.ndarray | None = None
) -> Principal:
    """The principal axes of the points of one or many trajectories, which get one common plane.

    By the Gram matrix of the centred points: T × T numbers for T points, not T × P more.

    Args:
      trajectories: Parameters with a leading axis of points, such as ``curves.snapshots``; or a list of such.
      count: How many axes; at most the points less one.
      weights: How much each point counts, shape ``(points,)``; alike by default. Those of
        :func:`jaxdl.landscape.weights` let every trajectory count alike, however far it goes.

    Returns:
      The axes. Compare ``explained`` with :data:`RANDOM_WALK`, what a walk without any aim gives.

    Raises:
      ValueError: fewer points than ``count + 1``, or not a weight for each.

    >>> walk = jnp.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    >>> print(principal(walk, 1).explained.round(4))
    [1.]
    """
    many = list(trajectories) if isinstance(trajectories, list | tuple) else [trajectories]
    form = flat.flat(jax.tree.map(lambda x: x[0], many[0]))
    points = jnp.concatenate([jax.vmap(lambda p: flat.ravel(form, p))(t) for t in many])
    if len(points) <= count:
        raise ValueError(f"{count} principal axes need at least {count + 1} points, got {len(points)}.")
    counted = np.ones(len(points)) if weights is None else np.asarray(weights, float)
    if counted.shape != (len(points),):
        raise ValueError(f"weights must have the shape ({len(points)},) of the points, got {counted.shape}.")
    shares = jnp.asarray(counted / counted.sum(), points.dtype)[:, None]
    mean = jnp.sum(shares * points, axis=0, keepdims=True)
    centred = jnp.sqrt(shares) * (points - mean)
    squares, mixtures = jnp.linalg.eigh(jnp.matmul(centred, centred.T, precision=jax.lax.Precision.HIGHEST))
    axes = jnp.matmul(mixtures[:, : -count - 1 : -1].T, centred, precision=jax.lax.Precision.HIGHEST)
    axes = axes / jnp.sqrt(jnp.sum(axes**2, axis=1, keepdims=True))
    return Principal(
        axes=tuple(flat.unravel(form, axis) for axis in axes),
        explained=squares[: -count - 1 : -1] / jnp.sum(squares),
        mean=flat.unravel(form, mean[0]),
    )


def gram(directions: Sequence[PyTree]) -> jax.Array:
    """G, the inner products of directions; shape ``(k, k)``."""
    return jnp.stack([jnp.stack([tree.inner_product(a, b) for b in directions]) for a in directions])


def cosines(directions: Sequence[PyTree]) -> jax.Array:
    """The cosines of the angles between directions; shape ``(k, k)``."""
    products = gram(directions)
    lengths = jnp.sqrt(jnp.diagonal(products))
    return products / (lengths[:, None] * lengths[None, :])


def coordinates(points: Params, centre: Params, directions: Sequence[PyTree]) -> tuple[jax.Array, jax.Array]:
    """Where points lie on the plane through ``centre`` along ``directions``, and how far beside it.

    Args:
      points: Parameters with a leading axis of n points.
      centre: c.
      directions: k of them, not necessarily orthogonal or of length 1; none a combination of others.

    Returns:
      Coordinates of the orthogonal projections, shape ``(n, k)``, and the distances from the plane, ``(n,)``.

    >>> axes = (jnp.array([2.0, 0.0, 0.0]), jnp.array([1.0, 1.0, 0.0]))
    >>> where, beside = coordinates(jnp.array([[5.0, 1.0, 3.0]]), jnp.zeros(3), axes)
    >>> print(where, beside)
    [[2. 1.]] [3.]
    """
    products = gram(directions)

    def one(point: Params) -> tuple[jax.Array, jax.Array]:
        away = jax.tree.map(jnp.subtract, point, centre)
        a = jnp.linalg.solve(products, jnp.stack([tree.inner_product(d, away) for d in directions]))
        rest: Any = jax.tree.map(jnp.subtract, away, combination(a, directions))
        return a, tree.global_norm(rest)

    where, beside = jax.lax.map(one, points)
    return where, beside


def combination(coefficients: jax.Array, directions: Sequence[PyTree]) -> PyTree:
    """Σ aᵢ dᵢ, shaped like the parameters."""
    total = tree.zeros_like(directions[0])
    for i, direction in enumerate(directions):
        total = jax.tree.map(lambda t, d, i=i: t + coefficients[i].astype(d.dtype) * d, total, direction)
    return total
