"""What a grid can hold: lengths, structure, arguments of the problem, optimizers, seeds; each cell is its own run."""

from functools import partial

import jax
import numpy as np
import pytest

import jaxdl
from tests.problems_for_tests import bowl, regression

pytestmark = pytest.mark.slow  # minutes, most of them compilation

STEPS = 20


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    """Fewer programs to compile."""
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)


def swept(problem, factory, axes, **options):
    return jaxdl.sweep(problem, factory, axes, **{"seeds": 2, "steps": STEPS, "record_every": 5, **options})


def assert_is_run(cell, problem, tx, seed, steps=STEPS, **options):
    """Bit for bit, and nothing after its end."""
    run = jax.jit(lambda key: jaxdl.train(problem, tx, key, steps, record_every=5, **options)[1].metrics)
    for name, values in run(jax.random.key(seed)).items():
        np.testing.assert_array_equal(cell[name].values[: len(values)], values, err_msg=name)
        assert np.isnan(cell[name].values[len(values) :]).all()


def test_the_horizon_axis_equals_separate_runs():
    axes = {"learning_rate": [0.01, 0.1], "steps": [5, 10, 20]}
    together = swept(regression(), jaxdl.adam, axes, exact=True)
    for steps in (5, 20):
        cell = together.sel(steps=steps, learning_rate=0.1, seed=1)
        assert_is_run(cell, regression(), jaxdl.adam(0.1), 1, steps)


def test_a_horizon_reaches_the_schedule_of_its_run():
    def factory(peak, steps):
        return jaxdl.sgd(jaxdl.schedules.warmup_cosine(0.0, peak, 2, steps))

    together = swept(regression(), factory, {"peak": [0.1], "steps": [10, 20]}, exact=True)
    for steps in (10, 20):
        alone = jaxdl.train(regression(), factory(0.1, steps), jax.random.key(1), steps, record_every=5)[1].metrics
        curve = together["val_loss"].sel(steps=steps, seed=1, peak=0.1).values[: 1 + steps // 5]
        np.testing.assert_allclose(curve, alone["val_loss"], rtol=1e-12)


def test_batches_of_its_own_belong_to_the_point():
    own = partial(swept, regression(), jaxdl.sgd, batch="own", exact=True)
    small = own({"learning_rate": [0.05, 0.1]})
    large = own({"learning_rate": [0.01, 0.1, 0.02, 0.05], "steps": [10, 20]})
    for rate in (0.05, 0.1):
        for steps, rows in ((10, 3), (20, 5)):
            found = large["train_loss"].sel(learning_rate=rate, steps=steps).values[:, :rows]
            np.testing.assert_array_equal(found, small["train_loss"].sel(learning_rate=rate).values[:, :rows])
    first = small["train_loss"].isel(step=0)
    assert len(np.unique(first)) == first.size, "first batches must differ between points and seeds"


def test_shared_batches_are_shared():
    first = swept(regression(), jaxdl.sgd, {"learning_rate": [0.05, 0.1]})["train_loss"].isel(step=0)
    assert len(np.unique(first)) == 2


def test_structure_of_the_optimizer_and_of_the_problem():
    make = partial(jaxdl.problems.get, "digits-mlp", batch_size=16)
    axes = {"learning_rate": [0.05], "nesterov": [True, False], "problem.hidden": [(4,), (3, 3)]}
    study = swept(make, partial(jaxdl.momentum, momentum=0.9), axes, seeds=1, evaluated=False, exact=True)
    assert study["nesterov"].values.tolist() == ["True", "False"]
    cell = study.isel(learning_rate=0, nesterov=0, seed=0).sel({"problem.hidden": "(3, 3)"})
    tx = jaxdl.momentum(0.05, momentum=0.9, nesterov=True)
    assert_is_run(cell, make(hidden=(3, 3)), tx, 0, evaluated=False)


def test_numbers_that_shape_the_problem():
    make = partial(jaxdl.problems.get, "quadratic", condition_number=10.0)
    study = swept(make, jaxdl.sgd, {"learning_rate": [0.1], "problem.dimension": [2, 5]}, seeds=1, exact=True)
    for dimension in (2, 5):
        cell = study.sel({"problem.dimension": dimension, "learning_rate": 0.1, "seed": 0})
        assert_is_run(cell, make(dimension=dimension), jaxdl.sgd(0.1), 0)


def test_numbers_of_the_problem_are_lanes():
    make = partial(jaxdl.problems.get, "digits-softmax", batch_size=16)
    axes = {"learning_rate": [0.1, 0.3], "problem.label_noise": [0.0, 0.4]}
    study = swept(make, jaxdl.sgd, axes, seeds=1)
    for noise in (0.0, 0.4):
        cell = study.sel({"learning_rate": 0.3, "problem.label_noise": noise, "seed": 0})
        alone = jaxdl.train(make(label_noise=noise), jaxdl.sgd(0.3), jax.random.key(0), STEPS, record_every=5)[1]
        np.testing.assert_allclose(cell["train_loss"], alone.metrics["train_loss"], rtol=1e-5)


def test_several_optimizers():
    factories = {"sgd": jaxdl.sgd, "adam": jaxdl.adam}
    study = swept(bowl(), factories, {"learning_rate": [0.1, 0.2]}, exact=True)
    assert study["val_loss"].dims == ("optimizer", "learning_rate", "seed", "step")
    for name, factory in factories.items():
        assert_is_run(study.sel(optimizer=name, learning_rate=0.2, seed=1), bowl(), factory(0.2), 1)


def test_seeds_alone():
    study = swept(regression(), jaxdl.adam, {"learning_rate": [0.1]}, seeds=[9, 4, 6], exact=True)
    for seed in (9, 4, 6):
        assert_is_run(study.sel(learning_rate=0.1, seed=seed), regression(), jaxdl.adam(0.1), seed)


def test_observables_are_those_of_the_run_with_units():
    rate, eps = 0.1, 30.0
    names = ("grad_norm", "step_size_q50", "eps_share")
    study = swept(
        regression()._replace(units="nat"), jaxdl.adam, {"eps": [1e-8, eps], "learning_rate": [rate]}, observe=names
    )
    observe = jaxdl.observation.resolve(names, {"eps": eps, "b2": 0.999})
    tx = jaxdl.adam(rate, eps=eps)
    run = jaxdl.train(regression(), tx, jax.random.key(1), STEPS, record_every=5, observe=observe)[1].metrics
    cell = study.sel(eps=eps, learning_rate=rate, seed=1)
    for name in names:
        np.testing.assert_allclose(cell[name], run[name], rtol=1e-10)
    assert (study["eps_share"].isel(eps=0, step=slice(1, None)) == 0).all()
    assert study["eps_share"].isel(eps=1).max() > 0
    assert [study[name].attrs["units"] for name in names] == ["nat", "1/nat", "1"]
