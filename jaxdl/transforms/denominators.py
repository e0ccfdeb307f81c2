r"""Where ε stands when a direction is divided by a root mean square: conventions as functions of one signature.

With v̂ the (corrected) mean square and c = 1 − βᵗ its bias correction, 1 where nothing is corrected:

.. math::

    \text{outside} &: u / (\sqrt{\hat v} + \epsilon)          && \text{the papers, torch, optax's Adam} \\
    \text{inside}  &: u / \sqrt{\hat v + \epsilon}            && \text{optax's RMSProp, Keras, TensorFlow 1} \\
    \text{hat}     &: u / (\sqrt{\hat v} + \epsilon/\sqrt c)  && \text{Adam of Keras and TensorFlow 1, torch's RAdam} \\
    \text{clamped} &: u / \max(\sqrt{\hat v}, \epsilon)       && \text{HeavyBall} \\
    \text{bare}    &: u / \sqrt{\hat v}, \quad 0/0 = 0        && \text{the lecture, papers that print no } \epsilon

*hat* is what comes of adding ε to the uncorrected root: :math:`\sqrt{c}\,/(\sqrt{v}+\epsilon)` with
:math:`v = c\,\hat v`; the paper calls it :math:`\hat\epsilon`. At the first step of Adam with β₂ = 0.999 it is 32 times
as large as *outside*.

Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 2 (ε and ε̂).
"""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.typing import Scalar

Division: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]
"""``divide(u, v_hat, eps, c)``: the direction over the root of the mean square, made safe by ε."""


def outside(u: jax.Array, v_hat: jax.Array, eps: jax.Array, c: jax.Array) -> jax.Array:
    """u / (√v̂ + ε)."""
    del c
    return u / (tree.root(v_hat) + eps)


def inside(u: jax.Array, v_hat: jax.Array, eps: jax.Array, c: jax.Array) -> jax.Array:
    """u / √(v̂ + ε)."""
    del c
    return u * jax.lax.rsqrt(v_hat + eps)


def hat(u: jax.Array, v_hat: jax.Array, eps: jax.Array, c: jax.Array) -> jax.Array:
    """u / (√v̂ + ε/√c); only where the mean square is corrected does it differ from :func:`outside`."""
    return u / (tree.root(v_hat) + eps / jnp.sqrt(c))


def clamped(u: jax.Array, v_hat: jax.Array, eps: jax.Array, c: jax.Array) -> jax.Array:
    """u / max(√v̂, ε)."""
    del c
    return u / jnp.maximum(tree.root(v_hat), eps)


def bare(u: jax.Array, v_hat: jax.Array, eps: jax.Array, c: jax.Array) -> jax.Array:
    """u / √v̂, and 0 where v̂ is 0."""
    del eps, c
    return u / tree.root(jax.lax.select(v_hat == 0, jnp.full_like(v_hat, jnp.inf), v_hat))


def written(divide: Division, u: str, v_hat: str, c: str = "1") -> str:
    """The division in plain text, its divisor's parts given as text; the name of the function where it is not ours."""
    texts: dict[Division, str] = {
        outside: f"{u} / (√{v_hat} + eps)",
        inside: f"{u} / √({v_hat} + eps)",
        hat: f"{u} / (√{v_hat} + eps/√({c}))",
        clamped: f"{u} / max(√{v_hat}, eps)",
        bare: f"{u} / √{v_hat}",
    }
    return texts.get(divide, f"{divide.__name__}({u}, {v_hat}, eps)")


def check(divide: Division, eps: Scalar, bias_correction: bool) -> None:
    """Raises ValueError where a convention contradicts the other arguments."""
    checks.functions("jaxdl.transforms.denominators", divide=divide)
    if divide is hat and not bias_correction:
        raise ValueError("divide=hat needs the bias correction of the mean square, got none: say divide=outside.")
    if divide is bare and not (isinstance(eps, int | float) and eps == 0):
        raise ValueError(f"divide=bare has no ε: expected eps=0, got {eps}.")
