r"""Problems that are formulas in any number of dimensions, with their floors known exactly.

.. math::

    \text{quadratic:}       &\quad f(x) = \tfrac12 \sum_{i=1}^d \lambda_i\,(Q^\top x)_i^2,
                              \qquad \lambda_i = \kappa^{-(i-1)/(d-1)} \\
    \text{noisy quadratic:} &\quad f(x, \xi) = \tfrac12 \sum_{i=1}^d h_i x_i^2 + \sum_i \xi_i x_i,
                              \qquad h_i = 1/i, \quad \xi_i \sim N(0, h_i / B) \\
    \text{Rosenbrock:}      &\quad f(x) = \sum_{i=1}^{d-1} 100\,(x_{i+1} - x_i^2)^2 + (1 - x_i)^2

Each starts at a fixed documented point, so that all seeds give the same run (but for the noise of the noisy quadratic);
``random_start=True`` draws the start from the key instead. Targets were set by runs of 500 steps with the default
arguments, each of the six optimizers at 33 learning rates: a rounded loss that the tuned best of them pass.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, Params, Scalar


def from_function(
    name: str, function: Callable[[Params], jax.Array], init: Callable[[Key], Params], **fields: Any
) -> Problem:
    """A problem without data or noise from a function of the parameters.

    Args:
      name: Name of the problem.
      function: Maps parameters to the loss, shape ``()``.
      init: ``init(key) -> params``.
      **fields: Further fields of :class:`Problem`: ``floor``, ``target``, …

    Returns:
      The problem; its one metric is ``"loss"``.

    >>> problem = from_function("square", lambda x: x**2, lambda key: jnp.array(3.0), floor=0.0)
    >>> print(problem.metrics(problem.init(jax.random.key(0)), ())["loss"])
    9.0
    """

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        del batch, key
        return function(params)

    def metrics(params: Params, batch: Batch) -> Metrics:
        del batch
        return {"loss": function(params)}

    return Problem(name=name, init=init, loss=loss, metrics=metrics, **fields)


def quadratic(
    dimension: int = 100,
    condition_number: Scalar = 100.0,
    rotated: bool = False,
    seed: int = 0,
    random_start: bool = False,
    dtype: Any = jnp.float32,
) -> Problem:
    r"""Convex quadratic, eigenvalues spaced geometrically from 1 down to 1/κ; its equation is at the top of this file.

    Started with the same component :math:`1/\sqrt d` along every eigenvector, so at distance 1 from the minimum and at
    the loss :math:`\frac{1}{2d}\sum\lambda_i`. Turning the axes (``rotated``) changes nothing for methods that do not
    know them (SGD, momentum, Newton) and takes the ground from under methods that scale each coordinate (Adam).

    Args:
      dimension: d ≥ 1.
      condition_number: κ ≥ 1, the ratio of the largest eigenvalue to the smallest. May be traced, and so swept.
      rotated: Whether the eigenvectors are a random orthogonal matrix Q in place of the axes.
      seed: Of that matrix.
      random_start: Whether the start is drawn uniformly from the unit sphere with the run's key.
      dtype: dtype of the parameters.

    Returns:
      The problem; floor 0, target 10⁻⁶, which tuned SGD passes after 202 steps and Adam after 43.

    Raises:
      ValueError: ``dimension`` below 1 or ``condition_number`` not positive.

    >>> problem = quadratic(dimension=3, condition_number=4.0)
    >>> hessian = jax.hessian(lambda x: problem.metrics(x, ())["loss"])
    >>> print(jnp.diag(hessian(problem.init(jax.random.key(0)))))
    [1.   0.5  0.25]
    """
    checks.positive_integer(dimension=dimension)
    checks.positive(condition_number=condition_number)
    exponents = jnp.linspace(0, 1, dimension, dtype=dtype)
    eigenvalues = jnp.asarray(condition_number).astype(dtype) ** -exponents
    basis = jnp.asarray(_orthogonal(dimension, seed), dtype) if rotated else None

    def function(x: jax.Array) -> jax.Array:
        along = x if basis is None else x @ basis
        return 0.5 * jnp.sum(eigenvalues * along**2)

    def init(key: Key) -> Params:
        along = jax.random.normal(key, (dimension,), dtype) if random_start else jnp.ones(dimension, dtype)
        along = along / jnp.sqrt(jnp.sum(along**2))
        return along if basis is None else basis @ along

    return from_function("quadratic", function, init, floor=0.0, target=1e-6)


def noisy_quadratic(
    dimension: int = 100, batch_size: Scalar = 1.0, random_start: bool = False, dtype: Any = jnp.float32
) -> Problem:
    r"""The noisy quadratic model of large-batch training: curvature and gradient noise fall together as 1/i.

    The gradient is :math:`h \odot x + \xi` with :math:`\xi` drawn anew at every step from the step's key, so its
    covariance is the Hessian over B, as near a minimum of a likelihood. The metric is the loss without the noise term,
    which is the expected loss exactly; a constant rate settles above 0, the higher the rate the higher.

    Args:
      dimension: d ≥ 1.
      batch_size: B > 0; it only scales the noise. May be traced, and so swept.
      random_start: Whether the start is drawn from N(0, 1), as in the paper, in place of ones, which have the same
        mean square.
      dtype: dtype of the parameters.

    Returns:
      The problem; floor 0, target 0.3, which tuned SGD passes after 307 steps and Adam after 267.

    Raises:
      ValueError: ``dimension`` below 1 or ``batch_size`` not positive.

    Source: Zhang et al., "Which algorithmic choices matter at which batch sizes? Insights from a noisy quadratic
    model", NeurIPS 2019, section 3; d = 100 here, 10 000 there.
    """
    checks.positive_integer(dimension=dimension)
    checks.positive(batch_size=batch_size)
    curvatures = 1 / jnp.arange(1, dimension + 1, dtype=dtype)
    noise_scales = jnp.sqrt(curvatures / jnp.asarray(batch_size).astype(dtype))

    def expected_loss(x: jax.Array) -> jax.Array:
        return 0.5 * jnp.sum(curvatures * x**2)

    def loss(x: Params, batch: Batch, key: Key) -> jax.Array:
        del batch
        noise = noise_scales * jax.random.normal(key, (dimension,), dtype)
        return expected_loss(x) + jnp.sum(noise * x)

    def metrics(x: Params, batch: Batch) -> Metrics:
        del batch
        return {"loss": expected_loss(x)}

    def init(key: Key) -> Params:
        return jax.random.normal(key, (dimension,), dtype) if random_start else jnp.ones(dimension, dtype)

    return Problem("noisy-quadratic", init, loss, metrics, floor=0.0, target=0.3)


def rosenbrock(dimension: int = 2, random_start: bool = False, dtype: Any = jnp.float32) -> Problem:
    """Rosenbrock's banana valley, chained to any dimension; the equation is at the top of this file.

    The minimum 0 lies at (1, …, 1), where in two dimensions the Hessian has condition number 2508. From d = 4 on there
    is a second, local minimum near (−1, 1, …, 1).

    Args:
      dimension: d ≥ 2.
      random_start: Whether the start is drawn uniformly from [−2, 2]ᵈ with the run's key, in place of the classical
        (−1.2, 1, −1.2, 1, …).
      dtype: dtype of the parameters.

    Returns:
      The problem; floor 0, target 0.1, which tuned momentum passes after 58 steps, Adam after 120 and SGD after 381.

    Raises:
      ValueError: ``dimension`` below 2.

    Source: Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960; the chain is
    that of De Jong and of the BBOB and CUTE collections.

    >>> problem = rosenbrock()
    >>> print(f"{problem.metrics(problem.init(jax.random.key(0)), ())['loss']:.2f}")
    24.20
    """
    checks.positive_integer(dimension=dimension)
    if dimension < 2:
        raise ValueError(f"dimension must be at least 2, got {dimension}.")

    def init(key: Key) -> Params:
        if random_start:
            return jax.random.uniform(key, (dimension,), dtype, minval=-2, maxval=2)
        return jnp.where(jnp.arange(dimension) % 2 == 0, -1.2, 1.0).astype(dtype)

    return from_function("rosenbrock", rosenbrock_chain, init, floor=0.0, target=0.1)


def rosenbrock_chain(x: jax.Array) -> jax.Array:
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)² of a vector of shape ``(d,)``. Returns shape ``()``."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _orthogonal(dimension: int, seed: int) -> np.ndarray:
    """An orthogonal matrix drawn uniformly (Haar), float64 of shape ``(d, d)``."""
    gaussian = np.random.default_rng(seed).standard_normal((dimension, dimension))
    q, r = np.linalg.qr(gaussian)
    return np.asarray(q * np.sign(np.diag(r))[None, :])
