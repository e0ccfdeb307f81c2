"""Line searches by the conditions that define them, on lines where each of their branches is needed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import second_order
from jaxdl.second_order.line_search import Line, Point

QUICK = {"xla_backend_optimization_level": 0}

LINES = {
    "parabola": lambda a: (a - 3.0) ** 2,
    "far minimum": lambda a: (a / 50 - 1.0) ** 2,
    "near minimum": lambda a: (200 * a - 1.0) ** 2,
    "two minima": lambda a: jnp.cos(3 * a) + 0.1 * (a - 4) ** 2,
    "quartic": lambda a: (a - 1) ** 4 + (a - 1) ** 2,
    "barrier": lambda a: -jnp.log(1 - a) - 3 * a,  # infinite, then NaN, from 1 on
    "steep then flat": lambda a: jnp.exp(-5 * a) + 0.01 * a,
    "Moré and Thuente 1": lambda a: -a / (a**2 + 2),
}


def line(name):
    f = LINES[name]

    def at(a):
        value, slope = jax.value_and_grad(f)(a)
        return Point(a, value, slope, slope[None])

    return Line(at(jnp.array(0.0)), at, lambda: jax.grad(jax.grad(f))(0.0))


@pytest.mark.parametrize("name", LINES)
def test_strong_wolfe_finds_both_conditions_from_any_guess(name):
    walk = line(name)
    search = jax.vmap(lambda guess, c2: second_order.strong_wolfe(c1=0.05, c2=c2)(walk, guess))
    c2 = jnp.array([0.1, 0.9]).repeat(4)
    found = jax.jit(search, compiler_options=QUICK)(jnp.tile(jnp.array([1e-3, 0.3, 1.0, 40.0]), 2), c2)
    step, value, slope, _ = found.point
    start = walk.start
    assert not found.failed.any()
    assert (step > 0).all()
    assert (value <= start.value + 0.05 * step * start.slope).all()
    assert (jnp.abs(slope) <= c2 * jnp.abs(start.slope)).all()
    np.testing.assert_allclose(value, jax.vmap(LINES[name])(step), rtol=1e-12, atol=1e-28)


def test_strong_wolfe_reaches_the_minimum_of_a_parabola_by_one_interpolation():
    found = second_order.strong_wolfe(c2=1e-6)(line("parabola"), jnp.array(5.0))
    np.testing.assert_allclose(found.point.step, 3, rtol=1e-12)
    assert found.evaluations == 2


def test_strong_wolfe_fails_uphill_and_where_f_has_no_lower_point():
    uphill = line("parabola")
    uphill = uphill._replace(start=uphill.start._replace(slope=-uphill.start.slope, value=uphill.start.value - 9))
    found = second_order.strong_wolfe(trials=7)(uphill, jnp.array(1.0))
    assert found.failed
    assert found.evaluations == 7
    assert found.point.step == 0


def test_strong_wolfe_takes_what_fell_where_the_trials_run_out():
    falling = Line(Point(*jnp.array([0.0, 0.0, -1.0]), jnp.array([-1.0])), None, None)
    falling = falling._replace(at=lambda a: Point(a, -a, -jnp.ones_like(a), -jnp.ones(1)))
    found = second_order.strong_wolfe(trials=5)(falling, jnp.array(1.0))
    assert not found.failed
    assert found.point.step == 16


def test_slopes_decide_where_values_differ_by_rounding_alone():
    def at(a):  # 1 + 1e-20 (a − 1)² in float64: the values are all 1
        return Point(a, jnp.ones_like(a), 2e-20 * (a - 1), 2e-20 * (a - 1)[None])

    found = second_order.strong_wolfe(c2=0.1)(Line(at(jnp.array(0.0)), at, None), jnp.array(0.05))
    assert not found.failed
    np.testing.assert_allclose(found.point.step, 1, atol=0.1)


@pytest.mark.parametrize("name", ["parabola", "near minimum", "barrier", "quartic"])
def test_armijo_takes_the_first_of_its_trials_that_falls_enough(name):
    walk = line(name)
    found = jax.jit(lambda: second_order.armijo(start=10.0, c1=0.2, shrink=0.7)(walk, jnp.array(1.0)))()
    trials = 10 * 0.7 ** np.arange(41)
    values = np.array([LINES[name](a) for a in trials])
    enough = values <= float(walk.start.value) + 0.2 * trials * float(walk.start.slope)
    first = int(np.argmax(enough))
    assert not found.failed
    np.testing.assert_allclose(found.point.step, trials[first], rtol=1e-12)
    assert found.evaluations == first + 1


def test_armijo_fails_after_its_trials():
    found = second_order.armijo(trials=3)(line("near minimum"), jnp.array(1.0))
    assert found.failed
    assert found.evaluations == 3


def test_exact_is_the_minimum_of_a_parabola_and_fails_downwards():
    found = second_order.exact()(line("parabola"), jnp.array(1.0))
    assert found.point.step == 3
    assert not found.failed
    concave = line("two minima")
    assert concave.curvature() < 0
    assert second_order.exact()(concave, jnp.array(1.0)).failed


def test_constant_is_constant_and_may_be_traced():
    rates = jnp.array([0.1, 7.0])
    found = jax.vmap(lambda rate: second_order.constant(rate)(line("parabola"), jnp.array(1.0)))(rates)
    np.testing.assert_array_equal(found.point.step, rates)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: second_order.constant(0.0), "rate must be positive, got 0"),
        (lambda: second_order.armijo(c1=1.0), r"c1 must lie in \[0, 1\), got 1"),
        (lambda: second_order.armijo(shrink=-0.5), "shrink must lie in"),
        (lambda: second_order.strong_wolfe(c2=1.5), "c2 must lie in"),
        (lambda: second_order.strong_wolfe(trials=0), "trials must be a whole number of at least 1, got 0"),
    ],
)
def test_numbers_outside_their_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
