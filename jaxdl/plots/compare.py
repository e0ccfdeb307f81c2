"""The two figures of a comparison. Both read the Dataset of ``jaxdl.compare`` and nothing else."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from jaxdl import statistics, verdict
from jaxdl.plots import figure as figures

if TYPE_CHECKING:
    import xarray


def convergence(results: "xarray.Dataset") -> Figure:
    """Validation loss against updates: each optimizer at its selected rate on the fresh seeds, median and quartiles.

    Args:
      results: From ``jaxdl.compare`` or ``jaxdl.load``.

    Returns:
      The figure, with a legend in the order of the verdict.
    """
    rows = {row["optimizer"]: row for row in verdict.table(results)}
    names = [str(name) for name in results["optimizer"].values]
    values, label, scale = figures.height(results, results["fresh_val_loss"].values)
    values = statistics.losses_with_divergence(values) if scale != "linear" else values
    seeds = results.sizes["fresh_seed"]
    fig, axes = figures.new(f"{results.attrs['problem']}: each optimizer at its selected learning rate")
    for name in rows:
        i = names.index(name)
        low, mid, high = (figures.drawable(statistics.quantile(values[i], q, axis=0)) for q in (0.25, 0.5, 0.75))
        lost = round(rows[name]["fresh_diverged_fraction"] * seeds)
        text = f"{name}, η = {rows[name]['best_learning_rate']:.3g}" + (f", {lost} of {seeds} diverged" if lost else "")
        x = results["step"].values
        axes.plot(x, mid, figures.line(i), color=figures.colour(i), label=text, linewidth=1.6, zorder=_above(i))
        axes.fill_between(x, low, high, color=figures.colour(i), alpha=0.15, linewidth=0)
    if "target" in results.attrs:
        target = results.attrs["target"]
        shown = target - results.attrs["floor"] if "above" in label else target
        axes.axhline(shown, color="0.5", linewidth=0.8, linestyle=(0, (1, 2)), label=f"target {target:g}")
    axes.set(xlabel="updates", ylabel=f"validation {label}", yscale=scale, xlim=(0, results.attrs["steps"]))
    axes.legend(fontsize=8, title="best first", title_fontsize=8)
    figures.provenance(fig, results, f"median and quartiles of {seeds} fresh seeds · {_what(results)}")
    return fig


def sensitivity(results: "xarray.Dataset") -> Figure:
    """Final validation loss against learning rate over the screening seeds; crosses along the top are diverged cells.

    Args:
      results: From ``jaxdl.compare`` or ``jaxdl.load``.

    Returns:
      The figure. A star marks the selected rate; a cross is larger, the more seeds of its cell diverged; rates
      that an audit found chaotic are ringed and hatched: see ``jaxdl.sweeps.audit``.
    """
    final, label, scale = figures.height(results, results["val_loss"].isel(step=-1).values)
    diverged = verdict.diverged(results).values
    chaotic = results["chaotic"].any("seed").values if "chaotic" in results else np.zeros(final.shape[:2], bool)
    fig, axes = figures.new(f"{results.attrs['problem']}: sensitivity to the learning rate")
    for i, name in enumerate(results["optimizer"].values):
        rates = results["learning_rate"].values[i]
        values = statistics.losses_with_divergence(final[i])
        low, mid, high = (figures.drawable(statistics.quantile(values, q)) for q in (0.25, 0.5, 0.75))
        style: dict[str, Any] = {"color": figures.colour(i), "zorder": _above(i)}
        axes.plot(rates, mid, figures.line(i), label=str(name), marker="o", markersize=3, **style)
        axes.fill_between(rates, low, high, color=figures.colour(i), alpha=0.15, linewidth=0)
        best = int(np.argmin(statistics.median(values)))
        figures.star(axes, rates[best], mid[best], i, results.sizes["optimizer"])
        figures.crosses(axes, rates, diverged[i].mean(axis=-1), i)
        figures.chaotic(axes, rates, mid, chaotic[i], figures.colour(i))
    axes.set(xlabel="learning rate η", ylabel=f"final validation {label}", xscale="log", yscale=scale)
    figures.room_for_crosses(axes, results.sizes["optimizer"] if diverged.any() else 0)
    axes.plot([], [], "*", color="0.4", markersize=10, label="selected")
    axes.plot([], [], "x", color="0.4", label="diverged seeds")
    axes.legend(fontsize=8)
    seeds = results.sizes["seed"]
    figures.provenance(fig, results, f"median and quartiles of {seeds} screening seeds · {_what(results)}")
    return fig


def _above(i: int) -> int:
    """Height of curve ``i``: of two that coincide, the broken one must lie on the other to show both."""
    return 3 if figures.line(i) != "-" else 2


def _what(results: "xarray.Dataset") -> str:
    added = int((results["round"].values > 0).any(axis=0).sum())
    extended = f" ({added} of them by extension)" if added else ""
    return f"{results.sizes['trial']} rates per optimizer{extended}, {results.attrs['steps']} updates"
