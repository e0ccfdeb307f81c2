"""Neural networks on the digits: what most comparisons are made on.

1077 images of 8 × 8 to train on, 360 to choose by, 360 to report. Losses are cross-entropies in nats. No floor is
given: networks that fit every sample come as near to 0 as their weights grow, nothing to measure a gap against.

Targets are validation losses that each of the six optimizers, at the best of 12 rates from its default range, passes
within 500 steps (median over seeds); they were set by such runs with the default arguments.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import losses
from jaxdl.data.digits import digits
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP
from jaxdl.models.residual import ResidualMLP
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, Params, Scalar


def classification(name: str, model: Any, data: dict[str, Batch], **fields: Any) -> Problem:
    """A problem from a Flax classifier: cross-entropy for the loss, cross-entropy and accuracy for the metrics.

    Args:
      name: Name of the problem.
      model: A Linen module whose ``apply(params, inputs, training=…)`` gives logits; it may use a ``dropout`` key.
      data: Splits of ``(inputs, labels)``.
      **fields: Further fields of :class:`Problem`: ``batch_size``, ``target``, …

    Returns:
      The problem, its data on the default device.
    """
    data = jax.tree.map(jnp.asarray, data)
    inputs = data["train"][0]
    sample = jnp.zeros((1, *inputs.shape[1:]), inputs.dtype)

    def init(key: Key) -> Params:
        return model.init(key, sample)

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        inputs, labels = batch
        return losses.cross_entropy(model.apply(params, inputs, training=True, rngs={"dropout": key}), labels)

    def metrics(params: Params, batch: Batch) -> Metrics:
        inputs, labels = batch
        logits = model.apply(params, inputs, training=False)
        return {"loss": losses.cross_entropy(logits, labels), "accuracy": losses.accuracy(logits, labels)}

    return Problem(name=name, init=init, loss=loss, metrics=metrics, data=data, units="nat", **fields)


def digits_mlp(
    hidden: Sequence[int] = (32,),
    batch_size: int | None = 128,
    dropout_rate: Scalar = 0.0,
    label_noise: Scalar = 0.0,
) -> Problem:
    """A ReLU network 64-32-10 on the digits, He initialisation.

    Args:
      hidden: Widths of the hidden layers.
      batch_size: Samples per step; None for all 1077.
      dropout_rate: Probability of dropping a hidden unit in training. May be traced, and so swept.
      label_noise: Part of the training labels that are replaced by another class, in [0, 1]; may be traced, and so
        swept. Equation: ``data/label_noise.py``.

    Returns:
      The problem; target 0.15 nat.
    """
    model = MLP((*hidden, 10), dropout_rate=dropout_rate)
    return classification("digits-mlp", model, digits(label_noise=label_noise), batch_size=batch_size, target=0.15)


def digits_cnn(channels: Sequence[int] = (16, 32), batch_size: int | None = 128, label_noise: Scalar = 0.0) -> Problem:
    """A small convolutional network on the digits; its equations and shapes are in ``models/cnn.py``.

    Args:
      channels: Output channels of the convolutions; every one but the first halves the image.
      batch_size: Samples per step; None for all 1077.
      label_noise: Part of the training labels that are replaced by another class, in [0, 1]; may be traced, and so
        swept. Equation: ``data/label_noise.py``.

    Returns:
      The problem; target 0.12 nat.
    """
    model = CNN(tuple(channels))
    return classification("digits-cnn", model, digits(label_noise=label_noise), batch_size=batch_size, target=0.12)


def digits_resmlp(width: int = 32, blocks: int = 2, batch_size: int | None = 128, label_noise: Scalar = 0.0) -> Problem:
    """A residual network with layer normalisation on the digits; its equations are in ``models/residual.py``.

    Args:
      width: Features of the residual stream.
      blocks: Residual branches of two dense layers each.
      batch_size: Samples per step; None for all 1077.
      label_noise: Part of the training labels that are replaced by another class, in [0, 1]; may be traced, and so
        swept. Equation: ``data/label_noise.py``.

    Returns:
      The problem; target 0.17 nat.
    """
    model = ResidualMLP(width, blocks)
    return classification("digits-resmlp", model, digits(label_noise=label_noise), batch_size=batch_size, target=0.17)
