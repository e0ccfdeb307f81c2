"""How far a picture of paths on a plane is to be believed: what it shows against what there is."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from jaxdl.plots import contours, levels
from jaxdl.plots import figure as figures

if TYPE_CHECKING:
    import xarray


def honesty(data: "xarray.Dataset") -> Figure:
    """Three panels: the loss of every point against that of its projection, the distance from the plane as a part of
    the way from the start, and the axes' shares of the variance beside those of walks without aim.

    Args:
      data: From ``jaxdl.landscape.portrait`` or ``jaxdl.load``.

    Returns:
      The figure.
    """
    fig = Figure(figsize=(11.0, 3.9), layout="constrained")
    left, middle, right = fig.subplots(1, 3, width_ratios=(1.2, 1.2, 0.8))
    scale = levels.scale(data.rename(loss="plane", path_loss="loss") if "loss" in data else data, "loss")
    logarithmic = scale.norm.__class__.__name__ == "LogNorm"
    for i, name in enumerate(data["path"].values):
        mine, style = data.isel(path=i), {"color": figures.colour(i), "label": str(name)}
        true, seen = (mine[f"path_{key}"].values - scale.offset for key in ("loss", "plane_loss"))
        left.plot(true.ravel(), seen.ravel(), ".", markersize=5, **style)
        way = mine["path_travelled"].values[:, -1:]
        away = mine["path_distance"].values / np.where(way > 0, way, np.nan)
        middle.plot(data["step"].values, np.median(away, axis=0), figures.line(i), **style)
    both = [*left.get_xlim(), *left.get_ylim()]
    positive = scale.levels[0] / 3 if logarithmic else min(both)
    ends: Any = [max(min(both), positive) if logarithmic else min(both), max(both)]
    left.plot(ends, ends, color="0.5", linewidth=0.8, zorder=0)
    if logarithmic:
        left.set(xscale="log", yscale="log")
    left.set(xlabel=f"true {scale.label}", ylabel="loss that the contours show")
    left.set_title("on the line the plane tells the truth", fontsize=9)
    middle.set(xlabel="updates", ylabel="distance / way from start to end", ylim=(0, None))
    middle.set_title("how far beside the plane", fontsize=9)
    middle.legend(fontsize=8)
    for offset, name, color in ((-0.2, "explained", figures.COLOURS[0]), (0.2, "walk", "0.6")):
        label = "the paths" if name == "explained" else "walks without aim"
        right.bar(np.arange(2) + offset, data[name].values, 0.4, color=color, label=label)
    right.set(xticks=[0, 1], xticklabels=["axis 1", "axis 2"], ylabel="share of the variance", ylim=(0, 1))
    right.set_title("what the axes hold", fontsize=9)
    right.legend(fontsize=8)
    contours.warn(fig, data)
    figures.provenance(fig, data, contours.what(data) if "cosine" in data else "")
    return fig
