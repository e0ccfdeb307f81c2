r"""Image augmentation: random changes that leave the label, drawn anew in every step.

An **augmentation** is a function ``(key, image) -> image`` of one image ``(height, width, channels)``: pure, of one
shape and dtype, so that ``vmap`` takes it over a batch and ``jit`` into training (``problems.augmented``). Under each
stands the change itself, without a key. Geometry is one affine map about the centre c of the image,

.. math::  \text{out}(p) = \text{in}\bigl(c + R_{-\theta}(p - c - s) / z\bigr)

with shift s, zoom z and angle θ counter-clockwise, read between pixels by bilinear interpolation, and 0 outside. Shifts
by whole pixels, zoom 1 and angle 0 are exact; so are :func:`flip` and :func:`quarter_turns`, which move pixels only.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.typing import Key, Scalar

Augmentation: TypeAlias = Callable[[Key, jax.Array], jax.Array]
"""``(key, image) -> image``, of one image ``(height, width, channels)``."""


# --- changes ----------------------------------------------------------------------------------------------------------


def warp(
    image: jax.Array, *, degrees: Scalar = 0.0, zoom: Scalar = 1.0, down: Scalar = 0.0, right: Scalar = 0.0
) -> jax.Array:
    """Rotates, zooms and shifts, in that order; the equation is at the top of this file.

    Args:
      image: Shape ``(height, width, channels)``, of a real floating dtype.
      degrees: θ, counter-clockwise. All numbers may be traced.
      zoom: z > 0, above 1 the content grows.
      down: Rows by which the content moves.
      right: Columns by which it does.

    Returns:
      An image of the same shape and dtype.

    >>> print(warp(jnp.array([[1.0, 2.0, 3.0]])[..., None], right=1)[..., 0])
    [[0. 1. 2.]]
    """
    from jax.scipy.ndimage import map_coordinates

    height, width, _ = image.shape
    angle, factor, rows, columns = (jnp.asarray(x).astype(image.dtype) for x in (degrees, zoom, down, right))
    angle = angle * (jnp.pi / 180)
    centre = (height - 1) / 2, (width - 1) / 2
    y = jnp.arange(height, dtype=image.dtype)[:, None] - centre[0] - rows
    x = jnp.arange(width, dtype=image.dtype)[None, :] - centre[1] - columns
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    # Rows point down, so turning counter-clockwise on the screen is clockwise in (row, column).
    places = [centre[0] + (cosine * y + sine * x) / factor, centre[1] + (cosine * x - sine * y) / factor]

    def channel(values: jax.Array) -> jax.Array:
        with jax.numpy_dtype_promotion("standard"):  # JAX's own interpolation mixes its indices and values
            read: jax.Array = map_coordinates(values, places, order=1, mode="constant")
        return read.astype(image.dtype)

    warped: jax.Array = jax.vmap(channel, in_axes=2, out_axes=2)(image)
    return warped


def quarter_turns(image: jax.Array, turns: int | jax.Array) -> jax.Array:
    """Turns counter-clockwise by 90° ``turns`` times, exactly. ``turns`` may be traced where the image is square."""
    if isinstance(turns, jax.core.Tracer):
        turned: jax.Array = jax.lax.switch(turns % 4, [partial(jnp.rot90, k=k) for k in range(4)], image)
        return turned
    return jnp.rot90(image, int(turns))


def flip(image: jax.Array, axis: int) -> jax.Array:
    """Mirrors: ``axis`` 1 exchanges left and right, 0 exchanges up and down."""
    return jnp.flip(image, axis)


# --- augmentations ----------------------------------------------------------------------------------------------------


def random_rotation(degrees: Scalar) -> Augmentation:
    """By an angle drawn from U(−degrees, degrees), ``degrees`` ≥ 0."""
    checks.nonnegative(degrees=degrees)
    return lambda key, image: warp(image, degrees=_between(key, image, -degrees, degrees))


def random_zoom(low: Scalar, high: Scalar) -> Augmentation:
    """By a factor drawn from U(low, high), both positive."""
    checks.positive(low=low, high=high)
    return lambda key, image: warp(image, zoom=_between(key, image, low, high))


def random_shift(pixels: int) -> Augmentation:
    """By whole pixels, down and right drawn from {−pixels, …, pixels} each: exact, what leaves the image is lost.

    >>> image = jnp.zeros((5, 5, 1)).at[2, 2].set(1.0)
    >>> print(random_shift(2)(jax.random.key(0), image).sum())
    1.0
    """
    if pixels:
        checks.positive_integer(pixels=pixels)

    def augment(key: Key, image: jax.Array) -> jax.Array:
        starts = jax.random.randint(key, (2,), 0, 2 * pixels + 1)
        padded = jnp.pad(image, ((pixels, pixels), (pixels, pixels), (0, 0)))
        return jax.lax.dynamic_slice(padded, (starts[0], starts[1], jnp.zeros_like(starts[0])), image.shape)

    return augment


def random_flip(axis: int = 1, probability: Scalar = 0.5) -> Augmentation:
    """Mirrored or not. ``axis`` as of :func:`flip`. Digits and letters do not keep their label under it."""
    checks.fraction(probability=probability)

    def augment(key: Key, image: jax.Array) -> jax.Array:
        flipped = jax.random.uniform(key, (), jnp.float32) < jnp.asarray(probability).astype(jnp.float32)
        return jnp.where(flipped, flip(image, axis), image)

    return augment


def random_noise(std: Scalar) -> Augmentation:
    """Plus N(0, std²) for every pixel, std ≥ 0; values may leave their range. For features of any shape too."""
    checks.nonnegative(std=std)
    return lambda key, image: (
        image + jnp.asarray(std).astype(image.dtype) * jax.random.normal(key, image.shape, image.dtype)
    )


def in_order(*augmentations: Augmentation) -> Augmentation:
    """One after the other, each with a key of its own; none leaves the image as it is."""

    def augment(key: Key, image: jax.Array) -> jax.Array:
        for augmentation, one in zip(augmentations, jax.random.split(key, max(1, len(augmentations))), strict=False):
            image = augmentation(one, image)
        return image

    return augment


def batch(augmentation: Augmentation, key: Key, images: jax.Array) -> jax.Array:
    """Every image ``(n, …)`` of a batch by a draw of its own."""
    return jax.vmap(augmentation)(jax.random.split(key, len(images)), images)


def _between(key: Key, image: jax.Array, low: Scalar, high: Scalar) -> jax.Array:
    start, end = (jnp.asarray(x).astype(image.dtype) for x in (low, high))
    return start + (end - start) * jax.random.uniform(key, (), image.dtype)
