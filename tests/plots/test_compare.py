"""Figures of a comparison: what is drawn is what the Dataset holds."""

import numpy as np
import pytest

import jaxdl
from jaxdl import plots
from tests.problems_for_tests import bowl, regression


@pytest.fixture(scope="module")
def results():
    rates = {"sgd": [0.003, 0.03, 0.3, 3.0], "adam": [0.001, 0.01, 0.1, 1.0]}
    found = jaxdl.compare(
        regression(), ["sgd", "adam"], learning_rates=rates, seeds=3, fresh_seeds=4, steps=40, extensions=0
    )
    return found.results


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_convergence_draws_the_median_of_the_fresh_seeds(results):
    figure = plots.convergence(results)
    (axes,) = figure.axes
    (adam,) = [line for label, line in lines(axes).items() if label.startswith("adam, η =")]
    medians = results["fresh_val_loss"].sel(optimizer="adam").median("fresh_seed")
    np.testing.assert_allclose(adam.get_ydata(), medians, rtol=1e-12)
    np.testing.assert_array_equal(adam.get_xdata(), results["step"])
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("updates", "validation loss", "log")
    assert "target 0.05" in lines(axes)
    assert "4 fresh seeds" in figure.get_supxlabel()
    assert "jax " in figure.get_supxlabel()


def test_sensitivity_draws_losses_and_marks_diverged_cells(results):
    figure = plots.sensitivity(results)
    (axes,) = figure.axes
    sgd = lines(axes)["sgd"]
    medians = results["val_loss"].sel(optimizer="sgd").isel(step=-1).median("seed", skipna=False)
    np.testing.assert_allclose(sgd.get_ydata(), medians, rtol=1e-12)
    assert np.isnan(sgd.get_ydata()[-1])
    crosses = [collection for collection in axes.collections if type(collection).__name__ == "PathCollection"]
    assert {float(x) for collection in crosses for x, _ in collection.get_offsets()} >= {3.0}
    assert (axes.get_xlabel(), axes.get_xscale(), axes.get_yscale()) == ("learning rate η", "log", "log")
    assert "3 screening seeds" in figure.get_supxlabel()


RING = "chaotic: another run when alone"


def rings(axes):
    return [(line.get_xdata(), line.get_ydata()) for line in axes.get_lines() if line.get_fillstyle() == "none"]


def test_chaotic_rates_have_a_ring(results):
    chaotic = results["chaotic"].copy(deep=True)
    chaotic.loc[{"optimizer": "adam", "trial": 1, "seed": 2}] = True
    (axes,) = plots.sensitivity(results.assign(chaotic=chaotic)).axes
    ((x, y),) = [(x, y) for x, y in rings(axes) if len(x)]
    mine = results.sel(optimizer="adam", trial=1)
    assert x.tolist() == [float(mine["learning_rate"])]
    assert y.tolist() == [float(mine["val_loss"].isel(step=-1).median("seed"))]
    assert RING in [text.get_text() for text in axes.get_legend().get_texts()]


def test_no_ring_where_nothing_is_chaotic_or_nothing_was_audited(results):
    for found in (results, results.drop_vars(["chaotic", "audit_difference"])):
        (axes,) = plots.sensitivity(found).axes
        assert not any(len(x) for x, _ in rings(axes))
        assert RING not in [text.get_text() for text in axes.get_legend().get_texts()]


def test_losses_at_or_below_zero_are_drawn_above_their_floor():
    lowered = bowl()._replace(
        metrics=lambda x, batch: {"loss": bowl().metrics(x, batch)["loss"] - 2.0}, floor=-2.0, target=-1.9
    )
    rates = [0.03, 0.3, 1.9, 5.0]
    found = jaxdl.compare(lowered, ["sgd"], learning_rates=rates, seeds=1, fresh_seeds=1, steps=20)
    (axes,) = plots.convergence(found.results).axes
    assert axes.get_ylabel() == "validation loss above its floor -2"
    assert axes.get_yscale() == "log"
    np.testing.assert_allclose(lines(axes)["target -1.9"].get_ydata(), 0.1)


def test_losses_below_zero_without_a_floor_get_a_linear_axis():
    lowered = bowl()._replace(metrics=lambda x, batch: {"loss": bowl().metrics(x, batch)["loss"] - 2.0}, floor=None)
    found = jaxdl.compare(lowered, ["sgd"], learning_rates=[0.03, 0.3, 1.9, 5.0], seeds=1, fresh_seeds=1, steps=20)
    for draw in (plots.convergence, plots.sensitivity):
        assert draw(found.results).axes[0].get_yscale() == "linear"


def test_figures_are_written_whole(results, tmp_path):
    path = plots.save(plots.convergence(results), tmp_path / "convergence.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == ["convergence.png"]
