"""Newton's method: one step on a quadratic, saddles as it is and away from them when modified."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import second_order
from tests.second_order.functions import ROSENBROCK_START, quadratic, rosenbrock, solve, spd


def saddle(x):
    return x[0] ** 2 - x[1] ** 2


def saddle_with_walls(x):
    return x[0] ** 2 - x[1] ** 2 + 0.25 * x[1] ** 4


def test_one_step_solves_a_quadratic_from_any_start(rng):
    A, b = spd(rng, 5), jnp.asarray(rng.normal(size=5))
    starts = jnp.asarray(100 * rng.normal(size=(4, 5)))
    run = jax.vmap(lambda x: second_order.minimise(quadratic, x, A, b, method=second_order.newton(), tolerance=1e-9))
    result = jax.jit(run)(starts)
    assert result.steps.tolist() == [1] * 4
    assert result.converged.all()
    np.testing.assert_allclose(result.params, jnp.stack([jnp.linalg.solve(A, b)] * 4), rtol=1e-9)


def test_a_rate_below_one_shrinks_the_distance_by_one_minus_the_rate(rng):
    A, b, x = spd(rng, 3), jnp.asarray(rng.normal(size=3)), jnp.asarray(rng.normal(size=3))
    run = solve(quadratic, x, A, b, method=second_order.newton(0.3), steps=4, record=True)
    distance = run.path - jnp.linalg.solve(A, b)[None]
    np.testing.assert_allclose(distance[1:], 0.7 * distance[:-1], rtol=1e-9)


def test_newton_runs_to_the_saddle():
    result = solve(saddle, jnp.array([3.0, 0.5]), method=second_order.newton())
    np.testing.assert_array_equal(result.params, [0, 0])
    assert result.converged


def test_damping_is_the_matrix_plus_a_multiple_of_the_identity(rng):
    A, b, x = spd(rng, 3), jnp.asarray(rng.normal(size=3)), jnp.asarray(rng.normal(size=3))
    method = second_order.newton(modify=second_order.damped(2.0))
    result = solve(quadratic, x, A, b, method=method, steps=1)
    expected = x - jnp.linalg.solve(A + 2 * jnp.eye(3), A @ x - b)
    np.testing.assert_allclose(result.params, expected, rtol=1e-12)


@pytest.mark.parametrize("modify", [second_order.positive_definite(0.5), second_order.absolute(0.5)])
def test_a_modified_hessian_leaves_the_saddle_for_a_minimum(modify):
    method = second_order.newton(modify=modify, search=second_order.armijo())
    result = solve(saddle_with_walls, jnp.array([1.0, 1e-3]), method=method)
    assert result.converged
    np.testing.assert_allclose(result.params, [0, np.sqrt(2)], atol=1e-5)


def test_a_direction_that_points_uphill_gives_way_to_the_gradients_where_a_search_needs_to_descend():
    start = jnp.array([0.0, 0.3])  # where f curves downwards along y, so that Newton's step is up
    method = second_order.newton(search=second_order.armijo())
    result = solve(saddle_with_walls, start, method=method)
    assert result.converged
    np.testing.assert_allclose(result.params, [0, np.sqrt(2)], atol=1e-5)


def test_modifications_do_to_the_eigenvalues_what_they_say():
    H = jnp.diag(jnp.array([-3.0, 0.01, 2.0]))
    np.testing.assert_allclose(jnp.diag(second_order.positive_definite(0.5)(H)), [0.5, 3.51, 5.5], rtol=1e-12)
    np.testing.assert_allclose(jnp.diag(second_order.absolute(0.5)(H)), [3, 0.5, 2], rtol=1e-12)
    np.testing.assert_array_equal(second_order.positive_definite(0.5)(jnp.eye(2)), np.eye(2))


@pytest.mark.parametrize(
    ("method", "steps"),
    [
        (second_order.newton(search=second_order.armijo()), 30),
        (second_order.newton(modify=second_order.positive_definite(), search=second_order.strong_wolfe()), 30),
        (second_order.newton_cg(), 90),  # SciPy's Newton-CG takes 84
    ],
    ids=["armijo", "wolfe", "newton-cg"],
)
def test_newton_solves_rosenbrock(method, steps):
    result = solve(rosenbrock, jnp.array(ROSENBROCK_START), method=method, tolerance=1e-9)
    assert result.converged
    np.testing.assert_allclose(result.params, [1, 1], rtol=1e-9)
    assert result.steps < steps


def test_newton_cg_is_newton_where_its_products_suffice(rng):
    A, b = spd(rng, 4), jnp.asarray(rng.normal(size=4))
    tiny = 1e-9 * b  # a small gradient makes the inner iteration exact
    newton_cg = solve(quadratic, jnp.zeros(4), A, tiny, method=second_order.newton_cg(), tolerance=0.0, steps=1)
    np.testing.assert_allclose(newton_cg.params, jnp.linalg.solve(A, tiny), rtol=1e-3)


def test_newton_cg_leaves_negative_curvature_downhill():
    result = solve(saddle_with_walls, jnp.array([1e-3, 1e-3]), method=second_order.newton_cg())
    assert result.converged
    np.testing.assert_allclose(result.params, [0, np.sqrt(2)], atol=1e-5)


def test_a_singular_hessian_fails_and_keeps_the_start():
    result = solve(lambda x: x[0] ** 2 + x[1], jnp.ones(2), method=second_order.newton())
    assert result.failed
    assert not result.converged
    np.testing.assert_array_equal(result.params, [1, 1])


def test_rates_and_dampings_may_be_swept():
    def end(rate, damping):
        method = second_order.newton(rate, modify=second_order.damped(damping))
        return second_order.minimise(lambda x: 2.0 * jnp.sum(x**2), jnp.ones(1), method=method, steps=1).params[0]

    swept = jax.vmap(end)(jnp.array([1.0, 0.5]), jnp.array([0.0, 4.0]))
    np.testing.assert_allclose(swept, [0, 1 - 0.5 * 4 / 8], atol=1e-15)


def test_a_rate_beside_a_search_is_refused():
    with pytest.raises(ValueError, match="rate or search"):
        second_order.newton(0.5, search=second_order.armijo())
    with pytest.raises(ValueError, match="floor must be positive, got 0"):
        second_order.absolute(0.0)
