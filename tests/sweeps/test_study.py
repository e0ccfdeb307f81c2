"""The sweep against single runs, over devices, chunks and calls."""

from functools import partial

import jax
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl.sweeps import dataset, engine, lanes, plan, programs, runs
from jaxdl.sweeps.definition import define
from tests.problems_for_tests import bowl, regression

RATES = [0.01, 0.05, 0.2]


def single(problem, tx, seed, steps, **options):
    return jaxdl.train(problem, tx, jax.random.key(seed), steps, **options)[1].metrics


@pytest.fixture(scope="module")
def study():
    axes = {"learning_rate": RATES, "b1": [0.5, 0.9]}
    return jaxdl.sweep(regression(), jaxdl.adam, axes, seeds=[3, 8], steps=30, record_every=7)


def test_every_cell_is_its_own_run(study):
    for rate in RATES:
        for b1 in (0.5, 0.9):
            for seed in (3, 8):
                alone = single(regression(), jaxdl.adam(rate, b1=b1), seed, 30, record_every=7)
                cell = study.sel(learning_rate=rate, b1=b1, seed=seed)
                for name, values in alone.items():
                    np.testing.assert_allclose(cell[name], values, rtol=1e-11, err_msg=f"{name} {rate} {b1} {seed}")


def test_dimensions_units_and_provenance(study):
    assert dict(study.sizes) == {"learning_rate": 3, "b1": 2, "seed": 2, "step": 6}
    np.testing.assert_array_equal(study["step"], [0, 7, 14, 21, 28, 30])
    assert study["step"].attrs["units"] == "updates"
    assert study["val_loss"].attrs["units"] == "1"
    assert study.attrs["problem"] == "regression"
    assert '"jax"' in study.attrs["environment"]
    assert study.attrs["target"] == 0.05
    assert (study["diverged_at"] == -1).all()


def test_chunks_of_steps_change_nothing(monkeypatch):
    problem, axes = regression(), {"learning_rate": RATES}
    whole = jaxdl.sweep(problem, jaxdl.adam, axes, seeds=2, steps=33, record_every=2)
    monkeypatch.setattr(plan, "CHUNK_SECONDS", 0.0)
    cut = jaxdl.sweep(problem, jaxdl.adam, axes, seeds=2, steps=33, record_every=2)
    for name in whole.data_vars:
        np.testing.assert_array_equal(cut[name], whole[name])


def test_several_calls_and_padding_change_nothing(monkeypatch):
    problem, axes = regression(), {"learning_rate": np.geomspace(1e-3, 0.3, 7)}
    whole = jaxdl.sweep(problem, jaxdl.adam, axes, seeds=3, steps=20)
    monkeypatch.setattr(plan, "MAX_LANES", 2)
    parts = jaxdl.sweep(problem, jaxdl.adam, axes, seeds=3, steps=20)
    assert parts.attrs["layout"] != whole.attrs["layout"]
    for name in whole.data_vars:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-11)


def test_one_optimizer_is_one_program():
    traced = []

    def factory(learning_rate):
        if isinstance(learning_rate, jax.core.Tracer):
            traced.append(learning_rate)
        return jaxdl.adam(learning_rate)

    layout = plan.flat(4, 2)
    study = lanes.Study(regression(), 12, 3, layout)
    pairs = [(p, s) for p in range(3) for s in range(3)]
    cells = runs.Cells.of(study, {"learning_rate": np.array(RATES)}, [0, 1, 2], pairs)
    built = programs.build(study, {"mine": factory}, cells.lane(study, np.array(0)))
    before = len(traced)
    first = engine.execute(study, built, "mine", cells)
    other = runs.Cells.of(study, {"learning_rate": 2 * np.array(RATES)}, [5, 6, 7], pairs)
    again = engine.execute(study, built, "mine", other)
    assert len(traced) == before
    assert not np.allclose(first.metrics["val_loss"], again.metrics["val_loss"])


def test_a_lane_does_not_depend_on_its_neighbours():
    study = lanes.Study(regression(), 20, 5, plan.flat(4, 2))

    def run(rates, pairs):
        cells = runs.Cells.of(study, {"learning_rate": np.array(rates)}, [0, 1], pairs)
        built = programs.build(study, {"adam": jaxdl.adam}, cells.lane(study, np.array(0)))
        return engine.execute(study, built, "adam", cells)

    alone = run([0.1], [(0, 1)])
    among = run([1e30, 0.1, 0.3], [(0, 0), (1, 1), (2, 0), (0, 1)])
    assert among.diverged_at[0] >= 0
    for name, values in alone.metrics.items():
        np.testing.assert_array_equal(values[0], among.metrics[name][1])


def test_runs_are_reported_as_they_end():
    told = []
    jaxdl.sweep(regression(), jaxdl.sgd, {"learning_rate": RATES}, seeds=3, steps=9, on_progress=told.append)
    assert told[0].phase == "compiling"
    assert [p.runs for p in told] == sorted(p.runs for p in told)
    assert told[-1][:5] == ("running", 81, 81, 9, 9)


def test_a_problem_without_data(key):
    study = jaxdl.sweep(bowl(), jaxdl.sgd, {"learning_rate": [0.1, 0.3]}, seeds=1, steps=10, record_every=5)
    alone = single(bowl(), jaxdl.sgd(0.3), 0, 10, record_every=5)
    np.testing.assert_allclose(study["val_loss"].sel(learning_rate=0.3, seed=0), alone["val_loss"], rtol=1e-12)


