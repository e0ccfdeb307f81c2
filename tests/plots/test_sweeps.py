"""The figure of a sweep: what is drawn is what the Dataset holds."""

import numpy as np
import pytest

import jaxdl
from jaxdl import plots
from tests.problems_for_tests import regression

RATES = [1e-3, 1e-2, 0.03, 0.1, 1e3]


@pytest.fixture(scope="module")
def study():
    axes = {"learning_rate": RATES, "momentum": [0.0, 0.9], "nesterov": [True, False]}
    return jaxdl.sweep(regression(), jaxdl.momentum, axes, seeds=3, steps=20)


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def hatched(axes):
    return {patch.get_xy() for patch in axes.patches if patch.get_hatch()}


def test_one_axis_of_numbers_is_a_curve_of_medians(study):
    one = study.isel(momentum=[0], nesterov=[1])
    (axes,) = plots.sweep(one).axes
    medians = one["val_loss"].isel(step=-1).median("seed", skipna=False).values.ravel()
    drawn = lines(axes)["median"]
    np.testing.assert_array_equal(drawn.get_xdata(), RATES)
    np.testing.assert_allclose(drawn.get_ydata(), medians, rtol=1e-12)
    assert np.isnan(drawn.get_ydata()[-1])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning_rate", "final validation loss")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    (star,) = [line for line in axes.get_lines() if line.get_marker() == "*" and len(line.get_xdata())]
    assert star.get_xdata()[0] == RATES[int(np.nanargmin(medians))]
    assert "momentum = 0, nesterov = False" in axes.get_title()


def test_diverged_points_have_crosses_inside_the_axes(study):
    figure = plots.sweep(study.isel(momentum=[0], nesterov=[0]))
    (axes,) = figure.axes
    (crosses,) = [c for c in axes.collections if type(c).__name__ == "PathCollection" and len(c.get_offsets())]
    assert [float(x) for x, _ in crosses.get_offsets()] == [1e3]
    assert axes.get_xlim()[1] > 1e3
    assert "diverged seeds" in lines(axes)
    assert "3 seeds, 20 updates" in figure.get_supxlabel()


def test_other_axes_give_a_curve_for_each_combination(study):
    (axes,) = plots.sweep(study.isel(momentum=[1])).axes
    assert {"nesterov = True", "nesterov = False"} <= set(lines(axes))
    medians = study["val_loss"].sel(momentum=0.9, nesterov="True").isel(step=-1).median("seed", skipna=False)
    np.testing.assert_allclose(lines(axes)["nesterov = True"].get_ydata(), medians, rtol=1e-12)


def test_the_order_of_values_does_not_matter(study):
    one = study.isel(momentum=[0], nesterov=[1])
    (axes,) = plots.sweep(one.isel(learning_rate=[3, 0, 4, 1, 2])).axes
    np.testing.assert_array_equal(lines(axes)["median"].get_xdata(), RATES)


def test_two_axes_of_numbers_are_a_heat_map(study):
    two = study.isel(nesterov=[0])
    axes, bar = plots.sweep(two).axes
    medians = two["val_loss"].isel(step=-1, nesterov=0).median("seed", skipna=False).transpose("momentum", ...)
    (mesh,) = [c for c in axes.collections if type(c).__name__ == "QuadMesh"]
    drawn = np.ma.filled(mesh.get_array().astype(float), np.nan)
    np.testing.assert_allclose(drawn, medians, rtol=1e-12)
    assert hatched(axes) == {(4, 0), (4, 1)}
    best = np.unravel_index(np.nanargmin(medians.values), medians.shape)
    (star,) = [line for line in axes.get_lines() if line.get_marker() == "*"]
    assert (star.get_ydata()[0], star.get_xdata()[0]) == (best[0] + 0.5, best[1] + 0.5)
    assert star.get_markersize() > 5
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.001", "0.01", "0.03", "0.1", "1e+03"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning_rate", "momentum")
    assert bar.get_ylabel() == "median final validation loss"


def test_other_grids_have_no_figure(study):
    assert plots.sweep(study) is None
    assert plots.sweep(study.isel(learning_rate=[0], momentum=[0])) is None


def test_where_all_diverged_there_are_crosses_and_no_curve(study, tmp_path):
    lost = study.isel(learning_rate=[4, 4], momentum=[0], nesterov=[0]).assign_coords(learning_rate=[1e3, 2e3])
    figure = plots.sweep(lost)
    assert sum(len(c.get_offsets()) for c in figure.axes[0].collections if type(c).__name__ == "PathCollection") == 2
    plots.save(figure, tmp_path / "lost.png")
    two = study.isel(learning_rate=[4, 4], nesterov=[0]).assign_coords(learning_rate=[1e3, 2e3])
    plots.save(plots.sweep(two), tmp_path / "lost.png")


def test_a_draw_along_one_range_is_an_axis():
    grid = jaxdl.grids.random({"learning_rate": (1e-3, 0.3)}, 6)
    study = jaxdl.sweep(regression(), jaxdl.sgd, grid, seeds=2, steps=20)
    (axes,) = plots.sweep(study).axes
    np.testing.assert_array_equal(lines(axes)["median"].get_xdata(), np.sort(grid.columns["learning_rate"]))


def test_chaotic_runs_have_a_ring_a_hatch_and_a_legend_only_if_there_are_any(study):
    one = study.isel(momentum=[0], nesterov=[0])
    none = one.assign(chaotic=(one["diverged_at"].dims, np.zeros(one["diverged_at"].shape, bool)))
    some = none.copy(deep=True)
    some["chaotic"][2, 0, 0, 1] = True
    text = "chaotic: another run when alone"
    assert text not in plots.sweep(none).axes[0].get_legend_handles_labels()[1]
    (axes,) = plots.sweep(some).axes
    assert axes.get_legend_handles_labels()[1].count(text) == 1
    (rings,) = [line for line in axes.lines if line.get_fillstyle() == "none" and len(line.get_xdata())]
    assert list(rings.get_xdata()) == [0.03]
    (strip,) = [patch for patch in axes.patches if patch.get_hatch()]
    halfway = np.sqrt([1e-2 * 0.03, 0.03 * 0.1])
    np.testing.assert_allclose([strip.get_x(), strip.get_x() + strip.get_width()], halfway)
    assert not [patch for patch in plots.sweep(none).axes[0].patches if patch.get_hatch()]


def test_chaotic_cells_of_a_heat_map_are_hatched_otherwise_than_diverged_ones(study):
    two = study.isel(nesterov=[0])
    some = two.assign(chaotic=(two["diverged_at"].dims, np.zeros(two["diverged_at"].shape, bool)))
    some["chaotic"][2, 1, 0, 1] = True
    figure = plots.sweep(some)
    found = [patch for patch in figure.axes[0].patches if patch.get_hatch() == plots.figure.CHAOTIC_HATCH]
    assert [patch.get_xy() for patch in found] == [(2, 1)]
    assert hatched(figure.axes[0]) == {(2, 1), (4, 0), (4, 1)}
    (legend,) = figure.legends
    assert "chaotic: another run when alone" in [text.get_text() for text in legend.get_texts()]
