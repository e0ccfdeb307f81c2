"""Levels of contours: evenly spaced logarithms of the height above the floor, where there is one, or else numbers."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import LogNorm, Normalize

if TYPE_CHECKING:
    import xarray

DECADES = 8
"""Most decades below the largest height that are told apart."""
LOWEST = 0.005
"""Part of the values that may lie below the lowest level."""


class Scale(NamedTuple):
    """How heights get colours. ``offset`` is taken from values first; ``label`` says what is left."""

    offset: float
    levels: np.ndarray
    norm: Normalize
    label: str

    def of(self, values: np.ndarray) -> np.ndarray:
        """Heights, held within the levels: what lies outside is coloured as the nearest; NaN where there is none."""
        heights = np.where(np.isfinite(values), values - self.offset, np.nan)
        clipped: np.ndarray = np.clip(heights, self.levels[0], self.levels[-1])
        return clipped


def scale(data: "xarray.Dataset", metric: str = "loss", count: int = 24) -> Scale:
    """The scale of a metric of a slice.

    Args:
      data: From ``jaxdl.landscape``; its attributes ``floor`` and ``loss_units`` are heeded.
      metric: Which variable; only of losses are logarithms taken.
      count: Number of levels.

    Returns:
      Logarithmic above the floor (0 where none is known) where all values lie above it, or on it; else linear.
    """
    values = data[metric].values
    finite = values[np.isfinite(values)].astype(float)
    finite = finite if finite.size else np.ones(1)
    of_loss = metric.endswith("loss")
    units, floor = str(data.attrs.get("loss_units", "1")), float(data.attrs.get("floor", 0.0))
    label = metric.replace("_", " ") + (f" ({units})" if of_loss and units != "1" else "")
    low, high = float(finite.min()), float(finite.max())
    if of_loss and low >= floor and high > floor:
        # Not the very least: where a grid happens to hit a minimum, its colours would be spent on that point.
        least = max(np.quantile(finite, LOWEST) - floor, (high - floor) * 10.0**-DECADES)
        least = least if least < high - floor else (high - floor) / 10
        levels = np.geomspace(least, high - floor, count)
        above = f"{label} above its floor {floor:.6g}" if floor else label
        return Scale(floor, levels, LogNorm(levels[0], levels[-1]), above)
    high = high if high > low else low + 1.0
    levels = np.linspace(low, high, count)
    return Scale(0.0, levels, Normalize(low, high), label)
