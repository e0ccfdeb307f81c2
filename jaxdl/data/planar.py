r"""Two classes of points in the plane, drawn anew for every seed.

Circle, spiral, xor and gauss are those of TensorFlow Playground, which shows them on [−6, 6]²; its slider from 0 to 50
is ``noise`` from 0 to 0.5 here:

.. math::

    \text{circle:} &\quad r \sim U(0, 2.5) \text{ or } U(3.5, 5), \text{ angle } U(0, 2\pi);
                     \text{ label by } \lVert x + \xi\rVert < 2.5, \quad \xi \sim U(\pm 5)\,\text{noise} \\
    \text{spiral:} &\quad r_i = 5 i / n, \quad t_i = 3.5 \pi\, i / n + (0 \text{ or } \pi), \quad
                     x = r (\sin t, \cos t) + U(\pm 1)\,\text{noise} \\
    \text{xor:}    &\quad x \sim U(\pm 5)^2, \text{ pushed } 0.3 \text{ away from the axes};
                     \text{ label by the sign of } x_1 x_2 \text{ after } U(\pm 5)\,\text{noise} \\
    \text{gauss:}  &\quad x \sim N(\pm (2, 2),\; (0.5 + 7\,\text{noise})\, I)

Labels of circle and xor are decided at the noisy place while the point stays where it is: the noise is one of labels.
Moons and rings are scikit-learn's.

Source: github.com/tensorflow/playground, ``src/dataset.ts``.
"""

import numpy as np

from jaxdl import checks

Points = tuple[np.ndarray, np.ndarray]
"""``(features, labels)``: float32 of shape ``(n, 2)``, and int32 of shape ``(n,)``, 0 or 1."""


def circle(samples: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """A disc (class 1) inside a ring (class 0); in polar coordinates one number tells them apart.

    Args:
      samples: n, half of them in the disc; where it is odd, the ring has one more.
      noise: In [0, 0.5].
      seed: Which points.

    Returns:
      Features and labels.

    Raises:
      ValueError: a number outside its range.

    >>> points, labels = circle(100)
    >>> bool(((np.hypot(*points.T) < 2.5) == labels).all())
    True
    """
    rng = _checked(samples, noise, seed)
    inside = np.arange(samples) < samples // 2
    radius = np.where(inside, rng.uniform(0, 2.5, samples), rng.uniform(3.5, 5, samples))
    angle = rng.uniform(0, 2 * np.pi, samples)
    points = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    moved = points + noise * rng.uniform(-5, 5, points.shape)
    return _points(points, np.hypot(*moved.T) < 2.5)


def spiral(samples: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """Two arms, each of half the points, wound 1¾ times round the origin. Arguments as of :func:`circle`."""
    rng = _checked(samples, noise, seed)
    first = np.arange(samples) < samples // 2
    along = np.concatenate([np.arange(n) / n for n in (samples // 2, samples - samples // 2) if n])
    angle = 3.5 * np.pi * along + np.where(first, 0, np.pi)
    points = 5 * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _points(points + noise * rng.uniform(-1, 1, points.shape), first)


def xor(samples: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """Class 1 where both coordinates have one sign. Arguments as of :func:`circle`."""
    rng = _checked(samples, noise, seed)
    points = rng.uniform(-5, 5, (samples, 2))
    points += np.where(points > 0, 0.3, -0.3)
    moved = points + noise * rng.uniform(-5, 5, points.shape)
    return _points(points, moved[:, 0] * moved[:, 1] >= 0)


def gauss(samples: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """Two round clouds, class 1 about (2, 2) and class 0 about (−2, −2). Arguments as of :func:`circle`."""
    rng = _checked(samples, noise, seed)
    first = np.arange(samples) < samples // 2
    spread = np.sqrt(0.5 + 7 * noise)
    return _points(np.where(first, 2.0, -2.0)[:, None] + spread * rng.standard_normal((samples, 2)), first)


def moons(samples: int = 500, noise: float = 0.0, seed: int = 0) -> Points:
    """Two interleaved half circles of radius 1; ``noise`` is the standard deviation of a Gaussian, from 0 on."""
    from sklearn.datasets import make_moons

    _checked(samples, 0.0, seed)
    checks.nonnegative(noise=noise)
    return _points(*make_moons(samples, noise=noise or None, random_state=seed))


def rings(samples: int = 500, noise: float = 0.0, seed: int = 0, ratio: float = 0.5) -> Points:
    """A circle of radius ``ratio`` (class 1) inside one of radius 1 (class 0); ``noise`` as of :func:`moons`."""
    from sklearn.datasets import make_circles

    _checked(samples, 0.0, seed)
    checks.nonnegative(noise=noise)
    return _points(*make_circles(samples, noise=noise or None, random_state=seed, factor=ratio))


def _checked(samples: int, noise: float, seed: int) -> np.random.Generator:
    checks.positive_integer(samples=samples)
    if not 0 <= noise <= 0.5:
        raise ValueError(f"noise must lie in [0, 0.5], got {noise:g}.")
    return np.random.default_rng(seed)


def _points(features: np.ndarray, labels: np.ndarray) -> Points:
    return features.astype(np.float32), labels.astype(np.int32)
