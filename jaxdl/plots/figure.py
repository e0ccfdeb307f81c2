"""What all figures share: size, colours, the line of provenance at the foot, and how a loss gets its scale."""

import json
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
    text = f"{what} · {versions}, {environment['device_kind']}"
    figure.supxlabel(text, fontsize=6.5, color="0.4")


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


def save(figure: Figure, path: str | Path, **options: Any) -> Path:
    """Writes the figure whole or not at all; the suffix decides the format. 150 dots per inch unless told."""
    return store.replace(path, lambda made: figure.savefig(made, **{"dpi": 150, **options}))
