"""Which leaves decay: masks by the rank or by the path of a leaf, for ``mask=`` of everything that decays.

Biases and scales of normalisations are vectors, kernels have rank 2 and more: ``by_rank(2)`` is what most papers mean
by "no decay on biases and norms". torch, optax and Keras decay everything unless told otherwise.
"""

import re
from collections.abc import Callable

import jax

from jaxdl import checks
from jaxdl.typing import Params, PyTree


def by_rank(minimum: int = 2) -> Callable[[Params], PyTree]:
    """Chooses the leaves with at least ``minimum`` axes.

    Args:
      minimum: Smallest rank that is chosen, a whole number of at least 1.

    Returns:
      A mask: a function of the parameters that returns a tree of booleans.

    Raises:
      ValueError: ``minimum`` is not a whole number of at least 1.

    >>> import jax.numpy as jnp
    >>> by_rank(2)({"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))})
    {'bias': False, 'kernel': True}
    """
    checks.positive_integer(minimum=minimum)
    return lambda params: jax.tree.map(lambda leaf: len(leaf.shape) >= minimum, params)


def by_path(pattern: str) -> Callable[[Params], PyTree]:
    """Chooses the leaves whose path holds ``pattern``.

    Args:
      pattern: A regular expression that is searched for in the path, whose parts are joined by slashes:
        ``"dense/kernel"``. ``"^(?!.*bias)"`` chooses all paths without ``bias``.

    Returns:
      A mask: a function of the parameters that returns a tree of booleans.

    Raises:
      ValueError: when the mask is applied, no path holds the pattern; the paths are listed.
      re.error: ``pattern`` is not a regular expression.

    >>> import jax.numpy as jnp
    >>> by_path("kernel$")({"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))})
    {'bias': False, 'kernel': True}
    """
    searched = re.compile(pattern)

    def mask(params: Params) -> PyTree:
        leaves = jax.tree.leaves_with_path(params)
        paths = [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in leaves]
        chosen = [searched.search(path) is not None for path in paths]
        if not any(chosen):
            raise ValueError(f"no path holds {pattern!r}; the paths are: {', '.join(paths)}.")
        return jax.tree.unflatten(jax.tree.structure(params), chosen)

    return mask
