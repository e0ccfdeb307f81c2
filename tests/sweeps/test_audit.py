"""The audit: runs that it calls stable are the runs alone, and those that are not are counted and listed."""

import jax
import numpy as np
import pytest

import jaxdl
from jaxdl.sweeps import audit
from jaxdl.sweeps.definition import define
from jaxdl.sweeps.runs import Results
from tests.problems_for_tests import regression

pytestmark = pytest.mark.slow  # minutes, most of them compilation

RATES = [0.1, 0.4, 1.0, 1.4, 2.0]
"""Gradient descent on the digits is stable with the first two; the others are at the edge of stability and beyond."""


@pytest.fixture(scope="module")
def digits():
    return jaxdl.problems.get("digits-mlp")


@pytest.fixture(scope="module")
def study(digits):
    return jaxdl.sweep(digits, jaxdl.sgd, {"learning_rate": RATES}, seeds=2, steps=200, record_every=20, audit=100)


def test_stable_runs_agree_with_the_run_alone_and_chaotic_ones_are_counted_and_listed(digits, study):
    alone = jax.jit(lambda rate, key: jaxdl.train(digits, jaxdl.sgd(rate), key, 200, record_every=20)[1].metrics)
    furthest = np.zeros((len(RATES), 2))
    for i, rate in enumerate(RATES):
        for seed in range(2):
            metrics = alone(rate, jax.random.key(seed))
            for name in ("train_loss", "val_loss", "test_loss"):
                expected = np.asarray(metrics[name], np.float64)
                lane = study[name].sel(learning_rate=rate, seed=seed).values.astype(np.float64)
                relative = np.abs(lane - expected) / np.maximum(lane, expected)
                furthest[i, seed] = max(furthest[i, seed], relative.max())
    chaotic = study["chaotic"].values
    np.testing.assert_allclose(study["audit_difference"], furthest, rtol=1e-12)
    assert (furthest[~chaotic] <= 1e-5).all()
    assert (furthest[chaotic] > 1e-5).all()
    assert not chaotic[:2].any()
    assert chaotic[2:].any()
    counts = {name: study["chaotic"].attrs[name] for name in ("tolerance", "audited", "chaotic")}
    assert counts == {"tolerance": 1e-5, "audited": 10, "chaotic": chaotic.sum()}


def test_an_exact_sweep_passes_its_audit_without_a_difference():
    axes = {"learning_rate": [0.01, 0.1, 1e30]}
    study = jaxdl.sweep(regression(), jaxdl.adam, axes, seeds=2, steps=20, exact=True, audit=5)
    assert (study["audit_difference"] == 0).all()


def test_several_optimizers_lengths_and_batches_of_their_own():
    axes = {"learning_rate": [0.01, 0.1], "steps": [10, 20]}
    factories = {"sgd": jaxdl.sgd, "adam": jaxdl.adam}
    study = jaxdl.sweep(
        regression(), factories, axes, seeds=2, steps=20, record_every=5, batch="own", evaluated=False, audit=3
    )
    assert study["audit_difference"].dims == ("optimizer", "learning_rate", "steps", "seed")
    audited = study["audit_difference"].notnull()
    assert audited.sum() == study["chaotic"].attrs["audited"] == 4
    assert (study["audit_difference"].values[audited.values] < 1e-10).all()
    assert not study["chaotic"].any()


def test_without_an_audit_nothing_is_said_about_it():
    study = jaxdl.sweep(regression(), jaxdl.sgd, {"learning_rate": [0.1]}, seeds=1, steps=4)
    assert "chaotic" not in study
    with pytest.raises(ValueError, match="audit must be a whole number of at least 1, got -1"):
        jaxdl.sweep(regression(), jaxdl.sgd, {"learning_rate": [0.1]}, seeds=1, steps=4, audit=-1)


# --- which runs, and how far ------------------------------------------------------------------------------------------


def defined(**changes):
    arguments = {"axes": {"learning_rate": [0.1, 0.2, 0.3]}, "seeds": 3, "steps": 4, "record_every": 2, **changes}
    return define(regression(), jaxdl.sgd, **arguments)


def results(finals, rows=3):
    losses = np.ones((len(finals), rows))
    losses[:, -1] = finals
    return Results({"train_loss": np.zeros_like(losses), "val_loss": losses}, np.full(len(finals), -1))


def test_the_winner_is_the_median_run_of_the_best_point():
    nan = np.nan
    finals = [0.5, 0.5, 0.5, 0.9, 0.2, 0.3, 0.0, nan, nan]  # the last point has the best run, and two that diverged
    for seed in range(5):
        assert 5 in audit.chosen(defined(), results(finals), 1, seed)


def test_a_shorter_run_ends_at_its_own_last_record():
    definition = defined(axes={"learning_rate": [0.1], "steps": [2, 4]}, seeds=1)
    losses = np.array([[1.0, 0.1, np.nan], [1.0, 0.9, 0.2]])
    found = Results({"val_loss": losses}, np.full(2, -1))
    np.testing.assert_array_equal(audit._final_losses(definition, found), [0.1, 0.2])


def test_cells_are_drawn_once_each_and_by_seed():
    found = results(np.arange(9.0))
    draws = [audit.chosen(defined(), found, 4, seed).tolist() for seed in (0, 0, 1, 2, 3)]
    assert draws[0] == draws[1]
    assert len({tuple(draw) for draw in draws}) > 1
    assert all(len(set(draw)) == 5 for draw in draws)
    assert audit.chosen(defined(), found, 100, 0).tolist() == list(range(9))


@pytest.mark.parametrize(
    ("fast", "alone", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.0], [1.0, 2.5], 0.2),
        ([1.0, 2.5], [1.0, 2.0], 0.2),
        ([1.0, -2.0], [1.0, 2.0], 2.0),
        ([0.0, np.nan], [0.0, np.nan], 0.0),
        ([0.0, np.nan], [0.0, 1.0], np.inf),
        ([0.0, 1.0], [0.0, np.nan], np.inf),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([np.inf, 1.0], [3.0, 1.0], np.inf),
    ],
)
def test_difference(fast, alone, expected):
    same = np.ones((1, 2))

    def run(curve):
        return Results({"train_loss": same, "val_loss": np.array([curve]), "val_accuracy": same}, np.array([-1]))

    np.testing.assert_allclose(audit.difference(run(fast), run(alone)), [expected], rtol=1e-12)
    other_accuracy = run(fast)._replace(metrics={**run(fast).metrics, "val_accuracy": 2 * same})
    assert audit.difference(run(fast), other_accuracy) == 0


def test_infinite_differences_are_counted():
    found = np.array([[np.nan, 0.0], [np.inf, 1e-4]])
    chaotic = audit.variables(found, ("learning_rate", "seed"))["chaotic"]
    np.testing.assert_array_equal(chaotic[1], [[False, False], [True, True]])
    assert (chaotic[2]["audited"], chaotic[2]["chaotic"]) == (3, 2)
