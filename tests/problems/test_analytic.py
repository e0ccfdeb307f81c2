"""Quadratics and Rosenbrock's function against their closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import problems
from jaxdl.problems.analytic import from_function, noisy_quadratic, quadratic, rosenbrock

F64 = jnp.float64


def loss_of(problem):
    return lambda x: problem.metrics(x, ())["loss"]


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("condition_number", [1.0, 7.0, 1e4])
def test_quadratic_has_the_spectrum_and_the_start_it_promises(condition_number, rotated, key):
    problem = quadratic(6, condition_number, rotated, dtype=F64)
    x = problem.init(key)
    hessian = np.asarray(jax.jit(jax.hessian(loss_of(problem)))(x))
    eigenvalues, vectors = np.linalg.eigh(hessian)
    expected = np.geomspace(1 / condition_number, 1, 6)
    np.testing.assert_allclose(eigenvalues, expected, rtol=1e-11)
    np.testing.assert_allclose(x @ x, 1, rtol=1e-14)
    np.testing.assert_allclose(loss_of(problem)(x), expected.mean() / 2, rtol=1e-13)
    np.testing.assert_allclose(jax.grad(loss_of(problem))(x), hessian @ np.asarray(x), atol=1e-14)
    if condition_number > 1:
        np.testing.assert_allclose(np.abs(vectors.T @ np.asarray(x)), 1 / np.sqrt(6), rtol=1e-9)
        assert (np.abs(hessian - np.diag(np.diag(hessian))).max() > 1e-3) == rotated


def test_rotation_is_seeded_and_invisible_to_gradient_descent(key):
    def losses(problem):
        def step(x, _):
            return x - 0.9 * jax.grad(loss_of(problem))(x), loss_of(problem)(x)

        return jax.jit(lambda x: jax.lax.scan(step, x, length=30)[1])(problem.init(key))

    straight, turned, otherwise = (quadratic(8, 50.0, r, s, dtype=F64) for r, s in ((False, 0), (True, 0), (True, 1)))
    np.testing.assert_allclose(losses(turned), losses(straight), rtol=1e-12)
    np.testing.assert_array_equal(turned.init(key), quadratic(8, 50.0, True, 0, dtype=F64).init(key))
    assert not np.allclose(turned.init(key), otherwise.init(key))


def test_one_dimension_is_half_a_square(key):
    problem = quadratic(1, 10.0, dtype=F64)
    assert problem.init(key).tolist() == [1.0]
    assert loss_of(problem)(jnp.array([3.0])) == 4.5


def test_condition_number_may_be_swept(key):
    kappas = jnp.array([1.0, 10.0, 1000.0])
    swept = jax.jit(jax.vmap(lambda k: (p := quadratic(5, k)).loss(p.init(key), (), key)))(kappas)
    alone = [(p := quadratic(5, float(k))).loss(p.init(key), (), key) for k in kappas]
    np.testing.assert_allclose(swept, alone, rtol=1e-6)


@pytest.mark.parametrize("rotated", [False, True])
def test_random_starts_are_on_the_unit_sphere(rotated):
    problem = quadratic(4, 10.0, rotated, random_start=True, dtype=F64)
    starts = np.asarray(jax.vmap(problem.init)(jax.random.split(jax.random.key(0), 2000)))
    np.testing.assert_allclose(np.sum(starts**2, axis=1), 1, rtol=1e-12)
    # On the sphere in d dimensions E[x x'] is 1/d and E[x⁴] is 3/(d (d + 2)).
    variance = 3 / 24 - 1 / 16
    assert np.abs(np.mean(starts**2, axis=0) - 1 / 4).max() < 4 * np.sqrt(variance / 2000)
    assert np.abs(np.mean(starts, axis=0)).max() < 4 * np.sqrt(1 / 4 / 2000)


# --- noisy quadratic --------------------------------------------------------------------------------------------------


def test_gradient_noise_has_mean_zero_and_covariance_hessian_over_batch_size():
    samples, batch = 20_000, 4.0
    problem = noisy_quadratic(3, batch_size=batch, dtype=F64)
    x = jnp.array([1.0, -2.0, 0.5])
    h = np.array([1, 1 / 2, 1 / 3])
    keys = jax.random.split(jax.random.key(0), samples)
    gradients = np.asarray(jax.jit(jax.vmap(lambda k: jax.grad(problem.loss)(x, (), k)))(keys))
    noise = (gradients - h * np.asarray(x)) / np.sqrt(h / batch)
    assert np.abs(noise.mean(axis=0)).max() < 4 / np.sqrt(samples)
    covariance = noise.T @ noise / samples
    assert np.abs(np.diag(covariance) - 1).max() < 4 * np.sqrt(2 / samples)
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 4 / np.sqrt(samples)


def test_expected_loss_of_sgd_follows_the_recursion_of_zhang_et_al():
    """E[θᵢ²] ← (1 − ηhᵢ)² E[θᵢ²] + η² hᵢ/B, from 1."""
    rate, batch, steps, runs = 0.5, 2.0, 25, 4000
    problem = noisy_quadratic(5, batch_size=batch, dtype=F64)
    h = 1 / np.arange(1, 6)
    second_moment, expected = np.ones(5), []
    for _ in range(steps):
        expected.append(0.5 * np.sum(h * second_moment))
        second_moment = (1 - rate * h) ** 2 * second_moment + rate**2 * h / batch

    def run(key):
        def step(x, key):
            return x - rate * jax.grad(problem.loss)(x, (), key), loss_of(problem)(x)

        return jax.lax.scan(step, problem.init(key), jax.random.split(key, steps))[1]

    losses = np.asarray(jax.jit(jax.vmap(run))(jax.random.split(jax.random.key(3), runs)))
    errors = losses.std(axis=0, ddof=1) / np.sqrt(runs)
    np.testing.assert_allclose(losses[:, 0], expected[0], rtol=1e-12)
    assert (np.abs(losses.mean(axis=0) - expected)[1:] < 4 * errors[1:]).all()


def test_the_noisy_loss_has_the_metric_as_its_mean(key):
    problem = noisy_quadratic(4, dtype=F64)
    x = jnp.array([1.0, 2.0, 3.0, -4.0])
    losses = np.asarray(jax.jit(jax.vmap(lambda k: problem.loss(x, (), k)))(jax.random.split(key, 10_000)))
    expected = 0.5 * (1 + 4 / 2 + 9 / 3 + 16 / 4)
    assert loss_of(problem)(x) == pytest.approx(expected, rel=1e-14)
    assert abs(losses.mean() - expected) < 4 * losses.std() / 100


def test_noise_scale_may_be_swept(key):
    x = jnp.ones(3)
    problem = lambda b: noisy_quadratic(3, batch_size=b, dtype=F64)  # noqa: E731
    swept = jax.vmap(lambda b: problem(b).loss(x, (), key))(jnp.array([1.0, 4.0]))
    mean = loss_of(problem(1.0))(x)
    np.testing.assert_allclose(swept[0] - mean, 2 * (swept[1] - mean), rtol=1e-10)


# --- Rosenbrock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dimension", "at_start"), [(2, 24.2), (3, 24.2 + 484), (4, 24.2 + 484 + 24.2)])
def test_rosenbrock_at_the_classical_start(dimension, at_start, key):
    problem = rosenbrock(dimension, dtype=F64)
    assert problem.init(key).tolist() == [-1.2, 1.0, -1.2, 1.0][:dimension]
    np.testing.assert_allclose(loss_of(problem)(problem.init(key)), at_start, rtol=1e-14)


@pytest.mark.parametrize("dimension", [2, 5])
def test_rosenbrock_is_least_at_ones(dimension):
    problem = rosenbrock(dimension, dtype=F64)
    ones = jnp.ones(dimension)
    assert loss_of(problem)(ones) == problem.floor == 0
    np.testing.assert_array_equal(jax.grad(loss_of(problem))(ones), 0)
    assert np.linalg.eigvalsh(jax.jit(jax.hessian(loss_of(problem)))(ones))[0] > 0


def test_rosenbrock_in_the_plane_has_its_printed_curvature():
    eigenvalues = np.linalg.eigvalsh(jax.jit(jax.hessian(loss_of(rosenbrock(dtype=F64))))(jnp.ones(2)))
    np.testing.assert_allclose(eigenvalues, [0.3994, 1001.6], rtol=1e-4)
    assert eigenvalues[1] / eigenvalues[0] == pytest.approx(2508, rel=1e-3)


def test_from_function_makes_a_problem_of_any_tree(key):
    problem = from_function(
        "mine", lambda p: jnp.sum(p["x"] ** 2), lambda key: {"x": jnp.ones(3)}, floor=0.0, units="m"
    )
    assert (problem.name, problem.floor, problem.units) == ("mine", 0.0, "m")
    assert problem.loss(problem.init(key), (), key) == problem.metrics(problem.init(key), ())["loss"] == 3


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("quadratic", {"dimension": 0}, "dimension must be a whole number of at least 1, got 0"),
        ("quadratic", {"condition_number": -1.0}, "condition_number must be positive, got -1"),
        ("noisy-quadratic", {"dimension": 1.5}, "dimension must be a whole number"),
        ("noisy-quadratic", {"batch_size": 0}, "batch_size must be positive, got 0"),
        ("rosenbrock", {"dimension": 1}, "dimension must be at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        problems.get(name, **arguments)
