"""One style for all figures: size, colours, the decision map of the slides, the line of provenance."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.lecture import protocol
from experiments.lecture.data import TRAINING, VALIDATION
from jaxdl import provenance

LEVELS = (0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05)
"""Seven bands of P(character): the nearly white one, 0.45 to 0.60, is the boundary."""

RED, BLUE, MAGENTA, GREEN = "#c1121f", "#1d4e9e", "#d133c8", "#2a9d3c"
"""Characters, backgrounds; characters and backgrounds to validate on."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""For curves: Okabe and Ito's palette, which colour-blind readers can tell apart."""


def new(columns: int = 1, rows: int = 1, width: float = 4.8, height: float = 3.9) -> tuple[Figure, np.ndarray]:
    """A figure and its axes, shape ``(rows, columns)``."""
    figure = Figure(figsize=(width * columns, height * rows + 0.25), layout="constrained")
    return figure, np.asarray(figure.subplots(rows, columns, squeeze=False))


def sign(figure: Figure, what: str) -> Figure:
    """Prints at the foot what was run and with which versions."""
    versions = provenance.versions()
    text = f"{what} · jaxdl {versions['jaxdl']}, jax {versions['jax']}, float64"
    figure.supxlabel(text, fontsize=7, color="0.4")
    return figure


def decision_map(axes: Axes, params: Any, title: str, validation: bool = False) -> Any:
    """P(character) over the plane with the points, as on the slides; returns the filled contours for a colour bar."""
    low_y = -0.08 if validation else 0.116
    x, y = np.linspace(-0.011, 0.216, 240), np.linspace(low_y, 1.641, 240)
    plane = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    p = 1 / (1 + np.exp(-np.asarray(protocol.logits(params, jnp.asarray(plane)))))
    filled = axes.contourf(x, y, p.reshape(240, 240), levels=LEVELS, cmap="RdBu_r", alpha=0.45)
    _points(axes, TRAINING, (RED, BLUE), ("character", "background"))
    if validation:
        _points(axes, VALIDATION, (MAGENTA, GREEN), ("character, validation", "background, validation"))
    axes.set(xlabel="feature 1", ylabel="feature 2", title=title)
    axes.legend(fontsize=8, loc="lower right", framealpha=0.85)
    return filled


def probability_bar(figure: Figure, filled: Any, axes: Axes) -> None:
    """The colour bar of a decision map; its last band ends at 1, not at the 1.05 of the contour levels."""
    bar = figure.colorbar(filled, ax=axes, label="P(character)", ticks=[*LEVELS[:-1], 1.0])
    bar.ax.set_ylim(0, 1)


def _points(axes: Axes, points: Any, colours: tuple[str, str], labels: tuple[str, str]) -> None:
    for label, colour, text in zip((1.0, 0.0), colours, labels, strict=True):
        some = points.features[points.labels == label]
        axes.plot(*some.T, "o", color=colour, markersize=5, label=text)


def loss_curve(axes: Axes, curves: dict[str, tuple[np.ndarray, str]], title: str) -> None:
    """Losses of every epoch, by name with their colours."""
    for name, (values, colour) in curves.items():
        axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=0.9, label=name)
    axes.set(xlabel="training epoch", ylabel="loss (nat)", title=title)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.25)
    if len(curves) > 1:
        axes.legend(fontsize=8)
