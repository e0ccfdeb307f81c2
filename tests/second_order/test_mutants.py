"""Wrong methods that the tests of this room must reject: a suite that passes them would prove nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

from jaxdl import second_order
from tests import mutants
from tests.second_order import (
    test_conjugate_gradient,
    test_critical_points,
    test_line_search,
    test_minimisation,
    test_newton,
    test_quasi_newton,
)

ROOMS = [
    *mutants.room(second_order),
    test_conjugate_gradient,
    test_critical_points,
    test_line_search,
    test_minimisation,
    test_newton,
    test_quasi_newton,
]


class Mutant(NamedTuple):
    """``line`` of ``module`` replaced by ``broken``; the test that must fail for it."""

    name: str
    module: str
    line: str
    broken: str
    test: Callable[[], Any]


def given(test: Callable[..., Any], *args: Any, **arguments: Any) -> Callable[[], Any]:
    """The test with its arguments and a fresh generator."""
    return lambda: test(*args, **arguments, rng=np.random.default_rng(0))


def solved_by(method: str) -> Callable[[], Any]:
    """A quadratic solved by exact line searches along the path of linear conjugate gradients."""
    test = test_quasi_newton.test_with_exact_line_searches_they_walk_the_path_of_conjugate_gradients
    return given(test, lambda search: getattr(second_order, method)(search=search))


def conjugate(formula: str) -> None:
    """The same of nonlinear conjugate gradients."""
    test = test_conjugate_gradient.test_every_formula_is_the_linear_method_on_a_quadratic
    test(getattr(second_order, formula), np.random.default_rng(0))


def formulas() -> None:
    """The formulas of β, as they now stand in the room."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            test_conjugate_gradient,
            "FORMULAS",
            [getattr(second_order, f.__name__) for f in test_conjugate_gradient.FORMULAS],
        )
        test_conjugate_gradient.test_formulas_are_their_equations(np.random.default_rng(0))
        for formula in test_conjugate_gradient.FORMULAS:
            test_conjugate_gradient.test_every_formula_restarts_on_nothing(formula)


UPDATE = given(test_quasi_newton.test_update_is_the_formula_and_satisfies_the_secant_equation)
TWO_LOOPS = given(test_quasi_newton.test_the_two_loops_are_the_matrix_of_the_last_pairs)
WOLFE = partial(test_line_search.test_strong_wolfe_finds_both_conditions_from_any_guess, "two minima")

