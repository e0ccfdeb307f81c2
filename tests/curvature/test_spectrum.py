"""Stochastic Lanczos quadrature: exact moments, known spectra, and its own error bars."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature
from jaxdl.curvature import spectrum
from tests.curvature.matrices import times, with_spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

STEPS = 6
TWO_CLUSTERS = np.concatenate([np.full(30, -1.0), np.full(30, 2.0)]) + 1e-3 * np.linspace(-1, 1, 60)


def moments(matrix, vector, nodes, weights, degrees):
    """Pairs (uᵀAʲu, Σ ω θʲ) for a unit vector u, relative to the matrix's norm."""
    u = vector / np.linalg.norm(vector)
    powers = [u @ np.linalg.matrix_power(matrix, j) @ u for j in degrees]
    return np.array(powers), np.array([np.sum(weights * nodes**j) for j in degrees])


def test_moments_are_exact_up_to_the_degree_of_gauss_and_no_further():
    matrix = with_spectrum(np.linspace(-1, 1, 40))
    start = np.random.default_rng(1).standard_normal(40)
    rule = spectrum.gauss(times(matrix), jnp.asarray(start), STEPS)
    nodes, weights = np.asarray(rule.nodes), np.asarray(rule.weights)
    exact, found = moments(matrix, start, nodes, weights, range(2 * STEPS))
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-15)
    beyond, wrong = moments(matrix, start, nodes, weights, [2 * STEPS])
    assert abs(beyond - wrong) > 1e-8
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-14)
    assert (weights >= 0).all()


@pytest.mark.slow
def test_moments_stay_exact_after_a_breakdown():
    """A matrix of three eigenvalues: three steps say all, the rest must not add weight."""
    matrix = with_spectrum(np.repeat([-1.0, 0.5, 2.0], 5))
    start = np.random.default_rng(1).standard_normal(15)
    rule = spectrum.gauss(times(matrix), jnp.asarray(start), 8)
    exact, found = moments(matrix, start, np.asarray(rule.nodes), np.asarray(rule.weights), range(30))
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_standard_errors_are_those_of_many_seeds():
    """Over 200 keys, errors over standard errors have the spread of Student's t with 9 degrees of freedom."""
    matrix = with_spectrum(np.geomspace(0.1, 10, 30))
    exact = np.mean(np.sqrt(np.geomspace(0.1, 10, 30)))

    def estimate(key):
        rule = spectrum.quadrature(times(matrix), jnp.zeros(30), key, steps=15, probes=10)
        return spectrum.mean_of_function(rule, jnp.sqrt(rule.nodes))

    means, errors = jax.jit(jax.vmap(estimate))(jax.random.split(jax.random.key(0), 200))
    scores = (np.asarray(means) - exact) / np.asarray(errors)
    assert abs(scores.mean()) < 3 * np.sqrt(9 / 7 / 200)
    assert 0.8 < scores.std() / np.sqrt(9 / 7) < 1.2


def test_one_probe_has_no_error():
    rule = spectrum.quadrature(times(np.eye(3)), jnp.zeros(3), jax.random.key(0), steps=2, probes=1)
    mean, error = spectrum.mean_of_function(rule, rule.nodes)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-14)
    assert np.isnan(error)


@pytest.fixture(scope="module")
def two_clusters():
    """The density of a matrix with half its eigenvalues at −1 and half at 2."""
    return curvature.density(
        times(with_spectrum(TWO_CLUSTERS)),
        jnp.zeros(60),
        key=jax.random.key(3),
        steps=20,
        probes=10,
        width=0.05,
        product=curvature.given,
    )


def test_masses_of_two_clusters_are_halves(two_clusters):
    row = two_clusters.sel(eigenvalue=0.5, method="nearest")
    assert abs(row["cumulative"] - 0.5) < 4 * row["cumulative_error"]
    assert 0 < row["cumulative_error"] < 0.1
    np.testing.assert_allclose(two_clusters["density"].integrate("eigenvalue"), 1, rtol=1e-5)


def test_density_is_the_blurred_spectrum(two_clusters):
    grid = two_clusters["eigenvalue"].values
    bells = np.exp(-0.5 * ((grid[:, None] - TWO_CLUSTERS) / 0.05) ** 2) / (0.05 * np.sqrt(2 * np.pi))
    scores = (two_clusters["density"] - bells.mean(axis=1)) / (two_clusters["density_error"] + 1e-6)
    assert np.abs(scores).max() < 5


def test_the_dataset_says_what_it_is(two_clusters):
    assert two_clusters.attrs == {"width": 0.05, "parameters": 60, "steps": 20, "probes": 10}
    assert dict(two_clusters.sizes) == {"eigenvalue": 1024, "probe": 10, "ritz": 20}
    assert two_clusters["cumulative"][-1] == pytest.approx(1, abs=1e-12)
    assert two_clusters["cumulative"][0] == 0


@pytest.mark.parametrize("options", [{"width": 0.0}, {"probes": 0}, {"points": 0}, {"steps": 0}])
def test_bad_numbers(options):
    with pytest.raises(ValueError, match="must be"):
        curvature.density(lambda x: jnp.sum(x**2), jnp.zeros(2), key=jax.random.key(0), **options)
