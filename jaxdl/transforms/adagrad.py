r"""Adagrad: divide by the root of the sum of all squared gradients so far.

.. math::

    s_t = s_{t-1} + g_t^2, \qquad s_0 = \texttt{initial\_accumulator\_value}, \qquad
    u_t = g_t / \sqrt{s_t + \epsilon} \quad\text{or}\quad g_t / (\sqrt{s_t} + \epsilon)

Where s is still 0 the direction is 0, whatever ε.

Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR
2011, figure 1 (diagonal H = δI + diag(s)^½: ε outside, s₀ = 0, as in torch). optax and Keras start from 0.1 with ε
under the root, TensorFlow 1 from 0.1 without ε.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.denominators import inside, outside
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByRssState(NamedTuple):
    """``sum_of_squares``: s, real, float32 or wider: in bfloat16 it would stand still at 256 g²."""

    sum_of_squares: Updates


def _written(*, eps_in_sqrt: bool, **rest: Any) -> str:
    return "s ← s + g²\nu ← " + ("g / √(s + eps)" if eps_in_sqrt else "g / (√s + eps)")


@equation(_written)
def scale_by_rss(initial_accumulator_value: Scalar = 0.1, eps: Scalar = 1e-7, *, eps_in_sqrt: bool = True) -> Transform:
    """Divides by the root of the sum of squares; the equations stand at the top of this file.

    Args:
      initial_accumulator_value: s₀ ≥ 0. May be traced, like ``eps``.
      eps: ε ≥ 0.
      eps_in_sqrt: Whether ε is added under the root (optax, Keras) or to the root (the paper, torch).

    Returns:
      A transformation whose state is :class:`ScaleByRssState`.

    Raises:
      ValueError: a negative float.

    >>> tx = scale_by_rss(0.0, eps=0.0)
    >>> state = tx.init(jnp.zeros(1))
    >>> for _ in range(4):
    ...     direction, state = tx.update(jnp.full(1, 3.0), state)
    >>> print(direction)
    [0.5]
    """
    checks.nonnegative(initial_accumulator_value=initial_accumulator_value, eps=eps)
    divide = inside if eps_in_sqrt else outside

    def init(params: Params) -> OptState:
        return ScaleByRssState(sum_of_squares=tree.full_like_real(params, initial_accumulator_value))

    def rule(g: jax.Array, s: jax.Array, *, eps: jax.Array) -> tuple[jax.Array, jax.Array]:
        s = s + tree.square(g)
        # Where s is 0 the divisor is infinite: the direction is 0, its slope too, and one selection does for both.
        divisor = jax.lax.select(s == 0, jnp.full_like(s, jnp.inf), s)
        return divide(g, divisor, eps, jnp.ones_like(eps)), s

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        updates, s = tree.elementwise(rule, updates, state.sum_of_squares, eps=eps)
        return updates, ScaleByRssState(sum_of_squares=s)

    return optax.GradientTransformationExtraArgs(init, update)
