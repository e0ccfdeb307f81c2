"""Products against dense Hessians, closed forms without autodiff, and NumPy sums over samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxdl import curvature, losses
from tests.curvature.matrices import dense, dense_hessian, network, parameters, samples

pytestmark = pytest.mark.usefixtures("quick_compilation")

PARAMS, BATCH = parameters(), samples(9)


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def linear_model(weights, x):
    return x @ weights


# --- the Hessian ------------------------------------------------------------------------------------------------------


def test_the_hessian_of_a_network_is_the_dense_one():
    found = dense(curvature.hessian(loss, PARAMS, BATCH), PARAMS)
    np.testing.assert_allclose(found, dense_hessian(loss, PARAMS, BATCH), rtol=0, atol=1e-13)
    np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-13)


def test_the_hessian_agrees_with_central_differences_of_the_loss():
    flat, unravel = ravel_pytree(PARAMS)
    v = np.random.default_rng(3).standard_normal(flat.size)
    f = jax.jit(lambda x: loss(unravel(x), BATCH))
    step = 1e-4
    second = (f(flat + step * v) - 2 * f(flat) + f(flat - step * v)) / step**2
    product = ravel_pytree(curvature.hvp(loss, PARAMS, unravel(jnp.asarray(v)), BATCH))[0]
    np.testing.assert_allclose(v @ product, second, rtol=1e-5)


def test_linear_regression_in_closed_form():
    x, y = np.asarray(BATCH[0]), np.random.default_rng(2).standard_normal(9)

    def squared(w, batch):
        return losses.squared_error(batch[0] @ w, batch[1])

    batch, start = (jnp.asarray(x), jnp.asarray(y)), jnp.ones(3)
    expected = x.T @ x / len(x)
    np.testing.assert_allclose(dense(curvature.hessian(squared, start, batch), start), expected, atol=1e-15)
    gauss_newton = curvature.gauss_newton(linear_model)(losses.squared_error, start, batch)
    np.testing.assert_allclose(dense(gauss_newton, start), expected, atol=1e-15)


def test_softmax_regression_in_closed_form():
    x, _labels = BATCH
    weights = jnp.asarray(np.random.default_rng(4).standard_normal((3, 3)))
    p = softmax(np.asarray(x @ weights))
    blocks = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]
    # Row-major weights (input, class): x xᵀ ⊗ (diag p − p pᵀ).
    expected = np.einsum("ni,nj,nkl->ikjl", np.asarray(x), np.asarray(x), blocks).reshape(9, 9) / len(p)

    def of_weights(w, batch):
        return losses.cross_entropy(batch[0] @ w, batch[1])

    np.testing.assert_allclose(dense(curvature.hessian(of_weights, weights, BATCH), weights), expected, atol=1e-15)
    gauss_newton = curvature.gauss_newton(linear_model)(losses.cross_entropy, weights, BATCH)
    np.testing.assert_allclose(dense(gauss_newton, weights), expected, atol=1e-15)
    assert np.sum(np.abs(np.linalg.eigvalsh(expected)) < 1e-15) == 3, "adding one vector to all classes changes nothing"


def test_a_key_reaches_the_loss():
    def noisy(w, batch, key):
        return jnp.sum(batch * jax.random.normal(key, (2,)) * w**2)

    batch, key = jnp.array([1.0, 2.0]), jax.random.key(5)
    product = curvature.hvp(noisy, jnp.ones(2), jnp.ones(2), batch, key)
    np.testing.assert_allclose(product, 2 * batch * jax.random.normal(key, (2,)), rtol=1e-15)


# --- Gauss–Newton and Fisher ------------------------------------------------------------------------------------------


def jacobian_and_gradients():
    """Jacobians of the logits ``(n, 3, P)`` and gradients of the samples' losses ``(n, P)``, sample by sample."""
    flat, unravel = ravel_pytree(PARAMS)

    def one(x, i):
        return network(unravel(x), BATCH[0][i : i + 1])[0]

    jacobians = np.stack([jax.jacfwd(one)(flat, i) for i in range(9)])
    p = softmax(np.asarray(network(PARAMS, BATCH[0])))
    gradients = np.einsum("nkp,nk->np", jacobians, p - np.eye(3)[BATCH[1]])
    return jacobians, gradients, p


