r"""Gradients by central differences: the check of a gradient by the function alone.

.. math::  \frac{\partial f}{\partial \theta_i} \approx \frac{f(\theta + h e_i) - f(\theta - h e_i)}{2 h},
           \qquad h = \epsilon^{1/3} \max(1, |\theta_i|)

with ε the rounding of the dtype, at which the error of the formula, h², and that of f, ε/h, are alike: about 10⁻¹⁰ in
float64, and only 10⁻⁴ in float32, so check in float64.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from jaxdl.typing import Params, PyTree


def numerical_gradient(f: Callable[..., jax.Array], params: Params, *args: Any) -> PyTree:
    """The gradient of ``f(params, *args)`` by central differences; the equation is at the top of this file.

    Args:
      f: A scalar function. It is evaluated twice per parameter.
      params: A tree of real arrays of one dtype.
      *args: What else it is given.

    Returns:
      Shaped like the parameters.

    >>> print(numerical_gradient(lambda x: jnp.sum(x**2), jnp.array([1.0, 3.0])).round(2))
    [2. 6.]
    """
    theta, unravel = ravel_pytree(params)
    size = jnp.finfo(theta.dtype).eps ** (1 / 3) * jnp.maximum(jnp.abs(theta), 1)

    def slope(i: jax.Array) -> jax.Array:
        above, below = theta.at[i].add(size[i]), theta.at[i].add(-size[i])
        # The distance that was really gone, which rounding makes another than 2 h.
        return (f(unravel(above), *args) - f(unravel(below), *args)) / (above[i] - below[i])

    gradient: PyTree = unravel(jax.lax.map(slope, jnp.arange(len(theta))))
    return gradient


def gradient_error(
    f: Callable[..., jax.Array], params: Params, *args: Any, gradient: PyTree | None = None
) -> jax.Array:
    r"""How far a gradient is from central differences: :math:`\lVert g - \hat g\rVert / \max(\lVert g\rVert,
    \lVert\hat g\rVert)`.

    Args:
      f: A scalar function.
      params: A tree of real arrays of one dtype.
      *args: What else it is given.
      gradient: g, shaped like the parameters, such as one by hand; that of ``jax.grad`` by default.

    Returns:
      Shape ``()``, in [0, 2]: about 10⁻⁹ in float64 for a smooth f and a right gradient. Kinks between θ ± h, as of
      ReLU, show too. 0 where both gradients vanish.

    >>> wrong = gradient_error(lambda x: jnp.sum(x**2), jnp.array([1.0, 3.0]), gradient=jnp.array([1.0, 3.0]))
    >>> print(wrong.round(2))
    0.5
    """
    given = jax.grad(f)(params, *args) if gradient is None else gradient
    ours, theirs = (ravel_pytree(g)[0] for g in (given, numerical_gradient(f, params, *args)))
    largest = jnp.sqrt(jnp.maximum(jnp.sum(ours**2), jnp.sum(theirs**2)))
    difference = jnp.sqrt(jnp.sum((ours - theirs) ** 2))
    return difference / jnp.where(largest > 0, largest, jnp.ones_like(largest))
