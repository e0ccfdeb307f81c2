r"""Sharpness as the rise of the loss nearby: the measure that sharpness-aware minimisation descends.

.. math::

    S_\rho(\theta) = \max_{\lVert T^{-1}\epsilon\rVert \le \rho} L(\theta + \epsilon) - L(\theta),
    \qquad \epsilon \leftarrow \rho\, \frac{T^2 g}{\lVert T g\rVert}, \quad g = \nabla L(\theta + \epsilon),

with T = I (SAM), or T = diag|θ| (adaptive), which a rescaling of neurons that leaves the network alone leaves alone
too. One iteration from ε = 0 is SAM's step; more climb on along the sphere. What comes out is a lower bound of the
maximum. Near a minimum, S tends to ½ρ² times the sharpness as iterations grow.

Source: Foret, Kleiner, Mobahi and Neyshabur, "Sharpness-aware minimization", ICLR 2021; Kwon, Kim, Park and Choi,
"ASAM", ICML 2021.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature.products import Loss
from jaxdl.typing import Params, PyTree, Scalar


class Rise(NamedTuple):
    """``value``: the largest rise found, shape ``()``. ``perturbation``: the ε that gives it, shaped like θ."""

    value: jax.Array
    perturbation: PyTree


def sam_sharpness(
    loss: Loss, params: Params, *args: Any, rho: Scalar = 0.05, steps: int = 1, adaptive: bool = False
) -> Rise:
    """The largest rise of the loss within a ball around θ; the equations stand at the top of this file.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: θ.
      *args: What else the loss is given.
      rho: ρ > 0, the radius.
      steps: Iterations, one gradient each; the best counts.
      adaptive: Whether the ball is measured relative to each |θᵢ|.

    Returns:
      The rise and where it is; 0 and ε = 0 where the gradient vanishes.

    Raises:
      ValueError: ``rho`` not positive or ``steps`` below 1.

    >>> print(sam_sharpness(lambda x: jnp.sum(x), jnp.zeros(4), rho=0.5).value)  # ρ‖g‖
    1.0
    """
    checks.positive(rho=rho)
    checks.positive_integer(steps=steps)
    found: Rise = _climbed(loss, params, args, rho, steps, adaptive)
    return found


@partial(jax.jit, static_argnames=("loss", "steps", "adaptive"))
def _climbed(loss: Loss, params: Params, args: tuple[Any, ...], rho: Scalar, steps: int, adaptive: bool) -> Rise:
    here, slope = jax.value_and_grad(lambda p: loss(p, *args))(params)
    scale = jax.tree.map(jnp.abs if adaptive else jnp.ones_like, params)

    def perturbation(g: PyTree) -> PyTree:
        length = tree.global_norm(jax.tree.map(jnp.multiply, g, scale))
        factor = jnp.where(length > 0, rho / jnp.where(length > 0, length, 1), 0)
        return jax.tree.map(lambda x, t: factor.astype(x.dtype) * t**2 * x, g, scale)

    def climb(carry: tuple[Rise, PyTree], _: None) -> tuple[tuple[Rise, PyTree], None]:
        best, g = carry
        moved = perturbation(g)
        there, g = jax.value_and_grad(lambda p: loss(p, *args))(jax.tree.map(jnp.add, params, moved))
        rise = there - here
        better = rise > best.value
        return (Rise(jnp.maximum(rise, best.value), tree.select(better, moved, best.perturbation)), g), None

    nothing = Rise(jnp.zeros_like(here), tree.zeros_like(params))
    (best, _), _ = jax.lax.scan(climb, (nothing, slope), length=steps)
    return best