def test_somebody_elses_optimizer():
    with jax.numpy_dtype_promotion("standard"):
        axes = {"learning_rate": RATES}
        theirs = jaxdl.sweep(regression(), optax.adam, axes, seeds=2, steps=30)
        ours = jaxdl.sweep(regression(), jaxdl.adam, axes, seeds=2, steps=30)
    np.testing.assert_allclose(theirs["val_loss"], ours["val_loss"], rtol=1e-10)


def test_a_schedule_inside_the_factory_is_swept():
    def factory(peak):
        return jaxdl.sgd(jaxdl.schedules.warmup_cosine(0.0, peak, 5, 20))

    study = jaxdl.sweep(regression(), factory, {"peak": [0.05, 0.2]}, seeds=1, steps=20)
    alone = single(regression(), factory(0.2), 0, 20)
    np.testing.assert_allclose(study["val_loss"].sel(peak=0.2, seed=0), alone["val_loss"], rtol=1e-11)


def test_runs_of_different_lengths_are_runs_of_their_own():
    """The horizon axis; more of it in test_definition.py."""
    axes = {"learning_rate": [0.1], "steps": [4, 12]}
    together = jaxdl.sweep(bowl(), jaxdl.sgd, axes, seeds=1, record_every=2, exact=True)

    def exactly(steps):
        run = jax.jit(lambda key: jaxdl.train(bowl(), jaxdl.sgd(0.1), key, steps, record_every=2)[1].metrics)
        return run(jax.random.key(0))

    for steps in (4, 12):
        cell, alone = together.sel(steps=steps, learning_rate=0.1, seed=0), exactly(steps)
        for name, values in alone.items():
            np.testing.assert_array_equal(cell[name].values[: len(values)], values, err_msg=name)
            assert np.isnan(cell[name].values[len(values) :]).all()


def test_own_batches_are_told_apart_by_values_and_not_by_how_they_are_typed():
    def identities(rates):
        cells = define(regression(), jaxdl.sgd, {"learning_rate": rates}, 1, 4, batch="own").parts[0].cells
        return dict(zip(rates, cells.identities.tolist(), strict=True))

    assert identities([1, 2]).items() <= identities([0.5, 1.0, 2.0]).items()


def anything(learning_rate, **others):
    return jaxdl.sgd(learning_rate)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {}}, "a sweep needs at least one axis"),
        (
            {"axes": {"momentum": [0.9], "nesterov": [True, False]}},
            "optimizer 'sgd' rejects .* missing 1 required positional argument: 'learning_rate'",
        ),
        ({"axes": {"b1": [0.9]}}, "optimizer 'sgd' takes no argument 'b1'"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1, got 0"),
        ({"seeds": [1, 1]}, "seeds must be a number or a list of different whole numbers"),
        ({"seeds": [-1]}, "seeds must be a number or a list of different whole numbers"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"factory": partial(jaxdl.sgd, 0.1)}, "optimizer 'sgd' takes no argument 'learning_rate'"),
        (
            {"factory": partial(jaxdl.sgd, decay=0.1)},
            "optimizer 'sgd' takes no argument 'decay'; it takes: learning_rate",
        ),
        ({"factory": "sgd"}, "must be a function of hyper-parameters, such as jaxdl.adam, got 'sgd'"),
        ({"factory": jaxdl.sgd(0.1)}, "must be a function of hyper-parameters, .* got a GradientTransformation"),
        ({"problem": "bowl"}, "the problem must be a jaxdl.Problem, .* got 'bowl'"),
        ({"axes": [0.1]}, "axes must be a dictionary or a grid of jaxdl.grids, got a list"),
        (
            {"axes": {"learning_rate": [1, 0.1, 1.0]}},
            "points must differ .* {'learning_rate': 1.0} at point 0 and at p",
        ),
        (
            {"axes": {"learning_rate": [0.1], "steps": [2**40]}},
            "axis 'steps' holds 1099511627776, which is beyond int32",
        ),
        ({"axes": {"learning_rate": [0.1], "train_loss": [1.0]}, "factory": anything}, "'train_loss' is a name of re"),
        ({"axes": {"learning_rate": [0.1], "step": [1.0]}, "factory": anything}, "'step' is a name of results"),
        ({"observe": {"seed": lambda step: step.params.sum()}}, "'seed' is a name of other results"),
        ({"divergence_factor": 0}, "divergence_factor must be a positive finite number, got 0"),
        ({"divergence_factor": float("inf")}, "divergence_factor must be a positive finite number, got inf"),
        ({"problem": bowl()._replace(loss=lambda x, batch, key: x)}, "the loss of 'bowl' must be a real scalar"),
    ],
)
def test_bad_input_is_one_sentence(changes, message):
    arguments = {"problem": bowl(), "factory": jaxdl.sgd, "axes": {"learning_rate": [0.1]}, "seeds": 1, "steps": 2}
    arguments |= changes
    with pytest.raises(ValueError, match=message):
        jaxdl.sweep(arguments.pop("problem"), arguments.pop("factory"), arguments.pop("axes"), **arguments)


def test_attributes_hold_for_every_cell():
    """What differs between the problems of a study is no attribute of it."""
    make = partial(jaxdl.problems.get, "digits-softmax")
    one, two = (
        define(make, jaxdl.sgd, {"learning_rate": [0.1], "problem.batch_size": sizes}, 1, 2) for sizes in ([8], [8, 16])
    )
    assert dataset.whole(one, one.empty()).attrs["batch_size"] == 8
    attributes = dataset.whole(two, two.empty()).attrs
    assert "batch_size" not in attributes
    assert attributes["target"] == make().target
