"""Axes, points and what a factory accepts."""

from functools import partial

import numpy as np
import optax
import pytest

import jaxdl
from jaxdl.sweeps import grid


@pytest.mark.parametrize("values", [[], 0.1, [[0.1]], [True, False], ["a"], [None], [0.1, np.nan], [np.inf], [1j]])
def test_an_axis_is_a_list_of_real_numbers(values):
    with pytest.raises(ValueError, match="axis 'b1' must be a non-empty list of finite real numbers"):
        grid.axis("b1", values)


def test_integers_become_floats():
    assert grid.axis("x", [1, 2]).dtype == np.float64


@pytest.mark.parametrize(
    ("factory", "points", "message"),
    [
        (jaxdl.sgd, {"b1": [0.9]}, r"optimizer 'name' takes no argument 'b1'; it takes: learning_rate, momentum,"),
        (jaxdl.adam, {"learning_rate": [0.1, -1.0]}, "rejects .*-1.0.*: learning_rate must be non-negative, got -1"),
        (jaxdl.adam, {"learning_rate": [0.1], "b1": [1.0]}, r"rejects .*b1 must lie in \[0, 1\), got 1"),
        (jaxdl.sgd, {"momentum": [0.9]}, r"rejects \{'momentum': 0.9\}: .* missing 1 required .* 'learning_rate'"),
        (lambda learning_rate: None, {"learning_rate": [0.1]}, "must return a gradient transformation, got NoneType"),
    ],
)
def test_what_a_factory_refuses_is_said_before_anything_runs(factory, points, message):
    columns = {name: np.array(values) for name, values in points.items()}
    with pytest.raises(ValueError, match=message):
        grid.check_factory("name", factory, columns)


@pytest.mark.parametrize("factory", [optax.adam, partial(jaxdl.adam, b1=0.5), lambda **floats: jaxdl.sgd(**floats)])
def test_any_callable_with_the_argument_will_do(factory):
    grid.check_factory("name", factory, {"learning_rate": np.array([0.1])})
