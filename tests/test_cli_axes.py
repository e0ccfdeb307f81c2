"""What is typed for ``jaxdl sweep``: axes, draws and ranges."""

import numpy as np
import pytest

import jaxdl
from jaxdl.cli import axes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("b1=0.8,0.9", [0.8, 0.9]),
        ("b1 = .5, 1e-3 ,+2.", [0.5, 0.001, 2.0]),
        ("steps=100,200", [100, 200]),
        ("nesterov=true,False", [True, False]),
        ("momentum=none,0.9", [None, 0.9]),
        ("problem.kind=small,wide-2", ["small", "wide-2"]),
        ("problem.label_noise=0", [0]),
        ("x=-1,1", [-1, 1]),
        ("x=1,true", [1, True]),
        ("x=lin:-1:1:5", [-1.0, -0.5, 0.0, 0.5, 1.0]),
        ("x=log:1e-4:1e-1:4", [1e-4, 1e-3, 1e-2, 1e-1]),
    ],
)
def test_an_axis_is_read(text, values):
    grid = axes.grid([text])
    (column,) = grid.columns.values()
    found = column.tolist() if isinstance(column, np.ndarray) else column
    assert found == pytest.approx(values, rel=1e-12) if ":" in text else found == values
    assert [type(value) for value in found] == [type(value) for value in values]
    assert grid.dims == (text.split("=")[0].strip(),)


def test_ends_of_a_spaced_axis_are_exact():
    column = axes.grid(["x=log:3e-4:0.7:9"]).columns["x"]
    assert (column[0], column[-1]) == (3e-4, 0.7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rate", "--axis must be NAME=VALUES, such as"),
        ("=0.1", "--axis must be NAME=VALUES"),
        ("b1=", "--axis must be NAME=VALUES"),
        ("2b=1", "--axis must be NAME=VALUES"),
        ("a.b.c=1", "--axis must be NAME=VALUES"),
        ("b1=0.8,,0.9", "--axis b1 must be finite numbers, true, false, none or words.*got ''"),
        ("b1=nan", "got 'nan'"),
        ("b1=0.1,-inf", "got '-inf'"),
        ("b1=1e999", "got '1e999'"),
        ("b1=1_0", "got '1_0'"),
        ("b1=(1,2)", r"got '\(1'"),
        ("b1=0.8,0.80", "--axis b1 must have different values, got 0.8 twice"),
        ("b1=1,1.0", "must have different values, got 1.0 twice"),
        ("x=log:1e-4:1e-1", "must be log:low:high:n or lin:low:high:n, got 'log:1e-4:1e-1'"),
        ("x=geo:1:2:3", "must be log:low:high:n or lin:low:high:n"),
        ("x=log:a:1:3", "must be log:low:high:n"),
        ("x=log:0:1:3", "needs low > 0 on a logarithmic scale, got 'log:0:1:3'"),
        ("x=lin:1:0:3", "needs low < high and a whole n of at least 2"),
        ("x=lin:0:1:1", "needs low < high and a whole n of at least 2"),
        ("x=lin:0:1:2.5", "needs low < high and a whole n of at least 2"),
    ],
)
def test_another_axis_is_one_sentence(text, message):
    with pytest.raises(ValueError, match=message) as error:
        axes.grid([text])
    assert len(str(error.value).splitlines()) == 1


def test_axes_multiply_and_draws_go_across_them():
    grid = axes.grid(["b1=0.8,0.9", "nesterov=true,false"], "sobol:6", ["learning_rate=log:1e-4:1e-1", "b2=lin:0.9:1"])
    assert (grid.dims, grid.shape) == (("b1", "nesterov", "point"), (2, 2, 6))
    drawn = jaxdl.grids.sobol({"learning_rate": (1e-4, 1e-1), "b2": jaxdl.grids.uniform(0.9, 1)}, 6)
    np.testing.assert_array_equal(grid.columns["learning_rate"][:6], drawn.columns["learning_rate"])
    np.testing.assert_array_equal(grid.columns["b2"][18:], drawn.columns["b2"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([],), "a sweep needs an --axis"),
        ((["a=1", "a=2"],), "must name every axis once, got 'a' twice"),
        (([], None, ["a=log:1:2"]), "--range needs --draw"),
        (([], "sobol:8"), "--draw needs a --range"),
        ((["a=1"], "sobol:8", ["a=log:1:2"]), "'a' must be an --axis or a --range, got both"),
        (([], "sobol", ["a=log:1:2"]), "--draw must be one of sobol:COUNT, halton:COUNT, random:COUNT"),
        (([], "grid:8", ["a=log:1:2"]), "--draw must be one of"),
        (([], "sobol:0", ["a=log:1:2"]), "--draw must be one of"),
        (([], "sobol:8", ["a=1:2"]), "--range a must be log:low:high or lin:low:high, got '1:2'"),
        (([], "sobol:8", ["a=log:2:1"]), "--range a needs low < high"),
    ],
)
def test_options_that_do_not_go_together(given, message):
    with pytest.raises(ValueError, match=message):
        axes.grid(*given)
