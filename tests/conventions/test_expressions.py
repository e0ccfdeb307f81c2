"""Formulas simplify without changing their value, and print as what they are."""

import math
import random

import pytest

from jaxdl.conventions import expressions as ex
from jaxdl.conventions.writing import LATEX, PLAIN, write
from tests.conventions.evaluation import evaluate

X, Y, COUNT = ex.symbol("x"), ex.symbol("y"), ex.symbol("count", "before")


def plain(x):
    return write(x, PLAIN)


def latex(x):
    return write(x, LATEX)


def n(value):
    return ex.number(value)


# --- values survive ---------------------------------------------------------------------------------------------------


def _random_pair(rng, depth):
    """A simplified formula and a function that computes the same without simplification."""
    if depth == 0:
        choice = rng.randrange(3)
        if choice == 2:
            value = rng.choice([-2, -0.5, 0, 0.9, 1, 3])
            return n(value), lambda x, y, value=value: value
        return (X, lambda x, y: x) if choice else (Y, lambda x, y: y)
    (a, f), (b, g) = _random_pair(rng, depth - 1), _random_pair(rng, depth - 1)
    return rng.choice(
        [
            lambda: (ex.add(a, b), lambda x, y: f(x, y) + g(x, y)),
            lambda: (ex.add(a, ex.negate(b)), lambda x, y: f(x, y) - g(x, y)),
            lambda: (ex.multiply(a, b), lambda x, y: f(x, y) * g(x, y)),
            lambda: (ex.power(a, n(2)), lambda x, y: f(x, y) ** 2),
            lambda: (ex.power(ex.power(a, n(2)), n(0.5)), lambda x, y: math.sqrt(f(x, y) ** 2)),
            lambda: (ex.call("max", a, b), lambda x, y: max(f(x, y), g(x, y))),
            lambda: (
                ex.divide(a, ex.add(ex.call("abs", b), n(1))),
                lambda x, y: f(x, y) / (abs(g(x, y)) + 1),
            ),
            lambda: (
                ex.call("where", ex.call("<", a, b), ex.add(a, X), ex.multiply(b, Y)),
                lambda x, y: f(x, y) + x if f(x, y) < g(x, y) else g(x, y) * y,
            ),
        ]
    )()


@pytest.mark.parametrize("seed", range(60))
def test_simplification_keeps_the_value(seed):
    rng = random.Random(seed)
    formula, function = _random_pair(rng, 5)
    for x, y in ((0.3, -1.7), (0.0, 0.0), (-2.0, 5.0), (1.0, 1.0)):
        assert evaluate(formula, {X: x, Y: y}) == pytest.approx(function(x, y), rel=1e-9, abs=1e-9)


# --- what simplifies, and what must not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (ex.add(n(1), ex.negate(n(0.9))), "0.1"),
        (ex.add(X, X, Y, n(0)), "2 · x + y"),
        (ex.add(ex.negate(X), Y), "y − x"),
        (ex.negate(ex.add(X, Y)), "−(x + y)"),
        (ex.multiply(n(0.9), ex.add(X, Y)), "0.9 · (x + y)"),
        (ex.multiply(X, X, Y), "x² · y"),
        (ex.divide(X, X), "x / x"),
        (ex.divide(X, ex.multiply(Y, ex.add(X, n(1)))), "x / (y · (x + 1))"),
        (ex.power(ex.power(X, n(2)), n(0.5)), "|x|"),
        (ex.power(X, n(1.5)), "x · √x"),
        (ex.power(ex.add(X, n(1)), n(-0.5)), "1 / √(x + 1)"),
        (ex.power(n(0.9), ex.add(COUNT, n(1))), "0.9^(count + 1)"),
        (ex.multiply(n(0), ex.call("exp", X)), "0"),
        (n(-1e-8), "−1e−08"),
        (ex.call("sign", n(-3)), "−1"),
    ],
)
def test_plain_text(formula, written):
    assert plain(formula) == written


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (ex.divide(X, ex.power(Y, n(0.5))), r"\frac{\mathrm{x}}{\sqrt{\mathrm{y}}}"),
        (ex.power(n(0.9), COUNT), r"0.9^{\mathrm{count}_{t-1}}"),
        (ex.multiply(n(1e-8), ex.symbol("g")), r"10^{-8} \, g_t"),
        (ex.call("max", X, ex.symbol("nu_max", "new")), r"\max\left(\mathrm{x}, \mathrm{nu\_max}_t\right)"),
        (ex.negate(ex.symbol("θ", "before")), r"-\theta_{t-1}"),
    ],
)
def test_latex(formula, written):
    assert latex(formula) == written


def test_a_guarded_root_is_the_root():
    at_zero = ex.call("=", X, n(0))
    guarded = ex.call("where", at_zero, n(0), ex.power(ex.call("where", at_zero, n(1), X), n(0.5)))
    assert plain(guarded) == "√x"


def test_a_choice_whose_branches_differ_at_the_point_stays():
    assert "if" in plain(ex.call("where", ex.call("=", X, n(0)), n(1), ex.power(X, n(0.5))))


def test_a_count_that_stops_at_the_largest_integer_counts():
    largest = n(2**31 - 1)
    assert plain(ex.call("where", ex.call("<", COUNT, largest), ex.add(COUNT, n(1)), largest)) == "count + 1"
    small = n(10)
    assert "if" in plain(ex.call("where", ex.call("<", COUNT, small), ex.add(COUNT, n(1)), small))


def test_a_sum_is_found_among_the_terms_of_a_longer_one():
    long = ex.add(X, Y, n(3))
    assert plain(ex.substitute(long, {ex.add(X, Y): ex.symbol("s")})) == "s + 3"
