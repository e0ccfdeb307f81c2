"""What the tests of curvature share: a small network, matrices with known spectra, and dense oracles."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree


def network(params, inputs):
    """tanh(x W + b) · w: 3 inputs, 4 hidden units, 3 outputs."""
    hidden = jnp.tanh(inputs @ params["first"]["kernel"] + params["first"]["bias"][None])
    return hidden @ params["second"]["kernel"]


def parameters(seed=0, dtype=jnp.float64):
    """28 parameters of :func:`network`."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return jnp.asarray(rng.standard_normal(shape), dtype)

    return {"first": {"kernel": draw(3, 4), "bias": draw(4)}, "second": {"kernel": draw(4, 3)}}


def samples(count, seed=1, dtype=jnp.float64):
    """Inputs ``(count, 3)`` and labels in {0, 1, 2}."""
    rng = np.random.default_rng(seed)
    return jnp.asarray(rng.standard_normal((count, 3)), dtype), jnp.asarray(rng.integers(0, 3, count))


def dense(matvec, like):
    """The matrix of a product, column by column."""
    flat, unravel = ravel_pytree(like)
    columns = jax.jit(jax.vmap(lambda e: ravel_pytree(matvec(unravel(e)))[0]))(jnp.eye(flat.size, dtype=flat.dtype))
    return np.asarray(columns.T)


@partial(jax.jit, static_argnames="loss")
def _dense_hessian(loss, params, *args):
    flat, unravel = ravel_pytree(params)
    return jax.jacrev(jax.jacfwd(lambda x: loss(unravel(x), *args)))(flat)


def dense_hessian(loss, params, *args):
    """The Hessian of the flattened function: reverse over forward, unlike ours."""
    return np.asarray(_dense_hessian(loss, params, *args))


def with_spectrum(eigenvalues, seed=0, dtype=np.float64):
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.asarray(eigenvalues) @ q.T, dtype)


def times(matrix):
    """The product with a dense matrix."""
    matrix = jnp.asarray(matrix)
    return lambda v: matrix @ v
