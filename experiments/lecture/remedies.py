"""All remedies against over-fitting as switches of one training command, on few digits (手写数字).

python -m experiments.lecture train --l2 1e-3 --dropout-rate 0.5 --patience 10 --shift 1
"""

from collections.abc import Iterable
from typing import NamedTuple

import jax
import numpy as np

import jaxdl
from experiments.lecture.registry import Claim, above, ascending, below, holds
from jaxdl import early_stopping, losses
from jaxdl.data import augmentation

IMAGES = 150
"""Digits to train on: so few that the network learns them by heart."""

EVERY = 10
"""Updates between looks at the validation loss."""


class Trained(NamedTuple):
    """``train``, ``val``, ``test``: losses (nats) of the parameters that are kept. ``error``: share of wrong test
    images. ``steps``: updates after which those parameters stood. ``small``: share of weights below 1e-3."""

    train: float
    val: float
    test: float
    error: float
    steps: int
    small: float


def problem(
    l1: float = 0.0, l2: float = 0.0, dropout_rate: float = 0.0, shift: int = 0, test_shift: int = 0
) -> jaxdl.Problem:
    """150 digits under a network 64-64-10, with the penalties, dropout and augmentation that are asked for.

    Args:
      l1: λ of λ‖θ‖₁.
      l2: λ of ½ λ‖θ‖².
      dropout_rate: Of the hidden layer.
      shift: Training images move by up to so many pixels, drawn anew in every step.
      test_shift: Test images move by exactly up to so many, once and for all.

    Returns:
      The problem; its split ``fit`` holds the training images as they are.
    """
    made = jaxdl.problems.get("digits-mlp", hidden=(64,), batch_size=None, dropout_rate=dropout_rate)
    images, labels = made.data["train"]
    some = (images[:IMAGES], labels[:IMAGES])
    test, truth = made.data["test"]
    moved = augmentation.batch(augmentation.random_shift(test_shift), jax.random.key(9), test)
    made = made._replace(data={**made.data, "train": some, "fit": some, "test": (moved, truth)})
    for weight, penalty in ((l1, losses.l1_penalty), (l2, losses.l2_penalty)):
        if weight:
            made = jaxdl.problems.penalised(made, penalty, weight)
    return jaxdl.problems.augmented(made, augmentation.random_shift(shift)) if shift else made


def train(
    l1: float = 0.0,
    l2: float = 0.0,
    weight_decay: float = 0.0,
    dropout_rate: float = 0.0,
    patience: int = 0,
    shift: int = 0,
    steps: int = 400,
    seed: int = 0,
    test_shift: int = 0,
) -> Trained:
    """Trains with Adam, η = 0.01, and the switches that are on; 0 is off.

    Args:
      l1, l2, dropout_rate, shift, test_shift: See :func:`problem`.
      weight_decay: Decoupled, times the rate (AdamW).
      patience: Looks at the validation loss without progress after which to stop; the best parameters are kept.
      steps: Updates at most.
      seed: Initial parameters and noise.

    Returns:
      What the kept parameters do.
    """
    made = problem(l1, l2, dropout_rate, shift, test_shift)
    tx = jaxdl.adamw(1e-2, weight_decay=weight_decay) if weight_decay else jaxdl.adam(1e-2)
    never = steps // EVERY + 1

    @jax.jit
    def run(key: jax.Array) -> early_stopping.Stopped:
        return early_stopping.train_until(made, tx, key, steps, patience=patience or never, record_every=EVERY)

    end = run(jax.random.key(seed))
    params = end.best_params if patience else end.state.params
    found = {split: made.metrics(params, made.data[split]) for split in ("fit", "val", "test")}
    sizes = np.concatenate([np.abs(np.asarray(leaf)).ravel() for leaf in jax.tree.leaves(params) if leaf.ndim > 1])
    train_loss, val_loss, test_loss = (float(found[split]["loss"]) for split in ("fit", "val", "test"))
    kept = int(end.best_step if patience else end.state.step)
    error = 1 - float(found["test"]["accuracy"])
    return Trained(train_loss, val_loss, test_loss, error, kept, float((sizes < 1e-3).mean()))


SWITCHES: dict[str, dict[str, float]] = {
    "none": {},
    "L1, λ = 1e-3": {"l1": 1e-3},
    "L2, λ = 3e-3": {"l2": 3e-3},
    "weight decay 1": {"weight_decay": 1.0},
    "dropout 0.5": {"dropout_rate": 0.5},
    "early stopping, patience 5": {"patience": 5},
    "shifts by 1 pixel": {"shift": 1},
}


def claims() -> Iterable[Claim]:
    """C73: each switch does its part."""
    found = {name: train(**switches) for name, switches in SWITCHES.items()}  # type: ignore[arg-type]
    plain = found["none"]
    yield below("none: training loss, learned by heart", plain.train, 1e-2)
    for name, of in found.items():
        if name not in ("none", "dropout 0.5"):  # whose loss with dropout off may be small
            yield ascending(f"{name}: training loss, without and with", plain.train, of.train)
        if name not in ("none", "L1, λ = 1e-3"):  # which is here for its zeros
            yield ascending(f"{name}: validation loss, with and without", of.val, plain.val)
    yield above("L1: share of weights below 1e-3", found["L1, λ = 1e-3"].small, plain.small + 0.2)
    yield ascending("early stopping: updates", found["early stopping, patience 5"].steps, plain.steps)
    both = train(l2=1e-2, dropout_rate=0.3, patience=5, shift=1, l1=1e-4, weight_decay=0.1)
    described = f"test loss {both.test:.3f} nat after {both.steps} updates, {100 * both.error:.1f} % wrong"
    yield holds("all of them at once", bool(np.isfinite(both.test)), described)
