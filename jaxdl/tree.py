"""The pytree verbs that update rules are written with.

One policy lives here and nowhere else: **arithmetic happens in float32 or wider, and every array goes back to the
dtype it came in.** A rule is written for one leaf; :func:`elementwise` maps it, casts what it reads (hyper-parameters
too) and casts back what it returns, so the dtype of a state never changes after ``init``.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl.hoisting import hoisted
from jaxdl.typing import PyTree


def compute_dtype(*arrays: Any) -> np.dtype:
    """The real dtype in which these arrays are combined: float64 where one of them is that wide, else float32."""
    return np.dtype(np.float64 if any(jnp.finfo(array.dtype).bits == 64 for array in arrays) else np.float32)


def _cast_up(array: jax.Array, real: np.dtype) -> jax.Array:
    if not jnp.issubdtype(array.dtype, jnp.complexfloating):
        return array.astype(real)
    return array.astype(np.complex128 if real == np.float64 else np.complex64)


def elementwise(
    rule: Callable[..., tuple[jax.Array, ...]],
    updates: PyTree,
    *states: PyTree,
    reading: tuple[PyTree, ...] = (),
    **scalars: Any,
) -> tuple[PyTree, ...]:
    """Maps ``rule(g, *states, *reading, **scalars) -> (u, *states)`` over the leaves of ``updates``.

    Args:
      rule: The update rule of one leaf, written in plain arithmetic.
      updates: Tree of gradients or directions. A leaf that is None has no gradient this step: its state stays.
      *states: Trees with the same structure, which the rule renews.
      reading: Trees with the same structure, which the rule only reads.
      **scalars: Hyper-parameters and counts, Python numbers or traced. Each is cast to the leaf's compute dtype, so
        that a swept value enters the same arithmetic as the same constant.

    Returns:
      The new updates, each leaf in its gradient's dtype, then the new states, each leaf in the dtype it had.
    """
    leaves: list[Any]
    treedef: Any
    leaves, treedef = jax.tree.flatten(updates, is_leaf=lambda leaf: leaf is None)
    columns = [treedef.flatten_up_to(tree) for tree in (*states, *reading)]
    cast = functools.cache(lambda dtype: {name: jnp.asarray(value).astype(dtype) for name, value in scalars.items()})
    apply = functools.partial(_apply, rule, len(states))
    shared = functools.cache(lambda dtype: hoisted(apply, cast(dtype)))
    rows = []
    with jax.numpy_dtype_promotion("standard"):
        # Reals of one dtype meet only complex numbers of the same width here, which is what "standard" allows.
        for g, *row in zip(leaves, *columns, strict=True):
            if g is None:
                rows.append((None, *row[: len(states)]))
                continue
            dtype = compute_dtype(g, *row)
            rows.append(shared(dtype)(g, *row))
    return tuple(treedef.unflatten([row[i] for row in rows]) for i in range(1 + len(states)))


def _apply(
    rule: Callable[..., tuple[jax.Array, ...]],
    states: int,
    scalars: dict[str, jax.Array],
    g: jax.Array,
    *row: jax.Array,
) -> tuple[jax.Array, ...]:
    dtype = compute_dtype(g, *row)
    new = rule(*(_cast_up(x, dtype) for x in (g, *row)), **scalars)
    return tuple(x.astype(old.dtype) for x, old in zip(new, (g, *row[:states]), strict=True))


def zeros_like(tree: PyTree, dtype: Any = None) -> PyTree:
    """Zeros with the shapes of ``tree``, in ``dtype`` or in each leaf's own; takes ``ShapeDtypeStruct`` leaves too."""
    return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype if dtype is None else dtype), tree)


def zeros_like_wide(tree: PyTree) -> PyTree:
    """Zeros in which sums stay exact enough: float32 or wider, complex where the leaf is complex."""
    return jax.tree.map(lambda x: _cast_up(jnp.zeros(x.shape, x.dtype), compute_dtype(x)), tree)


def full_like_real(tree: PyTree, value: Any) -> PyTree:
    """A tree for second moments: real, float32 or wider, filled with ``value`` (a number, maybe traced).

    In bfloat16, 0.999 ν + 0.001 g² rounds back to ν, and in float16 g² underflows: a second moment kept in either is
    frozen or zero.
    """
    return jax.tree.map(lambda x: jnp.full(x.shape, jnp.asarray(value).astype(compute_dtype(x))), tree)


def squared_norm(tree: PyTree) -> jax.Array:
    """Σ|x|² over all leaves, accumulated in float32 or wider. Shape ``()``."""
    leaves = jax.tree.leaves(tree)
    dtype = compute_dtype(*leaves)
    total = jnp.zeros((), dtype)
    for x in leaves:
        x = _cast_up(x, dtype)
        total += jnp.sum(jnp.real(x) ** 2 + jnp.imag(x) ** 2) if jnp.iscomplexobj(x) else jnp.sum(x * x)
    return total


def global_norm(tree: PyTree) -> jax.Array:
    """√Σ|x|² over all leaves, in float32 or wider; its gradient at zero is zero, not NaN. Shape ``()``."""
    return root(squared_norm(tree))


def leaf_pairs(a: PyTree, b: PyTree) -> list[tuple[jax.Array, jax.Array]]:
    """Leaves that stand at the same place of two trees of one structure, without those that are None in either."""
    leaves: list[Any]
    treedef: Any
    leaves, treedef = jax.tree.flatten(a, is_leaf=lambda leaf: leaf is None)
    pairs = zip(leaves, treedef.flatten_up_to(b), strict=True)
    return [(x, y) for x, y in pairs if x is not None and y is not None]


def inner_product(a: PyTree, b: PyTree) -> jax.Array:
    """Re Σ āb over all leaves that both trees have, accumulated in float32 or wider. Shape ``()``."""
    pairs = leaf_pairs(a, b)
    dtype = compute_dtype(*(leaf for pair in pairs for leaf in pair))
    total = jnp.zeros((), dtype)
    for x, y in pairs:
        x, y = _cast_up(x, dtype), _cast_up(y, dtype)
        with jax.numpy_dtype_promotion("standard"):  # a real and a complex leaf of one width
            total += jnp.sum(jnp.real(jnp.conj(x) * y))
    return total


def square(x: jax.Array) -> jax.Array:
    """|x|², real also for complex x."""
    return jnp.real(x * jnp.conj(x))


@jax.custom_jvp
def root(x: jax.Array) -> jax.Array:
    """√x with slope 0 at 0, not ∞, so that a gradient can be taken through an update of a weight at rest."""
    return jax.lax.sqrt(x)


@root.defjvp
def _slope_of_root(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    # Stated, because a root of what is made safe by selections is three operations more at every leaf of an update.
    (x,), (dx,) = primals, tangents
    y, at_zero = root(x), x == 0
    slope = 0.5 / jax.lax.select(at_zero, jnp.ones_like(y), y)
    return y, dx * jax.lax.select(at_zero, jnp.zeros_like(slope), slope)


def select(condition: jax.Array, on_true: PyTree, on_false: PyTree) -> PyTree:
    """Leaf by leaf ``on_true`` where the scalar ``condition`` holds, else ``on_false``; NaN does not leak across."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), on_true, on_false)


def increment(count: jax.Array) -> jax.Array:
    """``count + 1``, staying at the largest integer instead of wrapping round."""
    largest = jnp.asarray(np.iinfo(count.dtype).max, count.dtype)
    return jnp.where(count < largest, count + jnp.ones((), count.dtype), largest)
