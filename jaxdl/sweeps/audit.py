"""The audit: some runs of a sweep once more, each by itself, and how far the runs of the sweep are from them.

Lanes that are computed together round differently from a run alone. Where training is stable the difference stays of
the size of rounding. At the edge of stability it grows exponentially until the two have nothing in common but the
optimizer: the lane's curve is one that the optimizer makes, but another layout or another processor gives another one.
Such a run is *chaotic*: a loss read from it is a draw, not a property of its hyper-parameters.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxdl import checks, statistics
from jaxdl.sweeps import engine, plan, programs, runs
from jaxdl.sweeps.definition import Definition
from jaxdl.sweeps.lanes import Study
from jaxdl.typing import OptimizerFactory

TOLERANCE = 1e-5
"""Largest relative difference of a run that is not chaotic: about 80 roundings of float32, far more than stable runs
gather in thousands of steps, and far less than the last digit of any table."""


def audit(definition: Definition, results: runs.Results, count: int, seed: int = 0) -> dict[str, Any]:
    """Runs the winner and some random cells again, exactly, and compares their losses record by record.

    The winner is the median run of the point with the smallest median final validation loss (training loss, where
    nothing was evaluated).

    Args:
      definition: The study.
      results: Of all its cells, in order.
      count: How many cells besides the winner, all where there are fewer.
      seed: Which random cells.

    Returns:
      Variables for the Dataset, as of :func:`variables`.

    Raises:
      ValueError: ``count`` is below 1.
    """
    checks.positive_integer(audit=count)
    cells = chosen(definition, results, count, seed)
    found = np.full(definition.size, np.nan)
    for part in definition.parts:
        inside = np.flatnonzero(np.isin(part.indices, cells))
        if len(inside):
            again = part.cells.some(inside)
            alone = rerun(part.study, part.factories, {part.optimizer: again})[part.optimizer]
            found[part.indices[inside]] = difference(results.some(part.indices[inside]), alone)
    dims, shape = (*definition.grid.dims, "seed"), (*definition.grid.shape, len(definition.seeds))
    return variables(found.reshape(shape), dims)


def chosen(definition: Definition, results: runs.Results, count: int, seed: int) -> np.ndarray:
    """The winner's cell and ``count`` others, ascending."""
    final = _final_losses(definition, results).reshape(-1, len(definition.seeds))
    point = int(np.argmin(statistics.median(final)))
    winner = point * len(definition.seeds) + median_run(final[point])
    others = np.setdiff1d(np.arange(definition.size), winner)
    drawn = np.random.default_rng(seed).choice(others, min(count, len(others)), replace=False)
    return np.sort(np.append(drawn, winner))


def median_run(losses: np.ndarray) -> int:
    """Index of the run whose loss is the median, the lower one of two."""
    return int(np.argsort(losses, kind="stable")[(len(losses) - 1) // 2])


def rerun(
    study: Study, factories: Mapping[str, OptimizerFactory], cells: Mapping[str, runs.Cells]
) -> dict[str, runs.Results]:
    """Runs cells alone: each of them is the run of :func:`jaxdl.train` bit for bit.

    Args:
      study: Of which the cells are; only its layout is not used.
      factories: Optimizers by name.
      cells: For each of them its cells, of the same arguments.

    Returns:
      Results by the same names.
    """
    alone = study._replace(layout=plan.alone(max(len(of.seeds) for of in cells.values())), chunk_records=None)
    lane = next(iter(cells.values())).lane(alone, np.array(0))
    built = programs.build(alone, factories, lane)
    return {name: engine.execute(alone, built, name, of) for name, of in cells.items()}


def difference(fast: runs.Results, alone: runs.Results) -> np.ndarray:
    """Largest relative difference of any loss at any record, shape ``(n,)``; ∞ where only one of the runs diverged.

    >>> made = [runs.Results({"val_loss": np.array([[2.0, 1.0, x]])}, np.array([-1])) for x in (0.5, 0.4, np.nan)]
    >>> difference(made[0], made[1]).round(3), difference(made[0], made[2]), difference(made[2], made[2])
    (array([0.2]), array([inf]), array([0.]))
    """
    losses = [name for name in alone.metrics if name.endswith("loss")]
    worst: np.ndarray = np.max(
        [statistics.relative_difference(fast.metrics[name], alone.metrics[name]) for name in losses], axis=0
    )
    return worst


def variables(found: np.ndarray, dims: tuple[str, ...]) -> dict[str, Any]:
    """What an audit adds to a Dataset.

    Args:
      found: Differences of all cells, NaN where a cell was not audited.
      dims: Names of its dimensions.

    Returns:
      Name to (dims, values, attributes): ``audit_difference``; and ``chaotic``, True where that exceeds
      :data:`TOLERANCE`, whose attributes count the audited and the chaotic runs.
    """
    chaotic = found > TOLERANCE
    difference = {"units": "1", "long_name": "largest relative difference to the run alone; NaN: not audited"}
    counts = {"tolerance": TOLERANCE, "audited": int((~np.isnan(found)).sum()), "chaotic": int(chaotic.sum())}
    note = {"long_name": "audited, and further than the tolerance from the run alone", **counts}
    return {"audit_difference": (dims, found, difference), "chaotic": (dims, chaotic, note)}


def _final_losses(definition: Definition, results: runs.Results) -> np.ndarray:
    """Of every cell at the last record of its own length, infinite where it diverged."""
    losses = results.metrics["val_loss" if "val_loss" in results.metrics else "train_loss"]
    last = np.empty(definition.size, int)
    for part in definition.parts:
        last[part.indices] = -(-part.cells.steps // part.study.record_every)
    return statistics.losses_with_divergence(losses[np.arange(definition.size), last])
