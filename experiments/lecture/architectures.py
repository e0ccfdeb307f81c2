"""The three architectures of slide 9, each trained, with its gradient against finite differences."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxdl
from experiments.lecture.registry import Claim, above, below, holds
from jaxdl import losses
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP
from jaxdl.models.rnn import RNN


def gradient_error(loss: Callable[[Any], jax.Array], params: Any, seed: int = 0) -> float:
    """|directional derivative − central difference| / |derivative| along a random direction, in float64."""
    rng = np.random.default_rng(seed)
    direction = jax.tree.map(lambda p: jnp.asarray(rng.standard_normal(p.shape)), params)
    # Biases start at zero, where a unit without input sits on the kink of ReLU.
    params = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.standard_normal(p.shape)), params)
    value = jax.jit(loss)
    sides = [float(value(jax.tree.map(lambda p, d, s=s: p + s * 1e-5 * d, params, direction))) for s in (1, -1)]
    gradient = jax.jit(jax.grad(loss))(params)
    exact = sum(float(jnp.sum(g * d)) for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True))
    return abs((sides[0] - sides[1]) / 2e-5 - exact) / abs(exact)


def _wide(model: Any) -> Any:
    """The module in float64."""
    return model.clone(dtype=jnp.float64, param_dtype=jnp.float64)


def _trained(name: str, steps: int, **options: Any) -> float:
    """Test accuracy on the digits after Adam."""
    problem = jaxdl.problems.get(name, **options)
    _, curves = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(1e-2), key, steps))(jax.random.key(0))
    return float(curves.metrics["test_accuracy"][-1])


def feed_forward() -> Iterable[Claim]:
    """C14."""
    model = _wide(MLP((4, 4, 2)))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((5, 3)))
    params = model.init(jax.random.key(0), x)
    shapes = [leaf.shape for leaf in jax.tree.leaves(params) if leaf.ndim == 2]
    yield holds("3-4-4-2: kernels", shapes == [(3, 4), (4, 4), (4, 2)], str(shapes))
    yield holds("3-4-4-2: output", model.apply(params, x).shape == (5, 2))
    error = gradient_error(lambda p: losses.cross_entropy(model.apply(p, x), jnp.array([0, 1, 1, 0, 1])), params)
    yield below("gradient against central differences", error, 1e-6)
    yield above("test accuracy on the digits after 200 steps", _trained("digits-mlp", 200), 0.9)


def convolutional() -> Iterable[Claim]:
    """C15: means over blocks stand for the slide's pooling."""
    model = _wide(CNN((2, 3)))
    x = jnp.asarray(np.random.default_rng(0).standard_normal((3, 8, 8, 1)))
    params = model.init(jax.random.key(0), x)
    error = gradient_error(lambda p: losses.cross_entropy(model.apply(p, x), jnp.array([0, 1, 2])), params)
    yield below("gradient against central differences", error, 1e-6)
    yield above("test accuracy on images of digits after 60 steps", _trained("digits-cnn", 60, channels=(8, 16)), 0.85)


def parity(samples: int = 64, times: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Bits ±1 ``(n, T, 1)`` and whether the last two differ, at every time ``(n, T)``: memory of one step."""
    bits = np.random.default_rng(0).integers(0, 2, (samples, times))
    previous = np.concatenate([np.zeros((samples, 1), int), bits[:, :-1]], axis=1)
    return (2.0 * bits - 1)[..., None], (bits ^ previous).astype(float)


def recurrent() -> Iterable[Claim]:
    """C16: the network must remember the bit before."""
    model = _wide(RNN(features=8, outputs=1))
    x, y = map(jnp.asarray, parity())
    params = model.init(jax.random.key(0), x[:2])

    def logits(p: Any, x: jax.Array) -> jax.Array:
        return model.apply(p, x)[..., 0]

    def loss(p: Any, x: jax.Array, y: jax.Array) -> jax.Array:
        return losses.binary_cross_entropy(logits(p, x).ravel(), y.ravel())

    yield below("gradient through time against central differences", gradient_error(lambda p: loss(p, x, y), params), 1e-6)
    problem = jaxdl.Problem(
        name="parity",
        init=lambda key: model.init(key, x[:2]),
        loss=lambda p, batch, key: loss(p, x[:48], y[:48]),
        metrics=lambda p, batch: {"loss": loss(p, x[48:], y[48:])},
    )
    run = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(0.02), key, 300, evaluated=False)[0].params)
    found = run(jax.random.key(0))
    right = float(jnp.mean(((logits(found, x[48:]) > 0) == (y[48:] > 0.5)).astype(float)))
    yield above("parity of the last two bits on 16 new sequences: accuracy", right, 0.99)


def against_optax(gradients: np.ndarray) -> Iterable[Claim]:
    """C17: four rules beside optax's."""
    pairs = {
        "SGD": (jaxdl.sgd(0.1), optax.sgd(0.1)),
        "momentum": (jaxdl.momentum(0.1), optax.sgd(0.1, 0.9)),
        "RMSProp": (jaxdl.conventions.optax.rmsprop(0.1), optax.rmsprop(0.1)),
        "Adam": (jaxdl.adam(0.1), optax.adam(0.1)),
    }
    for name, pair in pairs.items():
        paths = []
        with jax.numpy_dtype_promotion("standard"):
            for tx in pair:
                state, made = tx.init(jnp.zeros(gradients.shape[1])), []
                for g in gradients:
                    delta, state = tx.update(jnp.asarray(g), state)
                    made.append(np.asarray(delta))
                paths.append(np.stack(made))
        yield below(f"{name} and optax's, {len(gradients)} steps", np.abs(np.subtract(*paths)).max(), 1e-6)
