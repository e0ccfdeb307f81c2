"""What a comparison says, read from its stored Dataset alone: the table, its text forms and the sentence below it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from jaxdl import statistics

if TYPE_CHECKING:
    import xarray

BASIN_TOLERANCE = 0.1
"""A rate lies in the basin if its loss exceeds the best by at most this part of the best's height above the floor."""


def table(results: "xarray.Dataset") -> list[dict[str, Any]]:
    """The verdict, one row per optimizer from the best to the worst, from stored results alone.

    Columns: ``best_learning_rate`` minimises the median final validation loss over the screening seeds;
    ``val_…`` and ``test_…`` are of the fresh seeds at that rate, at the last step; ``test_loss_low`` and ``…_high``
    bound the median by a paired bootstrap, 95 %; ``test_loss_behind`` (``…_low``, ``…_high``) is the median over seeds
    of the loss minus the first optimizer's, and ``verdict`` says whether its interval leaves out zero;
    ``steps_to_target`` is the median over fresh seeds of the first record at or below the problem's target;
    ``basin_decades`` and ``diverged_fraction`` (see :func:`diverged`) are of all screening runs; ``optimum_at_edge``
    warns that the rate was selected at an end of the grid; ``trials`` and ``trials_added`` count rates and those that
    extensions added.
    ``has_target`` tells a target that was not reached from none at all. Infinite numbers are None.
    """
    names = [str(name) for name in results["optimizer"].values]
    final = {name: _final_losses(results, name) for name in names}
    order = sorted(names, key=lambda name: float(statistics.median(final[name])))
    indices = statistics.resamples(results.sizes["fresh_seed"])
    return [_row(results, name, final[name], final[order[0]], name == order[0], indices) for name in order]


def diverged(results: "xarray.Dataset", prefix: str = "") -> "xarray.DataArray":
    """Which runs diverged: those that were frozen, and those that ended no better than they began.

    A run may blow up, kill every unit of its network and rest at the loss of a constant guess. No step of it is bad
    enough to be frozen; still it has not trained. Judged by the validation loss.
    """
    losses = results[f"{prefix}val_loss"]
    return (results[f"{prefix}diverged_at"] >= 0) | ~(losses.isel(step=-1) < losses.isel(step=0))


def _final_losses(results: "xarray.Dataset", name: str, metric: str = "test_loss") -> np.ndarray:
    values = results[f"fresh_{metric}"].sel(optimizer=name).isel(step=-1).values
    return statistics.losses_with_divergence(values)


def _row(
    results: "xarray.Dataset",
    name: str,
    losses: np.ndarray,
    leader: np.ndarray,
    leads: bool,
    indices: np.ndarray,
) -> dict[str, Any]:
    mine = results.sel(optimizer=name)
    screened = statistics.median(statistics.losses_with_divergence(mine["val_loss"].isel(step=-1).values))
    best = int(np.argmin(screened))
    rates = mine["learning_rate"].values
    val = _final_losses(results, name, "val_loss")
    low, high = statistics.bootstrap_interval(losses, indices)
    behind, behind_low, behind_high = statistics.paired_difference(losses, leader, indices)
    target = results.attrs.get("target")
    reached = (
        statistics.steps_to_target(results["step"].values, mine["fresh_val_loss"].values, target)
        if target is not None
        else np.full(len(val), np.inf)
    )
    numbers: dict[str, Any] = {
        "best_learning_rate": float(rates[best]),
        "val_loss_median": statistics.median(val),
        "val_loss_q25": statistics.quantile(val, 0.25),
        "val_loss_q75": statistics.quantile(val, 0.75),
        "val_accuracy_median": _median_of(mine, "fresh_val_accuracy"),
        "test_loss_median": statistics.median(losses),
        "test_loss_low": low,
        "test_loss_high": high,
        "test_accuracy_median": _median_of(mine, "fresh_test_accuracy"),
        "test_loss_behind": behind,
        "test_loss_behind_low": behind_low,
        "test_loss_behind_high": behind_high,
        "steps_to_target": statistics.median(reached),
        "basin_decades": statistics.basin_decades(rates, screened, _basin_threshold(results, screened)),
        "diverged_fraction": float(diverged(mine).mean()),
        "fresh_diverged_fraction": float(diverged(mine, "fresh_").mean()),
    }
    return {
        "optimizer": name,
        **{key: float(value) if np.isfinite(value) else None for key, value in numbers.items()},
        "has_target": target is not None,
        "optimum_at_edge": any(statistics.at_edge(screened)),
        "trials": len(rates),
        "trials_added": int((mine["round"].values > 0).sum()),
        "verdict": "best" if leads else "worse" if behind_low > 0 else "unresolved",
    }


