"""Lanczos against dense eigensolvers: accuracy, certificates, breakdown, multiple eigenvalues, warm starts."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse.linalg

from jaxdl import curvature, losses
from jaxdl.curvature import lanczos
from tests.curvature.matrices import dense_hessian, network, parameters, samples, times, with_spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

PARAMS, BATCH = parameters(), samples(30)
SPREAD = np.concatenate([np.linspace(-1, 1, 57), [3.0, 4.0, 7.0]])
"""Eigenvalues of a 60 × 60 matrix: a bulk and three outliers."""


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1])


@partial(jax.jit, static_argnames=("k", "steps"))
def _solve(matrix, start, k, steps):
    space = lanczos.krylov(times(matrix), start, steps)
    return lanczos.pairs(space, start, k), space


def solve(matrix, k=1, steps=None, start=None):
    """Eigenpairs of a dense matrix, compiled once for a size."""
    start = jnp.zeros(len(matrix), matrix.dtype) if start is None else start
    return _solve(jnp.asarray(matrix), start, k, len(matrix) if steps is None else steps)


# --- eigenpairs of a loss ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [True, False])
def test_eigenpairs_of_a_network_are_the_dense_ones(largest):
    matrix = dense_hessian(loss, PARAMS, BATCH)
    values, vectors = np.linalg.eigh(matrix)
    order = slice(-1, -6, -1) if largest else slice(0, 5)
    found = curvature.eigenpairs(loss, PARAMS, BATCH, k=5, largest=largest)
    np.testing.assert_allclose(found.values, values[order], rtol=0, atol=1e-12 * abs(values).max())
    assert found.converged.all()
    for i, expected in enumerate(vectors[:, order].T):
        vector = np.concatenate([np.ravel(leaf[i]) for leaf in jax.tree.leaves(found.vectors)])
        np.testing.assert_allclose(abs(vector @ expected), 1, rtol=1e-10)
    assert values[0] < -1e-3, "the case must have negative curvature"


def test_an_independent_solver_finds_the_same():
    x = jax.random.normal(jax.random.key(2), (400, 120), jnp.float64)
    data, weights = (x, (x[:, 0] > 0).astype(jnp.float64)), jnp.zeros(120)

    def logistic(w, batch):
        return losses.binary_cross_entropy(batch[0] @ w, batch[1])

    matvec = jax.jit(curvature.hessian(logistic, weights, data))
    operator = scipy.sparse.linalg.LinearOperator(
        (120, 120), matvec=lambda v: np.asarray(matvec(jnp.asarray(v, jnp.float64)))
    )
    v0 = np.random.default_rng(0).standard_normal(120)
    expected = scipy.sparse.linalg.eigsh(operator, k=5, tol=1e-10, v0=v0, return_eigenvectors=False)[::-1]
    found = curvature.eigenpairs(logistic, weights, data, k=5)
    # An eigenvalue errs by the square of the residual over the gap.
    np.testing.assert_allclose(found.values, expected, rtol=1e-8)


@pytest.mark.slow
def test_other_matrices_than_the_hessian():
    product = curvature.in_batches(curvature.gauss_newton(network), 8)
    found = curvature.eigenpairs(losses.cross_entropy, PARAMS, BATCH, k=2, product=product)
    exact = curvature.eigenpairs(losses.cross_entropy, PARAMS, BATCH, k=2, product=curvature.gauss_newton(network))
    np.testing.assert_allclose(found.values, exact.values, rtol=1e-13)


def test_it_compiles_once_along_a_run():
    traced = []

    def counted(params, batch):
        traced.append(1)
        return loss(params, batch)

    counts = []
    for seed in range(3):
        curvature.eigenpairs(counted, parameters(seed), BATCH, steps=2)
        counts.append(len(traced))
    assert counts[0] > 0
    assert counts == counts[:1] * 3


@pytest.mark.slow
def test_it_is_mapped_over_parameters():
    seeds = jax.tree.map(lambda *x: jnp.stack(x), *(parameters(seed) for seed in (0, 1)))
    mapped = jax.vmap(lambda p: curvature.eigenpairs(loss, p, BATCH, k=2))(seeds)
    for i in range(2):
        expected = np.linalg.eigvalsh(dense_hessian(loss, parameters(i), BATCH))[:-3:-1]
        np.testing.assert_allclose(mapped.values[i], expected, rtol=1e-12)


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [5, 10, 20])
def test_residuals_are_those_of_the_vectors(steps):
    matrix = with_spectrum(SPREAD)
    found, _ = solve(matrix, k=3, steps=steps)
    y = np.asarray(found.vectors)
    true = np.linalg.norm(y @ matrix - np.asarray(found.values)[:, None] * y, axis=1)
    np.testing.assert_allclose(found.residuals, true, rtol=1e-6, atol=1e-13)
    np.testing.assert_allclose(y @ y.T, np.eye(3), atol=1e-13)
    nearest = np.abs(np.asarray(found.values)[:, None] - SPREAD).min(axis=1)
    assert (nearest <= true + 1e-13).all()


def test_too_few_steps_are_not_called_converged():
    matrix = with_spectrum(SPREAD)
    few, _ = solve(matrix, k=5, steps=6)
    assert not few.converged[-1]
    enough, _ = solve(matrix, k=5)
    assert enough.converged.all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_the_whole_spectrum_without_copies(dtype, tolerance):
    """All 60 steps: without re-orthogonalisation the largest eigenvalues come out several times."""
    matrix = with_spectrum(SPREAD, dtype=dtype)
    found, space = solve(matrix, k=60)
    np.testing.assert_allclose(np.sort(found.values), np.linalg.eigvalsh(matrix.astype(np.float64)), atol=7 * tolerance)
    q = np.asarray(space.basis, np.float64)
    np.testing.assert_allclose(q @ q.T, np.eye(60), atol=tolerance)


@pytest.mark.slow
def test_float32_stays_orthogonal_long_after_convergence():
    matrix = with_spectrum(np.concatenate([np.linspace(0, 1, 290), np.geomspace(2, 1e4, 10)]), dtype=np.float32)
    found, space = solve(matrix, k=3, steps=120)
    q = np.asarray(space.basis, np.float64)
    assert np.abs(q @ q.T - np.eye(120)).max() < 2e-6
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(matrix.astype(np.float64))[:-4:-1], rtol=1e-6)


# --- breakdown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "eigenvalues",
    [
        np.zeros(20),
        np.ones(20),
        np.repeat([1.0, 3.0], 10),
        np.concatenate([np.zeros(16), [-2.0, 1.0, 5.0, 6.0]]),
        np.repeat([-3.0, 2.0, 2.0, 5.0], 5),
        1e-12 * np.arange(20),
        1e12 * np.repeat([1.0, 2.0], 10),
    ],
    ids=["zero", "identity", "two values", "rank four", "multiple", "tiny", "huge"],
)
def test_matrices_whose_krylov_spaces_end_early(eigenvalues, dtype):
    """Multiplicities come out right when steps suffice, and nothing is NaN."""
    matrix = with_spectrum(eigenvalues, dtype=dtype)
    scale = np.abs(eigenvalues).max()
    eps = np.finfo(dtype).eps
    found, space = solve(matrix, k=20)
    np.testing.assert_allclose(found.values, np.sort(eigenvalues)[::-1], atol=100 * eps * scale)
    q = np.asarray(space.basis, np.float64)
    np.testing.assert_allclose(q @ q.T, np.eye(20), atol=20 * eps)
    assert np.asarray(found.residuals).max() <= 100 * eps * scale


def test_a_start_that_is_an_eigenvector_finds_the_others():
    matrix = np.diag(np.arange(1.0, 9.0))
    found, _ = solve(matrix, k=2, start=jnp.eye(8)[0])
    np.testing.assert_allclose(found.values, [8.0, 7.0], rtol=1e-13)


def test_one_parameter():
    found = curvature.eigenpairs(lambda x: 3.5 * x**2, jnp.array(2.0))
    np.testing.assert_allclose(found.values, [7.0])
    np.testing.assert_allclose(np.abs(found.vectors), [1.0])


# --- warm starts ------------------------------------------------------------------------------------------------------


def test_a_warm_start_needs_fewer_steps():
    rng = np.random.default_rng(5)
    matrix = with_spectrum(np.linspace(0, 1, 200) ** 2 + np.eye(200)[-1] * 0.2)
    nudge = rng.standard_normal((200, 200)) * 1e-4
    moved = matrix + nudge + nudge.T
    before, _ = solve(matrix, steps=60)
    exact = np.linalg.eigvalsh(moved)[-1]
    warm, _ = solve(moved, steps=4, start=before.vectors[0])
    cold, _ = solve(moved, steps=4)
    assert abs(warm.values[0] - exact) < 1e-6 < 1e-2 < abs(cold.values[0] - exact)
    assert warm.residuals[0] < 0.01 * cold.residuals[0]


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_more_pairs_than_the_space_has():
    with pytest.raises(ValueError, match="at most the 2 dimensions of the Krylov space, got 3"):
        curvature.eigenpairs(lambda x: jnp.sum(x**2), jnp.zeros(2), k=3)


@pytest.mark.parametrize("options", [{"k": 0}, {"steps": 0}])
def test_numbers_below_one(options):
    with pytest.raises(ValueError, match="whole number of at least 1, got 0"):
        curvature.eigenpairs(lambda x: jnp.sum(x**2), jnp.zeros(2), **options)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"w": jnp.zeros(2, jnp.complex128)}, "real floating parameters, got a leaf of dtype complex128"),
        ({"n": jnp.zeros(2, jnp.int32)}, "real floating parameters, got a leaf of dtype int32"),
        ({}, "at least one parameter, got a tree without elements"),
    ],
)
def test_parameters_that_have_no_curvature(params, message):
    with pytest.raises(ValueError, match=message):
        lanczos.krylov(lambda v: v, params, 3)
