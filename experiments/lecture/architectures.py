"""The three architectures of slide 9, each trained, with its gradient against finite differences."""

from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxdl
from experiments.lecture.registry import Claim, above, below, holds
from jaxdl import finite_differences, losses
from jaxdl.data import sequences
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP
from jaxdl.models.rnn import RNN


def gradient_error(loss: Callable[[Any], jax.Array], params: Any) -> float:
    """Of the automatic gradient against central differences, at parameters off the kinks of ReLU."""
    rng = np.random.default_rng(0)
    # Biases start at zero, where a unit without input sits on the kink.
    moved = jax.tree.map(lambda p: p + jnp.asarray(0.1 * rng.standard_normal(p.shape)), params)
    return float(jax.jit(lambda p: finite_differences.gradient_error(loss, p))(moved))


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


def recurrent() -> Iterable[Claim]:
    """C16: the network must repeat what it read two steps before."""
    model = _wide(RNN(features=4, outputs=1))
    x, y = (jnp.asarray(array, jnp.float64) for array in sequences.echo(4, times=6, delay=2))

    def loss(params: Any) -> jax.Array:
        return losses.binary_cross_entropy(model.apply(params, x)[..., 0].ravel(), y.ravel())

    error = gradient_error(loss, model.init(jax.random.key(0), x))
    yield below("gradient through time against central differences", error, 1e-6)
    problem = jaxdl.problems.get("echo-rnn", times=8, delay=2)
    run = jax.jit(lambda key: jaxdl.train(problem, jaxdl.adam(0.02), key, 300)[1])
    reached = float(run(jax.random.key(0)).metrics["test_accuracy"][-1])
    yield above("echo of the bit two steps before, accuracy on new sequences", reached, 0.99)


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
