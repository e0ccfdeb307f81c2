"""Decision map and loss curve of every experiment, and the comparisons of each table."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.lecture import measures, single, tables
from experiments.lecture.figures import style
from experiments.lecture.laboratory import Laboratory


def experiment(lab: Laboratory, id: str) -> Figure:
    """S1 … S6, R0 … R3, D0 … D3 of the seed that ends nearest the median: two panels, as on the slides."""
    seed = lab.typical(lab.run(id).final)
    of = single.run(id, seed)
    figure, axes = style.new(2)
    filled = style.decision_map(axes[0, 0], of.params, of.title)
    style.probability_bar(figure, filled, axes[0, 0])
    style.loss_curve(axes[0, 1], {"training": (of.loss, style.BLUE)}, f"loss of the last epoch: {of.loss[-1]:.3f}")
    return style.sign(figure, f"{id}, {len(of.loss)} epochs, seed {seed}, whose last loss is nearest the median")


def early_stopping(lab: Laboratory, id: str) -> Figure:
    """E1: at the last epoch. E2: at the epoch of the smallest validation loss."""
    seed = lab.typical(measures.stop(lab.run("R0")).epoch)
    of = single.run("S6", seed)
    end = len(of.loss) if id == "E1" else of.best_epoch
    figure, axes = style.new(2)
    params, words = (of.params, f"after {end} epochs") if id == "E1" else (of.best, f"stopped after {end} epochs")
    filled = style.decision_map(axes[0, 0], params, f"{of.title}, {words}", validation=True)
    style.probability_bar(figure, filled, axes[0, 0])
    curves = {"training": (of.loss[:end], style.BLUE), "validation": (of.val[:end], style.RED)}
    text = f"last: training {of.loss[end - 1]:.3f}, validation {of.val[end - 1]:.3f}"
    style.loss_curve(axes[0, 1], curves, text)
    return style.sign(figure, f"{id}, seed {seed}, whose best epoch is nearest the median")


def comparison(lab: Laboratory, table: str) -> Figure:
    """The curves of a table, median over seeds, and its medians and bands beside the printed values."""
    title, settings = tables.TABLES[table]
    ids = [setting.id for setting in settings]
    ids = [*("S1", "S2", "S3"), *ids] if table == "optimizers" else ids
    figure, axes = style.new(2)
    for colour, id in zip(style.COLOURS, ids, strict=False):
        of, line = lab.run(id), tables.SETTINGS[id]
        epochs = np.arange(1, of.loss.shape[1] + 1)
        above = 3 - len(epochs) / 1e4  # a shorter run hides no longer one that begins as it does
        middle = np.median(of.loss, axis=0)
        axes[0, 0].plot(epochs, middle, color=colour, linewidth=0.9, label=line.text, zorder=above)
    axes[0, 0].set(
        xlabel="training epoch", ylabel="loss (nat), median over seeds", title=_english(title), ylim=(0, None)
    )
    axes[0, 0].set_xscale("log")
    axes[0, 0].legend(fontsize=8)
    _bands(axes[0, 1], lab, ids)
    return style.sign(figure, f"{lab.run(ids[0]).loss.shape[0]} seeds")


def _bands(axes: Axes, lab: Laboratory, ids: list[str]) -> None:
    for place, id in enumerate(ids):
        line = tables.line(lab.studies, tables.SETTINGS[id])
        colour = style.COLOURS[place]
        axes.plot([line.band[0], line.band[1]], [place, place], color=colour, linewidth=5, alpha=0.4)
        axes.plot(line.median, place, "|", color=colour, markersize=16, markeredgewidth=2.5)
        axes.plot(line.setting.printed, place, "kx", markersize=8)
    axes.plot([], [], "|", color="0.4", markersize=12, markeredgewidth=2.5, label="median")
    axes.plot([], [], color="0.4", linewidth=5, alpha=0.4, label="5 % to 95 % of the seeds")
    axes.plot([], [], "kx", label="printed in the lecture")
    axes.set_yticks(range(len(ids)), [tables.SETTINGS[id].text for id in ids], fontsize=8)
    axes.set(xlabel="loss of the last epoch (nat)", ylim=(len(ids) - 0.5, -0.5))
    axes.legend(fontsize=8)
    axes.grid(visible=True, axis="x", alpha=0.25)


def _english(title: str) -> str:
    """A title without its Chinese terms, which the figures' font does not have."""
    return "".join(part.split(")", 1)[-1] if place else part for place, part in enumerate(title.split(" ("))).strip()


def over_fitting(lab: Laboratory) -> Figure:
    """Median training and validation loss over seeds, with the epoch N of the smallest."""
    of = lab.run("R0")
    train, val = (np.median(curves, axis=0) for curves in (of.loss, of.val))
    best = int(val.argmin()) + 1
    figure, axes = style.new(1, width=6.4)
    style.loss_curve(axes[0, 0], {"training": (train, style.BLUE), "validation": (val, style.RED)}, "Over-fitting")
    axes[0, 0].axvline(best, color="0.3", linestyle="--", linewidth=1)
    axes[0, 0].text(best * 1.1, 0.8 * val.max(), f"N = {best}", fontsize=9)
    axes[0, 0].set_xscale("log")
    return style.sign(figure, f"Adam, η = 0.03, median of {len(of.loss)} seeds")


def stopping(lab: Laboratory) -> Figure:
    """Where two rules stop: patience, and the best epoch of the whole run."""
    from jaxdl import statistics

    runs = lab.run("R0")
    early = np.array([statistics.patience_stop(curve, patience=50)[0] for curve in runs.val])
    place = int((runs.val.argmin(axis=1) - early).argmax())
    val, best = runs.val[place], int(runs.val[place].argmin()) + 1
    kept, stopped = (int(k) + 1 for k in statistics.patience_stop(val, patience=50))
    figure, axes = style.new(1, width=6.4)
    curves = {"training": (runs.loss[place], style.BLUE), "validation": (val, style.RED)}
    style.loss_curve(axes[0, 0], curves, "Two rules of early stopping")
    for epoch, text, line in (
        (kept, f"patience 50 keeps epoch {kept} …", ":"),
        (stopped, f"… and stops at {stopped}", "-."),
        (best, f"best of the whole run: {best}", "--"),
    ):
        axes[0, 0].axvline(epoch, color="0.25", linestyle=line, linewidth=1.2, label=text)
    axes[0, 0].set_xscale("log")
    axes[0, 0].legend(fontsize=8)
    what = f"Adam, η = 0.03, seed {lab.seed(place)} of {len(runs.val)}, where the two rules differ most"
    return style.sign(figure, what)


EXPERIMENTS = (*measures.POINTS,)
COMPARISONS = ("learning-rates", "optimizers", "l2", "dropout")
