"""Runs with their paths kept are the runs of ``jaxdl.train``; a function of two variables is its own plane."""

import jax
import numpy as np
import pytest

import jaxdl
from jaxdl import landscape
from tests.problems_for_tests import regression

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.mark.parametrize(
    ("steps", "snapshots", "when"), [(10, 4, [0, 4, 8, 10]), pytest.param(9, 4, [0, 3, 6, 9], marks=pytest.mark.slow)]
)
def test_paths_are_those_of_train(steps, snapshots, when):
    problem, made = regression(), {"sgd": jaxdl.sgd(0.1), "adam": jaxdl.adam(0.01)}
    found, at = landscape.paths(problem, made, seeds=(3, 5), steps=steps, snapshots=snapshots)
    assert at.tolist() == when
    for name, tx in made.items():
        for seed, path in zip((3, 5), found[name], strict=True):
            state, curves = jaxdl.train(problem, tx, jax.random.key(seed), steps, record_every=1, snapshots=steps + 1)
            expected = jax.tree.map(lambda x: x[np.array(when)], curves.snapshots)
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), path, expected)
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a[-1], b, rtol=1e-12), path, state.params)


def test_a_problem_with_its_metrics_on_both_splits():
    problem = regression()
    data = landscape.of_problem(problem, {"sgd": jaxdl.sgd(0.1)}, steps=6, snapshots=4, grid=3)
    assert (data.attrs["problem"], data.attrs["run"]) == (problem.name, "6 updates, seed 0")
    params = jaxdl.train(problem, jaxdl.sgd(0.1), jax.random.key(0), 6)[0].params
    true = problem.metrics(params, problem.data["train"])["loss"]
    np.testing.assert_allclose(data["path_loss"][0, 0, -1], true, rtol=1e-9)
    assert "val_loss" in data
    assert np.abs(data["val_loss"] / data["loss"] - 1).max() > 1e-3


@pytest.mark.parametrize(("name", "penalised"), [("breast-cancer-logistic", True), ("noisy-quadratic", False)])
def test_the_loss_is_what_runs_go_down_with_penalties_and_without_noise(name, penalised):
    problem = jaxdl.problems.get(name)
    start, key = problem.init(jax.random.key(0)), jax.random.key(1)
    end = jax.tree.map(lambda x: x + 0.5, start)
    way = jax.tree.map(lambda *x: np.stack(x), start, end)
    data = landscape.lines_of_problem(problem, {"a": way}, np.array([0, 1]), points=5)
    objective, metric = (
        problem.loss(end, problem.data["train"], key),
        problem.metrics(end, problem.data["train"])["loss"],
    )
    assert abs(objective - metric) > 1e-3
    at_end = data["loss"].sel(line="start", path="a", x=1.0).item()
    np.testing.assert_allclose(at_end, objective if penalised else metric, rtol=1e-5)
    assert data.attrs["floor"] == problem.floor
    assert (data["loss"].sel(line="start") >= problem.floor).all()


def test_a_function_of_two_variables_is_its_own_plane():
    problem = jaxdl.problems.get("himmelblau")
    data = landscape.of_problem(problem, {"sgd": jaxdl.sgd(0.01)}, steps=20, snapshots=21, grid=(5, 3), plane="random")
    assert data.attrs["plane"] == "coordinates"
    np.testing.assert_allclose(data["x"], [-5, -2.5, 0, 2.5, 5])
    assert data["loss"].sel(x=-2.5, y=5).item() == pytest.approx((6.25 + 5 - 11) ** 2 + (-2.5 + 25 - 7) ** 2)
    np.testing.assert_allclose(data["path_distance"], 0, atol=1e-6)
    np.testing.assert_allclose(data["path_loss"], data["path_plane_loss"], rtol=1e-5)
    assert data.attrs["doubts"] == "[]"


def test_runs_and_points_are_kept_and_the_rest_is_computed_later(tmp_path, monkeypatch):
    problem, made, out = regression(), {"sgd": jaxdl.sgd(0.1)}, tmp_path / "out"
    shape = {"steps": 6, "snapshots": 4}

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landscape.of_problem(problem, made, grid=3, **shape, out=out, on_progress=stop)
    whole = landscape.of_problem(problem, made, grid=3, **shape)
    assert landscape.of_problem(problem, made, grid=3, **shape, out=out).equals(whole)
    with monkeypatch.context() as patch:
        patch.setattr(jax.stages.Lowered, "compile", lambda *_: pytest.fail("the runs are compiled again"))
        kept, when = landscape.paths(problem, made, **shape, out=out / "runs")
    assert when.tolist() == [0, 2, 4, 6]
    assert jax.tree.leaves(kept)[0].shape[0] == 4
    for others in ({"sgd": jaxdl.sgd(0.2)}, {"adam": jaxdl.adam(0.1), **made}):
        with pytest.raises(ValueError, match="holds other runs, or something else; choose another folder"):
            landscape.paths(problem, others, **shape, out=out / "runs")


def test_too_few_snapshots():
    with pytest.raises(ValueError, match="at least 2 snapshots, got 1"):
        landscape.paths(regression(), {"sgd": jaxdl.sgd(0.1)}, snapshots=1)
