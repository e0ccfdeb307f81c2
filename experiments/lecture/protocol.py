r"""The protocol of all the lecture's experiments: network, initialisation, order of the samples, what "loss" means.

.. math::  p(x) = \sigma\bigl(w_2 \cdot \max(0, W_1 x + b_1) + b_2\bigr), \qquad
           L = -y \log p - (1 - y) \log(1 - p), \qquad W_1 \in \mathbb{R}^{32 \times 2}

- every weight *and* bias starts from :math:`U(\pm 1/\sqrt{\text{fan-in}})`;
- one sample per update, in a fixed order, characters first; 13 updates are an epoch (训练轮次);
- the "loss" of an epoch is the mean of the 13 losses *while training*, each before its own update, dropout on;
- in float64: with η = 0.3 two runs that differ by 10⁻⁷ part ways.

Full batches, shuffled samples, other initialisations and a penalty λ‖θ‖² in place of ½ λ‖θ‖² do not give the lecture's
numbers.
"""

import jax
import jax.numpy as jnp

import jaxdl
from experiments.lecture.data import TRAINING, VALIDATION, Points
from jaxdl import losses
from jaxdl.models import dropout

HIDDEN = 32
EPOCH = len(TRAINING.names)
"""Updates of an epoch."""

Params = dict[str, jax.Array]
Batch = tuple[jax.Array, jax.Array]


def init(key: jax.Array) -> Params:
    """U(±1/√fan-in) for weights, stored (out, in) as on slide 12, and for biases."""
    keys = jax.random.split(key, 4)

    def uniform(key: jax.Array, shape: tuple[int, ...], fan_in: int) -> jax.Array:
        bound = fan_in**-0.5
        return jax.random.uniform(key, shape, jnp.float64, -bound, bound)

    return {
        "w1": uniform(keys[0], (HIDDEN, 2), 2),
        "b1": uniform(keys[1], (HIDDEN,), 2),
        "w2": uniform(keys[2], (HIDDEN,), HIDDEN),
        "b2": uniform(keys[3], (), HIDDEN),
    }


def hidden(params: Params, features: jax.Array) -> jax.Array:
    """Outputs of the hidden layer, ``(n, 2)`` to ``(n, 32)``."""
    return jax.nn.relu(features @ params["w1"].T + params["b1"][None, :])


def logits(params: Params, features: jax.Array) -> jax.Array:
    """The argument of σ, ``(n, 2)`` to ``(n,)``; positive where a character is seen."""
    return hidden(params, features) @ params["w2"] + params["b2"]


def loss(params: Params, batch: Batch) -> jax.Array:
    """Mean binary cross-entropy in nats."""
    features, labels = batch
    return losses.binary_cross_entropy(logits(params, features), labels)


def thinned(params: Params, features: jax.Array, key: jax.Array, rate: jax.Array | float) -> jax.Array:
    """The hidden outputs, each set to 0 with probability ``rate`` and the others divided by 1 − rate."""
    return dropout.inverted.in_training(key, hidden(params, features), rate)


def loss_with_dropout(params: Params, batch: Batch, key: jax.Array, rate: jax.Array | float) -> jax.Array:
    """The loss with dropout on the hidden layer."""
    features, labels = batch
    outputs = thinned(params, features, key, rate)
    return losses.binary_cross_entropy(outputs @ params["w2"] + params["b2"], labels)


def metrics(params: Params, batch: Batch) -> dict[str, jax.Array]:
    """At the end of an epoch, dropout off: ``loss``, and ``wrong``, Σ 2ⁱ over the misclassified points i."""
    features, labels = batch
    z = logits(params, features)
    wrong = (z > 0) != (labels > 0.5)
    powers = 2.0 ** jnp.arange(len(labels), dtype=z.dtype)
    return {
        "loss": losses.binary_cross_entropy(z, labels),
        "wrong": jnp.sum(jnp.where(wrong, powers, 0.0)),
    }


def problem(dropout_rate: jax.Array | float | None = None) -> jaxdl.Problem:
    """The protocol as a problem, 13 steps an epoch.

    Args:
      dropout_rate: Probability of a hidden output to be set to 0, in [0, 1), maybe traced; None for no dropout.

    Returns:
      The problem; the split ``val`` holds v1 … v4, ``end`` the training points once more, for the loss after an epoch.

    Raises:
      ValueError: double precision is off.
    """
    if not jax.config.read("jax_enable_x64"):
        raise ValueError("the lecture's protocol needs float64: call jax.config.update('jax_enable_x64', True) first.")

    def training_loss(params: Params, batch: Batch, key: jax.Array) -> jax.Array:
        if dropout_rate is None:
            return loss(params, batch)
        return loss_with_dropout(params, batch, key, dropout_rate)

    training, validation = arrays(TRAINING), arrays(VALIDATION)
    return jaxdl.Problem(
        name="lecture",
        init=init,
        loss=training_loss,
        metrics=metrics,
        data={"train": training, "val": validation, "end": training},
        batch_size=1,
        shuffle=False,
        units="nat",
    )


def arrays(points: Points) -> Batch:
    """Features ``(n, 2)`` and labels ``(n,)`` in float64."""
    return jnp.asarray(points.features, jnp.float64), jnp.asarray(points.labels, jnp.float64)


def staged_sgd(first: float, second: float, third: float) -> object:
    """SGD whose rate is ``first`` in epochs 1 … 500, ``second`` in 501 … 900 and ``third`` from 901 on."""
    boundaries = jnp.array([500.0 * EPOCH, 900.0 * EPOCH])
    scales = jnp.stack([jnp.asarray(second / first, float), jnp.asarray(third / second, float)])
    return jaxdl.sgd(jaxdl.schedules.piecewise_constant_arrays(first, boundaries, scales))


def penalised_adam(learning_rate: float, penalty: jax.Array | float = 0.0) -> object:
    """Adam on the gradient of L + ½ λ‖θ‖²."""
    return jaxdl.chain(jaxdl.add_l2_gradient(penalty), jaxdl.adam(learning_rate))
