r"""BFGS: an approximation B of the inverse Hessian, built from the steps and the changes of the gradient.

.. math::

    d_k = -B_k g_k, \qquad
    B_{k+1} = (I - \rho s y^\top)\, B_k\, (I - \rho y s^\top) + \rho\, s s^\top, \qquad \rho = 1/y^\top s,
    \qquad B_0 = I

Of all symmetric matrices that satisfy the secant equation :math:`B_{k+1} y_k = s_k` it is the nearest to the last one,
in a weighted norm. It stays positive definite where :math:`s^\top y > 0`; other steps teach nothing and are skipped.

Source: Broyden; Fletcher; Goldfarb; Shanno, all 1970. Nocedal and Wright, "Numerical optimization", 2nd edition, 2006,
algorithm 6.1.
"""

import jax
import jax.numpy as jnp

from jaxdl.second_order.line_search import Search, strong_wolfe
from jaxdl.second_order.method import Method, Objective, Step


def bfgs(*, search: Search | None = None) -> Method:
    """BFGS with the whole matrix: P² numbers.

    Args:
      search: How far along each direction; ``strong_wolfe()`` by default.

    Returns:
      The method; its memory is B, shape ``(P, P)``.
    """
    return Method(_identity, _direction, inverse_update, search or strong_wolfe())


def _identity(gradient: jax.Array) -> jax.Array:
    return jnp.eye(len(gradient), dtype=gradient.dtype)


def _direction(objective: Objective, x: jax.Array, gradient: jax.Array, inverse: jax.Array) -> jax.Array:
    del objective, x
    return -inverse @ gradient


def inverse_update(inverse: jax.Array, step: Step) -> jax.Array:
    """B after a step; the equation stands at the top of this file. A step of no or negative curvature changes nothing.

    >>> B, s, y = jnp.eye(2), jnp.array([1.0, 0.0]), jnp.array([2.0, 1.0])
    >>> print(inverse_update(B, Step(s, y, s, s, s)) @ y)  # the secant equation: s
    [1. 0.]
    """
    s, y = step.s, step.y
    curved = curvature_is_positive(s, y)
    rho = 1 / jnp.where(curved, jnp.sum(s * y), jnp.ones((), s.dtype))
    # Multiplied out: two outer products and one product with B, in place of two products of matrices.
    by = inverse @ y
    scale = rho * (1 + rho * jnp.sum(y * by))
    change = scale * jnp.outer(s, s) - rho * (jnp.outer(by, s) + jnp.outer(s, by))
    return jnp.where(curved, inverse + change, inverse)


def curvature_is_positive(s: jax.Array, y: jax.Array) -> jax.Array:
    """Whether sᵀy is positive by more than its rounding: shape ``()``, bool."""
    noise = jnp.finfo(s.dtype).eps * jnp.sqrt(jnp.sum(s * s) * jnp.sum(y * y))
    return jnp.sum(s * y) > noise
