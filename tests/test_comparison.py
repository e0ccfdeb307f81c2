"""The protocol of ``compare`` and the verdict, on problems small enough to know the answer."""

import jax
import numpy as np
import optax
import pytest
import xarray

import jaxdl
from jaxdl import comparison, statistics, store, verdict
from tests.problems_for_tests import bowl, regression

RATES = {"sgd": [0.003, 0.03, 0.3, 3.0], "adam": [0.001, 0.01, 0.1, 1.0]}


@pytest.fixture(scope="module")
def found():
    return jaxdl.compare(regression(), ["sgd", "adam"], learning_rates=RATES, seeds=3, fresh_seeds=7, steps=60)


def test_every_optimizer_gets_the_same_budget(found):
    sizes = found.results.sizes
    assert (sizes["optimizer"], sizes["seed"], sizes["fresh_seed"]) == (2, 3, 7)
    assert [row["trials"] for row in found.table] == [sizes["trial"]] * 2
    assert np.isfinite(found.results["learning_rate"]).all()
    np.testing.assert_array_equal(found.results["seed"], [0, 1, 2])
    np.testing.assert_array_equal(found.results["fresh_seed"], np.arange(3, 10))


def test_rates_ascend_and_hold_the_grid(found):
    for name, rates in RATES.items():
        mine = found.results.sel(optimizer=name)
        assert (np.diff(mine["learning_rate"]) > 0).all()
        np.testing.assert_allclose(mine["learning_rate"][mine["round"] == 0], rates)


def test_every_cell_is_its_own_run(found):
    mine = found.results.sel(optimizer="adam")
    trial = 2
    tx = jaxdl.adam(float(mine["learning_rate"][trial]))
    _, curves = jaxdl.train(regression(), tx, jax.random.key(1), steps=60)
    np.testing.assert_allclose(mine["val_loss"].sel(trial=trial, seed=1), curves.metrics["val_loss"], rtol=1e-10)


def test_the_selected_rate_is_reported_on_fresh_seeds(found):
    row = next(row for row in found.table if row["optimizer"] == "sgd")
    mine = found.results.sel(optimizer="sgd")
    final = mine["val_loss"].isel(step=-1).fillna(np.inf)
    best = int(np.argmin(final.median("seed").values))
    assert row["best_learning_rate"] == float(mine["learning_rate"][best])
    runs = [
        jaxdl.train(regression(), jaxdl.sgd(row["best_learning_rate"]), jax.random.key(seed), steps=60)[1].metrics
        for seed in range(3, 10)
    ]
    test = [float(run["test_loss"][-1]) for run in runs]
    val = [float(run["val_loss"][-1]) for run in runs]
    assert row["test_loss_median"] == pytest.approx(np.median(test), rel=1e-10)
    assert row["val_loss_median"] == pytest.approx(np.median(val), rel=1e-10)
    assert row["val_loss_q25"] == pytest.approx(np.quantile(val, 0.25), rel=1e-10)
    assert row["test_loss_low"] <= row["test_loss_median"] <= row["test_loss_high"]
    reached = statistics.steps_to_target(mine["step"], np.stack([run["val_loss"] for run in runs]), 0.05)
    assert row["steps_to_target"] == np.median(reached)


def test_the_median_run_of_every_selected_rate_is_audited(found):
    for row in found.table:
        mine = found.results.sel(optimizer=row["optimizer"])
        audited = mine["audit_difference"].notnull()
        assert audited.sum() == 1
        trial, seed = (int(index[0]) for index in np.nonzero(audited.values))
        assert float(mine["learning_rate"][trial]) == row["best_learning_rate"]
        final = mine["val_loss"].isel(step=-1, trial=trial)
        assert float(final[seed]) == float(final.median())  # of three seeds
        assert float(mine["audit_difference"][trial, seed]) < 1e-10
    assert not found.results["chaotic"].any()
    assert found.results["chaotic"].attrs["audited"] == 2


def test_the_audit_compares_the_run_that_it_marks(monkeypatch):
    """Were another run compared, the difference would be as large as between seeds."""
    monkeypatch.setattr(comparison.audits, "median_run", lambda losses: 0)
    rates = [0.003, 0.03, 0.3]
    found = jaxdl.compare(regression(), ["sgd"], learning_rates=rates, seeds=4, fresh_seeds=1, steps=20, extensions=0)
    audited = found.results["audit_difference"].values
    np.testing.assert_array_equal(np.isnan(audited).all(axis=(0, 1)), [False, True, True, True])
    assert np.nanmax(audited) < 1e-10


def test_without_an_audit_nothing_is_said_about_it():
    found = jaxdl.compare(
        bowl(), ["sgd"], learning_rates=[0.1, 0.3, 1.0], seeds=1, fresh_seeds=1, steps=5, extensions=0, audit=False
    )
    assert "chaotic" not in found.results


def test_diverged_cells_are_counted(found):
    row = next(row for row in found.table if row["optimizer"] == "sgd")
    mine = found.results.sel(optimizer="sgd")
    assert (mine["diverged_at"].sel(trial=mine["learning_rate"] > 2.9) >= 0).all()
    assert row["diverged_fraction"] == float(verdict.diverged(mine).mean()) > 0


def test_the_table_can_be_made_again_from_the_store(found, tmp_path):
    assert verdict.table(store.load(store.save(found.results, tmp_path / "r.zarr"))) == found.table


