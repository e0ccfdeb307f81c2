"""The nine exercises of tutorial 4 on scikit-learn's digits (8 × 8) in place of MNIST, which needs a download.

T1, T2 scale of ten linear layers · T3 three optimizers · T4 over-fitting · T5 L2 · T6 weight decay · T7 dropout by
hand · T8 a network with dropout · T9 two-dimensional codes.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxdl
from experiments.lecture import fitting
from experiments.lecture.registry import Claim, above, ascending, below, near
from jaxdl import losses

Layers = list[tuple[jax.Array, jax.Array]]


class Curves(NamedTuple):
    """Losses at the records of a run, dropout off, and the last accuracy on the test images."""

    train: np.ndarray
    test: np.ndarray
    accuracy: float
    layers: Layers


@functools.cache
def digits(train: int, test: int) -> dict[str, tuple[jax.Array, jax.Array]]:
    """So many training and test images in float64, pixels in [0, 1]."""
    found = jaxdl.problems.get("digits-mlp").data
    wanted = {"train": train, "test": test}
    flat = {name: found[name][0].reshape(len(found[name][0]), -1)[:count] for name, count in wanted.items()}
    return {name: (jnp.asarray(flat[name], jnp.float64), found[name][1][:count]) for name, count in wanted.items()}


def drop(h: jax.Array, key: jax.Array, rate: float) -> jax.Array:
    """T7, by hand: outputs are set to 0 with probability ``rate``, the others divided by 1 − rate."""
    kept = jax.random.uniform(key, h.shape) >= rate
    return jnp.where(kept, h / (1 - rate), jnp.zeros_like(h))


def logits(layers: Layers, x: jax.Array, rates: tuple[float, ...] = (), key: jax.Array | None = None) -> jax.Array:
    """With a key and rates: dropout on the input and on hidden layers, ``rates`` in that order."""
    keys = jax.random.split(jax.random.key(0) if key is None else key, len(layers))
    for place, (w, b) in enumerate(layers):
        if key is not None and place < len(rates):
            x = drop(x, keys[place], rates[place])
        x = x @ w.T + b[None, :]
        x = x if place == len(layers) - 1 else jax.nn.relu(x)
    return x


def train(
    widths: tuple[int, ...],
    tx: Any,
    steps: int,
    data: dict[str, tuple[jax.Array, jax.Array]],
    *,
    rates: tuple[float, ...] = (),
    batch_size: int | None = None,
    penalty: Callable[[Layers], jax.Array] | None = None,
) -> Curves:
    """Trains a ReLU network on digits; ``penalty`` is added to what is minimised, not to the recorded losses."""

    def loss(layers: Layers, batch: tuple[jax.Array, jax.Array], key: jax.Array) -> jax.Array:
        found = losses.cross_entropy(logits(layers, batch[0], rates, key if rates else None), batch[1])
        return found if penalty is None else found + penalty(layers)

    def metrics(layers: Layers, batch: tuple[jax.Array, jax.Array]) -> dict[str, jax.Array]:
        z = logits(layers, batch[0])
        return {"loss": losses.cross_entropy(z, batch[1]), "accuracy": losses.accuracy(z, batch[1])}

    problem = jaxdl.Problem(
        name="tutorial",
        init=lambda key: fitting.perceptron(key, (64, *widths, 10)),
        loss=loss,
        metrics=metrics,
        data={"train": data["train"], "fit": data["train"], "test": data["test"]},
        batch_size=batch_size,
        shuffle=False,
    )
    state, curves = jax.jit(lambda key: jaxdl.train(problem, tx, key, steps))(jax.random.key(0))
    found = {name: np.asarray(values) for name, values in curves.metrics.items()}
    return Curves(found["fit_loss"], found["test_loss"], float(found["test_accuracy"][-1]), state.params)


def claims() -> Iterable[Claim]:
    """C99."""
    rng, image = np.random.default_rng(0), np.ones(5)
    ends = []
    for std in (1.0, 5**-0.5):
        y = image
        for _ in range(10):
            y = std * rng.standard_normal((5, 5)) @ y
        ends.append(float(np.abs(y).max()))
    yield above("T1: ten linear layers N(0, 1), largest output", ends[0], 100)
    yield below("T2: with σ = √(1/N)", ends[1], 10)
    yield from _optimizers()
    yield from _over_fitting()
    yield from _dropout()
    yield from _codes()


def _optimizers() -> Iterable[Claim]:
    data = digits(1000, 300)
    rules = {"SGD": jaxdl.sgd(5e-3), "RMSProp": jaxdl.rmsprop(5e-3, 0.99), "Adam": jaxdl.adam(5e-3)}
    ends = {name: train((50,), tx, 100, data, batch_size=100).train[-1] for name, tx in rules.items()}
    yield ascending("T3: loss after 10 epochs, η = 0.005: Adam, SGD", ends["Adam"], ends["SGD"])
    yield ascending("T3: RMSProp, SGD", ends["RMSProp"], ends["SGD"])


def _over_fitting() -> Iterable[Claim]:
    data = digits(100, 100)
    free = train((50,), jaxdl.adam(1e-2), 600, data)
    yield below("T4: training loss on 100 images", free.train[-1], 1e-3)
    yield ascending("T4: test loss at its best, and at the end", free.test.min(), free.test[-1])

    def squares(layers: Layers) -> jax.Array:
        return 0.01 * sum((jnp.sum(w**2) for w, _ in layers), start=jnp.zeros(()))

    held = train((50,), jaxdl.adam(1e-2), 600, data, penalty=squares)
    yield ascending("T5: with 0.01 Σ‖W‖² the training loss stays above", free.train[-1], held.train[-1])
    coupled = jaxdl.chain(jaxdl.add_l2_gradient(0.01), jaxdl.adam(1e-2))
    decayed = train((50,), coupled, 600, data)
    yield ascending(
        "T6: and with torch's weight_decay = 0.01 (½ λ‖θ‖²), half as strong",
        free.train[-1],
        decayed.train[-1],
        held.train[-1],
    )


def _dropout() -> Iterable[Claim]:
    h, rate = jnp.ones((200, 50)), 0.3
    dropped = np.asarray(drop(h, jax.random.key(0), rate))
    yield near("T7: mean of thinned ones", dropped.mean(), 1.0, 4 * (rate / (1 - rate) / h.size) ** 0.5)
    data = digits(300, 300)
    plain = train((60, 30), jaxdl.adam(5e-3), 400, data)
    thinned = train((60, 30), jaxdl.adam(5e-3), 400, data, rates=(0.2, 0.5, 0.5))
    yield ascending("T8: dropout 0.2, 0.5, 0.5 keeps the training loss higher", plain.train[-1], thinned.train[-1])
    yield ascending("T8: and the test loss lower", thinned.test[-1], plain.test[-1])


def _codes() -> Iterable[Claim]:
    data = digits(1000, 300)
    found = train((60, 2), jaxdl.adam(1e-2), 800, data)
    hidden = fitting.activations(found.layers, data["train"][0])[1]
    yield near("T9: codes of the bottleneck have two numbers", hidden.shape[1], 2, 0)
    yield above(
        "T9: and still tell ten digits apart, accuracy on the training images by nearest mean",
        _nearest(hidden, data["train"][1]),
        0.3,
    )


def _nearest(codes: jax.Array, labels: jax.Array) -> float:
    x, y = np.asarray(codes), np.asarray(labels)
    means = np.stack([x[y == digit].mean(0) for digit in range(10)])
    return float((((x[:, None] - means) ** 2).sum(-1).argmin(1) == y).mean())
