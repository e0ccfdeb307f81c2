"""Grids that no program can be made of: one sentence each."""

import re
from functools import partial

import pytest

import jaxdl
from jaxdl import grids
from jaxdl.sweeps.structure import structures
from tests.problems_for_tests import bowl

quadratic = partial(jaxdl.problems.get, "quadratic")


def found(axes, problem=None):
    return structures(grids.product(axes), {"sgd": jaxdl.sgd}, problem or bowl())


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"b1": [0.9]}, "optimizer 'sgd' takes no argument 'b1'; it takes: learning_rate, momentum"),
        ({"learning_rate": [0.1], "mask": ["x"]}, "optimizer 'sgd' takes no argument 'mask'"),
        ({"learning_rate": [0.1, -1]}, "optimizer 'sgd' rejects {'learning_rate': -1.0}: learning_rate must be non"),
        (
            {"nesterov": [False], "momentum": [0.9, -1.0], "learning_rate": [0.1]},
            "rejects {'nesterov': False, 'momentum': -1.0, 'learning_rate': 0.1}: momentum must be non-negative",
        ),
        (
            {"momentum": [0.9]},
            "optimizer 'sgd' rejects {'momentum': 0.9}: sgd() missing 1 required positional argument: 'learning_rate'",
        ),
        ({"learning_rate": [0.1], "seed": [1]}, "'seed' is no axis of a grid, got one; pass seeds="),
        ({"learning_rate": [0.1], "steps": [0]}, "steps must be a whole number of at least 1, got 0"),
        ({"learning_rate": [0.1], "steps": [1.5]}, "steps must be a whole number of at least 1, got 1.5"),
        ({"learning_rate": [0.1], "steps": [None]}, "steps must be a whole number of at least 1, got None"),
        ({"learning_rate": [0.1], "optimizer": ["adm"]}, "unknown optimizer 'adm'; known are: sgd"),
        (
            {"learning_rate": [0.1], "problem.kappa": [1.0]},
            "problem rejects {'kappa': 1.0}: problem 'quadratic' takes d",
        ),
        (
            {"learning_rate": [0.1], "problem.condition_number": [9.0, -1.0, 8.0]},
            "the problem rejects {'condition_number': -1.0}: condition_number must be positive, got -1",
        ),
        (
            {"learning_rate": [0.1], "problem.dimension": [3, 0, 2]},
            "rejects {'dimension': 0}: dimension must be a whole",
        ),
    ],
)
def test_bad_grids_are_one_sentence(axes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        found(axes, problem=quadratic)


def test_the_optimizer_that_lacks_an_argument_is_named():
    grid = grids.across(grids.product({"learning_rate": [0.1], "b1": [0.9]}), "optimizer", ["adam", "sgd"])
    with pytest.raises(ValueError, match="optimizer 'sgd' takes no argument 'b1'"):
        structures(grid, {"adam": jaxdl.adam, "sgd": jaxdl.sgd}, bowl())


def test_several_optimizers_must_be_named_point_by_point():
    grid = grids.product({"learning_rate": [0.1]})
    with pytest.raises(ValueError, match="a grid for 2 optimizers must have the column 'optimizer', got learning_rate"):
        structures(grid, {"adam": jaxdl.adam, "sgd": jaxdl.sgd}, bowl())


def test_a_finished_problem_has_no_arguments():
    with pytest.raises(ValueError, match=r"column 'problem.x' needs the problem's factory, got the finished problem"):
        found({"learning_rate": [0.1], "problem.x": [1.0]})


def test_the_problems_own_factory_is_asked_for_its_arguments():
    with pytest.raises(ValueError, match="the problem takes no argument 'x'; it takes: curvature"):
        found({"learning_rate": [0.1], "problem.x": [1.0]}, problem=lambda curvature: bowl())


def test_an_error_that_has_nothing_to_do_with_tracing_is_not_hidden():
    broken = bowl()._replace(loss=lambda x, batch, key: x)
    with pytest.raises(ValueError, match="the loss of 'bowl' must be a real scalar"):
        found({"learning_rate": [0.1]}, problem=broken)