def test_gauss_newton_of_a_network_is_the_sum_over_samples():
    jacobians, _, p = jacobian_and_gradients()
    blocks = p[:, :, None] * np.eye(3) - p[:, :, None] * p[:, None, :]
    expected = np.einsum("nkp,nkl,nlq->pq", jacobians, blocks, jacobians) / 9
    found = dense(curvature.gauss_newton(network)(losses.cross_entropy, PARAMS, BATCH), PARAMS)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert np.linalg.eigvalsh(found)[0] > -1e-14
    assert np.abs(found - dense_hessian(loss, PARAMS, BATCH)).max() > 1e-2, "the case must tell G from H"


def test_the_empirical_fisher_is_the_mean_outer_product():
    _, gradients, _ = jacobian_and_gradients()
    found = dense(curvature.empirical_fisher(loss, PARAMS, BATCH), PARAMS)
    np.testing.assert_allclose(found, gradients.T @ gradients / 9, atol=1e-14)


@pytest.mark.slow
def test_the_sampled_fisher_is_unbiased_for_gauss_newton():
    v = parameters(seed=7)

    def fisher(key):
        return curvature.fisher(network, jax.random.categorical, key)(losses.cross_entropy, PARAMS, BATCH)(v)

    draws = jax.jit(jax.vmap(fisher))(jax.random.split(jax.random.key(1), 2000))
    draws = np.asarray(jax.vmap(lambda t: ravel_pytree(t)[0])(draws))
    exact = ravel_pytree(curvature.gauss_newton(network)(losses.cross_entropy, PARAMS, BATCH)(v))[0]
    scores = (draws.mean(axis=0) - exact) / (draws.std(axis=0, ddof=1) / np.sqrt(len(draws)))
    assert np.abs(scores).max() < 4
    observed = ravel_pytree(curvature.empirical_fisher(loss, PARAMS, BATCH)(v))[0]
    assert np.abs((draws.mean(axis=0) - observed) / draws.std(axis=0)).max() > 0.5, "it is not the empirical one"


def test_a_given_matrix_is_a_product():
    found = curvature.eigenpairs(lambda v: jnp.array([1.0, 4.0]) * v, jnp.zeros(2), product=curvature.given)
    np.testing.assert_allclose(found.values, [4.0], rtol=1e-14)


# --- any setting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_dtypes_and_shapes_are_those_of_the_parameters(dtype):
    params, batch = parameters(dtype=dtype), samples(5, dtype=dtype)
    product = jax.eval_shape(curvature.hessian(loss, params, batch), params)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), product) == jax.tree.map(lambda x: (x.shape, x.dtype), params)


def test_float32_products_err_by_roundings():
    narrow = jax.tree.map(lambda x: x.astype(jnp.float32), (PARAMS, (BATCH[0],)))
    found = dense(curvature.hessian(loss, narrow[0], (narrow[1][0], BATCH[1])), narrow[0])
    exact = dense_hessian(loss, PARAMS, BATCH)
    assert np.abs(found - exact).max() < 1e-6 * np.abs(exact).max()


def test_products_are_jitted_and_mapped():
    vectors = jax.tree.map(lambda *x: jnp.stack(x), *(parameters(seed) for seed in (2, 3)))
    matvec = curvature.hessian(loss, PARAMS, BATCH)
    mapped = jax.jit(jax.vmap(matvec))(vectors)
    for i in range(2):
        alone = matvec(jax.tree.map(lambda x, i=i: x[i], vectors))
        jax.tree.map(lambda m, a, i=i: np.testing.assert_allclose(m[i], a, atol=1e-14), mapped, alone)
