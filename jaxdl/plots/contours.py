"""A plane seen from above: contours of a metric, with the paths of runs over it, and what to doubt about them."""

import json
import textwrap
from typing import TYPE_CHECKING, Any

from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from jaxdl.plots import figure as figures
from jaxdl.plots import levels

if TYPE_CHECKING:
    import xarray

COLOURS = "YlGnBu_r"
"""Of heights: dark is low. Lines of Okabe and Ito's palette with a white rim stand out from all of it."""

DOTS = 12
"""About how many points of a path show their true value."""

_AXES = {"principal": "principal axis", "random": "random direction", "hessian": "Hessian eigenvector"}


def contour(data: "xarray.Dataset", metric: str = "loss", *, filled: bool = True) -> Figure:
    """The contours of a plane; over them, where the Dataset has them, the paths of runs.

    The points of a path have the colour of their **true** value on the scale of the contours: where one stands out from
    what surrounds it, the plane shows another loss there than the run had. Every seed has its own line: between runs
    that start apart lies a median that none of them went.

    Args:
      data: From ``jaxdl.landscape.plane``, ``portrait`` or ``jaxdl.load``.
      metric: Which variable to draw.
      filled: Whether the contours are filled.

    Returns:
      The figure. What there is to doubt about the paths stands in red at its top.
    """
    fig, axes = figures.new(title(data, metric))
    axes.grid(visible=False)
    scale = heights(axes, data, metric, filled)
    if "path_x" in data:
        for i in range(data.sizes["path"]):
            path(axes, data, i, scale if metric == "loss" else None)
        axes.legend(fontsize=8, loc="best", framealpha=0.9)
    x, y = axis_names(data)
    axes.set(xlabel=x, ylabel=y)
    warn(fig, data)
    figures.provenance(fig, data, what(data))
    return fig


def heights(axes: Axes, data: "xarray.Dataset", metric: str, filled: bool = True) -> levels.Scale:
    """Draws the contours and their colour bar."""
    scale = levels.scale(data, metric)
    x, y, z = data["x"].values, data["y"].values, scale.of(data[metric].values)
    if filled:
        drawn = axes.contourf(x, y, z, levels=scale.levels, norm=scale.norm, cmap=COLOURS)
        # Not at the lowest level, to which what lies below it is raised.
        axes.contour(x, y, z, levels=scale.levels[3::3], norm=scale.norm, colors="white", linewidths=0.4, alpha=0.6)
    else:
        drawn = axes.contour(x, y, z, levels=scale.levels, norm=scale.norm, cmap=COLOURS, linewidths=1.0)
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(drawn, ax=axes, label=scale.label, pad=0.02)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    ticks = scale.levels[:: max(1, len(scale.levels) // 6)]
    bar.set_ticks(list(ticks), labels=[f"{tick:.2g}" if abs(tick) < 100 else f"{tick:.3g}" for tick in ticks])
    return scale


def path(axes: Axes, data: "xarray.Dataset", index: int, scale: levels.Scale | None, until: int | None = None) -> None:
    """Draws the paths of one name, up to and without snapshot ``until``."""
    mine = data.isel(path=index, snapshot=slice(until))
    x, y = mine["path_x"].values, mine["path_y"].values
    colour: dict[str, Any] = {"color": figures.colour(index)}
    wide = 1.7 if len(x) == 1 else 1.1
    rim = [patheffects.Stroke(linewidth=wide + 1.5, foreground="white"), patheffects.Normal()]
    for seed, (across, up) in enumerate(zip(x, y, strict=True)):
        label = str(data["path"].values[index]) if seed == 0 else None
        style: dict[str, Any] = {"path_effects": rim, "zorder": 4, "label": label, **colour}
        axes.plot(across, up, figures.line(index), linewidth=wide, **style)
    if scale is not None:
        shown = slice(None, None, max(1, data.sizes["snapshot"] // DOTS))
        true = scale.of(mine["path_loss"].values[:, shown])
        style = {"cmap": COLOURS, "norm": scale.norm, "edgecolors": figures.colour(index), "zorder": 5}
        axes.scatter(x[:, shown].ravel(), y[:, shown].ravel(), c=true.ravel(), s=22, linewidths=1.0, **style)
    axes.plot(x[:, 0], y[:, 0], "o", markersize=6, markeredgecolor="black", zorder=6, **colour)
    axes.plot(x[:, -1], y[:, -1], "*", markersize=11, markeredgecolor="black", zorder=6, **colour)


def title(data: "xarray.Dataset", metric: str = "loss") -> str:
    """What is drawn, over which problem."""
    problem = str(data.attrs.get("problem", ""))
    return f"{problem}: {metric.replace('_', ' ')}" if problem else metric.replace("_", " ")


def axis_names(data: "xarray.Dataset") -> tuple[str, str]:
    """Labels of the axes, with the share of the paths' variance that each holds."""
    known = {"pca": "principal", **{name: name for name in _AXES}}.get(str(data.attrs.get("plane", "")))
    if data.attrs.get("plane") == "coordinates":
        return "x", "y"
    words = [f"{_AXES[known]} {i}" if known else f"direction {i}" for i in (1, 2)]
    if "explained" in data:
        words = [
            f"{word}: {share:.1%} of variance" for word, share in zip(words, data["explained"].values, strict=True)
        ]
    return words[0], words[1]


def warn(figure: Figure, data: "xarray.Dataset") -> None:
    """Prints in red what there is to doubt."""
    sentences = json.loads(data.attrs.get("doubts", "[]"))
    if sentences:
        text = textwrap.fill("This picture misleads. " + " ".join(sentences), 110)
        box = {"boxstyle": "round", "facecolor": "#fff0f0", "edgecolor": "#c00000"}
        figure.suptitle(text, fontsize=8, color="#c00000", bbox=box)


def what(data: "xarray.Dataset") -> str:
    """What was computed, and how much of the paths the plane holds, for the foot."""
    words = [f"{data.sizes['x']} × {data.sizes['y']} points"]
    exact = data.attrs.get("plane") == "coordinates"
    if not exact:
        words.append(f"cosine of the axes {data['cosine'].values[0, 1]:.1g}")
    if "path_x" in data and not exact:
        held, walk = float(data["explained"].sum()), float(data["walk"].sum())
        alike = ", each counted alike" if data.sizes["path"] * data.sizes["seed"] > 1 else ""
        words.append(f"plane holds {held:.1%} of the paths' variance{alike} (walks without aim: {walk:.1%})")
    if "run" in data.attrs:
        words.append(str(data.attrs["run"]))
    return "; ".join(words)
