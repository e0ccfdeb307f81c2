"""BFGS and L-BFGS: the secant equation, positive definiteness, the formula itself, and conjugate gradients' twins."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxdl import second_order
from jaxdl.second_order.bfgs import inverse_update
from jaxdl.second_order.lbfgs import inverse_product
from jaxdl.second_order.method import Step
from tests.second_order.functions import ROSENBROCK_START, quadratic, rosenbrock, solve, spd


def step_of(s, y):
    return Step(s=s, y=y, direction=s, before=s, after=s)


def curved_steps(rng, count, n):
    """Steps s and changes of gradient y = A s, so that sᵀy > 0."""
    A, s = spd(rng, n), jnp.asarray(rng.normal(size=(count, n)))
    return [step_of(row, A @ row) for row in s]


def bfgs_by_products(B, s, y):
    """The update as the paper writes it, in NumPy."""
    rho = 1 / (y @ s)
    left = np.eye(len(s)) - rho * np.outer(s, y)
    return left @ B @ left.T + rho * np.outer(s, s)


def test_update_is_the_formula_and_satisfies_the_secant_equation(rng):
    B = expected = np.eye(4)
    for step in curved_steps(rng, 6, 4):
        B = inverse_update(jnp.asarray(B), step)
        expected = bfgs_by_products(expected, *map(np.asarray, (step.s, step.y)))
        np.testing.assert_allclose(B, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(B @ step.y, step.s, rtol=1e-9, atol=1e-12)
        assert jnp.linalg.eigvalsh(B)[0] > 0


@pytest.mark.parametrize("y", [[0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
def test_steps_without_positive_curvature_teach_nothing(y):
    B = jnp.array([[2.0, 0.5], [0.5, 1.0]])
    step = step_of(jnp.array([1.0, 0.0]), jnp.array(y))
    np.testing.assert_array_equal(inverse_update(B, step), B)
    method = second_order.lbfgs(memory=3)
    pairs = method.update(method.init(step.s), curved_steps(np.random.default_rng(0), 1, 2)[0])
    assert jax.tree.all(jax.tree.map(jnp.array_equal, method.update(pairs, step), pairs))


def test_the_two_loops_are_the_matrix_of_the_last_pairs(rng):
    method = second_order.lbfgs(memory=3)
    pairs, steps = method.init(jnp.zeros(5)), curved_steps(rng, 5, 5)
    for step in steps:
        pairs = method.update(pairs, step)
    newest = steps[-1]
    B = (newest.s @ newest.y) / (newest.y @ newest.y) * np.eye(5)
    for step in steps[-3:]:
        B = bfgs_by_products(B, np.asarray(step.s), np.asarray(step.y))
    v = jnp.asarray(rng.normal(size=5))
    np.testing.assert_allclose(inverse_product(pairs, v), B @ v, rtol=1e-10)


def test_a_memory_that_is_not_full_yet_is_as_good_as_a_short_one(rng):
    steps, v = curved_steps(rng, 2, 4), jnp.asarray(rng.normal(size=4))
    long, short = second_order.lbfgs(memory=9), second_order.lbfgs(memory=2)
    a, b = long.init(v), short.init(v)
    np.testing.assert_array_equal(inverse_product(a, v), v)
    for step in steps:
        a, b = long.update(a, step), short.update(b, step)
    np.testing.assert_allclose(inverse_product(a, v), inverse_product(b, v), rtol=1e-13)


@pytest.mark.parametrize("make", [second_order.bfgs, partial(second_order.lbfgs, 6)])
def test_with_exact_line_searches_they_walk_the_path_of_conjugate_gradients(make, rng):
    n = 6
    A, b, x = spd(rng, n), jnp.asarray(rng.normal(size=n)), jnp.asarray(rng.normal(size=n))
    run = solve(quadratic, x, A, b, method=make(search=second_order.exact()), steps=n, record=True)
    linear = second_order.linear_conjugate_gradient(lambda v: A @ v, b, x, record=True)
    np.testing.assert_allclose(run.path, linear.path, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(run.params, jnp.linalg.solve(A, b), rtol=1e-8)


@pytest.mark.slow
def test_bfgs_has_learned_the_inverse_after_n_exact_steps(rng):
    A, b = spd(rng, 4), jnp.asarray(rng.normal(size=4))
    method = second_order.bfgs(search=second_order.exact())
    run = solve(quadratic, jnp.zeros(4), A, b, method=method, steps=4, tolerance=0.0, record=True)
    B = jnp.eye(4)
    for before, after in zip(run.path[:-1], run.path[1:], strict=True):
        s = after - before
        B = inverse_update(B, step_of(s, A @ s))
    np.testing.assert_allclose(B, jnp.linalg.inv(A), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("make", [second_order.bfgs, second_order.lbfgs])
def test_rosenbrock_is_solved_in_as_many_steps_as_scipy_needs(make):
    start = np.array(ROSENBROCK_START)
    ours = solve(rosenbrock, jnp.asarray(start), method=make(), tolerance=1e-5)
    theirs = scipy.optimize.minimize(rosenbrock, start, jac=jax.grad(rosenbrock), method="BFGS", options={"gtol": 1e-5})
    assert ours.converged
    np.testing.assert_allclose(ours.params, theirs.x, atol=1e-4)
    assert int(ours.steps) <= 1.5 * theirs.nit
    assert int(ours.evaluations) <= 1.5 * theirs.nfev


@pytest.mark.parametrize("dtype", [pytest.param("float32", marks=pytest.mark.slow), "float64"])
def test_a_chain_of_twenty_dimensions_is_solved_to_the_last_digits(dtype):
    def chain(x):
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    tolerance = 1e-3 if dtype == "float32" else 1e-11
    run = jax.jit(
        lambda x: second_order.minimise(chain, x, method=second_order.lbfgs(), steps=400, tolerance=tolerance)
    )
    result = run(jnp.zeros(20, dtype))
    assert result.converged
    assert result.params.dtype == dtype
    np.testing.assert_allclose(result.params, np.ones(20), rtol=100 * tolerance)


def test_memory_below_one_is_refused():
    with pytest.raises(ValueError, match="memory must be a whole number of at least 1, got 0"):
        second_order.lbfgs(0)
