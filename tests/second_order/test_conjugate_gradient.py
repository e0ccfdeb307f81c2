"""Conjugate gradients, linear and not: n steps, conjugate directions, one method in five spellings."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg

from jaxdl import second_order
from tests.second_order.functions import ROSENBROCK_START, quadratic, rosenbrock, solve, spd

FORMULAS = [
    second_order.fletcher_reeves,
    second_order.polak_ribiere,
    second_order.polak_ribiere_plus,
    second_order.hestenes_stiefel,
    second_order.dai_yuan,
]


def test_n_steps_solve_a_system_of_n(rng):
    A, b = spd(rng, 7), jnp.asarray(rng.normal(size=7))
    result = jax.jit(lambda b: second_order.linear_conjugate_gradient(lambda v: A @ v, b))(b)
    np.testing.assert_allclose(result.x, jnp.linalg.solve(A, b), rtol=1e-9)
    assert result.steps == 7
    assert result.residual_norm < 1e-9


def test_directions_are_conjugate_and_residuals_orthogonal(rng):
    A, b, start = spd(rng, 6), *jnp.asarray(rng.normal(size=(2, 6)))
    result = second_order.linear_conjugate_gradient(lambda v: A @ v, b, start, record=True)
    p, r = result.directions, b[None] - result.path @ A
    products, overlaps = np.array(p @ A @ p.T), np.array(r @ r.T)
    np.testing.assert_allclose(products - np.diag(np.diag(products)), np.zeros((6, 6)), atol=1e-10)
    np.testing.assert_allclose(overlaps - np.diag(np.diag(overlaps)), np.zeros((7, 7)), atol=1e-10)
    assert np.diag(products).min() > 0


def test_as_many_steps_as_there_are_distinct_eigenvalues(rng):
    q, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    A = jnp.asarray(q @ np.diag([1, 1, 1, 5, 5, 5, 9, 9.0]) @ q.T)
    result = second_order.linear_conjugate_gradient(lambda v: A @ v, jnp.asarray(rng.normal(size=8)), tolerance=1e-9)
    assert result.steps == 3


def test_iterates_are_those_of_scipy(rng):
    A, b = spd(rng, 5), jnp.asarray(rng.normal(size=5))
    theirs = [np.zeros(5)]
    scipy.sparse.linalg.cg(np.asarray(A), np.asarray(b), maxiter=4, rtol=0, callback=lambda x: theirs.append(x.copy()))
    ours = second_order.linear_conjugate_gradient(lambda v: A @ v, b, steps=4, record=True)
    np.testing.assert_allclose(ours.path, theirs, rtol=1e-10, atol=1e-12)


def test_trees_tolerance_and_repeats_after_the_end():
    b = {"w": jnp.array([1.0, 2.0]), "b": jnp.array(3.0)}
    result = second_order.linear_conjugate_gradient(
        lambda v: jax.tree.map(lambda x: 2.0 * x, v), b, steps=3, tolerance=1e-12, record=True
    )
    assert result.steps == 1
    np.testing.assert_array_equal(result.path["w"], [[0, 0], [0.5, 1], [0.5, 1], [0.5, 1]])
    np.testing.assert_array_equal(result.directions["b"], [3, 0, 0])


def test_negative_curvature_ends_the_run_before_it_is_taken():
    result = second_order.linear_conjugate_gradient(lambda v: jnp.array([1.0, -2.0]) * v, jnp.array([1.0, 1.0]))
    assert result.indefinite
    np.testing.assert_array_equal(result.x, [0, 0])


# --- nonlinear --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula", [*FORMULAS[:3:2], *(pytest.param(f, marks=pytest.mark.slow) for f in FORMULAS[1::2])]
)
def test_every_formula_is_the_linear_method_on_a_quadratic(formula, rng):
    A, b, x = spd(rng, 5), *jnp.asarray(rng.normal(size=(2, 5)))
    method = second_order.conjugate_gradient(formula, search=second_order.exact())
    run = solve(quadratic, x, A, b, method=method, steps=5, record=True)
    linear = second_order.linear_conjugate_gradient(lambda v: A @ v, b, x, record=True)
    np.testing.assert_allclose(run.path, linear.path, rtol=1e-8, atol=1e-8)
    assert run.converged


def test_formulas_are_their_equations(rng):
    g, last, d = rng.normal(size=(3, 4))
    y = g - last
    expected = [g @ g / (last @ last), g @ y / (last @ last), None, g @ y / (d @ y), g @ g / (d @ y)]
    expected[2] = max(0, expected[1])
    vectors = [jnp.asarray(v) for v in (g, last, d)]
    np.testing.assert_allclose([formula(*vectors) for formula in FORMULAS], expected, rtol=1e-12)
    opposite = [jnp.asarray(v) for v in (g, 2 * g, d)]
    assert second_order.polak_ribiere(*opposite) < 0
    assert second_order.polak_ribiere_plus(*opposite) == 0


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_restarts_on_nothing(formula):
    zeros = jnp.zeros(2)
    assert formula(jnp.ones(2), zeros, zeros) == 0


@pytest.mark.slow
@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_solves_rosenbrock(formula):
    start = jnp.array(ROSENBROCK_START)
    method = second_order.conjugate_gradient(formula)
    result = jax.jit(lambda x: second_order.minimise(rosenbrock, x, method=method, steps=300))(start)
    assert result.converged
    np.testing.assert_allclose(result.params, [1, 1], atol=1e-4)


@pytest.mark.slow
def test_polak_ribiere_needs_no_more_work_than_scipys():
    start = np.array(ROSENBROCK_START)
    ours = solve(rosenbrock, jnp.asarray(start), method=second_order.conjugate_gradient())
    theirs = scipy.optimize.minimize(rosenbrock, start, jac=jax.grad(rosenbrock), method="CG", options={"gtol": 1e-5})
    assert ours.converged
    assert int(ours.evaluations) <= 1.5 * theirs.nfev
