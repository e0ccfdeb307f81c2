"""``jaxdl landscape``: the loss on a plane, and how optimizers crossed it."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from jaxdl import checks, comparison, optimizers, problems, store
from jaxdl.cli import definition
from jaxdl.problems import planar

if TYPE_CHECKING:
    import xarray
    from rich.console import Console

    from jaxdl.problems.problem import Problem

TRIALS, SEEDS = 6, 2
"""Learning rates of every optimizer, and seeds of each, from which one is selected where none is given."""


@dataclass(frozen=True)
class Landscape:
    """Train optimizers and draw their ways over the loss: on principal axes, random directions or eigenvectors.

    Learning rates are selected on validation data, as in jaxdl compare, unless they are given. Writes landscape.zarr,
    contour.png, surface.png, honesty.png (how far the picture is to be believed), lines.png (loss and accuracy on
    straight lines from start to end and from end to end) and paths.gif into --out; of a function of two variables also
    basins.png, what runs from every point reach.
    """

    problem: str = "digits-mlp"
    """What to train on; an unknown name lists the known ones."""
    optimizers: tuple[str, ...] = ("sgd", "momentum", "rmsprop", "adam")
    """Whose ways to draw."""
    learning_rates: tuple[float, ...] = ()
    """One for each optimizer; by default selected."""
    plane: Literal["pca", "random", "hessian"] = "pca"
    """Principal axes of all ways; filter-normalised random directions; or eigenvectors of the Hessian at the end."""
    seeds: int = 1
    """Runs of each optimizer."""
    steps: int = 300
    """Updates per run."""
    grid: int = 51
    """Points along either axis."""
    out: Path = Path("runs/landscape")
    """Folder for results and figures; the same command again goes on from what it finds there."""

    when_interrupted: ClassVar[str] = "what was finished is kept; the same command goes on from there."

    def run(self, console: "Console") -> int:
        """Does what the command says; returns its exit code."""
        self._check()
        out = store.check_writable(self.out)
        selected_before = definition.begin(out, self._asked())
        problem = problems.get(self.problem)
        with Bar(console) as show:
            rates = selected_before or dict(zip(self.optimizers, self.learning_rates, strict=False))
            if not rates:
                rates = self._selected(problem, show)
                definition.keep(out, self._asked(), rates)
            first = SEEDS if not self.learning_rates else 0  # not the runs that selected
            runs = trained(problem, rates, range(first, first + self.seeds), self.steps, show, out / "runs")
            data = portrait(runs, show, plane=self.plane, grid=self.grid, out=out / "points")
            made = _write(data, _lines(runs, show, out / "lines"), out, show)
            if problem.name in planar.FUNCTIONS:
                made += _write_basins(problem, rates, self.steps, out)
        for sentence in told(data):
            console.print(sentence, soft_wrap=True, highlight=False, markup=False)
        console.print(f"{', '.join(made)}: {str(out).rstrip('/')}/", soft_wrap=True, highlight=False)
        return 0

    def _asked(self) -> dict[str, Any]:
        """The options that say what is drawn, as JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "out"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def _check(self) -> None:
        for option in ("seeds", "steps"):
            checks.positive_integer(**{f"--{option}": getattr(self, option)})
        if self.grid < 2:
            raise ValueError(f"--grid must be at least 2, got {self.grid}.")
        for name in self.optimizers:
            checks.known("optimizer", name, optimizers.FACTORIES)
        checks.known("problem", self.problem, problems.names())
        if self.learning_rates and len(self.learning_rates) != len(self.optimizers):
            raise ValueError(
                f"--learning-rates needs one for each of {len(self.optimizers)} optimizers, "
                f"got {len(self.learning_rates)}."
            )

    def _selected(self, problem: "Problem", show: comparison.OnProgress) -> dict[str, float]:
        found = comparison.compare(
            problem,
            self.optimizers,
            learning_rates=TRIALS,
            seeds=SEEDS,
            fresh_seeds=1,
            steps=self.steps,
            extensions=0,
            audit=False,
            on_progress=show,
        )
        return selected(found)


