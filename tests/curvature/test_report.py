"""The summary against dense linear algebra."""

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxdl import curvature, losses
from tests.curvature.matrices import dense_hessian, network, parameters, samples

pytestmark = pytest.mark.usefixtures("quick_compilation")

PARAMS, BATCH = parameters(), samples(20)


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1])


def test_all_of_it():
    data = curvature.summary(loss, PARAMS, BATCH, key=jax.random.key(0), k=3, rho=0.1, budget=100)
    matrix = dense_hessian(loss, PARAMS, BATCH)
    values, vectors = np.linalg.eigh(matrix)
    gradient = np.asarray(ravel_pytree(jax.grad(loss)(PARAMS, BATCH))[0])
    np.testing.assert_allclose(data["eigenvalue"].sel(end="largest"), values[:-4:-1], rtol=1e-10)
    np.testing.assert_allclose(data["eigenvalue"].sel(end="smallest"), values[:3], rtol=1e-10)
    assert data["converged"].all()
    assert (data["residual"] < 1e-10).all()
    assert abs(data["trace"] - np.trace(matrix)) < 4 * data["trace_error"]
    np.testing.assert_allclose(data["gradient_norm"], np.linalg.norm(gradient), rtol=1e-12)
    share = np.sum((vectors[:, -3:].T @ gradient) ** 2) / np.sum(gradient**2)
    np.testing.assert_allclose(data["gradient_share"], share, rtol=1e-9)
    np.testing.assert_allclose(data["loss"], loss(PARAMS, BATCH), rtol=1e-14)
    step = jax.tree.map(lambda g: 0.1 * g / np.linalg.norm(gradient), jax.grad(loss)(PARAMS, BATCH))
    rise = loss(jax.tree.map(jax.numpy.add, PARAMS, step), BATCH)
    np.testing.assert_allclose(data["sam_sharpness"], rise - loss(PARAMS, BATCH), rtol=1e-10)
    assert data.attrs == {"parameters": 28, "rho": 0.1, "steps": 64, "budget": 100}


def test_fewer_parameters_than_ranks():
    data = curvature.summary(lambda x: x**2, np.float64(3.0), key=jax.random.key(0))
    np.testing.assert_allclose(data["eigenvalue"], [[2.0], [2.0]])
