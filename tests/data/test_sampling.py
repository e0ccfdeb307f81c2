"""Batches: each sample once per epoch, and the same batches however the run is cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.data.sampling import epoch_indices, ordered_indices, take

SIZES = [(10, 5), (10, 3), (7, 7), (5, 1), (4, 11)]
"""Samples and batch size: dividing, not dividing, equal, single, larger than the data."""


def batches(key, first_step, steps, samples, batch_size):
    return np.asarray(jitted(key, first_step, steps, samples, batch_size))


jitted = jax.jit(epoch_indices, static_argnums=(2, 3, 4), compiler_options={"xla_backend_optimization_level": 0})


@pytest.mark.parametrize(("samples", "batch_size"), SIZES)
def test_every_sample_is_seen_once_per_epoch(samples, batch_size, key):
    steps = 12
    indices = batches(key, 0, steps, samples, batch_size)
    assert indices.shape == (steps, batch_size)
    assert indices.dtype == np.int32
    epochs = steps * batch_size // samples
    seen = indices.ravel()[: epochs * samples].reshape(epochs, samples)
    np.testing.assert_array_equal(np.sort(seen, axis=1), np.tile(np.arange(samples), (epochs, 1)))
    assert epochs >= 2


@pytest.mark.parametrize(("samples", "batch_size"), SIZES)
def test_cutting_the_run_anywhere_changes_nothing(samples, batch_size, key):
    whole = batches(key, 0, 12, samples, batch_size)
    one_at_a_time = [batches(key, step, 1, samples, batch_size) for step in range(12)]  # the first step is traced
    np.testing.assert_array_equal(np.concatenate(one_at_a_time), whole)


def test_steps_far_from_the_start_stay_exact(key):
    last = (2**31 - 1) // 128 - 2
    indices = batches(key, last, 1, 1077, 128)
    assert indices.min() >= 0
    assert indices.max() < 1077
    assert len(np.unique(indices)) > 100


def test_epochs_and_keys_have_orders_of_their_own(key):
    indices = batches(key, 0, 2, 50, 50)
    assert not np.array_equal(indices[0], indices[1])
    assert not np.array_equal(indices[0], np.arange(50))
    other = batches(jax.random.key(1), 0, 2, 50, 50)
    assert not np.array_equal(indices, other)


def test_keys_may_be_mapped(key):
    keys = jax.random.split(key, 3)
    mapped = jax.jit(jax.vmap(lambda k: epoch_indices(k, 0, 12, 10, 3)))(keys)
    np.testing.assert_array_equal(mapped[2], batches(keys[2], 0, 12, 10, 3))


@pytest.mark.parametrize(("samples", "batch_size"), SIZES)
def test_ordered_samples_come_one_after_another_wherever_the_run_is_cut(samples, batch_size):
    whole = np.asarray(ordered_indices(0, 12, samples, batch_size))
    assert whole.dtype == np.int32
    np.testing.assert_array_equal(whole.ravel(), np.arange(12 * batch_size) % samples)
    np.testing.assert_array_equal(ordered_indices(jnp.int32(5), 7, samples, batch_size), whole[5:])


def test_take_picks_from_every_array():
    inputs, labels = jnp.arange(12).reshape(4, 3), jnp.array([10, 11, 12, 13])
    picked = take({"x": inputs, "y": labels}, jnp.array([2, 0]))
    np.testing.assert_array_equal(picked["x"], inputs[np.array([2, 0])])
    np.testing.assert_array_equal(picked["y"], [12, 10])


@pytest.mark.parametrize("samples", [5, 4096, 4097])
def test_orders_are_permutations(samples, key):
    order = batches(key, 0, 1, samples, samples)[0]
    np.testing.assert_array_equal(np.sort(order), np.arange(samples))


def test_every_sample_is_as_likely_in_every_place(key):
    orders = np.asarray(jax.jit(lambda k: epoch_indices(k, 0, 4000, 5, 5))(key))
    counts = np.stack([(orders == sample).sum(axis=0) for sample in range(5)])
    standard_error = np.sqrt(4000 * 0.2 * 0.8)
    assert np.abs(counts - 800).max() < 4.5 * standard_error
    pairs = np.mean(orders[:, 0] < orders[:, 1])  # neighbours are in either order as often
    assert abs(pairs - 0.5) < 4.5 * 0.5 / np.sqrt(4000)
