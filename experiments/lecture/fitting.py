"""Small helpers around ``jaxdl.train``: full-batch training of a function of parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from jaxdl.typing import Params


def fit(loss: Callable[[Params], jax.Array], start: Params, tx: Any, steps: int) -> tuple[Params, np.ndarray]:
    """Minimises a loss from a start: the last parameters, and the loss before every step, shape ``(steps,)``."""
    problem = jaxdl.Problem(
        name="lecture-fit",
        init=lambda key: start,
        loss=lambda params, batch, key: loss(params),
        metrics=lambda params, batch: {"loss": loss(params)},
    )

    @jax.jit
    def run(key: jax.Array) -> tuple[Params, jax.Array]:
        state, curves = jaxdl.train(problem, tx, key, steps, record_every=1, evaluated=False, divergence_factor=1e6)
        return state.params, curves.metrics["train_loss"][1:]

    params, losses = run(jax.random.key(0))
    return params, np.asarray(losses)


def best(
    loss: Callable[[Params], jax.Array], init: Callable[[jax.Array], Params], keys: jax.Array, tx: Any, steps: int
) -> float:
    """The smallest last loss over several starts, all in one program."""
    problem = jaxdl.Problem(
        name="lecture-fit",
        init=init,
        loss=lambda params, batch, key: loss(params),
        metrics=lambda params, batch: {"loss": loss(params)},
    )

    def one(key: jax.Array) -> jax.Array:
        state, _ = jaxdl.train(problem, tx, key, steps, record_every=steps, evaluated=False, divergence_factor=1e6)
        return loss(state.params)

    return float(jnp.min(jax.jit(jax.vmap(one))(keys)))


def perceptron(key: jax.Array, widths: tuple[int, ...]) -> list[tuple[jax.Array, jax.Array]]:
    """Weights ``(out, in)`` and biases of a network of any depth, U(±1/√fan-in), float64.

    Raises:
      ValueError: fewer than two widths.
    """
    if len(widths) < 2:
        raise ValueError(f"a network needs an input and an output width, got {widths!r}.")
    layers = []
    for a, b, k in zip(widths, widths[1:], jax.random.split(key, len(widths) - 1), strict=False):
        drawn = jax.random.uniform(k, (b, a + 1), float, -(a**-0.5), a**-0.5)
        layers.append((drawn[:, :a], drawn[:, a]))
    return layers


def activations(
    layers: list[tuple[jax.Array, jax.Array]], x: jax.Array, activation: Callable[[jax.Array], jax.Array] = jax.nn.relu
) -> list[jax.Array]:
    """The outputs of every layer, the last one linear; ``(n, d)`` to arrays ``(n, width)``."""
    found = []
    for place, (w, b) in enumerate(layers):
        x = x @ w.T + b[None, :]
        x = x if place == len(layers) - 1 else activation(x)
        found.append(x)
    return found
