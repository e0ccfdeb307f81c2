"""Traces and diagonals: exact cases, closed-form variances, and standard errors held against many seeds."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature
from tests.curvature.matrices import dense_hessian, network, parameters, samples, times, with_spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

FALLING = with_spectrum(np.geomspace(1, 1e-3, 50))
STEEP = with_spectrum(np.geomspace(1, 1e-8, 50))
FLAT = with_spectrum(np.linspace(-1, 1.5, 50))
METHODS = (curvature.hutchinson, curvature.hutch_plus_plus, curvature.xtrace)
by_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)


@partial(jax.jit, static_argnames=("method", "budget"))
def estimate(method, matrix, budget, key):
    """One estimate of the trace of a dense matrix."""
    return method(times(matrix), jnp.zeros(len(matrix), matrix.dtype), key, budget)


def estimates(method, matrix, budget, seeds=400):
    """Values and standard errors over many keys."""
    keys = jax.random.split(jax.random.key(0), seeds)
    run = jax.vmap(lambda key: estimate(method, jnp.asarray(matrix), budget, key))
    return tuple(np.asarray(x) for x in run(keys))


# --- unbiased, and honest about it ------------------------------------------------------------------------------------


@by_method
@pytest.mark.parametrize("matrix", [FALLING, FLAT], ids=["falling", "flat"])
def test_no_bias_and_honest_errors(method, matrix):
    values, errors = estimates(method, matrix, 30)
    trace = np.trace(matrix)
    standard_error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - trace) < 4 * standard_error
    assert standard_error > 0
    # What an estimate says of itself is what it does, on average over seeds; XTrace's own says too little.
    least = 0.6 if method is curvature.xtrace else 0.9
    assert least < np.sqrt(np.mean(errors**2)) / values.std() < 1.1


def test_the_variance_of_hutchinson_in_closed_form():
    values, _ = estimates(curvature.hutchinson, FLAT, 8, seeds=2000)
    expected = 2 * (np.sum(FLAT**2) - np.sum(np.diag(FLAT) ** 2)) / 8
    # The variance of a sample variance of 2000 nearly normal numbers is 2/2000 of its square.
    assert abs(values.var(ddof=1) / expected - 1) < 4 * np.sqrt(2 / 2000)


@pytest.mark.slow
def test_the_others_win_where_the_spectrum_falls():
    spread = {method: estimates(method, STEEP, 30, seeds=100)[0].std() for method in METHODS}
    assert spread[curvature.xtrace] < spread[curvature.hutch_plus_plus] < 0.2 * spread[curvature.hutchinson]


@pytest.mark.slow
def test_and_lose_where_it_is_flat():
    """Products spent on a range that is no smaller than the space: the docstring warns of it."""
    spread = {method: estimates(method, FLAT, 30, seeds=100)[0].std() for method in METHODS[:2]}
    assert spread[curvature.hutch_plus_plus] > spread[curvature.hutchinson]


# --- exact cases ------------------------------------------------------------------------------------------------------


def test_hutchinson_is_exact_for_diagonal_matrices():
    found = estimate(curvature.hutchinson, np.diag(np.arange(5.0)), 3, jax.random.key(0))
    np.testing.assert_allclose(found, (10.0, 0.0), atol=1e-14)


@pytest.mark.parametrize("method", METHODS[1:], ids=lambda m: m.__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_low_rank_is_exact(method, dtype):
    matrix = with_spectrum([*np.zeros(36), -1.0, 2.0, 3.0, 5.0], dtype=dtype)
    found = estimate(method, matrix, 24, jax.random.key(0))
    np.testing.assert_allclose(found.value, 9, rtol=100 * np.finfo(dtype).eps)
    assert found.standard_error < 1e3 * np.finfo(dtype).eps


@by_method
def test_the_zero_matrix(method):
    found = estimate(method, np.zeros((6, 6)), 6, jax.random.key(0))
    np.testing.assert_allclose(found, (0.0, 0.0))


@pytest.mark.parametrize("method", METHODS[1:], ids=lambda m: m.__name__)
def test_more_probes_than_parameters(method):
    matrix = with_spectrum([1.0, 2.0, 4.0])
    found = estimate(method, matrix, 30, jax.random.key(0))
    np.testing.assert_allclose(found.value, 7, rtol=1e-13)


# --- the diagonal -----------------------------------------------------------------------------------------------------


def test_the_diagonal_and_its_errors():
    like = {"a": jnp.zeros((5, 4)), "b": jnp.zeros(30)}

    def matvec(v):
        return dict(zip(("a", "b"), split(times(FLAT)(jnp.concatenate([v["a"].ravel(), v["b"]]))), strict=True))

    def split(x):
        return (x[:20].reshape(5, 4), x[20:])

    run = jax.jit(jax.vmap(lambda key: curvature.diagonal(matvec, like, key, 20)))
    found = run(jax.random.split(jax.random.key(0), 300))
    values, errors = (np.concatenate([np.reshape(t["a"], (300, 20)), t["b"]], axis=1) for t in found)
    scores = (values.mean(axis=0) - np.diag(FLAT)) / (values.std(axis=0, ddof=1) / np.sqrt(300))
    assert np.abs(scores).max() < 4
    assert abs(np.sqrt(np.mean(errors**2)) / np.sqrt(np.mean(values.var(axis=0, ddof=1))) - 1) < 0.05


def test_diagonal_of_a_diagonal_matrix_is_exact():
    found = curvature.diagonal(times(np.diag(np.arange(5.0))), jnp.zeros(5), jax.random.key(0), 2)
    np.testing.assert_allclose(found.value, np.arange(5.0), atol=1e-15)
    np.testing.assert_allclose(found.standard_error, 0, atol=1e-15)


@pytest.mark.parametrize("method", [curvature.hutchinson, curvature.diagonal])
def test_one_probe_knows_no_error(method):
    found = method(times(np.eye(2)), jnp.zeros(2), jax.random.key(0), 1)
    assert np.isnan(found.standard_error).all()


# --- in one call ------------------------------------------------------------------------------------------------------


def loss(params, batch):
    return jnp.sum(jnp.sin(network(params, batch[0]))) / 5


def test_the_trace_of_a_loss():
    params, batch = parameters(), samples(5)
    matrix = dense_hessian(loss, params, batch)
    found = curvature.trace(loss, params, batch, key=jax.random.key(1), budget=200)
    assert abs(found.value - np.trace(matrix)) < 4 * found.standard_error
    assert found.standard_error < 0.2 * np.linalg.norm(matrix)
    exact = curvature.trace(loss, params, batch, key=jax.random.key(1), budget=56, method=curvature.xtrace)
    np.testing.assert_allclose(exact.value, np.trace(matrix), rtol=1e-10)


@pytest.mark.parametrize(
    ("method", "budget", "least"),
    [(curvature.hutch_plus_plus, 2, 3), (curvature.xtrace, 3, 4)],
)
def test_budgets_that_are_too_small(method, budget, least):
    with pytest.raises(ValueError, match=f"budget must be at least {least} products, got {budget}"):
        method(times(np.eye(5)), jnp.zeros(5), jax.random.key(0), budget)