def selected(found: comparison.Comparison) -> dict[str, float]:
    """The learning rate of each optimizer that a comparison selected, in its order of optimizers."""
    rates = {row["optimizer"]: float(row["best_learning_rate"]) for row in found.table}
    return {str(name): rates[str(name)] for name in found.results["optimizer"].values}


class Runs(NamedTuple):
    """What was trained: the problem, paths by name and seed, completed updates at each point; and the seeds."""

    found: tuple["Problem", Any, Any]
    seeds: range


def trained(
    problem: "Problem",
    rates: Mapping[str, float],
    seeds: range,
    steps: int,
    show: comparison.OnProgress,
    out: Path | None = None,
) -> Runs:
    """Runs of optimizers of ours at these learning rates, named with them; kept in ``out``."""
    from jaxdl import landscape
    from jaxdl.landscape.runs import SNAPSHOTS

    show("training", 0, 1)
    snapshots = min(steps, 10 * SNAPSHOTS if problem.name in planar.FUNCTIONS else SNAPSHOTS - 1) + 1
    found = landscape.paths(problem, _named(rates), seeds=seeds, steps=steps, snapshots=snapshots, out=out)
    return Runs((problem, *found), seeds)


def portrait(
    runs: Runs, show: comparison.OnProgress, *, plane: str = "pca", grid: int = 51, out: Path | None = None
) -> "xarray.Dataset":
    """Their portrait; points are kept in ``out``."""
    from jaxdl import landscape

    options: dict[str, Any] = {"out": out, "on_progress": functools.partial(show, "landscape")}
    return landscape.of_paths(*runs.found, seeds=runs.seeds, plane=plane, grid=grid, **options)


def _lines(runs: Runs, show: comparison.OnProgress, out: Path) -> "xarray.Dataset":
    from jaxdl import landscape

    options: dict[str, Any] = {"out": out, "on_progress": functools.partial(show, "lines")}
    return landscape.lines_of_problem(*runs.found, seeds=runs.seeds, **options)


def _named(rates: Mapping[str, float]) -> dict[str, Any]:
    """Optimizers of ours at these learning rates, named with them."""
    return {f"{name}, η = {rate:.3g}": optimizers.FACTORIES[name](rate) for name, rate in rates.items()}


def told(data: "xarray.Dataset") -> list[str]:
    """What there is to say of a portrait: what its plane holds, and what there is to doubt."""
    held, walk = float(data["explained"].sum()), float(data["walk"].sum())
    exact = data.attrs["plane"] == "coordinates"
    first = [] if exact else [f"The plane holds {held:.1%} of the paths' variance (walks without aim: {walk:.1%})."]
    return [*first, *json.loads(data.attrs["doubts"])]


def _write(data: "xarray.Dataset", lines: "xarray.Dataset", out: Path, show: comparison.OnProgress) -> list[str]:
    from jaxdl import plots

    store.save(data, out / "landscape.zarr")
    store.save(lines, out / "lines.zarr")
    figures = {"contour": data, "surface": data, "honesty": data, "lines": lines}
    for done, (name, drawn) in enumerate(figures.items()):
        show("drawing", done, len(figures) + 1)
        plots.save(getattr(plots, name)(drawn), out / f"{name}.png")
    show("drawing", len(figures), len(figures) + 1)
    every = max(1, data.sizes["snapshot"] // 50)
    plots.animate(data.isel(snapshot=slice(None, None, every)), out / "paths.gif")
    show("drawing", len(figures) + 1, len(figures) + 1)
    return ["landscape.zarr", "lines.zarr", *(f"{name}.png" for name in figures), "paths.gif"]


def _write_basins(problem: "Problem", rates: Mapping[str, float], steps: int, out: Path) -> list[str]:
    from jaxdl import landscape, plots

    record = planar.FUNCTIONS[problem.name]
    data = landscape.basins(
        record.value, _named(rates), record.domain, steps=max(10, steps), attractors=record.minima
    ).assign_attrs(problem=problem.name)
    store.save(data, out / "basins.zarr")
    plots.save(plots.atlas(data), out / "basins.png")
    return ["basins.zarr", "basins.png"]


class Bar:
    """One line of progress, for whatever is going on."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task("compiling", total=None)

    def __enter__(self) -> comparison.OnProgress:
        self._progress.start()
        return self._show

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def _show(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=what, completed=done, total=total)
