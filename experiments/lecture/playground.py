"""Two-dimensional data beside the lecture's: a small network on each, drawn as the lecture draws its own."""

import functools
from collections.abc import Callable, Iterable

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import fitting
from experiments.lecture.registry import Claim, above, holds
from jaxdl import losses
from jaxdl.data import planar

SETS: dict[str, tuple[Callable[..., planar.Points], float]] = {
    "circle": (planar.circle, 0.0),
    "spiral": (planar.spiral, 0.0),
    "xor": (planar.xor, 0.0),
    "gauss": (planar.gauss, 0.0),
    "moons": (planar.moons, 0.1),
    "rings": (planar.rings, 0.05),
}
"""Name to generator and noise."""

Layers = list[tuple[jax.Array, jax.Array]]


@functools.cache
def learned(name: str, samples: int = 200) -> tuple[np.ndarray, np.ndarray, Layers, float, float]:
    """Points, labels, a network 2-16-16-1 trained on them, the scale of its inputs, and its accuracy."""
    make, noise = SETS[name]
    x, y = make(samples, noise=noise, seed=0)
    scale = float(np.abs(x).max())
    inputs, targets = jnp.asarray(x / scale, jnp.float64), jnp.asarray(y, jnp.float64)

    def loss(layers: Layers) -> jax.Array:
        return losses.binary_cross_entropy(fitting.activations(layers, inputs, jnp.tanh)[-1][:, 0], targets)

    start = fitting.perceptron(jax.random.key(0), (2, 16, 16, 1))
    layers, _ = fitting.fit(loss, start, jaxdl.adam(0.03), 1000)
    right = (np.asarray(fitting.activations(layers, inputs, jnp.tanh)[-1][:, 0]) > 0) == (y > 0)
    return x, y, layers, scale, float(right.mean())


def claims() -> Iterable[Claim]:
    """C106."""
    for name, (make, noise) in SETS.items():
        one, again, other = (make(100, noise=noise, seed=seed) for seed in (0, 0, 1))
        same = bool((one[0] == again[0]).all())
        yield holds(f"{name}: the same seed, the same points", same)
        differs = bool((one[0] != other[0]).any()) or (noise == 0 and name == "spiral")
        yield holds(f"{name}: another seed, others (a spiral without noise is one and the same)", differs)
        yield above(f"{name}: accuracy of a network 2-16-16-1 on 200 points", learned(name)[4], 0.97)
    x, y = planar.circle(400)
    yield holds("circle: the disc ends at 2.5, the ring begins at 3.5", bool(((np.hypot(*x.T) < 3) == (y == 1)).all()))
    x, y = planar.xor(400)
    yield holds(
        "xor: label by the sign of x·y, 0.3 from the axes",
        bool((np.abs(x) >= 0.3).all() and ((x.prod(1) > 0) == (y == 1)).all()),
    )
