"""The figure of a sweep along one or two axes of numbers. It reads the Dataset of ``jaxdl.sweep`` and nothing else."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from jaxdl import ranking, statistics
from jaxdl.plots import figure as figures

if TYPE_CHECKING:
    import xarray

MAX_CURVES = 8
"""Most curves of one figure; there are as many colours."""
MAX_LABELS = 16
"""Most values of an axis that a heat map writes out; of more, every second, third, … is."""


def sweep(results: "xarray.Dataset") -> Figure | None:
    """Final loss along the axes of a sweep that hold several numbers.

    Args:
      results: From ``jaxdl.sweep`` or ``jaxdl.load``.

    Returns:
      One such axis: the median and the quartiles over seeds against it, a curve for every combination of the other
      axes, with a star at the best point and crosses along the top where seeds diverged. Two and no other axis: a heat
      map of the medians. Points that an audit found chaotic are hatched. None of any other grid, or where there would
      be more than :data:`MAX_CURVES` curves.
    """
    drawn = _over_its_column(results)
    dims = drawn["diverged_at"].dims[:-1]
    if "point" in dims:
        return None
    several = [dim for dim in dims if drawn.sizes[dim] > 1]
    numbers = [dim for dim in several if drawn[dim].dtype.kind in "fiu"]
    others = [dim for dim in several if dim not in numbers]
    if len(numbers) == 1 and np.prod([drawn.sizes[dim] for dim in others]) <= MAX_CURVES:
        return _curves(drawn, str(numbers[0]), [str(dim) for dim in others])
    if len(numbers) == 2 and not others:
        return _heat_map(drawn, str(numbers[0]), str(numbers[1]))
    return None


def _over_its_column(results: "xarray.Dataset") -> "xarray.Dataset":
    """A draw along one range is an axis like any other."""
    columns = [name for name, c in results.coords.items() if c.dims == ("point",) and name != "point"]
    if len(columns) != 1:
        return results
    return results.drop_vars("point").swap_dims({"point": columns[0]})


def _curves(results: "xarray.Dataset", along: str, others: list[str]) -> Figure:
    """The final loss against the axis ``along``."""
    results = results.sortby(along)
    x, final = results[along].values, ranking.final(results)
    values, label, scale = figures.height(results, final.values)
    losses = final.copy(data=statistics.losses_with_divergence(values))
    diverged = ranking.diverged(results)
    fig, axes = figures.new(_title(results, along))
    several = list(_combinations(results, others))
    for i, chosen in enumerate(several):
        mine = losses.isel(chosen).transpose(along, ..., "seed").values.reshape(len(x), -1)
        low, mid, high = (figures.drawable(statistics.quantile(mine, q)) for q in (0.25, 0.5, 0.75))
        name = ", ".join(_worded(results, dim, index) for dim, index in chosen.items())
        color = figures.colour(i)
        axes.plot(x, mid, figures.line(i), label=name or "median", marker="o", markersize=3, color=color, zorder=2)
        axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
        if np.isfinite(mid).any():
            figures.star(axes, x[np.nanargmin(mid)], mid[np.nanargmin(mid)], i, len(several))
        share = diverged.isel(chosen).transpose(along, ..., "seed").values.reshape(len(x), -1).mean(axis=-1)
        figures.crosses(axes, x, share, i)
        if "chaotic" in results:
            runs: np.ndarray = results["chaotic"].isel(chosen).transpose(along, ..., "seed").values
            found = np.any(runs.reshape(len(x), -1), axis=-1)
            figures.chaotic(axes, x, mid, found, color)
    units = "" if along != "steps" else " (updates)"
    axes.set(xlabel=f"{along}{units}", ylabel=_loss(results, label), xscale=_scale(x), yscale=scale)
    figures.room_for_crosses(axes, len(several) if bool(diverged.any()) else 0)
    axes.plot([], [], "*", color="0.4", markersize=10, label="best")
    if bool(diverged.any()):
        axes.plot([], [], "x", color="0.4", label="diverged seeds")
    axes.legend(fontsize=8)
    figures.provenance(fig, results, ("median and quartiles of " if results.sizes["seed"] > 1 else "") + _what(results))
    return fig


def _heat_map(results: "xarray.Dataset", one: str, two: str) -> Figure:
    """The median final loss over the axes ``one`` (horizontal) and ``two`` (vertical), cell by cell."""
    results = results.sortby([one, two])
    final = ranking.final(results).transpose(two, one, ..., "seed")
    shape = (results.sizes[two], results.sizes[one])
    values, label, scale = figures.height(results, final.values.reshape(*shape, -1))
    mid = figures.drawable(statistics.median(statistics.losses_with_divergence(values)))
    lost = ranking.diverged(results).transpose(two, one, ..., "seed").values.reshape(*shape, -1)
    diverged: np.ndarray = np.any(lost, axis=-1)
    fig, axes = figures.new(_title(results, f"{one} and {two}"))
    axes.grid(visible=False)
    axes.set_facecolor("0.85")
    if np.isfinite(mid).any():
        low, high = float(np.nanmin(mid)), float(np.nanmax(mid))
        norm = LogNorm(low, high) if scale == "log" and low < high else Normalize(low, high)
        shown = axes.pcolormesh(np.ma.masked_invalid(mid), cmap="viridis_r", norm=norm)
        fig.colorbar(shown, ax=axes, label=f"median {_loss(results, label)}")
        row, column = np.unravel_index(np.nanargmin(mid), shape)
        figures.star(axes, column + 0.5, row + 0.5, 0, 1, color="black", label="best")
    _hatched(axes, diverged, mid, "////")
    chaotic: np.ndarray = np.zeros(shape, bool)
    if "chaotic" in results:
        chaotic = np.any(results["chaotic"].transpose(two, one, ..., "seed").values.reshape(*shape, -1), axis=-1)
    _hatched(axes, chaotic, mid, figures.CHAOTIC_HATCH)
    _ticks(axes, "x", results[one].values)
    _ticks(axes, "y", results[two].values)
    axes.set(xlabel=one, ylabel=two, xlim=(0, shape[1]), ylim=(0, shape[0]))
    handles = axes.get_legend_handles_labels()[0]
    if diverged.any():
        handles.append(Patch(facecolor="0.4", edgecolor="white", hatch="////", label="some or all seeds diverged"))
    if chaotic.any():
        hatch = figures.CHAOTIC_HATCH
        handles.append(Patch(facecolor="0.4", edgecolor="white", hatch=hatch, label=figures.CHAOTIC))
    if not np.isfinite(mid).all():
        handles.append(Patch(facecolor="0.85", edgecolor="0.3", label="median not finite"))
    fig.legend(handles=handles, loc="outside upper right", fontsize=8, ncols=3, frameon=False)
    figures.provenance(fig, results, ("medians of " if results.sizes["seed"] > 1 else "") + _what(results))
    return fig


def _hatched(axes: Axes, cells: np.ndarray, values: np.ndarray, hatch: str) -> None:
    """Hatches cells of the heat map: white over a colour, grey over none."""
    for row, column in np.argwhere(cells).tolist():
        color = "white" if np.isfinite(values[row, column]) else "0.6"
        axes.add_patch(Rectangle((column, row), 1, 1, fill=False, hatch=hatch, edgecolor=color, linewidth=0))


def _ticks(axes: Axes, which: str, values: np.ndarray) -> None:
    """The values of an axis at the middle of its cells."""
    step = -(-len(values) // MAX_LABELS)
    where = np.arange(0, len(values), step)
    texts = [f"{value:.3g}" for value in values[where]]
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if which == "x" and len(where) > 8 else {}
    (axes.set_xticks if which == "x" else axes.set_yticks)(where + 0.5, texts, fontsize=8, **turned)


def _combinations(results: "xarray.Dataset", dims: list[str]) -> Iterator[dict[str, int]]:
    for index in np.ndindex(*(results.sizes[dim] for dim in dims)):
        yield dict(zip(dims, index, strict=True))


def _title(results: "xarray.Dataset", along: str) -> str:
    """What is drawn, and the values of the axes that have one."""
    dims = [str(dim) for dim in results["diverged_at"].dims[:-1]]
    single = [_worded(results, dim, 0) for dim in dims if results.sizes[dim] == 1 and dim != "optimizer"]
    return ", ".join([f"{results.attrs['problem']}, {results.attrs['optimizer']}: final loss over {along}", *single])


def _worded(results: "xarray.Dataset", dim: str, index: int) -> str:
    value = results[dim].values[index]
    if dim == "optimizer":
        return str(value)
    return f"{dim} = {value:.3g}" if results[dim].dtype.kind == "f" else f"{dim} = {value}"


def _loss(results: "xarray.Dataset", label: str) -> str:
    return f"final {'validation' if ranking.metric(results) == 'val_loss' else 'training'} {label}"


def _scale(values: np.ndarray) -> str:
    """Logarithmic for positive values over more than a decade."""
    return "log" if values.min() > 0 and values.max() > 10 * values.min() else "linear"


def _what(results: "xarray.Dataset") -> str:
    seeds = results.sizes["seed"]
    length = "" if "steps" in results.coords else f", {results.attrs['steps']} updates"
    return f"{seeds} seed{'s' if seeds > 1 else ''}{length}"