def test_the_best_comes_first_and_leads(found):
    losses = [row["test_loss_median"] for row in found.table]
    assert losses == sorted(losses)
    assert [row["verdict"] == "best" for row in found.table] == [True, False]
    assert found.table[0]["test_loss_behind"] == 0


def test_a_grid_that_ends_too_low_is_extended_and_budgets_stay_equal():
    rates = {"low": [1e-4, 3e-4, 1e-3], "good": [0.5, 1.5, 2.5]}  # from 2 on, the bowl's steepest direction diverges
    factories = {"low": jaxdl.sgd, "good": jaxdl.sgd}
    found = jaxdl.compare(bowl(), factories, learning_rates=rates, seeds=1, fresh_seeds=2, steps=20, extensions=2)
    results = found.results
    low, good = (results.sel(optimizer=name) for name in ("low", "good"))
    assert [row["trials_added"] for row in found.table] == [2, 2]
    np.testing.assert_allclose(low["learning_rate"][-2:], [1e-3 * 10 / 3, 1e-3 * (10 / 3) ** 2])
    np.testing.assert_array_equal(low["round"], [0, 0, 0, 1, 2])
    added = good["learning_rate"][good["round"] > 0]
    assert len(added) == 2
    assert ((added > 0.5) & (added < 2.5)).all()
    rows = {row["optimizer"]: row for row in found.table}
    assert rows["low"]["optimum_at_edge"]
    assert not rows["good"]["optimum_at_edge"]
    assert "perhaps not tuned: low" in verdict.summary(results)


def test_extension_stops_when_every_optimum_is_inside():
    found = jaxdl.compare(bowl(), ["sgd"], learning_rates=[0.03, 0.3, 1.9, 5.0], seeds=1, fresh_seeds=1, steps=20)
    assert found.table[0]["trials_added"] == 0
    assert not found.table[0]["optimum_at_edge"]


def test_an_optimizer_that_always_diverges_is_a_row():
    def hopeless(learning_rate):
        return jaxdl.sgd(1e6 + learning_rate)

    factories = {"hopeless": hopeless, "sgd": jaxdl.sgd}
    found = jaxdl.compare(bowl(), factories, learning_rates=[0.1, 0.3, 1.0], seeds=1, fresh_seeds=2, steps=20)
    last = found.table[-1]
    assert last["optimizer"] == "hopeless"
    assert last["test_loss_median"] is None
    assert last["diverged_fraction"] == last["fresh_diverged_fraction"] == 1.0
    assert last["verdict"] == "worse"
    assert last["optimum_at_edge"]
    assert "∞" in verdict.markdown(found.results)


def test_a_run_that_ends_where_it_began_has_diverged():
    losses = np.array([[2.0, 300.0, 2.1], [2.0, 1.0, 0.5], [2.0, 1.0, np.nan]])
    data = {"val_loss": (("seed", "step"), losses), "diverged_at": ("seed", [-1, -1, 2])}
    np.testing.assert_array_equal(verdict.diverged(xarray.Dataset(data)), [True, False, True])


def test_the_same_optimizer_twice_is_not_told_apart():
    factories = {"a": jaxdl.adam, "b": optax.adam}
    with jax.numpy_dtype_promotion("standard"):
        found = jaxdl.compare(regression(), factories, learning_rates=RATES["adam"], seeds=2, fresh_seeds=5, steps=40)
    assert found.table[1]["verdict"] == "unresolved"
    assert found.table[1]["test_loss_behind"] == pytest.approx(0, abs=1e-9)


def test_progress_counts_programs_then_runs():
    calls = []
    rates = [0.03, 0.3, 1.9, 5.0]
    jaxdl.compare(
        bowl(), ["sgd"], learning_rates=rates, seeds=2, fresh_seeds=3, steps=20, on_progress=lambda *c: calls.append(c)
    )
    compiled = [call[1:] for call in calls if call[0] == "compiling"]
    done, programs = compiled[-1]
    assert [call[0] for call in compiled] == list(range(1, programs + 1))
    assert done == programs
    assert calls[-1] == ("sgd, fresh seeds", 11, 11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"factories": ["sgd", "adma"]},
            "unknown optimizer 'adma'; known are: sgd, momentum, nesterov, adagrad, adadelta, rmsprop",
        ),
        ({"factories": []}, "at least one optimizer"),
        ({"factories": {"mine": jaxdl.sgd}}, "'mine' has no documented range of learning rates"),
        ({"factories": {"f": lambda b1: jaxdl.sgd(b1)}, "learning_rates": [1, 2, 3]}, "'f' takes no argument 'learn"),
        ({"learning_rates": 2}, "at least 3 different positive learning rates"),
        ({"learning_rates": [0.1, 0.1, 0.2]}, "at least 3 different positive learning rates"),
        ({"learning_rates": [0.0, 0.1, 0.2]}, "at least 3 different positive learning rates"),
        ({"learning_rates": [-0.1, 0.1, 0.2]}, "at least 3 different positive learning rates"),
        ({"learning_rates": {"sgd": [1, 2, 3]}, "factories": ["sgd", "adam"]}, "'adam' is missing"),
        ({"learning_rates": RATES | {"adam": [1, 2, 3]}, "factories": ["sgd", "adam"]}, "the same number of learning"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"fresh_seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"steps": -5}, "steps must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        comparison.compare(bowl(), **{"factories": ["sgd"], **arguments})
