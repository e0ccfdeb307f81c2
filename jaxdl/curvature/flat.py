"""A pytree as one vector: the boundary between products on parameters and the linear algebra of Krylov spaces."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import tree
from jaxdl.typing import PyTree

MatVec: TypeAlias = Callable[[PyTree], PyTree]
"""A symmetric linear map from trees shaped like the parameters to such trees."""


class Flat(NamedTuple):
    """How trees of one structure are vectors: leaf after leaf, each in C order.

    ``shapes``, ``dtypes``: of the leaves. ``size``: P, all their elements. ``dtype``: of the vector, float32 or wider.
    """

    treedef: Any
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype, ...]
    size: int
    dtype: np.dtype


def flat(like: PyTree) -> Flat:
    """The vector form of trees shaped like ``like``.

    Raises:
      ValueError: ``like`` has no element, or a leaf that is not real floating point.
    """
    leaves: list[Any]
    treedef: Any
    leaves, treedef = jax.tree.flatten(like)
    for leaf in leaves:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise ValueError(f"curvature is that of real floating parameters, got a leaf of dtype {leaf.dtype}.")
    shapes = tuple(tuple(leaf.shape) for leaf in leaves)
    size = sum(int(np.prod(shape)) for shape in shapes)
    if not size:
        raise ValueError("curvature needs at least one parameter, got a tree without elements.")
    return Flat(treedef, shapes, tuple(np.dtype(x.dtype) for x in leaves), size, tree.compute_dtype(*leaves))


def ravel(form: Flat, vector: PyTree) -> jax.Array:
    """The tree as a vector of shape ``(P,)`` in ``form.dtype``."""
    return jnp.concatenate([leaf.astype(form.dtype).ravel() for leaf in form.treedef.flatten_up_to(vector)])


def unravel(form: Flat, vector: jax.Array) -> PyTree:
    """The tree behind a vector of shape ``(P,)``, each leaf in its own dtype."""
    ends = np.cumsum([int(np.prod(shape)) for shape in form.shapes])
    parts = jnp.split(vector, ends[:-1])
    leaves = [part.reshape(s).astype(d) for part, s, d in zip(parts, form.shapes, form.dtypes, strict=True)]
    return form.treedef.unflatten(leaves)


def on_vectors(matvec: MatVec, form: Flat) -> Callable[[jax.Array], jax.Array]:
    """``matvec`` as a map from vectors of shape ``(P,)`` to such vectors."""
    return lambda vector: ravel(form, matvec(unravel(form, vector)))


def rademacher(form: Flat, key: jax.Array, count: int) -> jax.Array:
    """Independent signs ±1 with equal odds: ``count`` probes, shape ``(count, P)``."""
    return jax.random.rademacher(key, (count, form.size), form.dtype)
