"""Generators of points: where they may lie, what their labels mean, and that a seed fixes them."""

import numpy as np
import pytest

from jaxdl.data import planar

GENERATORS = [planar.circle, planar.spiral, planar.xor, planar.gauss, planar.moons, planar.rings]


@pytest.mark.parametrize("generate", GENERATORS)
def test_seeded_typed_and_of_the_size_asked_for(generate):
    points, labels = generate(101, noise=0.1, seed=3)
    again, other = generate(101, noise=0.1, seed=3), generate(101, noise=0.1, seed=4)
    np.testing.assert_array_equal(points, again[0])
    assert not np.array_equal(points, other[0])
    assert points.shape == (101, 2)
    assert (points.dtype, labels.dtype) == (np.float32, np.int32)
    assert set(labels) == {0, 1}
    assert 30 < labels.sum() < 70


def test_circle_is_a_disc_in_a_ring():
    points, labels = planar.circle(1000)
    radius = np.hypot(*points.T)
    assert labels.sum() == 500
    assert radius[labels == 1].max() < 2.5
    assert radius[labels == 0].min() >= 3.5
    assert radius.max() < 5
    assert abs(np.mean(radius[labels == 1]) - 1.25) < 4 * 2.5 / np.sqrt(12 * 500)


def test_noise_of_the_circle_moves_labels_and_not_points():
    clean, noisy = planar.circle(1000, 0.0), planar.circle(1000, 0.5)
    np.testing.assert_array_equal(clean[0], noisy[0])
    assert 0.1 < (clean[1] != noisy[1]).mean() < 0.5


def test_spiral_is_two_arms_opposite_to_each_other():
    points, labels = planar.spiral(200)
    first, second = points[labels == 1], points[labels == 0]
    np.testing.assert_allclose(first, -second, atol=1e-5)
    np.testing.assert_allclose(np.hypot(*first.T), 5 * np.arange(100) / 100, atol=1e-5)
    turned = np.unwrap(np.arctan2(first[1:, 0], first[1:, 1]))
    np.testing.assert_allclose(turned[-1] - turned[0], 3.5 * np.pi * 98 / 100, atol=1e-4)
    moved, _ = planar.spiral(200, noise=0.3)
    assert 0.29 < np.abs(moved - points).max() < 0.3


def test_xor_is_the_sign_of_the_product_away_from_the_axes():
    points, labels = planar.xor(1000)
    np.testing.assert_array_equal(labels, points[:, 0] * points[:, 1] > 0)
    assert np.abs(points).min() >= 0.3
    assert 5.25 < np.abs(points).max() < 5.3


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_gauss_has_the_means_and_variances_of_the_slider(noise, variance):
    points, labels = planar.gauss(4000, noise)
    for sign, cloud in ((1, points[labels == 1]), (-1, points[labels == 0])):
        assert np.abs(cloud.mean(axis=0) - 2 * sign).max() < 4 * np.sqrt(variance / 2000)
        assert np.abs(cloud.var(axis=0) / variance - 1).max() < 4 * np.sqrt(2 / 2000)


def test_rings_have_their_radii():
    points, labels = planar.rings(100, ratio=0.3)
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 1, 0.3, 1.0), atol=1e-6)


@pytest.mark.parametrize("generate", GENERATORS)
def test_numbers_outside_their_range_are_refused(generate):
    with pytest.raises(ValueError, match="samples must be a whole number of at least 1, got 0"):
        generate(0)
    with pytest.raises(ValueError, match="noise must"):
        generate(10, noise=-0.1)
