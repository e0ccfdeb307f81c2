"""What all figures share: size, colours, the line of provenance at the foot, and how a loss gets its scale."""

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxdl import store

if TYPE_CHECKING:
    import xarray

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#8C8C00")
"""Okabe and Ito's palette, which colour-blind readers can tell apart; it starts anew after eight."""

LINES = ("-", "--", "-.", ":")
"""One line style for each round through the colours, and a second cue within it."""

_PER_INCH = 21
"""Letters of the line of provenance that fit into an inch."""


def colour(index: int) -> str:
    """Colour of the ``index``-th curve."""
    return COLOURS[index % len(COLOURS)]


def line(index: int) -> str:
    """Line style of the ``index``-th curve."""
    return LINES[(index + index // len(COLOURS)) % len(LINES)]


def new(title: str) -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    figure = Figure(figsize=(8.0, 5.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11)
    axes.grid(visible=True, which="major", alpha=0.25)
    return figure, axes


def provenance(figure: Figure, results: "xarray.Dataset", what: str) -> None:
    """Prints at the foot what was run and with which versions."""
    environment = json.loads(results.attrs["environment"])
    versions = ", ".join(f"{name} {environment[name]}" for name in ("jaxdl", "jax", "jaxlib", "optax"))
    mixed = ", begun with other versions or on another device" if "environments" in results.attrs else ""
    text = f"{what} · {versions}, {environment['device_kind']}{mixed}"
    figure.supxlabel(textwrap.fill(text, int(_PER_INCH * figure.get_figwidth())), fontsize=6.5, color="0.4")


def height(results: "xarray.Dataset", values: np.ndarray) -> tuple[np.ndarray, str, str]:
    """How to draw losses: (values to draw, words for what they are, scale of the axis).

    A logarithmic axis where all are positive; of the height above the floor where some are not and the floor is known;
    else a linear one.
    """
    units = results.attrs["loss_units"]
    label = "loss" if units == "1" else f"loss ({units})"
    finite = values[np.isfinite(values)]
    floor = results.attrs.get("floor")
    if finite.size == 0 or finite.min() > 0:
        return values, label, "log"
    if floor is not None and finite.min() >= floor:
        return np.where(values > floor, values - floor, np.nan), f"{label} above its floor {floor:.6g}", "log"
    return values, label, "linear"


def drawable(values: np.ndarray) -> np.ndarray:
    """Infinite values cannot be drawn: a gap stands for them."""
    return np.where(np.isfinite(values), values, np.nan)


def star(axes: Axes, x: float, y: float, index: int, of: int, **options: Any) -> None:
    """Marks the best point of curve ``index`` of ``of``; where two coincide, the smaller star lies on the larger."""
    style: dict[str, Any] = {"marker": "*", "markersize": 19 - 12 * index / of, "linestyle": "none"}
    edge: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.6}
    axes.plot(x, y, **{**style, **edge, "color": colour(index), "zorder": 4 + index, **options})


def crosses(axes: Axes, x: np.ndarray, fraction: np.ndarray, row: int) -> None:
    """A cross along the top wherever a ``fraction`` of the seeds diverged, one row per curve; larger for more seeds."""
    some = fraction > 0
    y = np.full(int(some.sum()), 0.985 - 0.028 * row)
    size, place = 8 + 30 * fraction[some], axes.get_xaxis_transform()
    axes.scatter(x[some], y, s=size, color=colour(row), marker="x", transform=place)
    # Crosses alone do not widen the axes: of curves that end before them they would lie outside.
    axes.update_datalim(np.column_stack([x, x]), updatey=False)
    axes.autoscale_view(scaley=False)


def room_for_crosses(axes: Axes, rows: int) -> None:
    """Raises the top of the axes by ``rows`` of :func:`crosses`."""
    (bottom, top), room = axes.get_ylim(), 0.035 * rows
    if axes.get_yscale() == "log" and bottom <= 0:  # matplotlib's limits where no point is drawn, all being lost
        axes.set_ylim(1.0, 10.0)
        return
    higher = top * (top / bottom) ** room if axes.get_yscale() == "log" else top + room * (top - bottom)
    axes.set_ylim(bottom, higher)


def save(figure: Figure, path: str | Path, **options: Any) -> Path:
    """Writes the figure whole or not at all; the suffix decides the format. 150 dots per inch unless told."""
    return store.replace(path, lambda made: figure.savefig(made, **{"dpi": 150, **options}))


CHAOTIC = "chaotic: another run when alone"
"""What the legend says of points with a run that an audit found chaotic."""
CHAOTIC_HATCH = "\\\\\\\\"


def chaotic(axes: Axes, x: np.ndarray, y: np.ndarray, which: np.ndarray, color: str) -> None:
    """Marks points of a curve with a run that an audit found chaotic, and enters them once in the legend.

    A ring is around the point, and the axes are hatched halfway to its neighbours: also where there is no point to be
    drawn, because its runs diverged.

    Args:
      axes: Where the curve is.
      x: Its ascending abscissae, ``(n,)``.
      y: Its ordinates, NaN where no point is drawn.
      which: Which of the points are marked.
      color: Of the curve.
    """
    if not which.any():
        return
    ring: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 15, "fillstyle": "none", "zorder": 5}
    axes.plot(x[which], y[which], color=color, **ring)
    for left, right in _strips(x)[which].tolist():
        axes.axvspan(left, right, fill=False, hatch=CHAOTIC_HATCH, edgecolor=color, alpha=0.3, linewidth=0, zorder=0)
    if CHAOTIC not in axes.get_legend_handles_labels()[1]:
        axes.plot([], [], color="0.4", label=CHAOTIC, **ring)


def _strips(x: np.ndarray) -> np.ndarray:
    """Halfway to the neighbours of each of the ascending ``x``, ``(n, 2)``; logarithmically where that can be."""
    if len(x) < 2:
        return np.column_stack([x, x])
    log = x[0] > 0
    place = np.log(x) if log else x
    between = (place[1:] + place[:-1]) / 2
    edges = np.concatenate([2 * place[:1] - between[:1], between, 2 * place[-1:] - between[-1:]])
    strips = np.column_stack([edges[:-1], edges[1:]])
    return np.exp(strips) if log else strips
