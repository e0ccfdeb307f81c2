r"""What one unit of a direction means: scaled to the weights, so that pictures of different networks can be compared.

With d a direction, w the weights and f a filter (all weights that lead into one output unit or channel):

.. math::

    \text{filter:}  \quad & d_f \leftarrow d_f\, \lVert w_f\rVert / \lVert d_f\rVert \\
    \text{layer:}   \quad & d_l \leftarrow d_l\, \lVert w_l\rVert / \lVert d_l\rVert \\
    \text{element:} \quad & d_i \leftarrow d_i\, |w_i|

All three leave a slice unchanged where a layer is multiplied by c > 0 and the next divided by it. Where single
*neurons* are rescaled so, only the element-wise rule does: what leads out of a neuron is a row of the next layer, which
is no filter.

**Flax puts the filter on the last axis** of a kernel, dense or convolutional, where torch has it on the first; norms
along the wrong axis look right (total length and cosine hardly change) and are not. So the axes that number the filters
are declared: the last of every parameter with two axes or more, the first of one named ``embedding``, and what you say.

Source: Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets", NeurIPS 2018, section 4;
Kwon, Kim, Park and Choi, "ASAM", ICML 2021 (element-wise).
"""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.typing import Params, PyTree

FilterAxes: TypeAlias = Mapping[str, Sequence[int]]
"""Shell patterns for paths such as ``*/query/kernel`` to the axes that number the filters; the first match counts."""

Rule: TypeAlias = Callable[[jax.Array, jax.Array, tuple[int, ...]], jax.Array]
"""``rule(direction, weights, axes) -> direction`` of one parameter; ``axes`` number its filters."""


def filter_wise(direction: jax.Array, weights: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Every filter as long as that of the weights; zero where those are."""
    within = tuple(axis for axis in range(weights.ndim) if axis not in axes)
    return jnp.multiply(direction, _ratio(_norm(weights, within), _norm(direction, within)))


def layer_wise(direction: jax.Array, weights: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """The whole parameter as long as the weights."""
    del axes
    return filter_wise(direction, weights, ())


def element_wise(direction: jax.Array, weights: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Every element times the size of its weight."""
    del axes
    return direction * jnp.abs(weights)


def as_drawn(direction: jax.Array, weights: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """No normalisation."""
    del weights, axes
    return direction


RULES: Mapping[str, Rule] = {
    "filter": filter_wise,
    "layer": layer_wise,
    "element": element_wise,
    "none": as_drawn,
}


def normalised(
    direction: PyTree,
    params: Params,
    rule: str | Rule = "filter",
    *,
    filter_axes: FilterAxes | None = None,
    keep_vectors: bool = False,
) -> PyTree:
    """A direction scaled to the parameters; the equations stand at the top of this file.

    Args:
      direction: Shaped like the parameters.
      params: w, the centre of the picture.
      rule: ``"filter"``, ``"layer"``, ``"element"``, ``"none"``, or a function such as :func:`filter_wise`.
      filter_axes: Axes that number the filters, where they are not those of the top of this file: of attention
        (``{"*/query/kernel": (-2, -1)}``) or of transposed kernels.
      keep_vectors: Whether parameters with fewer than two axes (biases, scales) move too, each as one filter; by
        default they stay, as in the pictures of Li et al.

    Returns:
      The direction.

    Raises:
      ValueError: an unknown rule, an axis that a parameter does not have, or a pattern that matches none.

    >>> w = {"kernel": jnp.array([[3.0, 0.0], [4.0, 0.0]]), "bias": jnp.ones(2)}
    >>> d = normalised(jax.tree.map(jnp.ones_like, w), w)
    >>> print(jnp.linalg.norm(d["kernel"], axis=0).round(2), d["bias"])  # columns as long as those of w
    [5. 0.] [0. 0.]
    """
    if isinstance(rule, str):
        checks.known("rule", rule, RULES)
        rule = RULES[rule]
    declared = filter_axes or {}
    paths = jax.tree.map_with_path(lambda path, _: jax.tree_util.keystr(path, simple=True, separator="/"), params)
    for pattern in declared:
        if not any(fnmatch(path, pattern) for path in jax.tree.leaves(paths)):
            raise ValueError(f"no parameter matches {pattern!r}; there are: {', '.join(jax.tree.leaves(paths))}.")

    def of_leaf(path: str, d: jax.Array, w: jax.Array) -> jax.Array:
        axes = _axes(path, w.ndim, declared)
        if axes is not None:
            return rule(d, w, axes)
        return rule(d, w, ()) if keep_vectors else jnp.zeros_like(d)

    scaled: PyTree = jax.tree.map(of_leaf, paths, direction, params)
    return scaled


def _axes(path: str, ndim: int, declared: FilterAxes) -> tuple[int, ...] | None:
    """The axes that number the filters of a parameter, counted from 0; None for vectors and scalars."""
    for pattern, axes in declared.items():
        if fnmatch(path, pattern):
            if not all(-ndim <= axis < ndim for axis in axes):
                raise ValueError(f"the filter axes of {path} must lie within its {ndim}, got {tuple(axes)}.")
            return tuple(axis % ndim for axis in axes)
    if ndim < 2:
        return None
    return (0,) if path.split("/")[-1] == "embedding" else (ndim - 1,)


def _norm(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    return jnp.sqrt(jnp.sum(x * x, axis=axes, keepdims=True))


def _ratio(a: jax.Array, b: jax.Array) -> jax.Array:
    """a / b, 0 where b is zero."""
    return jnp.where(b > 0, a / jnp.where(b > 0, b, jnp.ones_like(b)), jnp.zeros_like(a))
