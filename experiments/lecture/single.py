"""One seed of one experiment, with its parameters: what a decision map is drawn from."""

import functools
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxdl
from experiments.lecture import protocol, studies


class Single(NamedTuple):
    """``params``: at the end. ``loss``: mean of every epoch while training. ``val``: after every epoch. ``title``: what
    was run. ``best``: parameters at the epoch ``best_epoch`` (from 1) of the smallest validation loss."""

    params: Any
    loss: np.ndarray
    val: np.ndarray
    title: str
    best: Any
    best_epoch: int


def setting(id: str) -> tuple[jaxdl.Problem, Any, int, str]:
    """Problem, optimizer, epochs and words for S1 … S6, R0 … R3, D0 … D3.

    Raises:
      ValueError: there is no such experiment.
    """
    if id in studies.RATES:
        rate, epochs = studies.RATES[id], studies.EPOCHS * (5 if id == "S4" else 1)
        return protocol.problem(), protocol.staged_sgd(rate, rate, rate), epochs, f"SGD, η = {rate:g}, {epochs} epochs"
    if id == "S5":
        return protocol.problem(), protocol.staged_sgd(*studies.STAGES), studies.EPOCHS, "SGD, η = 0.3, 0.05, 0.01"
    if id == "S6":
        return protocol.problem(), protocol.penalised_adam(studies.ADAM_RATE), studies.EPOCHS, "Adam, η = 0.03"
    if id in studies.PENALTIES:
        weight = studies.PENALTIES[id]
        tx = protocol.penalised_adam(studies.ADAM_RATE, weight)
        return protocol.problem(), tx, studies.EPOCHS, f"Adam, η = 0.03, L2 weight λ = {weight:g}"
    if id in studies.DROPOUTS:
        rate = studies.DROPOUTS[id]
        tx = protocol.penalised_adam(studies.ADAM_RATE)
        return protocol.problem(rate), tx, studies.EPOCHS, f"Adam, η = 0.03, dropout p = {rate:g}"
    raise ValueError(f"experiments are S1 … S6, R0 … R3, D0 … D3, got {id!r}.")


@functools.cache
def run(id: str, seed: int = 0) -> Single:
    """The run that :func:`jaxdl.sweep` makes of this seed, up to rounding."""
    problem, tx, epochs, title = setting(id)

    def train(key: jax.Array) -> tuple[Any, Any]:
        steps = epochs * protocol.EPOCH
        state, curves = jaxdl.train(
            problem,
            tx,
            key,
            steps,
            record_every=protocol.EPOCH,
            divergence_factor=studies.NEVER,
            snapshots=epochs + 1,
        )
        return state.params, curves

    params, curves = jax.jit(train)(jax.random.key(seed))
    val = np.asarray(curves.metrics["val_loss"])[1:]
    best = int(val.argmin()) + 1
    at_best = jax.tree.map(lambda leaf: leaf[best], curves.snapshots)
    return Single(params, np.asarray(curves.metrics["train_loss"])[1:], val, title, at_best, best)
