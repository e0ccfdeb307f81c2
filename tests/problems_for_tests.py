"""Two small problems: one in closed form, one with batches."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import Problem

CURVATURES = np.array([1.0, 0.25, 0.05])


def bowl() -> Problem:
    """½ Σ λᵢ xᵢ², started at ones, in float64: gradient descent gives (1 − ηλ)ᵗ in every coordinate."""

    def loss(x: jax.Array, batch: object, key: object) -> jax.Array:
        return 0.5 * jnp.sum(CURVATURES * x**2)

    return Problem("bowl", lambda key: jnp.ones(3), loss, lambda x, batch: {"loss": loss(x, batch, None)}, floor=0.0)


def regression(batch_size: int | None = 4) -> Problem:
    """Least squares on 30 noisy samples in float64; the seed decides the start and the batches."""
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(30, 2))
    targets = inputs @ np.array([1.0, -2.0]) + 0.1 * rng.normal(size=30)
    parts = {"train": slice(0, 20), "val": slice(20, 25), "test": slice(25, 30)}
    data = {name: (jnp.asarray(inputs[part]), jnp.asarray(targets[part])) for name, part in parts.items()}

    def error(w: jax.Array, batch: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jnp.mean((batch[0] @ w - batch[1]) ** 2)

    return Problem(
        "regression",
        lambda key: jax.random.normal(key, (2,)),
        lambda w, batch, key: error(w, batch),
        lambda w, batch: {"loss": error(w, batch)},
        data,
        batch_size,
        target=0.05,
    )
