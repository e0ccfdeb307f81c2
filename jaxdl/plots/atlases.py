"""Maps of what runs reach: a colour for every attractor, a panel for every optimizer."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jaxdl.plots import figure as figures
from jaxdl.plots import levels

if TYPE_CHECKING:
    import xarray

DIVERGED, NOWHERE = "#303030", "#c8c8c8"
"""Colours of runs that are lost and of runs that have not settled."""
COLUMNS = 3
"""Most panels side by side."""

_RIM = [patheffects.withStroke(linewidth=2, foreground="black")]


def atlas(data: "xarray.Dataset") -> Figure:
    """The maps of ``jaxdl.landscape.basins`` or ``outcomes``.

    Args:
      data: From either, or ``jaxdl.load``.

    Returns:
      The figure: over each map how much of it is boundary. Where the map is of starts, a white cross on every attractor
      with the part of the map that reaches it; else both in a legend.
    """
    names = data["optimizer"].values
    columns = 2 if len(names) == 4 else min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    fig = Figure(figsize=(0.6 + 3.9 * columns, 0.8 + 3.7 * rows), layout="constrained")
    panels = np.ravel(fig.subplots(rows, columns, squeeze=False))
    for i, axes in enumerate(panels):
        if i < len(names):
            _map(axes, data.isel(optimizer=i), str(names[i]))
        else:
            axes.set_axis_off()
    problem = str(data.attrs.get("problem", ""))
    fig.suptitle(f"{problem}: what runs reach" if problem else "what runs reach", fontsize=11)
    pixels = " × ".join(str(data.sizes[dim]) for dim in reversed(data["reached"].dims[1:]))
    words = f"{pixels} runs a map, {data.attrs['steps']} updates, dark: diverged, grey: not settled"
    figures.provenance(fig, data, "; ".join(filter(None, (words, str(data.attrs.get("run", ""))))))
    return fig


def _map(axes: Axes, data: "xarray.Dataset", name: str) -> None:
    up, across = (str(dim) for dim in data["reached"].dims)
    x, y, reached = data[across].values, data[up].values, data["reached"].values
    count = int((data["label"] >= 0).sum())
    colours = ListedColormap([DIVERGED, NOWHERE, *(figures.colour(i) for i in range(count))])
    axes.pcolormesh(x, y, reached, cmap=colours, vmin=-2.5, vmax=count - 0.5, shading="nearest", rasterized=True)
    if "height" in data:
        scale = levels.scale(data, "height", 12)
        axes.contour(x, y, scale.of(data["height"].values), scale.levels, colors="white", linewidths=0.4, alpha=0.5)
        points = data["attractor"].values[data["label"].values >= 0]
        axes.plot(points[:, 0], points[:, 1], "X", color="white", markeredgecolor="black", markersize=8)
        for point, area in zip(points, data["area"].sel(label=slice(0, None)).values, strict=True):
            text: dict[str, Any] = {"fontsize": 9, "color": "white", "ha": "center", "path_effects": _RIM}
            axes.annotate(f"{area:.0%}", point, xytext=(0, 7), textcoords="offset points", clip_on=True, **text)
        axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    for values, scale_of in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if (values > 0).all() and np.allclose(np.diff(np.log(values)), np.log(values[1] / values[0])):
            scale_of("log")
    if "height" not in data:
        _legend(axes, data)
    axes.set_title(f"{name}\nboundary {float(data['boundary']):.1%}", fontsize=9)
    axes.set(xlabel=across.replace("_", " "), ylabel=up.replace("_", " "))


def _legend(axes: Axes, data: "xarray.Dataset") -> None:
    """Which colour is which point, with its part of the map; of a map of starts the crosses say so."""
    for label in data["label"].values[data["label"].values >= 0]:
        (x, y), area = data["attractor"].sel(label=label).values, float(data["area"].sel(label=label))
        if area > 0:
            axes.plot([], [], "s", color=figures.colour(int(label)), label=f"({x:.3g}, {y:.3g}): {area:.0%}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
