"""Successive halving: what goes on is what a whole sweep would have run, bit for bit."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import ranking
from jaxdl.sweeps import halving
from tests.problems_for_tests import bowl, regression

RATES = np.geomspace(1e-3, 1e3, 9)


@pytest.fixture(scope="module")
def searched():
    told = []
    found = jaxdl.successive_halving(
        regression(), jaxdl.momentum, {"learning_rate": RATES}, seeds=2, steps=18, min_steps=2, on_progress=told.append
    )
    return found, told


@pytest.fixture(scope="module")
def whole():
    return jaxdl.sweep(regression(), jaxdl.momentum, {"learning_rate": RATES}, seeds=2, steps=18, record_every=1)


def test_runs_are_those_of_a_sweep_as_far_as_they_go(searched, whole):
    found, _ = searched
    for i, until in enumerate(found["stopped_at"].values):
        for name in ("train_loss", "val_loss", "test_loss"):
            mine, full = found[name][i].values, whole[name][i].values
            np.testing.assert_array_equal(mine[:, : until + 1], full[:, : until + 1])
            assert np.isnan(mine[:, until + 1 :]).all()


def test_every_rung_keeps_the_best_third(searched, whole):
    found, _ = searched
    stopped = found["stopped_at"].values
    assert sorted(stopped.tolist()) == [2] * 6 + [6] * 2 + [18]
    for rung in (2, 6):
        reached = stopped >= rung
        losses = np.median(np.nan_to_num(whole["val_loss"][:, :, rung].values, nan=np.inf), axis=1)
        went_on = stopped > rung
        assert losses[went_on].max() <= losses[reached & ~went_on].min()


def test_ranking_puts_what_went_on_first(searched):
    found, _ = searched
    ranked = ranking.best(found)
    assert len(ranked) == len(RATES)
    last = found["learning_rate"].values[np.argmax(found["stopped_at"].values)]
    assert ranked[0].values == {"learning_rate": last}
    assert np.isfinite(ranked[0].median)
    assert ranked[0].median == np.median(found["val_loss"].sel(learning_rate=last, step=18))


def test_progress_counts_the_work_of_a_search(searched):
    _, told = searched
    work = 2 * (9 * 2 + 3 * 4 + 1 * 12)
    assert told[-1].phase == "running"
    assert told[-1].done == told[-1].total == work
    assert told[-1].runs == told[-1].all_runs == 2 * (9 + 3 + 1)


def test_points_of_several_optimizers_compete():
    axes = {"learning_rate": [1e-9, 0.1]}
    found = jaxdl.successive_halving(
        bowl(), {"sgd": jaxdl.sgd, "adam": jaxdl.adam}, axes, steps=8, eta=2, min_steps=2, record_every=1
    )
    assert found["stopped_at"].dims == ("optimizer", "learning_rate")
    assert (found["stopped_at"].sel(learning_rate=1e-9) == 2).all()
    assert sorted(found["stopped_at"].sel(learning_rate=0.1).values.tolist()) == [4, 8]


def test_a_diverged_point_is_never_among_the_best():
    found = jaxdl.successive_halving(
        bowl(), jaxdl.sgd, {"learning_rate": [1e6, 1e-3, 1e7]}, steps=9, min_steps=3, record_every=1
    )
    assert found["stopped_at"].values.tolist() == [3, 9, 3]


def test_a_schedule_runs_as_over_the_whole_length():
    def decaying(learning_rate):
        return jaxdl.sgd(lambda count: learning_rate * (1 - count.astype(jnp.result_type(float)) / 9))

    axes = {"learning_rate": [0.1, 0.2, 0.3]}
    found = jaxdl.successive_halving(bowl(), decaying, axes, steps=9, min_steps=3, record_every=1)
    full = jaxdl.sweep(bowl(), decaying, axes, seeds=1, steps=9, record_every=1)
    best = int(np.argmax(found["stopped_at"].values))
    np.testing.assert_array_equal(found["train_loss"][best], full["train_loss"][best])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"eta": 1}, "eta must be a whole number of at least 2, got 1"),
        ({"min_steps": 10}, "min_steps must be at most steps=9, got 10"),
        ({"axes": {"learning_rate": [0.1], "steps": [9, 18]}}, "runs of one length, got an axis 'steps'"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    axes = given.pop("axes", {"learning_rate": [0.1]})
    with pytest.raises(ValueError, match=said):
        jaxdl.successive_halving(bowl(), jaxdl.sgd, axes, steps=9, **given)


def test_rungs_end_with_chunks_and_with_the_run():
    ladder = halving.rungs(points=100, eta=4, first=3, chunk=2, steps=50)
    assert [(r.begin, r.end, r.points) for r in ladder] == [(0, 4, 100), (4, 12, 25), (12, 48, 6), (48, 50, 1)]
