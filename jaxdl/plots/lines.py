"""A slice along one direction: the loss, and on the right whatever else was recorded."""

from typing import TYPE_CHECKING

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
    for mark in (0.0, 1.0) if data.attrs.get("plane") == "interpolation" else (0.0,):
        axes.axvline(mark, color="0.6", linewidth=0.8, linestyle=(0, (1, 2)))
    handles = [*axes.get_lines(), *(right.get_lines() if right is not None else [])]
    axes.legend(handles=[h for h in handles if not str(h.get_label()).startswith("_")], fontsize=8, loc="upper center")
    figures.provenance(fig, data, f"{data.sizes['x']} points")
    return fig
