"""The loop that all methods share: what it returns, when it ends, and that it is a pure function of trees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import second_order
from tests.second_order.functions import ROSENBROCK_START, rosenbrock, solve

METHODS = {
    "gradient descent": second_order.gradient_descent(1e-3),
    "newton": second_order.newton(),
    "bfgs": second_order.bfgs(),
    "lbfgs": second_order.lbfgs(3),
    "conjugate gradient": second_order.conjugate_gradient(),
}


def of_tree(params):
    return rosenbrock(jnp.stack([params["x"][0], params["y"]]))


TREE = {"x": jnp.array(ROSENBROCK_START[:1]), "y": jnp.array(ROSENBROCK_START[1])}


@pytest.mark.parametrize("name", [pytest.param("newton", marks=pytest.mark.slow), "lbfgs"])
def test_loop_and_record_and_map_are_one_run_of_a_tree(name):
    def run(params, record):
        return second_order.minimise(of_tree, params, method=METHODS[name], steps=8, record=record)

    recorded = jax.jit(lambda p: run(p, True))(TREE)
    lanes = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.3 * leaf]), TREE)
    mapped = jax.jit(jax.vmap(lambda p: run(p, False)))(lanes)
    for ours, theirs in zip(recorded[:7], mapped[:7], strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b[0], rtol=1e-9, atol=1e-9), ours, theirs)
    assert recorded.params["x"].shape == (1,)
    assert recorded.path["x"].shape == (9, 1)
    np.testing.assert_array_equal(recorded.path["y"][0], TREE["y"])
    np.testing.assert_allclose(recorded.path["y"][-1], recorded.params["y"])
    np.testing.assert_allclose(recorded.values, jax.vmap(of_tree)(recorded.path), rtol=1e-12)
    assert recorded.values[-1] == recorded.value
    assert (jnp.diff(recorded.values) <= 0).all() or name == "newton", "only Newton may go uphill"


def test_gradient_descent_on_a_quadratic_is_its_closed_form():
    curvatures, start = jnp.array([1.0, 4.0]), jnp.array([2.0, -1.0])
    run = solve(
        lambda x: 0.5 * jnp.sum(curvatures * x**2),
        start,
        method=second_order.gradient_descent(0.1),
        steps=6,
        record=True,
    )
    expected = start[None] * (1 - 0.1 * curvatures[None]) ** jnp.arange(7.0)[:, None]
    np.testing.assert_allclose(run.path, expected, rtol=1e-12)
    assert run.evaluations == 7


def test_the_run_ends_at_the_tolerance_and_repeats_its_last_point():
    run = solve(
        lambda x: jnp.sum(x**2),
        jnp.ones(2),
        method=second_order.gradient_descent(0.25),
        steps=9,
        tolerance=0.6,
        record=True,
    )
    assert run.steps == 2  # the gradient halves: 2, 1, 0.5
    np.testing.assert_array_equal(run.values, [2, 0.5] + 8 * [0.125])
    assert run.converged


def test_a_start_at_a_critical_point_takes_no_step():
    result = solve(lambda x: jnp.sum(x**2), jnp.zeros(2), method=second_order.newton())
    assert (result.steps, result.evaluations, result.converged, result.failed) == (0, 1, True, False)


def test_without_enough_steps_nothing_is_claimed():
    result = solve(rosenbrock, jnp.array(ROSENBROCK_START), method=second_order.bfgs(), steps=3)
    assert (result.steps, result.converged, result.failed) == (3, False, False)


@pytest.mark.parametrize("name", ["gradient descent", "newton", "lbfgs"])
def test_a_loss_that_is_not_finite_fails_at_once(name):
    result = solve(lambda x: jnp.log(-x[0]), jnp.ones(1), method=METHODS[name])
    assert result.failed
    assert result.steps == 0


def test_args_are_passed_on_and_half_precision_is_widened():
    def loss(x, target, scale):
        return scale * jnp.sum((x.astype(jnp.float32) - target) ** 2)

    start = jnp.zeros(2, jnp.bfloat16)
    result = solve(loss, start, jnp.float32(3), jnp.float32(2), method=second_order.newton())
    assert result.params.dtype == jnp.bfloat16
    np.testing.assert_array_equal(result.params.astype(jnp.float32), [3, 3])


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="steps must be a whole number of at least 1, got 0"):
        solve(rosenbrock, jnp.zeros(2), method=second_order.newton(), steps=0)
    with pytest.raises(ValueError, match="tolerance must be non-negative, got -1"):
        solve(rosenbrock, jnp.zeros(2), method=second_order.newton(), tolerance=-1.0)
    with pytest.raises(ValueError, match="give rate or search, not both"):
        second_order.gradient_descent(0.1, search=second_order.exact())
