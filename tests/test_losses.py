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


# --- norms and penalties ----------------------------------------------------------------------------------------------

POINT = {"a": jnp.array([3.0, -4.0]), "b": jnp.array([[0.0]])}


@pytest.mark.parametrize(("p", "expected"), [(0, 2), (1, 7), (2, 5), (3, 91 ** (1 / 3)), (0.5, (3**0.5 + 2) ** 2)])
def test_norms_of_a_tree_by_hand(p, expected):
    np.testing.assert_allclose(losses.norm(POINT, p), expected, rtol=1e-14)


def test_large_p_tends_to_the_largest_element():
    assert losses.norm(POINT, np.inf) == 4
    np.testing.assert_allclose(losses.norm(POINT, 200), 4, rtol=1e-12)


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, np.inf])
def test_every_norm_but_the_count_is_homogeneous(p, rng):
    x = jnp.asarray(rng.normal(size=6))
    np.testing.assert_allclose(losses.norm(-1e200 * x, p), 1e200 * losses.norm(x, p), rtol=1e-13)
    assert losses.norm(2 * x, 0) == losses.norm(x, 0) == 6


def test_the_triangle_inequality_holds_from_p_one_on_and_not_below(rng):
    x, y = jnp.eye(2)
    assert losses.norm(x + y, 0.5) > losses.norm(x, 0.5) + losses.norm(y, 0.5)
    pairs = jnp.asarray(rng.normal(size=(50, 2, 3)))
    for p in (1, 1.5, 2, np.inf):
        sums, first, second = (
            jax.vmap(lambda x, p=p: losses.norm(x, p))(x) for x in (pairs.sum(1), *pairs.swapaxes(0, 1))
        )
        assert (sums <= first + second + 1e-12).all()


@pytest.mark.parametrize(
    ("p", "slope"),
    [(1, [1, -1, 0]), (2, [0.6, -0.8, 0]), (3, np.array([9, -16, 0]) / 91 ** (2 / 3)), (np.inf, [0, -1, 0])],
)
def test_slopes_of_norms_are_their_closed_forms_and_zero_at_zero(p, slope):
    gradient = jax.grad(lambda x: losses.norm(x, p))
    np.testing.assert_allclose(gradient(jnp.array([3.0, -4.0, 0.0])), slope, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(jax.grad(lambda x: losses.norm(x, 0.5))(jnp.zeros(2)), [0, 0])
    np.testing.assert_array_equal(gradient(jnp.zeros(3)) if p != np.inf else [0], 0)


def test_norms_accumulate_in_float32_or_wider():
    assert losses.norm(jnp.ones(3000, jnp.bfloat16), 1) == 3000
    assert losses.norm(jnp.ones(2, jnp.bfloat16), 3).dtype == jnp.float32


def test_penalties_are_told_apart_by_their_slopes():
    for penalty, slope in (
        (losses.l2_penalty, [3, -4]),
        (losses.squared_norm_penalty, [6, -8]),
        (losses.l2_norm_penalty, [0.6, -0.8]),
        (losses.l1_penalty, [1, -1]),
    ):
        np.testing.assert_allclose(jax.grad(penalty)(POINT)["a"], slope, rtol=1e-14)


def test_soft_threshold_is_the_minimum_of_distance_and_l1(rng):
    x = jnp.asarray(2 * rng.normal(size=20))
    thresholded = losses.soft_threshold({"w": x}, 0.7)["w"]
    grid = np.linspace(-6, 6, 24001)
    costs = 0.5 * (grid[None] - np.asarray(x)[:, None]) ** 2 + 0.7 * np.abs(grid)[None]
    np.testing.assert_allclose(thresholded, grid[costs.argmin(axis=1)], atol=5e-4)
    assert (thresholded == 0).any()


def test_projection_is_the_identity_inside_and_the_nearest_point_outside():
    inside = losses.project_to_ball(POINT, 5.0)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, inside, POINT))
    outside = jax.jit(losses.project_to_ball)(POINT, 1.0)
    np.testing.assert_allclose(outside["a"], [0.6, -0.8], rtol=1e-14)
    np.testing.assert_array_equal(losses.project_to_ball(jnp.zeros(2), 0.0), [0, 0])


def test_negative_arguments_are_refused():
    for function, word in (
        (losses.norm, "p"),
        (losses.soft_threshold, "threshold"),
        (losses.project_to_ball, "radius"),
    ):
        with pytest.raises(ValueError, match=f"{word} must be non-negative, got -1"):
            function(jnp.ones(2), -1.0)
