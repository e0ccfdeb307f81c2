"""The points of a sweep in order: what each of them reached at the end of its runs, from the stored Dataset alone."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxdl import statistics

if TYPE_CHECKING:
    import xarray


class Point(NamedTuple):
    """A point of a grid and its final losses over seeds, in units of the problem's loss.

    Attributes:
      values: Axis to the point's value.
      median: Median over seeds; infinite where half of the runs have no finite loss.
      low: Lower quartile.
      high: Upper quartile.
      diverged: How many of the seeds diverged, see :func:`diverged`.
    """

    values: dict[str, Any]
    median: float
    low: float
    high: float
    diverged: int


def best(results: "xarray.Dataset", count: int | None = None) -> list[Point]:
    """The points of a sweep by their median final loss, the smallest first.

    Args:
      results: From ``jaxdl.sweep``.
      count: How many; all by default.

    Returns:
      The points; of equal ones the earlier in the grid first. Of a search (:func:`jaxdl.successive_halving`) those
      that went on come before those that were stopped.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> study = jaxdl.sweep(problem, jaxdl.sgd, {"learning_rate": [0.01, 0.1]}, seeds=3, steps=50)
    >>> [point.values for point in best(study)]
    [{'learning_rate': 0.1}, {'learning_rate': 0.01}]
    """
    losses = statistics.losses_with_divergence(final(results).values)
    low, mid, high = (statistics.quantile(losses, q).ravel() for q in (0.25, 0.5, 0.75))
    lost = diverged(results).values.sum(axis=-1).ravel()
    shape = losses.shape[:-1]
    length = results["stopped_at"].values.ravel() if "stopped_at" in results else np.zeros(mid.size)
    where = np.lexsort((mid, -length))[:count].tolist()
    return [
        Point(_point(results, np.unravel_index(i, shape)), float(mid[i]), float(low[i]), float(high[i]), int(lost[i]))
        for i in where
    ]


def metric(results: "xarray.Dataset") -> str:
    """What points are ranked by: ``"val_loss"``, or ``"train_loss"`` where a sweep was not evaluated."""
    return "val_loss" if "val_loss" in results else "train_loss"


def final(results: "xarray.Dataset") -> "xarray.DataArray":
    """The last record of every run, at the end of its own length; dims ``(*axes, seed)``. NaN where it was frozen."""
    curves = results[metric(results)]
    lengths = next((results[name] for name in ("stopped_at", "steps") if name in results.variables), None)
    ends = curves.isel(step=-1) if lengths is None else curves.sel(step=lengths)
    return ends.transpose(*results["diverged_at"].dims).drop_vars("step")


def diverged(results: "xarray.Dataset") -> "xarray.DataArray":
    """Which runs were frozen, or ended no better than they began; dims ``(*axes, seed)``.

    The same rule as that of a comparison (``jaxdl.verdict.diverged``), for runs that may differ in length.
    """
    first = results[metric(results)].isel(step=0, drop=True)
    return (results["diverged_at"] >= 0) | ~(final(results) < first)


def chaotic(results: "xarray.Dataset") -> list[dict[str, Any]]:
    """The runs that an audit found chaotic: axis, and ``"seed"``, to value.

    Args:
      results: From ``jaxdl.sweep(…, audit=k)``.

    Returns:
      The runs in the order of the grid; none where nothing was audited.
    """
    if "chaotic" not in results:
        return []
    found = np.argwhere(results["chaotic"].transpose(*results["diverged_at"].dims).values)
    seeds = results["seed"].values
    return [{**_point(results, tuple(index[:-1])), "seed": seeds[index[-1]].item()} for index in found.tolist()]


def _point(results: "xarray.Dataset", index: tuple[Any, ...]) -> dict[str, Any]:
    """Values of the axes at a point, in the order of the dimensions; of a draw those of its columns."""
    values: dict[str, Any] = {}
    for dim, i in zip(results["diverged_at"].dims, index, strict=False):  # the last dimension is the seed
        names = [name for name, c in results.coords.items() if c.dims == (dim,) and name != "point"]
        values |= {str(name): results[name].values[i].item() for name in names}
    return values
