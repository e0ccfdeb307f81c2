"""Losses with known minima, shared by the tests of this room."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import second_order


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


ROSENBROCK_START = (-1.2, 1.0)


def spd(rng, n):
    """A symmetric positive definite matrix with eigenvalues 1 … n, turned at random."""
    q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return jnp.asarray(q @ np.diag(np.arange(1.0, n + 1)) @ q.T)


def quadratic(x, A, b):
    return 0.5 * x @ A @ x - b @ x


def solve(loss, params, *args, **arguments):
    """``minimise`` in one program that compiles fast: most runs here take less time than their compilation."""

    def run(params, args):
        return second_order.minimise(loss, params, *args, **arguments)

    return jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})(params, args)
