"""Grids: layouts, draws that can be extended, and what a column may hold."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import grids

DRAWS = [grids.random, grids.sobol, grids.halton]
RANGES = {"learning_rate": (1e-4, 1e-1), "b1": grids.uniform(0.8, 0.99), "eps": grids.log_uniform(1e-8, 1.0)}


# --- products and lists -----------------------------------------------------------------------------------------------


def test_a_product_holds_every_combination_in_c_order_of_its_dims():
    axes = {"a": [1.0, 2.0], "b": [None, "x", (3,)], "c": [7, 8]}
    grid = grids.product(axes)
    assert (grid.dims, grid.shape, grid.size) == (("a", "b", "c"), (2, 3, 2), 12)
    assert list(zip(*grid.columns.values(), strict=True)) == list(itertools.product(*axes.values()))


def test_numbers_are_arrays_of_their_kind_and_all_else_is_a_list():
    columns = grids.product(
        {
            "float": [0.1, 1],
            "int": [1, 2],
            "numpy": np.array([1, 2], np.int8),
            "jax": jnp.array([0.5, 0.25]),
            "scalars": [np.float32(0.5), jnp.float32(0.25)],
            "bool": np.array([True, False]),
            "mixed": [None, 0.5],
            "bool and int": [True, 1],
        }
    ).columns
    kinds = {
        name: column.dtype if isinstance(column, np.ndarray) else type(column[0]) for name, column in columns.items()
    }
    assert kinds == {
        "float": np.float64,
        "int": np.int64,
        "numpy": np.int64,
        "jax": np.float64,
        "scalars": np.float64,
        "bool": bool,
        "mixed": type(None),
        "bool and int": bool,
    }


def test_a_product_of_nothing_is_one_point():
    assert grids.product({}) == grids.Grid({}, (), ())
    assert grids.product({}).size == 1


@pytest.mark.parametrize("values", [[], "adam", 0.1, None, {0.1}, np.array(0.1), (x for x in [1.0])])
def test_an_axis_is_a_list(values):
    with pytest.raises(ValueError, match=r"axis 'b1' must be a non-empty list, got"):
        grids.product({"b1": values})


@pytest.mark.parametrize("value", [np.nan, np.inf, 1j, [0.1], {"a": 1}, np.ones(2), ([],), jnp.ones(2)])
def test_a_value_is_a_finite_number_or_hashable(value):
    with pytest.raises(ValueError, match=r"axis 'b1' must hold finite real numbers, or hashable values .*, got"):
        grids.product({"b1": [None, value]})


def test_listed_points_stand_in_their_order():
    grid = grids.points([{"a": 1.0, "b": "x"}, {"b": "y", "a": 3.0}])
    assert (grid.dims, grid.shape, grid.size) == (("point",), (2,), 2)
    assert (grid.columns["a"].tolist(), grid.columns["b"]) == ([1.0, 3.0], ["x", "y"])


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([], "a list of points needs at least one point, got none"),
        ([{"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1}], "point 2 lacks 'b'"),
        ([{"a": 1}, {"a": 1, "b": 2}], "which lacks 'b' of point 1"),
        ([{"a": 1.0}, {"a": np.nan}], "axis 'a' must hold finite real numbers"),
    ],
)
def test_unlike_points_are_named(listed, message):
    with pytest.raises(ValueError, match=message):
        grids.points(listed)


# --- draws ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("count", [1, 7, 8, 100])
def test_few_draws_are_the_start_of_many(draw, count):
    few, many = draw(RANGES, count), draw(RANGES, 2 * count)
    assert (few.dims, few.shape) == (("point",), (count,))
    for name, column in few.columns.items():
        assert column.shape == (count,)
        np.testing.assert_array_equal(many.columns[name][:count], column)


@pytest.mark.parametrize("draw", DRAWS)
def test_draws_fill_their_ranges_evenly_on_the_scale_asked_for(draw):
    """The share of each quarter of a range, within four standard errors of independent draws."""
    count = 1000
    columns = draw(RANGES, count, seed=3).columns
    unit = {
        "learning_rate": (np.log10(columns["learning_rate"]) + 4) / 3,
        "b1": (columns["b1"] - 0.8) / 0.19,
        "eps": (np.log10(columns["eps"]) + 8) / 8,
    }
    for name, values in unit.items():
        assert -1e-9 <= values.min() <= values.max() <= 1 + 1e-9, name
        shares = np.histogram(values, 4, (0, 1))[0] / count
        assert (abs(shares - 0.25) < 4 * np.sqrt(0.25 * 0.75 / count)).all(), name
    for a, b in itertools.combinations(unit.values(), 2):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(count)


@pytest.mark.parametrize("draw", [grids.sobol, grids.halton])
def test_quasi_random_draws_are_more_even_than_random_ones(draw):
    from scipy.stats import qmc

    def discrepancy(draw):
        columns = draw({"a": grids.uniform(0, 1), "b": grids.uniform(0, 1)}, 100).columns
        return qmc.discrepancy(np.column_stack(list(columns.values())))

    assert discrepancy(draw) < 0.1 * discrepancy(grids.random)


@pytest.mark.parametrize("draw", DRAWS)
def test_seeds_draw_differently_and_alike_when_equal(draw):
    first, again, other = (draw(RANGES, 5, seed).columns["b1"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


@pytest.mark.parametrize("interval", [grids.log_uniform(0.1, 1.7), grids.uniform(0.3, 0.9)])
def test_rounding_does_not_leave_the_range(interval):
    """Both reach past their upper end by one bit where they are only scaled."""
    column = grids._drawn(lambda _: np.array([[0.0], [1.0]]), {"a": interval}, 2).columns["a"]
    assert column.tolist() == [interval.low, interval.high]


@pytest.mark.parametrize(
    ("ranges", "count", "message"),
    [
        ({}, 3, "draws need at least one range"),
        (RANGES, 0, "count must be a whole number of at least 1, got 0"),
        ({"a": (0.0, 1.0)}, 3, r"the range of 'a' must be \(low, high\), uniform or log_uniform, got \(0.0, 1.0\)"),
        ({"a": (2.0, 1.0)}, 3, "the range of 'a' must be"),
        ({"a": (0.1, np.inf)}, 3, "the range of 'a' must be"),
        ({"a": 0.1}, 3, "the range of 'a' must be"),
        ({"a": (0.1, 0.2, 0.3)}, 3, "the range of 'a' must be"),
    ],
)
@pytest.mark.parametrize("draw", DRAWS)
def test_bad_draws_are_one_sentence(draw, ranges, count, message):
    with pytest.raises(ValueError, match=message):
        draw(ranges, count)


def test_an_interval_says_what_it_needs():
    with pytest.raises(ValueError, match=r"low > 0, got \(0, 1\); uniform\(low, high\) takes any"):
        grids.log_uniform(0, 1)
    with pytest.raises(ValueError, match=r"finite low < high, got \(1, 1\)"):
        grids.uniform(1, 1)
    assert grids.uniform(-1, 1) == grids.Range(-1.0, 1.0, log=False)


# --- layouts ----------------------------------------------------------------------------------------------------------


def test_across_repeats_the_whole_grid_outermost():
    grid = grids.across(grids.product({"a": [1.0, 2.0, 3.0]}), "optimizer", ["sgd", "adam"])
    assert (grid.dims, grid.shape) == (("optimizer", "a"), (2, 3))
    assert list(zip(*grid.columns.values(), strict=True)) == list(itertools.product(["sgd", "adam"], [1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="has an axis 'a' already; its axes are: optimizer, a"):
        grids.across(grid, "a", [1.0])


@pytest.mark.parametrize(
    "grid",
    [
        grids.product({"a": [1.0, 2.0], "b": [None, "x", jaxdl.sgd], "c": [7, 8]}),
        grids.points([{"a": 1.0, "b": True}, {"a": 2.0, "b": False}, {"a": 2.0, "b": True}]),
        grids.across(grids.sobol(RANGES, 3), "optimizer", ["sgd", "adam"]),
    ],
    ids=["product", "points", "across"],
)
def test_coordinates_lay_out_results_so_that_each_is_found_under_its_point(grid):
    import xarray

    results = xarray.DataArray(np.arange(grid.size).reshape(grid.shape), dims=grid.dims, coords=grids.coordinates(grid))
    written = {name: grids._coordinate(column) for name, column in grid.columns.items()}
    flat = results.stack(all=grid.dims, create_index=False)
    for name, column in written.items():
        np.testing.assert_array_equal(np.broadcast_to(flat[name], (grid.size,)), column)
    np.testing.assert_array_equal(flat, np.arange(grid.size))


def test_labels_are_names_where_there_are_names():
    grid = grids.product({"x": [None, True, (32, 16), jaxdl.sgd, "adam"]})
    assert grids.coordinates(grid)["x"][1].tolist() == ["None", "True", "(32, 16)", "sgd", "adam"]
