"""A plane seen from the side: a metric as a surface, with the paths of runs at their true height."""

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.axes3d import Axes3D

from jaxdl.plots import contours, levels
from jaxdl.plots import figure as figures

if TYPE_CHECKING:
    import xarray


def surface(
    data: "xarray.Dataset", metric: str = "loss", *, elevation: float = 38.0, azimuth: float | None = None
) -> Figure:
    """The surface of a metric over a plane; its heights are logarithms where the levels are.

    Args:
      data: From ``jaxdl.landscape.plane``, ``portrait`` or ``jaxdl.load``.
      metric: Which variable to draw.
      elevation: Of the eye, in degrees.
      azimuth: Of the eye, in degrees; by default from the corner where the surface is lowest, so that it hides least.

    Returns:
      The figure. Paths are drawn at the height of their true loss: off the surface where the plane shows another.
    """
    fig = Figure(figsize=(8.0, 6.0), layout="constrained")
    scale = levels.scale(data, metric)
    logarithmic = scale.norm.__class__.__name__ == "LogNorm"
    azimuth = _lowest_corner(scale.norm(scale.of(data[metric].values))) if azimuth is None else azimuth
    axes: Axes3D = fig.add_subplot(projection="3d", elev=elevation, azim=azimuth, computed_zorder=False)
    axes.set_title(contours.title(data, metric), fontsize=11)

    def height(values: np.ndarray) -> np.ndarray:
        z = scale.of(values)
        result: np.ndarray = np.log10(z) if logarithmic else z
        return result

    x, y = np.meshgrid(data["x"].values, data["y"].values)
    colours = mpl.colormaps[contours.COLOURS](scale.norm(scale.of(data[metric].values)))
    axes.plot_surface(
        x, y, height(data[metric].values), facecolors=colours, rstride=1, cstride=1, linewidth=0, alpha=0.85, zorder=1
    )
    if "path_x" in data and metric == "loss":
        for i, name in enumerate(data["path"].values):
            for seed in range(data.sizes["seed"]):
                mine = data.isel(path=i, seed=seed)
                line = (mine["path_x"].values, mine["path_y"].values, height(mine["path_loss"].values))
                label = str(name) if seed == 0 else None
                axes.plot(*line, figures.line(i), color=figures.colour(i), linewidth=1.8, label=label, zorder=3)
        axes.legend(fontsize=8)
    first, second = contours.axis_names(data)
    axes.set(xlabel=first, ylabel=second, zlabel=f"log₁₀ {scale.label}" if logarithmic else scale.label)
    axes.tick_params(labelsize=7)
    axes.set_box_aspect((4, 4, 2.6), zoom=0.88)
    contours.warn(fig, data)
    figures.provenance(fig, data, contours.what(data))
    return fig


def _lowest_corner(heights: np.ndarray) -> float:
    """The azimuth of the quarter of a grid, rows along y, that lies lowest on the average."""
    known = np.ma.masked_invalid(heights)
    y, x = (size // 2 for size in known.shape)
    quarters = {-122.0: known[:y, :x], -58.0: known[:y, x:], 58.0: known[y:, x:], 122.0: known[y:, :x]}
    means = {azimuth: part.mean() for azimuth, part in quarters.items() if part.count()}
    return min(means, key=lambda azimuth: float(means[azimuth]), default=-58.0)
