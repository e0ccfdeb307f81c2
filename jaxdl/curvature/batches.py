"""Products over a data set that does not fit at once: batches with the weights of their sizes, and blocks of layers."""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatch
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature.flat import MatVec
from jaxdl.curvature.products import Loss, Product
from jaxdl.typing import Batch, Params, PyTree


def in_batches(product: Product, batch_size: int) -> Product:
    """A product that goes through its batch in parts and so needs the memory of one part.

    Each part counts by its number of samples, n_b/N, so that a shorter last part is not over-weighted; sums are kept in
    float32 or wider.

    Args:
      product: Of a loss that is a mean over the samples of its batch, such as ``hessian``.
      batch_size: Samples of a part.

    Returns:
      A product ``(loss, params, batch, *args) -> matvec`` equal to ``product`` on the whole batch up to rounding.

    >>> from jaxdl.curvature.products import hessian
    >>> matvec = in_batches(hessian, 2)(lambda w, x: jnp.mean(x * w**2), jnp.array(1.0), jnp.array([1.0, 2.0, 6.0]))
    >>> print(matvec(jnp.array(1.0)))  # 2 · mean(1, 2, 6), though the parts are of 2 and of 1
    6.0
    """
    checks.positive_integer(batch_size=batch_size)

    def batched(loss: Loss, params: Params, batch: Batch, *args: Any) -> MatVec:
        return lambda vector: mean_over_parts(
            lambda part: product(loss, params, part, *args)(vector), batch, batch_size
        )

    return batched


def mean_over_parts(function: Callable[[Batch], PyTree], batch: Batch, batch_size: int) -> PyTree:
    """The mean of a function of parts of a batch, one after the other, weighted by their sizes n_b/N.

    Args:
      function: ``function(part) -> tree``, itself a mean over the samples of the part.
      batch: Arrays whose first axis is that of the samples.
      batch_size: Samples of a part; the last may be shorter.

    Returns:
      What ``function(batch)`` is up to rounding; summed in float32 or wider.
    """
    samples = jax.tree.leaves(batch)[0].shape[0]
    size = min(batch_size, samples)
    parts, left = divmod(samples, size)
    whole = jax.tree.map(lambda x: x[: parts * size].reshape(parts, size, *x.shape[1:]), batch)
    result = jax.eval_shape(function, jax.tree.map(lambda x: x[0], whole))

    def add(total: PyTree, part: Batch) -> tuple[PyTree, None]:
        return _add(total, function(part), size / samples), None

    total, _ = jax.lax.scan(add, tree.zeros_like_wide(result), whole)
    if left:
        total = _add(total, function(jax.tree.map(lambda x: x[parts * size :], batch)), left / samples)
    return jax.tree.map(lambda t, r: t.astype(r.dtype), total, result)


def mean_of(matvecs: Iterable[MatVec], weights: Sequence[float]) -> MatVec:
    """The weighted mean of products: that of a data set which comes as a list of batches of any sizes.

    Args:
      matvecs: One product a batch, such as ``[hessian(loss, params, b) for b in batches]``.
      weights: Numbers of samples, as many.

    Returns:
      ``v -> Σ_b n_b/N A_b v``.

    Raises:
      ValueError: no product, or not as many weights as products.
    """
    products = list(matvecs)
    if not products or len(products) != len(weights):
        raise ValueError(f"mean_of needs a weight for each product, got {len(products)} and {len(weights)}.")
    total_weight = sum(weights)

    def matvec(vector: PyTree) -> PyTree:
        total = tree.zeros_like_wide(vector)
        for product, weight in zip(products, weights, strict=True):
            total = _add(total, product(vector), weight / total_weight)
        return jax.tree.map(lambda t, v: t.astype(v.dtype), total, vector)

    return matvec


def _add(total: PyTree, term: PyTree, weight: float) -> PyTree:
    return jax.tree.map(lambda t, x: t + jnp.asarray(weight, t.dtype) * x.astype(t.dtype), total, term)


def block(
    function: Callable[..., Any], params: Params, pattern: str
) -> tuple[Callable[..., Any], dict[str, jax.Array]]:
    """A loss or model as a function of some leaves alone, the others held: the way to the curvature of one layer.

    Args:
      function: ``function(params, *args)``.
      params: θ.
      pattern: Which leaves: a shell pattern for paths such as ``params/Dense_0/kernel``, e.g. ``*/Dense_0/*``.

    Returns:
      The function of a dictionary of these leaves by path, and that dictionary.

    Raises:
      ValueError: no path matches.

    >>> params = {"a": jnp.ones(2), "b": jnp.ones(2)}
    >>> loss, only_a = block(lambda p: jnp.sum(p["a"] ** 2 * p["b"]), params, "a")
    >>> print(loss({"a": jnp.array([2.0, 0.0])}), list(only_a))
    4.0 ['a']
    """
    found: list[Any]
    treedef: Any
    found, treedef = jax.tree_util.tree_flatten_with_path(params)
    leaves = {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in found}
    chosen = {path: leaf for path, leaf in leaves.items() if fnmatch(path, pattern)}
    if not chosen:
        raise ValueError(f"no parameter matches {pattern!r}; there are: {', '.join(leaves)}.")

    def of_block(part: dict[str, jax.Array], *args: Any) -> Any:
        return function(treedef.unflatten([part.get(path, leaf) for path, leaf in leaves.items()]), *args)

    return of_block, chosen
