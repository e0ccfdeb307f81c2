"""A run that stops: the rule of the statistics, decided inside the program, and the run of ``train`` bit for bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import statistics, training
from jaxdl.data.planar import moons
from jaxdl.models.mlp import MLP
from jaxdl.problems.neural import classification
from tests.problems_for_tests import regression

STEPS, EVERY = 60, 4


@pytest.fixture(scope="module")
def problem():
    data = {name: moons(40, 0.4, seed) for seed, name in enumerate(("train", "val", "test"))}
    return classification("moons", MLP((8, 2), dropout_rate=0.1), data, batch_size=10)


@pytest.fixture(scope="module")
def whole(problem):
    run = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(0.1), key, STEPS, record_every=EVERY))
    return run(jax.random.key(0))


def stopped(problem, key=None, **arguments):
    key = jax.random.key(0) if key is None else key
    return jaxdl.train_until(problem, jaxdl.adam(0.1), key, STEPS, record_every=EVERY, **arguments)


@pytest.fixture(scope="module")
def run_until(problem):
    """One program for every patience."""
    return jax.jit(lambda patience: stopped(problem, patience=patience))


@pytest.fixture(scope="module")
def end(run_until):
    return run_until(jnp.int32(3))


def test_the_rule_is_that_of_the_statistics(whole, end):
    _, curves = whole
    best, stop = statistics.patience_stop(curves.metrics["val_loss"], 3)
    assert 0 < best < stop < len(curves.step) - 1, "the example must stop early"
    assert (end.best_step, end.state.step) == (EVERY * best, EVERY * stop)
    assert end.stopped
    np.testing.assert_array_equal(end.best_value, curves.metrics["val_loss"][best])


def test_curves_are_a_prefix_bit_for_bit_and_then_nothing(whole, end):
    _, curves = whole
    rows = int(end.state.step) // EVERY + 1
    np.testing.assert_array_equal(end.curves.step, curves.step)
    for name, column in curves.metrics.items():
        np.testing.assert_array_equal(end.curves.metrics[name][:rows], column[:rows], err_msg=name)
        assert np.isnan(end.curves.metrics[name][rows:]).all()


def assert_same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def test_the_best_parameters_are_those_of_a_run_of_that_length(problem, end):
    steps = int(end.best_step)
    state, _ = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(0.1), key, steps, record_every=EVERY))(
        jax.random.key(0)
    )
    assert_same(end.best_params, state.params)


def test_a_stopped_run_goes_on_to_where_the_whole_one_ends(problem, whole, end):
    keys = training.split_key(jax.random.key(0))
    left = STEPS - int(end.state.step)

    @jax.jit
    def rest(state):
        indices = training.draw_batches(problem, keys.data, state.step, left)
        arguments = {"steps": STEPS, "records": left // EVERY, "record_every": EVERY, "padded": False}
        return training.advance(problem, jaxdl.adam(0.1), state, indices, keys.loss, **arguments)[0]

    assert_same(rest(end.state).params, whole[0].params)


def test_without_a_stop_it_is_the_whole_run_and_its_best_record(run_until, whole):
    end = run_until(jnp.int32(99))
    assert_same(end.state.params, whole[0].params)
    assert not end.stopped
    assert int(end.best_step) == EVERY * statistics.best_record(whole[1].metrics["val_loss"])


def test_without_shuffling_the_order_is_the_datas_and_the_stop_keeps_it(key):
    problem, tx = regression(batch_size=1)._replace(shuffle=False), jaxdl.sgd(0.05)
    end = jaxdl.train_until(problem, tx, key, 60, patience=2, record_every=7)
    inputs, targets = (np.asarray(array) for array in problem.data["train"])
    w = np.array(problem.init(training.split_key(key).init))
    for t in range(int(end.best_step)):
        w = w - 0.05 * 2 * (inputs[t % 20] @ w - targets[t % 20]) * inputs[t % 20]
    assert 20 < end.best_step < 60, "the example must stop early, and after the first epoch"
    np.testing.assert_allclose(end.best_params, w, rtol=1e-11)


@pytest.mark.slow
def test_the_error_rate_may_be_the_monitor_and_runs_may_be_mapped(problem):
    keys = jax.random.split(jax.random.key(1), 2)
    run = jax.jit(jax.vmap(lambda key: stopped(problem, key, patience=2, monitor="val_error", min_delta=0.01)))
    ends = run(keys)
    for i in range(2):
        errors = 1 - np.asarray(ends.curves.metrics["val_accuracy"][i])
        best, stop = statistics.patience_stop(errors, 2, 0.01)
        assert (ends.best_step[i], ends.state.step[i]) == (EVERY * best, EVERY * stop)


def test_bad_arguments_are_refused(problem):
    with pytest.raises(ValueError, match=r"unknown monitor 'val_los'; known are: .*val_loss"):
        stopped(problem, patience=1, monitor="val_los")
    with pytest.raises(ValueError, match="patience must be a whole number of at least 1, got 0"):
        stopped(problem, patience=0)
