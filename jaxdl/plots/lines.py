"""Slices along one direction: the loss, and whatever else was recorded."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxdl.plots import figure as figures
from jaxdl.plots import levels

if TYPE_CHECKING:
    import xarray


def line(data: "xarray.Dataset") -> Figure:
    """Every metric along a line: losses on the left, on a logarithmic axis where they allow it; others on the right.

    Args:
      data: From ``jaxdl.landscape.line``, ``interpolate`` or ``jaxdl.load``.

    Returns:
      The figure.
    """
    problem = data.attrs.get("problem")
    fig, axes = figures.new(f"{problem}: along a line" if problem else "along a line")
    drawn = [str(name) for name, values in data.data_vars.items() if values.dims == ("x",)]
    losses = [name for name in drawn if name.endswith("loss")]
    scale, x = levels.scale(data), data["x"].values
    logarithmic = scale.norm.__class__.__name__ == "LogNorm"
    for i, name in enumerate(losses):
        values = figures.drawable(data[name].values - scale.offset)
        axes.plot(x, values, figures.line(i), color=figures.colour(i), label=name.replace("_", " "))
    yscale = "log" if logarithmic else "linear"
    axes.set(xlabel="coordinate, in units of the direction", ylabel=scale.label, yscale=yscale)
    others = [name for name in drawn if name not in losses]
    right = axes.twinx() if others else None
    for i, name in enumerate(others, len(losses)):
        assert right is not None
        values = figures.drawable(data[name].values)
        right.plot(x, values, figures.line(i), color=figures.colour(i), label=name.replace("_", " "))
        right.set_ylabel(", ".join(others).replace("_", " "))
    _marks(axes, (0.0, 1.0) if data.attrs.get("plane") == "interpolation" else (0.0,))
    handles = [*axes.get_lines(), *(right.get_lines() if right is not None else [])]
    axes.legend(handles=[h for h in handles if not str(h.get_label()).startswith("_")], fontsize=8, loc="upper center")
    figures.provenance(fig, data, f"{data.sizes['x']} points")
    return fig


def lines(data: "xarray.Dataset") -> Figure:
    """Metrics from the starts of runs to their ends, and from the best end to the others: a colour for each optimizer.

    Training data is drawn whole, validation data dashed; of several seeds the median, with training data of each thin.

    Args:
      data: From ``jaxdl.landscape.lines``, ``lines_of_problem`` or ``jaxdl.load``.

    Returns:
      The figure: a column for each kind of line, a row for the loss and one for the accuracy, where there is one.
    """
    columns = [kind for kind in data["line"].values if np.isfinite(data["length"].sel(line=kind)).any()]
    rows = [name for name in ("loss", "accuracy") if name in data]
    size = (1.0 + 4.6 * len(columns), 1.2 + 2.9 * len(rows))
    fig = Figure(figsize=size, layout="constrained")
    panels = fig.subplots(len(rows), len(columns), sharex=True, sharey="row", squeeze=False)
    for axes, metric in zip(panels, rows, strict=True):
        values = np.stack([data[name].values for name in (metric, f"val_{metric}") if name in data])
        values, label, scale = figures.height(data, values) if metric == "loss" else (values, metric, "linear")
        axes[0].set_ylabel(label)
        for one, kind in zip(axes, columns, strict=True):
            one.grid(visible=True, which="major", alpha=0.25)
            one.set_yscale(scale)
            _marks(one, (0.0, 1.0))
            there = np.isfinite(data["length"].sel(line=kind).values)
            for i, mine in enumerate(values[:, list(data["line"].values).index(kind)].swapaxes(0, 1)):
                _run(one, data["x"].values, mine[:, there[i]], i)
    best = ", ".join(dict.fromkeys(map(str, data["best"].values)))
    said = {
        "start": "0: the start, 1: where each ended",
        "best end": f"0: end of {best} (lowest), 1: end of each other",
    }
    for axes, kind in zip(panels[-1], columns, strict=True):
        axes.set_xlabel(said[str(kind)])
    _legend(panels[0, 0], data)
    problem = data.attrs.get("problem")
    fig.suptitle(f"{problem}: on straight lines" if problem else "on straight lines", fontsize=11)
    words = [f"{data.sizes['x']} points a line", str(data.attrs.get("run", ""))]
    figures.provenance(fig, data, "; ".join(filter(None, words)))
    return fig


def _marks(axes: Axes, where: tuple[float, ...]) -> None:
    for mark in where:
        axes.axvline(mark, color="0.6", linewidth=0.8, linestyle=(0, (1, 2)))


def _run(axes: Axes, x: np.ndarray, values: np.ndarray, index: int) -> None:
    """A metric along the lines of one name; ``values`` of shape ``(split, seed, x)``."""
    style: dict[str, Any] = {"color": figures.colour(index)}
    for of_split, pattern in zip(figures.drawable(values), ("-", "--"), strict=False):
        if len(of_split) > 1 and pattern == "-":
            axes.plot(x, of_split.T, linewidth=0.6, alpha=0.5, **style)
        if len(of_split):
            # Later lines are thinner, so that those they lie on are seen.
            axes.plot(x, np.median(of_split, axis=0), pattern, linewidth=1.0 + 1.4 * 0.75**index, **style)


def _legend(axes: Axes, data: "xarray.Dataset") -> None:
    for i, name in enumerate(data["path"].values):
        axes.plot([], [], color=figures.colour(i), label=str(name))
    if "val_loss" in data:
        axes.plot([], [], "-", color="0.3", label="training data")
        axes.plot([], [], "--", color="0.3", label="validation data")
    axes.legend(fontsize=7, loc="best")
