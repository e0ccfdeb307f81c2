r"""RAdam: Adam that divides only where its mean square has seen enough, and by how much it has seen.

.. math::

    \rho_t &= 2 a_t / w_t - 1, \qquad w_t = 1 + \beta_2 w_{t-1}, \quad a_t = w_t + \beta_2 a_{t-1}, \quad w_0=a_0=0 \\
    r_t &= \sqrt{\frac{(\rho_t-4)(\rho_t-2)\,\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\,\rho_t}}, \qquad
           \rho_\infty = \frac{2}{1-\beta_2} - 1 \\
    u_t &= r_t\,\hat m_t / (\sqrt{\hat v_t} + \epsilon) \text{ where } \rho_t \ge \text{threshold, else } \hat m_t

with Adam's moments m̂ and v̂. ρ is twice the mean age of the squares in v less one. The paper and the frameworks write
it :math:`\rho_\infty - 2t\beta_2^t/(1-\beta_2^t)`: the same number as a small difference of large ones, of which
float32 keeps two or three digits at the threshold when β₂ = 0.999. The two sums above do not cancel.

Source: Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020, algorithm 2 (ρ > 4, no ε).
optax has ρ ≥ 5 and ε outside; torch ρ > 5 and ε̂ (``divide=hat``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import equation
from jaxdl.transforms.denominators import Division, check, outside, written
from jaxdl.typing import OptState, Params, Scalar, Transform, Updates


class ScaleByRadamState(NamedTuple):
    """``count``: completed updates, int32. ``mass``, ``age``: the sums w and a. ``mu``: m. ``nu``: v, wide."""

    count: jax.Array  # type: ignore[assignment]  # optax's name, which hides tuple.count
    mass: jax.Array
    age: jax.Array
    mu: Updates
    nu: Updates


def rectification(rho: jax.Array, rho_inf: jax.Array, tractable: jax.Array) -> jax.Array:
    """r, and 1 where the mean square is not to be trusted."""
    safe = jnp.full_like(rho, 6.0)  # any number above 4: there the root is real, and so is its slope
    rho, rho_inf = jnp.where(tractable, rho, safe), jnp.where(tractable, rho_inf, safe)
    square = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
    return tree.root(jnp.maximum(square, jnp.zeros_like(square)))


def _written(*, nesterov: bool, reaches: Any, divide: Division | None, **rest: Any) -> str:
    mean = "b1 m/(1 − b1ᵗ⁺¹) + (1 − b1) g/(1 − b1ᵗ)" if nesterov else "m/(1 − b1ᵗ)"
    sign = ">" if reaches is jnp.greater else "≥"
    return (
        f"m ← b1 m + (1 − b1) g\nv ← b2 v + (1 − b2) g²\nm̂ ← {mean}\nv̂ ← v/(1 − b2ᵗ) + eps_root\n"
        "ρ∞ ← 2/(1 − b2) − 1\nρ ← ρ∞ − 2t b2ᵗ/(1 − b2ᵗ)\nr ← √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ))\n"
        f"u ← r · {written(divide or outside, 'm̂', 'v̂', '1 − b2ᵗ')} where ρ {sign} threshold, else m̂"
    )


@equation(_written)
def scale_by_radam(
    b1: Scalar = 0.9,
    b2: Scalar = 0.999,
    eps: Scalar = 1e-8,
    eps_root: Scalar = 0.0,
    threshold: Scalar = 5.0,
    *,
    nesterov: bool = False,
    reaches: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    divide: Division | None = None,
) -> Transform:
    r"""Scales to RAdam's direction; the equations stand at the top of this file.

    Args:
      b1: β₁ in [0, 1), the memory of the mean. May be traced, like every float here.
      b2: β₂ in [0, 1), the memory of the mean square.
      eps: ε ≥ 0, placed by ``divide``.
      eps_root: ≥ 0, inside the root.
      threshold: The ρ from which on the mean square divides; at least 4, below which r is not real.
      nesterov: Whether the mean looks ahead, as in ``jaxdl/transforms/adam.py``.
      reaches: ``jnp.greater_equal`` (optax), the default, or ``jnp.greater`` (the paper, torch).
      divide: Where ε stands, a function from ``jaxdl/transforms/denominators.py``; ``outside`` by default.

    Returns:
      A transformation whose state is :class:`ScaleByRadamState`.

    Raises:
      ValueError: ``b1`` or ``b2`` outside [0, 1), ``threshold`` below 4, or another float is negative.

    >>> tx = scale_by_radam()
    >>> direction, _ = tx.update(jnp.full(1, 3.0), tx.init(jnp.zeros(1)))  # one square says nothing of the variance
    >>> print(direction)
    [3.]
    """
    checks.decay_rate(b1=b1, b2=b2)
    checks.nonnegative(eps=eps, eps_root=eps_root)
    checks.at_least(4, threshold=threshold)
    checks.functions("jax.numpy: greater, greater_equal", reaches=reaches)
    divide_by, compare = divide or outside, reaches or jnp.greater_equal
    check(divide_by, eps, True)

    def init(params: Params) -> OptState:
        dtype = tree.compute_dtype(*jax.tree.leaves(params))
        return ScaleByRadamState(
            count=jnp.zeros((), jnp.int32),
            mass=jnp.zeros((), dtype),
            age=jnp.zeros((), dtype),
            mu=tree.zeros_like(params),
            nu=tree.full_like_real(params, 0.0),
        )

    def rule(
        g: jax.Array, m: jax.Array, v: jax.Array, *, b1: jax.Array, b2: jax.Array, t: jax.Array, **rest: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * tree.square(g)
        now = 1 - b1**t
        m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / now if nesterov else m / now
        tractable = compare(rest["rho"], rest["threshold"])
        r = rectification(rest["rho"], 2 / (1 - b2) - 1, tractable)
        c = 1 - b2**t
        adaptive = r * divide_by(m_hat, v / c + rest["eps_root"], rest["eps"], c)
        return jax.lax.select(tractable, adaptive, m_hat), m, v

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        del params, extra_args
        t, beta = tree.increment(state.count), jnp.asarray(b2).astype(state.mass.dtype)
        mass = 1 + beta * state.mass
        age = mass + beta * state.age
        floats = {"b1": b1, "b2": b2, "t": t, "rho": 2 * age / mass - 1, "threshold": threshold}
        updates, mu, nu = tree.elementwise(rule, updates, state.mu, state.nu, **floats, eps=eps, eps_root=eps_root)
        return updates, ScaleByRadamState(count=t, mass=mass, age=age, mu=mu, nu=nu)

    return optax.GradientTransformationExtraArgs(init, update)
