"""The points of a sweep in order, from what is stored."""

import numpy as np
import pytest

import jaxdl
from jaxdl import ranking
from tests.problems_for_tests import bowl, regression


@pytest.fixture(scope="module")
def study():
    axes = {"learning_rate": [1e-3, 0.01, 0.1, 1e3], "momentum": [0.0, 0.5]}
    return jaxdl.sweep(regression(), jaxdl.momentum, axes, seeds=3, steps=20)


def test_points_come_with_medians_quartiles_and_diverged_seeds(study):
    points = ranking.best(study)
    final = study["val_loss"].isel(step=-1)
    assert len(points) == 8
    assert [p.median for p in points] == sorted(p.median for p in points)
    assert sum(np.isinf(p.median) for p in points) == 2
    for point in points[:6]:
        runs = final.sel(point.values).values
        low, mid, high = np.quantile(runs, [0.25, 0.5, 0.75])
        np.testing.assert_allclose((point.low, point.median, point.high), (low, mid, high), rtol=1e-12)
        assert point.diverged == 0
    assert {(p.values["learning_rate"], p.diverged) for p in points[6:]} == {(1e3, 3)}


def test_the_best_are_the_first(study):
    assert ranking.best(study, 2) == ranking.best(study)[:2]


def test_every_run_is_judged_at_its_own_end():
    axes = {"steps": [10, 40, 20], "learning_rate": [0.1, 0.01]}
    study = jaxdl.sweep(bowl(), jaxdl.sgd, axes, seeds=2, record_every=10)
    final = ranking.final(study)
    assert final.dims == ("steps", "learning_rate", "seed")
    for steps in (10, 20, 40):
        expected = study["val_loss"].sel(steps=steps, step=steps).values
        np.testing.assert_array_equal(final.sel(steps=steps), expected)
    assert not ranking.diverged(study).any()
    assert ranking.best(study, 1)[0].values == {"steps": 40, "learning_rate": 0.1}


def test_points_of_a_draw_have_the_values_of_their_columns():
    grid = jaxdl.grids.points([{"learning_rate": 0.01, "steps": 5}, {"learning_rate": 0.1, "steps": 10}])
    study = jaxdl.sweep(bowl(), jaxdl.sgd, grid, seeds=1)
    assert ranking.best(study, 1)[0].values == {"learning_rate": 0.1, "steps": 10}


def test_what_ended_no_better_than_it_began_has_diverged():
    study = jaxdl.sweep(bowl(), jaxdl.sgd, {"learning_rate": [0.0, 0.1]}, seeds=2, steps=10)
    assert ranking.diverged(study).values.tolist() == [[True, True], [False, False]]
    assert [point.diverged for point in ranking.best(study)] == [0, 2]


def test_a_sweep_that_was_not_evaluated_is_judged_by_its_training_loss():
    study = jaxdl.sweep(bowl(), jaxdl.sgd, {"learning_rate": [0.01, 0.1]}, seeds=1, steps=10, evaluated=False)
    assert ranking.metric(study) == "train_loss"
    assert ranking.best(study, 1)[0].median == float(study["train_loss"].isel(step=-1).min())
