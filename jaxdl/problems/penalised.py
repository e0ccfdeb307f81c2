r"""A problem with a penalty on its parameters: :math:`L(\theta) + \lambda\,\Omega(\theta)`; metrics stay without it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Params, Scalar


def penalised(problem: Problem, penalty: Callable[[Params], jax.Array], weight: Scalar) -> Problem:
    """Adds a penalty to the training loss.

    Args:
      problem: Any problem.
      penalty: Ω, a scalar function of the parameters: ``jaxdl.losses.l2_penalty``, ``l1_penalty``, …
      weight: λ ≥ 0. May be traced, and so swept.

    Returns:
      The problem; its floor, which is that of the loss alone, is None.

    Raises:
      ValueError: a negative weight.

    >>> from jaxdl import losses, problems
    >>> problem = penalised(problems.get("booth"), losses.l2_penalty, 0.5)
    >>> print(problem.loss(jnp.array([1.0, 3.0]), (), jax.random.key(0)))
    2.5
    """
    checks.nonnegative(weight=weight)

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        value = problem.loss(params, batch, key)
        return value + jnp.asarray(weight).astype(value.dtype) * penalty(params).astype(value.dtype)

    return problem._replace(name=f"{problem.name}, penalised", loss=loss, floor=None)