MUTANTS = (
    # BFGS
    Mutant("the secant's terms added", "bfgs", "(s, s) - rho * (", "(s, s) + rho * (", UPDATE),
    Mutant("yᵀBy forgotten", "bfgs", "rho * (1 + rho * jnp.sum(y * by))", "rho", UPDATE),
    Mutant(
        "any curvature is learned",
        "bfgs",
        "return jnp.sum(s * y) > noise",
        "return jnp.sum(s * y) > noise - jnp.inf",
        partial(test_quasi_newton.test_steps_without_positive_curvature_teach_nothing, [-1.0, 0.0]),
    ),
    Mutant("uphill", "bfgs", "return -inverse @ gradient", "return inverse @ gradient", solved_by("bfgs")),
    # L-BFGS
    Mutant("oldest pair first", "lbfgs", "reverse=True", "reverse=False", TWO_LOOPS),
    Mutant("unit size", "lbfgs", "pairs.scale * q", "q", TWO_LOOPS),
    Mutant("newest pair at the wrong end", "lbfgs", "[pairs.s[1:], s[None]]", "[s[None], pairs.s[:-1]]", TWO_LOOPS),
    # conjugate gradients
    Mutant(
        "Fletcher–Reeves for Polak–Ribière",
        "conjugate_gradient",
        "return _ratio(jnp.sum(g * (g - last)), jnp.sum(last * last))",
        "return _ratio(jnp.sum(g * g), jnp.sum(last * last))",
        formulas,
    ),
    Mutant(
        "negative β kept",
        "conjugate_gradient",
        "jnp.maximum(polak_ribiere(g, last, d), 0)",
        "polak_ribiere(g, last, d)",
        formulas,
    ),
    Mutant("no restart", "conjugate_gradient", "nothing = below == 0", "nothing = below < -jnp.inf", formulas),
    Mutant(
        "the gradient of now for the last",
        "conjugate_gradient",
        "Last(step.before, step.direction)",
        "Last(step.after, step.direction)",
        partial(conjugate, "fletcher_reeves"),
    ),
    Mutant(
        "β upside down",
        "linear",
        "squared / state.squared * state.direction",
        "state.squared / squared * state.direction",
        given(test_conjugate_gradient.test_directions_are_conjugate_and_residuals_orthogonal),
    ),
    Mutant(
        "down a hill that has no floor",
        "linear",
        "positive = curvature > 0",
        "positive = curvature != 0",
        test_conjugate_gradient.test_negative_curvature_ends_the_run_before_it_is_taken,
    ),
    # line searches
    Mutant(
        "Wolfe's curvature condition weak",
        "line_search",
        "(jnp.abs(trial.slope) <= -c2 * start.slope)",
        "(trial.slope >= c2 * start.slope)",
        WOLFE,
    ),
    Mutant("Wolfe's curvature condition dropped", "line_search", "done = good & (", "done = good | (", WOLFE),
    Mutant(
        "Wolfe without Armijo",
        "line_search",
        "fell = trial.value <= start.value + c1 * trial.step * start.slope",
        "fell = trial.value <= jnp.inf",
        partial(test_line_search.test_strong_wolfe_finds_both_conditions_from_any_guess, "steep then flat"),
    ),
    Mutant(
        "Armijo's fall whatever the step",
        "line_search",
        "share * point.step * line.start.slope",
        "share * line.start.slope",
        partial(test_line_search.test_armijo_takes_the_first_of_its_trials_that_falls_enough, "near minimum"),
    ),
    Mutant(
        "exact, and backwards",
        "line_search",
        "-line.start.slope / jnp.where(upwards",
        "line.start.slope / jnp.where(upwards",
        test_line_search.test_exact_is_the_minimum_of_a_parabola_and_fails_downwards,
    ),
    # Newton
    Mutant(
        "the Hessian for its inverse",
        "newton",
        "jnp.linalg.solve(modify(hessian), gradient)",
        "modify(hessian) @ gradient",
        given(test_newton.test_one_step_solves_a_quadratic_from_any_start),
    ),
    Mutant(
        "signs of the eigenvalues kept",
        "newton",
        "jnp.maximum(jnp.abs(values), ",
        "jnp.maximum(values, ",
        test_newton.test_modifications_do_to_the_eigenvalues_what_they_say,
    ),
    Mutant(
        "shifted by the largest eigenvalue",
        "newton",
        "jnp.linalg.eigvalsh(hessian)[0]",
        "jnp.linalg.eigvalsh(hessian)[-1]",
        test_newton.test_modifications_do_to_the_eigenvalues_what_they_say,
    ),
    Mutant(
        "inner iteration always cut short",
        "newton_cg",
        "jnp.minimum(jnp.sqrt(norm), 0.5)",
        "jnp.maximum(jnp.sqrt(norm), 0.5)",
        given(test_newton.test_newton_cg_is_newton_where_its_products_suffice),
    ),
    # the loop
    Mutant(
        "uphill directions followed",
        "minimisation",
        "uphill = ~(jnp.sum(gradient * direction) < 0)",
        "uphill = jnp.sum(gradient * direction) != jnp.sum(gradient * direction)",
        test_newton.test_a_direction_that_points_uphill_gives_way_to_the_gradients_where_a_search_needs_to_descend,
    ),
    Mutant(
        "y reversed",
        "minimisation",
        "y=point.gradient - gradient",
        "y=gradient - point.gradient",
        solved_by("lbfgs"),
    ),
    Mutant(
        "a step too many",
        "minimisation",
        "(state.steps < steps)",
        "(state.steps <= steps)",
        test_minimisation.test_without_enough_steps_nothing_is_claimed,
    ),
    Mutant(
        "infinite steps taken",
        "minimisation",
        "good = ~found.failed & jnp.isfinite(point.value) & jnp.all(jnp.isfinite(point.gradient))",
        "good = ~found.failed",
        test_newton.test_a_singular_hessian_fails_and_keeps_the_start,
    ),
    Mutant(
        "descent at twice the rate",
        "descent",
        "return -gradient",
        "return -2 * gradient",
        test_minimisation.test_gradient_descent_on_a_quadratic_is_its_closed_form,
    ),
    # critical points
    Mutant(
        "one sign is a saddle",
        "critical_points",
        "(smallest < -zero) & (largest > zero)",
        "(smallest < -zero) | (largest > zero)",
        partial(test_critical_points.test_kind_follows_from_the_signs, lambda x: x[0] ** 2 + 3 * x[1] ** 2, "minimum"),
    ),
)


def install(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the mutant wherever the room and its tests hold the original."""
    mutants.install(f"second_order.{mutant.module}", mutant.line, mutant.broken, ROOMS, monkeypatch)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_rejected(mutant, monkeypatch):
    install(mutant, monkeypatch)
    with pytest.raises(AssertionError):
        mutant.test()


CONTROLS = {mutant.module: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", CONTROLS.values(), ids=lambda mutant: mutant.module)
def test_the_same_transplant_without_the_break_is_accepted(mutant, monkeypatch):
    install(mutant._replace(broken=mutant.line), monkeypatch)
    mutant.test()
