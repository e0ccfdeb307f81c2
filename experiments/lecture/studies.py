"""The lecture's experiments: three sweeps, each one compiled program, of which all tables are made.

================  ==========================================  =============================
study             points                                      program
================  ==========================================  =============================
``descent``       S1 … S5: SGD, constant and staged rates     SGD with a schedule
``penalty``       R0 … R3: λ = 0, 1e-4, 1e-3, 5e-3            Adam on L + ½ λ‖θ‖²
``dropout``       D0 … D3: p = 0, 0.1, 0.5, 0.9               Adam on the loss with dropout
================  ==========================================  =============================

S6 (Adam), E1 and E2 (early stopping) are the runs of R0.
"""

import functools
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jaxdl
from experiments.lecture import protocol

if TYPE_CHECKING:
    import xarray

EPOCHS = 1000
ADAM_RATE = 0.03
RATES = {"S1": 0.3, "S2": 0.05, "S3": 0.01, "S4": 0.01}
STAGES = (0.3, 0.05, 0.01)
PENALTIES = {"R0": 0.0, "R1": 1e-4, "R2": 1e-3, "R3": 5e-3}
DROPOUTS = {"D0": 0.0, "D1": 0.1, "D2": 0.5, "D3": 0.9}

NEVER = 1e6
"""Divergence factor: no loss of the protocol counts as diverged, so that spikes stay in the curves."""

Seeds = int | Sequence[int]


class Studies(NamedTuple):
    """Datasets with dimensions ``(point, seed, step)``, a record an epoch. ``seconds``: compiling and running."""

    descent: "xarray.Dataset"
    penalty: "xarray.Dataset"
    dropout: "xarray.Dataset"
    seconds: float


def descent(seeds: Seeds, epochs: int = EPOCHS) -> "xarray.Dataset":
    """S1 … S5; S4 runs five times as long. Stages end after epochs 500 and 900 whatever ``epochs`` is."""
    stages = [(eta,) * 3 for eta in RATES.values()] + [STAGES]
    lengths = [5 * epochs if id == "S4" else epochs for id in (*RATES, "S5")]
    points = [
        {"first": a, "second": b, "third": c, "steps": protocol.EPOCH * length}
        for (a, b, c), length in zip(stages, lengths, strict=True)
    ]
    return _sweep(protocol.problem(), protocol.staged_sgd, points, seeds)


def penalty(seeds: Seeds, epochs: int = EPOCHS) -> "xarray.Dataset":
    """R0 … R3."""
    points = [{"penalty": weight, "steps": protocol.EPOCH * epochs} for weight in PENALTIES.values()]
    adam = functools.partial(protocol.penalised_adam, learning_rate=ADAM_RATE)
    return _sweep(protocol.problem(), adam, points, seeds, observe=("param_norm",))


def dropout(seeds: Seeds, epochs: int = EPOCHS) -> "xarray.Dataset":
    """D0 … D3. Every rate draws masks of its own from the seed's numbers: p and 1.01 p drop nearly the same units."""
    points = [{"problem.dropout_rate": rate, "steps": protocol.EPOCH * epochs} for rate in DROPOUTS.values()]
    adam = functools.partial(protocol.penalised_adam, learning_rate=ADAM_RATE, penalty=0.0)
    return _sweep(protocol.problem, adam, points, seeds)


def run(seeds: Seeds, epochs: int = EPOCHS) -> Studies:
    """All three, with the time that they took."""
    started = time.perf_counter()
    found = (descent(seeds, epochs), penalty(seeds, epochs), dropout(seeds, epochs))
    return Studies(*found, time.perf_counter() - started)


def _sweep(
    problem: jaxdl.Problem | Callable[..., jaxdl.Problem],
    factory: Any,
    points: list[dict[str, float]],
    seeds: Seeds,
    observe: tuple[str, ...] = (),
) -> "xarray.Dataset":
    return jaxdl.sweep(
        problem,
        factory,
        jaxdl.grids.points(points),
        seeds=seeds,
        record_every=protocol.EPOCH,
        divergence_factor=NEVER,
        observe=observe,
    )
