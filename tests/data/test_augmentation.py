"""Augmentations: the exact identities, the moments of what is random, and one program for a batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.data import augmentation

WARP = jax.jit(augmentation.warp)


@pytest.fixture
def image(rng):
    return jnp.asarray(rng.normal(size=(6, 6, 2)), jnp.float32)


def moved(image, down, right):
    """Whole pixels, by index."""
    out = np.zeros_like(image)
    for i, j in np.ndindex(*image.shape[:2]):
        if 0 <= i - down < len(image) and 0 <= j - right < image.shape[1]:
            out[i, j] = image[i - down, j - right]
    return out


def test_nothing_asked_is_nothing_done(image):
    np.testing.assert_array_equal(WARP(image), image)
    np.testing.assert_array_equal(augmentation.in_order()(jax.random.key(0), image), image)


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, -2), (3, 2), (-1, 1), (7, 0)])
def test_a_shift_moves_pixels_exactly(image, down, right):
    np.testing.assert_array_equal(WARP(image, down=down, right=right), moved(np.asarray(image), down, right))


def test_half_a_pixel_is_the_mean_of_two(image):
    np.testing.assert_allclose(WARP(image, right=0.5)[:, 1:], (image[:, 1:] + image[:, :-1]) / 2, rtol=1e-5, atol=1e-6)


def test_four_quarter_turns_and_two_flips_are_identities(image):
    turned = image
    for _ in range(4):
        turned = augmentation.quarter_turns(turned, 1)
    np.testing.assert_array_equal(turned, image)
    for axis in (0, 1):
        once = augmentation.flip(image, axis)
        assert not jnp.array_equal(once, image)
        np.testing.assert_array_equal(augmentation.flip(once, axis), image)


def test_traced_quarter_turns_are_the_concrete_ones(image):
    turned = jax.jit(jax.vmap(augmentation.quarter_turns, in_axes=(None, 0)))(image, jnp.arange(-1, 5))
    for k, result in zip(range(-1, 5), turned, strict=True):
        np.testing.assert_array_equal(result, augmentation.quarter_turns(image, k))


@pytest.mark.parametrize("turns", [1, 2, -1])
def test_a_warp_by_ninety_degrees_is_a_quarter_turn(image, turns):
    inside = WARP(image, degrees=90.0 * turns)[1:-1, 1:-1]  # the rim may fall a rounding outside
    np.testing.assert_allclose(inside, augmentation.quarter_turns(image, turns)[1:-1, 1:-1], atol=1e-5)


def test_zoom_keeps_a_line_through_the_centre_and_changes_its_slope():
    ramp = jnp.broadcast_to(jnp.arange(-4.0, 5.0, dtype=jnp.float32)[None, :, None], (9, 9, 1))
    np.testing.assert_allclose(WARP(ramp, zoom=2.0), ramp / 2, atol=1e-6)
    shrunk = WARP(ramp, zoom=0.5)
    np.testing.assert_allclose(shrunk[2:7, 2:7], 2 * ramp[2:7, 2:7], atol=1e-5)
    assert (shrunk[:2] == 0).all()


def test_rotation_first_then_zoom_then_shift(image):
    steps = WARP(WARP(WARP(image, degrees=30.0), zoom=1.0), down=1)
    np.testing.assert_allclose(WARP(image, degrees=30.0, down=1)[1:], steps[1:], atol=1e-5)
    both = WARP(WARP(image, zoom=2.0), right=2)
    np.testing.assert_allclose(WARP(image, zoom=2.0, right=2)[:, 2:], both[:, 2:], atol=1e-5)


def test_random_shift_reaches_every_place_alike(image, key):
    draw = jax.jit(lambda k: augmentation.batch(augmentation.random_shift(1), k, jnp.stack([image] * 900)))
    places = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    candidates = np.stack([moved(np.asarray(image), *place) for place in places])
    hits = (np.asarray(draw(key))[:, None] == candidates[None]).all(axis=(2, 3, 4))
    assert (hits.sum(axis=1) == 1).all()
    assert np.abs(hits.sum(axis=0) - 100).max() < 4 * np.sqrt(900 * (1 / 9) * (8 / 9))


def test_random_flip_happens_as_often_as_asked(image, key):
    flipped = augmentation.batch(augmentation.random_flip(1, 0.3), key, jnp.stack([image] * 1000))
    changed = np.asarray(flipped[:, 0, 0, 0] != image[0, 0, 0])
    assert abs(changed.mean() - 0.3) < 4 * np.sqrt(0.21 / 1000)
    np.testing.assert_array_equal(flipped[int(np.argmax(changed))], augmentation.flip(image, 1))


def test_noise_has_its_deviation_and_no_mean(image, key):
    noise = np.asarray(augmentation.batch(augmentation.random_noise(0.2), key, jnp.stack([image] * 300)) - image[None])
    assert abs(noise.mean()) < 4 * 0.2 / np.sqrt(noise.size)
    assert abs(noise.std() / 0.2 - 1) < 4 / np.sqrt(2 * noise.size)


@pytest.mark.parametrize(
    ("augment", "change", "low", "high"),
    [
        (augmentation.random_rotation(20.0), "degrees", -20, 20),
        (augmentation.random_zoom(0.8, 1.2), "zoom", 0.8, 1.2),
    ],
)
def test_random_geometry_is_a_warp_by_a_number_in_range(augment, change, low, high, image, key):
    number = low + (high - low) * jax.random.uniform(key, (), jnp.float32)
    np.testing.assert_allclose(augment(key, image), WARP(image, **{change: number}), atol=1e-5)


def test_in_order_gives_each_its_own_key(image, key):
    twice = augmentation.in_order(augmentation.random_noise(1.0), augmentation.random_noise(1.0))(key, image)
    first, second = (jax.random.normal(k, image.shape, image.dtype) for k in jax.random.split(key))
    np.testing.assert_allclose(twice, image + first + second, rtol=1e-5, atol=1e-6)


def test_strengths_may_be_traced(image, key):
    swept = jax.jit(jax.vmap(lambda s: augmentation.random_noise(s)(key, image)))(jnp.array([0.0, 0.5]))
    np.testing.assert_array_equal(swept[0], image)
    np.testing.assert_allclose(swept[1], augmentation.random_noise(0.5)(key, image), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: augmentation.random_rotation(-1.0), "degrees must be non-negative, got -1"),
        (lambda: augmentation.random_zoom(0.0, 1.0), "low must be positive, got 0"),
        (lambda: augmentation.random_shift(-1), "pixels must be a whole number"),
        (lambda: augmentation.random_flip(probability=2.0), r"probability must lie in \[0, 1\], got 2"),
        (lambda: augmentation.random_noise(-0.1), "std must be non-negative"),
    ],
)
def test_numbers_outside_their_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
