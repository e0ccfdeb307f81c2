"""Problems that are formulas, with their floors known exactly."""

import jax
import jax.numpy as jnp

from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, Params, Scalar


def quadratic(
    dimension: int = 100, condition_number: Scalar = 100.0, rotated: bool = False, seed: int = 0, dtype: type = jnp.float32
) -> Problem:
    """½ xᵀ A x with eigenvalues spaced geometrically from 1/κ to 1, started on the unit sphere."""
    raise NotImplementedError
