"""One run: against closed forms, against a plain Python loop, and what happens when it breaks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl import training
from tests.problems_for_tests import CURVATURES, bowl, regression


def plain_loop(problem, tx, key, steps):
    """The run as a user would write it: parameters before every step, and after the last; and the batch losses."""
    keys = training.split_key(key)
    params = problem.init(keys.init)
    opt_state = tx.init(params)
    indices = training.draw_batches(problem, keys.data, 0, steps)
    path, losses = [params], []
    for t in range(steps):
        batch = problem.data["train"]
        if indices is not None:
            batch = tuple(array[indices[t]] for array in batch)
        loss, grads = jax.value_and_grad(problem.loss)(params, batch, jax.random.fold_in(keys.loss, t))
        updates, opt_state = tx.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
        path.append(params)
        losses.append(float(loss))
    return path, np.array(losses)


def test_gradient_descent_on_a_quadratic_is_its_closed_form(key):
    state, curves = jaxdl.train(bowl(), jaxdl.sgd(0.3), key, steps=20, record_every=1)
    expected = (1 - 0.3 * CURVATURES) ** np.arange(21)[:, None]
    np.testing.assert_allclose(state.params, expected[-1], rtol=1e-13)
    np.testing.assert_allclose(curves.metrics["val_loss"], 0.5 * (CURVATURES * expected**2).sum(1), rtol=1e-13)


def test_a_run_is_the_plain_loop(key):
    path, losses = plain_loop(regression(), jaxdl.adam(0.1), key, 23)
    state, curves = jaxdl.train(regression(), jaxdl.adam(0.1), key, steps=23, record_every=1)
    np.testing.assert_allclose(state.params, path[-1], rtol=1e-12)
    np.testing.assert_allclose(curves.metrics["train_loss"], [losses[0], *losses], rtol=1e-12)


def test_the_last_interval_may_be_shorter(key):
    problem = regression()
    _, losses = plain_loop(problem, jaxdl.sgd(0.1), key, 23)
    state, curves = jaxdl.train(problem, jaxdl.sgd(0.1), key, steps=23, record_every=10)
    every, all_curves = jaxdl.train(problem, jaxdl.sgd(0.1), key, steps=23, record_every=1)
    np.testing.assert_array_equal(curves.step, [0, 10, 20, 23])
    means = [losses[0], losses[:10].mean(), losses[10:20].mean(), losses[20:].mean()]
    np.testing.assert_allclose(curves.metrics["train_loss"], means, rtol=1e-12)
    np.testing.assert_allclose(curves.metrics["val_loss"], all_curves.metrics["val_loss"][curves.step], rtol=1e-12)
    np.testing.assert_allclose(state.params, every.params, rtol=1e-12)
    assert state.step == 23


def test_a_run_may_be_cut_anywhere(key):
    problem, tx, keys = regression(), jaxdl.adam(0.1), training.split_key(key)
    whole, _ = jaxdl.train(problem, tx, key, steps=12, record_every=2)
    state = training.start(problem, tx, problem.init(keys.init))
    for first in (0, 4, 8):
        indices = training.draw_batches(problem, keys.data, first, 4)
        state, _, _ = training.advance(
            problem, tx, state, indices, keys.loss, steps=12, records=2, record_every=2, padded=False
        )
    np.testing.assert_array_equal(state.params, whole.params)


def test_full_batches_see_the_whole_training_split(key):
    problem = regression(batch_size=None)
    path, losses = plain_loop(problem, jaxdl.sgd(0.1), key, 5)
    state, curves = jaxdl.train(problem, jaxdl.sgd(0.1), key, steps=5, record_every=1)
    np.testing.assert_allclose(state.params, path[-1], rtol=1e-12)
    np.testing.assert_allclose(curves.metrics["train_loss"][1:], losses, rtol=1e-12)


def test_without_shuffling_every_epoch_is_the_data_in_its_own_order(key):
    problem, steps = regression(batch_size=1)._replace(shuffle=False), 43
    inputs, targets = (np.asarray(array) for array in problem.data["train"])
    w, losses = np.array(problem.init(training.split_key(key).init)), []
    for t in range(steps):  # by hand: two epochs of 20 samples, one at a time, and three samples of the third
        error = inputs[t % 20] @ w - targets[t % 20]
        losses.append(error**2)
        w = w - 0.05 * 2 * error * inputs[t % 20]
    state, curves = jaxdl.train(problem, jaxdl.sgd(0.05), key, steps=steps, record_every=1)
    np.testing.assert_allclose(curves.metrics["train_loss"][1:], losses, rtol=1e-11)
    np.testing.assert_allclose(state.params, w, rtol=1e-11)


def test_divergence_freezes_the_run_and_is_recorded(key):
    problem, tx = regression(), jaxdl.sgd(5.0)
    path, losses = plain_loop(problem, tx, key, 10)
    bad = int(np.argmax(losses > 100 * max(losses[0], 1)))
    assert 0 < bad < 8
    state, curves = jaxdl.train(problem, tx, key, steps=10, record_every=1)
    assert state.diverged_at == bad
    np.testing.assert_allclose(state.params, path[bad], rtol=1e-12)
    for values in curves.metrics.values():
        np.testing.assert_array_equal(np.isnan(values), curves.step > bad)


def test_a_loss_that_is_not_a_number_is_divergence(key):
    problem = bowl()._replace(loss=lambda x, batch, k: jnp.sum(jnp.sqrt(x - 0.5)))
    state, _ = jaxdl.train(problem, jaxdl.sgd(0.5), key, steps=5, record_every=1)
    assert state.diverged_at == 2  # x: 1, then 1 − 0.25/√0.5 ≈ 0.646, then 0.646 − 0.25/√0.146 < 0.5
    assert np.isfinite(state.params).all()


def test_the_last_update_is_judged_too(key):
    problem = bowl()._replace(metrics=lambda x, batch: {"loss": jnp.sqrt(x[0] - 0.5)})
    state, curves = jaxdl.train(problem, jaxdl.sgd(0.6), key, steps=1, record_every=1)
    assert state.diverged_at == 1
    assert np.isnan(curves.metrics["train_loss"][-1])


def test_a_diverged_lane_does_not_touch_its_neighbours(key):
    def run(rates):
        return jax.vmap(lambda rate: jaxdl.train(regression(), jaxdl.adam(rate), key, 40, record_every=4))(rates)

    healthy, curves = run(jnp.array([0.01, 0.02, 0.05, 0.1]))
    broken, broken_curves = run(jnp.array([0.01, 1e30, 0.05, 0.1]))
    np.testing.assert_array_equal(broken.diverged_at >= 0, [False, True, False, False])
    others = np.array([0, 2, 3])
    np.testing.assert_array_equal(broken.params[others], healthy.params[others])
    np.testing.assert_array_equal(broken_curves.metrics["val_loss"][others], curves.metrics["val_loss"][others])


def test_mapped_runs_are_the_runs(key):
    rates, keys = jnp.array([0.01, 0.1]), jax.random.split(key, 2)

    def run(rate, run_key):
        return jaxdl.train(regression(), jaxdl.momentum(rate), run_key, 30)[1].metrics["val_loss"]

    mapped = jax.vmap(run)(rates, keys)
    solo = [run(rate, run_key) for rate, run_key in zip(rates, keys, strict=True)]
    np.testing.assert_allclose(mapped, jnp.stack(solo), rtol=1e-12)


def test_snapshots_are_the_parameters_at_their_steps(key):
    problem, tx = regression(), jaxdl.adam(0.1)
    path, _ = plain_loop(problem, tx, key, 20)
    _, curves = jaxdl.train(problem, tx, key, steps=20, record_every=2, snapshots=3)
    np.testing.assert_array_equal(curves.snapshot_steps, [0, 10, 20])
    np.testing.assert_allclose(curves.snapshots, np.stack([path[0], path[10], path[20]]), rtol=1e-12)


def test_one_snapshot_is_the_last(key):
    state, curves = jaxdl.train(regression(), jaxdl.adam(0.1), key, steps=9, record_every=2, snapshots=1)
    np.testing.assert_array_equal(curves.snapshots[0], state.params)


def test_the_loss_key_is_fresh_at_every_step(key):
    problem = bowl()._replace(loss=lambda x, batch, k: jax.random.normal(k) + 0 * jnp.sum(x))
    _, curves = jaxdl.train(problem, jaxdl.sgd(0.1), key, steps=6, record_every=1)
    assert len(np.unique(curves.metrics["train_loss"][1:])) == 6


def test_optimizers_that_read_the_loss_are_given_it(key):
    tx = optax.chain(optax.scale_by_polyak(), optax.scale_by_learning_rate(1.0))
    with jax.numpy_dtype_promotion("standard"):
        state, _ = jaxdl.train(bowl(), tx, key, steps=200)
    assert np.abs(state.params).max() < 1e-2


def test_without_evaluation_only_batch_losses_are_kept(key):
    _, curves = jaxdl.train(regression(), jaxdl.sgd(0.1), key, steps=10, evaluated=False)
    assert set(curves.metrics) == {"train_loss"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"steps": 2.5}, "steps must be a whole number of at least 1, got 2.5"),
        ({"steps": 5, "record_every": 0}, "record_every must be a whole number of at least 1, got 0"),
        ({"steps": 5, "record_every": 5, "snapshots": 3}, "snapshots must not exceed the 2 records of the run, got 3"),
        ({"steps": 2**30}, r"steps × batch size must stay below 2\*\*31"),
    ],
)
def test_bad_arguments_are_named(key, arguments, message):
    with pytest.raises(ValueError, match=message):
        jaxdl.train(regression(), jaxdl.sgd(0.1), key, **arguments)


@pytest.mark.parametrize(
    "loss", [lambda x, batch, key: x, lambda x, batch, key: jnp.int32(1), lambda x, batch, key: (x.sum(), x)]
)
def test_a_loss_that_is_not_a_real_scalar_is_refused(key, loss):
    with pytest.raises(ValueError, match="the loss of 'bowl' must be a real scalar of shape"):
        jaxdl.train(bowl()._replace(loss=loss), jaxdl.sgd(0.1), key, steps=5)