def _median_of(mine: "xarray.Dataset", variable: str) -> float:
    """Median over fresh seeds of a final metric; NaN, which becomes None, where the problem has no such metric."""
    if variable not in mine:
        return float("nan")
    values = mine[variable].isel(step=-1).values
    return float(np.median(np.where(np.isnan(values), 0.0, values)))


def _basin_threshold(results: "xarray.Dataset", screened: np.ndarray) -> float:
    """Losses up to here count as good: the best plus a part of its height above the floor (0 where it is unknown)."""
    best = float(screened.min())
    height = abs(best - float(results.attrs.get("floor", 0.0)))
    return best + BASIN_TOLERANCE * height


def cells(results: "xarray.Dataset") -> list[list[str]]:
    """The table as text: the head, then one row per optimizer."""
    head = ["optimizer", "η", "test loss [95 %]", "acc. %", "behind", "steps", "basin", "div.", "verdict"]
    return [head, *(_cells(row) for row in table(results))]


def _cells(row: dict[str, Any]) -> list[str]:
    def text(key: str, digits: str = ".3f", otherwise: str = "∞") -> str:
        return otherwise if row[key] is None else format(row[key], digits)

    return [
        row["optimizer"],
        text("best_learning_rate", ".2g") + ("!" if row["optimum_at_edge"] else ""),
        f"{text('test_loss_median')} [{text('test_loss_low')},{text('test_loss_high')}]",
        "-" if row["test_accuracy_median"] is None else format(100 * row["test_accuracy_median"], ".1f"),
        "" if row["verdict"] == "best" else text("test_loss_behind", "+.3f"),
        text("steps_to_target", ".0f", "never" if row["has_target"] else "-"),
        text("basin_decades", ".2f"),
        text("diverged_fraction", ".0%"),
        row["verdict"],
    ]


def markdown(results: "xarray.Dataset") -> str:
    """The table and what it means, as Markdown."""
    head, *rows = cells(results)
    lines = [head, ["---"] * len(head), *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"# {results.attrs['problem']}\n\n{text}\n\n{summary(results)}\n"


def summary(results: "xarray.Dataset") -> str:
    """How the table was made and is to be read, in sentences."""
    sizes, rows = results.sizes, table(results)
    sentences = [
        f"Every optimizer: {sizes['trial']} learning rates × {sizes['seed']} seeds × {results.attrs['steps']} updates; "
        "the rate η with the smallest median validation loss was selected.",
        f"Test loss, accuracy and steps to the target are medians over {sizes['fresh_seed']} fresh seeds at that rate, "
        "with bootstrap intervals.",
        "'behind': median difference to the best row, seed by seed; 'worse' where its 95 % interval lies above zero.",
        f"'basin': decades of η within {BASIN_TOLERANCE:.0%} of the best loss; 'div.': part of all screening runs that "
        "diverged.",
    ]
    if rows[0]["trials_added"]:
        sentences.append(
            f"{rows[0]['trials_added']} of the rates are extensions: beyond the edge of a grid whose best rate lay "
            "there, and around the best rate of every other optimizer."
        )
    edge = [row["optimizer"] for row in rows if row["optimum_at_edge"]]
    if edge:
        sentences.append(f"Still best at the edge of the grid (!), so perhaps not tuned: {', '.join(edge)}.")
    return " ".join(sentences)
