"""Recurrent networks on sequences of bits: the mean cross-entropy over all times, in nats.

An Elman layer of 16 units; 512 sequences to train on, 256 to choose by, 256 to report. Targets are validation losses
that tuned Adam passes within the steps given at each problem (median over seeds).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import losses
from jaxdl.data import sequences
from jaxdl.models.rnn import RNN
from jaxdl.problems.problem import SPLITS, Problem
from jaxdl.typing import Batch, Key, Metrics, Params

SAMPLES = (512, 256, 256)
"""Sequences in each split."""


def echo_rnn(times: int = 12, delay: int = 3, features: int = 16, batch_size: int | None = 64) -> Problem:
    """Repeats every bit ``delay`` steps later; equations: ``data/sequences.py`` and ``models/rnn.py``.

    Args:
      times: Length of the sequences.
      delay: How long a bit must be remembered.
      features: Size of the hidden state.
      batch_size: Sequences per step; None for all 512.

    Returns:
      The problem; target 0.05 nat.

    Raises:
      ValueError: ``delay`` is not below ``times``.
    """
    return _of_bits("echo-rnn", lambda n, seed: sequences.echo(n, times, delay, seed), features, batch_size)


def parity_rnn(times: int = 8, features: int = 16, batch_size: int | None = 64) -> Problem:
    """Says at every time whether the number of ones so far is odd: a plateau at log 2 = 0.69 nat, then a fall.

    Args:
      times: Length of the sequences; the plateau is the longer.
      features: Size of the hidden state.
      batch_size: Sequences per step; None for all 512.

    Returns:
      The problem; target 0.05 nat.
    """
    return _of_bits("parity-rnn", lambda n, seed: sequences.parity(n, times, seed), features, batch_size)


def _of_bits(
    name: str, draw: Callable[[int, int], sequences.Sequences], features: int, batch_size: int | None
) -> Problem:
    model = RNN(features=features, outputs=1)
    data = {
        split: jax.tree.map(jnp.asarray, draw(n, seed))
        for seed, (split, n) in enumerate(zip(SPLITS, SAMPLES, strict=True))
    }
    sample = data["train"][0][:1]

    def init(key: Key) -> Params:
        return model.init(key, sample)

    def metrics(params: Params, batch: Batch) -> Metrics:
        inputs, labels = batch
        outputs: Any = model.apply(params, inputs)
        logits, labels = outputs.ravel(), labels.ravel()
        right = (logits > 0) == (labels > 0)
        return {"loss": losses.binary_cross_entropy(logits, labels), "accuracy": jnp.mean(right.astype(logits.dtype))}

    def loss(params: Params, batch: Batch, key: Key) -> jax.Array:
        del key
        return metrics(params, batch)["loss"]

    return Problem(name, init, loss, metrics, data, batch_size=batch_size, target=0.05, units="nat")
