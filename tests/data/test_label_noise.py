"""Noisy labels: how many, which, to what, and the same whether the rate is traced or not."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.data.label_noise import symmetric_label_noise

CLASSES = 10
RATES = [0.0, 0.1, 0.2, 0.45, 0.9, 1.0]


@pytest.fixture
def labels(rng):
    return rng.integers(0, CLASSES, 1077).astype(np.int32)


@pytest.mark.parametrize("rate", RATES)
def test_the_share_is_exact_and_a_replaced_label_is_never_the_old_one(labels, rate):
    noisy = symmetric_label_noise(labels, rate, CLASSES)
    assert noisy.dtype == labels.dtype
    assert np.sum(noisy != labels) == round(rate * len(labels))
    assert 0 <= noisy.min() <= noisy.max() < CLASSES


def test_other_classes_come_alike(labels):
    noisy = symmetric_label_noise(labels, 1.0, CLASSES)
    shifts = np.bincount((noisy - labels) % CLASSES, minlength=CLASSES)
    expected = len(labels) / (CLASSES - 1)
    assert shifts[0] == 0
    assert (abs(shifts[1:] - expected) < 4 * np.sqrt(expected)).all()


def test_what_is_replaced_stays_replaced_at_higher_rates(labels):
    levels = [symmetric_label_noise(labels, rate, CLASSES) for rate in RATES]
    for fewer, more in itertools.pairwise(levels):
        replaced = fewer != labels
        np.testing.assert_array_equal(more[replaced], fewer[replaced])


def test_samples_are_replaced_all_over_the_split(labels):
    where = np.nonzero(symmetric_label_noise(labels, 0.2, CLASSES) != labels)[0]
    error = len(labels) / np.sqrt(12 * len(where))
    assert abs(where.mean() - len(labels) / 2) < 4 * error


def test_another_seed_replaces_others(labels):
    assert (symmetric_label_noise(labels, 0.2, CLASSES) != symmetric_label_noise(labels, 0.2, CLASSES, seed=1)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_traced_and_mapped_rates_give_the_labels_of_concrete_ones(labels, dtype):
    noise = jax.jit(jax.vmap(lambda rate: symmetric_label_noise(labels, rate, CLASSES)))
    mapped = noise(jnp.array(RATES, dtype))
    assert mapped.dtype == labels.dtype
    np.testing.assert_array_equal(mapped, [symmetric_label_noise(labels, rate, CLASSES) for rate in RATES])


def test_a_concrete_rate_gives_numpy_labels_even_inside_jit(labels):
    @jax.jit
    def count(x):
        noisy = symmetric_label_noise(labels, 0.25, CLASSES)
        assert isinstance(noisy, np.ndarray)
        return x + np.float32((noisy != labels).sum())

    assert count(jnp.float32(0)) == round(0.25 * len(labels))


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan])
def test_a_rate_that_is_no_part_is_refused(labels, rate):
    with pytest.raises(ValueError, match=r"label_noise must lie in \[0, 1\], got"):
        symmetric_label_noise(labels, rate, CLASSES)
