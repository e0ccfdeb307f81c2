"""Losses at hand-computed points, far out where the naive formula overflows, and their slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import losses

LOGITS = jnp.log(jnp.array([[1.0, 2.0, 5.0], [6.0, 1.0, 1.0]]))  # of probabilities 1/8, 2/8, 5/8 and 6/8, 1/8, 1/8
LABELS = jnp.array([2, 1])


def test_cross_entropy_is_the_mean_surprise():
    np.testing.assert_allclose(losses.cross_entropy(LOGITS, LABELS), (np.log(8 / 5) + np.log(8)) / 2, rtol=1e-14)


def test_cross_entropy_does_not_see_a_shift_of_the_logits():
    shifted = LOGITS + jnp.array([[1e4], [-1e4]])
    np.testing.assert_allclose(losses.cross_entropy(shifted, LABELS), losses.cross_entropy(LOGITS, LABELS), rtol=1e-11)


def test_slope_of_cross_entropy_is_probability_minus_label():
    slope = jax.grad(losses.cross_entropy)(LOGITS, LABELS)
    expected = (np.array([[1, 2, 5], [6, 1, 1]]) / 8 - np.array([[0, 0, 1], [0, 1, 0]])) / 2
    np.testing.assert_allclose(slope, expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["int32", "bool", "float32"])
def test_binary_cross_entropy_is_the_mean_surprise(dtype):
    logits, labels = jnp.log(jnp.array([3.0, 3.0])), jnp.array([1, 0], dtype)  # of probability 3/4
    np.testing.assert_allclose(losses.binary_cross_entropy(logits, labels), (np.log(4 / 3) + np.log(4)) / 2, rtol=1e-14)


def test_binary_cross_entropy_is_linear_far_out():
    far = jnp.array([1000.0, -1000.0])
    np.testing.assert_allclose(losses.binary_cross_entropy(far, jnp.array([0, 1])), 1000, rtol=1e-14)
    np.testing.assert_allclose(losses.binary_cross_entropy(far, jnp.array([1, 0])), 0, atol=1e-14)


def test_binary_is_two_class_cross_entropy():
    logits, labels = jnp.array([0.3, -2.0, 5.0]), jnp.array([1, 1, 0])
    both = jnp.stack([jnp.zeros(3), logits], axis=1)
    np.testing.assert_allclose(
        losses.binary_cross_entropy(logits, labels), losses.cross_entropy(both, labels), rtol=1e-13
    )


def test_accuracy_counts_the_largest_logit():
    assert losses.accuracy(LOGITS, LABELS) == 0.5
    assert losses.accuracy(LOGITS, jnp.array([2, 0])) == 1


def test_squared_error_is_half_the_squared_distance_averaged_over_samples():
    predictions, targets = jnp.array([[3.0, 4.0], [0.0, 1.0]]), jnp.zeros((2, 2))
    assert losses.squared_error(predictions, targets) == (12.5 + 0.5) / 2
    assert losses.squared_error(jnp.array([3.0, 1.0]), jnp.zeros(2)) == (4.5 + 0.5) / 2


def test_l2_penalty_has_the_weights_as_its_slope():
    params = {"w": jnp.array([[1.0, -2.0]]), "b": jnp.array([3.0])}
    assert losses.l2_penalty(params) == 7
    slope = jax.grad(losses.l2_penalty)(params)
    assert slope["w"].tolist() == [[1, -2]]
    assert slope["b"].tolist() == [3]


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("name", ["cross_entropy", "accuracy", "squared_error"])
def test_scale_does_not_depend_on_the_batch_size(name, copies):
    loss = getattr(losses, name)
    second = LOGITS[::-1] if name == "squared_error" else LABELS
    repeated = loss(jnp.concatenate([LOGITS] * copies), jnp.concatenate([second] * copies))
    np.testing.assert_allclose(repeated, loss(LOGITS, second), rtol=1e-14)
