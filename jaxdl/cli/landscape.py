"""``jaxdl landscape``: the loss on a plane, and how optimizers crossed it."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from jaxdl import checks, comparison, optimizers, problems, store
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
    contour.png, surface.png, honesty.png (how far the picture is to be believed) and paths.gif into --out; of a
    function of two variables also basins.png, what runs from every point reach.
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
    """Folder for results and figures; what an earlier run left there is replaced."""

    when_interrupted: ClassVar[str] = "nothing was written."

    def run(self, console: "Console") -> int:
        """Does what the command says; returns its exit code."""
        self._check()
        out = store.check_writable(self.out)
        problem = problems.get(self.problem)
        with Bar(console) as show:
            given = dict(zip(self.optimizers, self.learning_rates, strict=False))
            rates = given or self._selected(problem, show)
            first = SEEDS if not self.learning_rates else 0  # not the runs that selected
            data = portrait(problem, rates, range(first, first + self.seeds), self.steps, self.plane, self.grid, show)
            made = _write(data, out, show)
            if problem.name in planar.FUNCTIONS:
                made += _write_basins(problem, rates, self.steps, out)
        for sentence in told(data):
            console.print(sentence, soft_wrap=True, highlight=False, markup=False)
        console.print(f"{', '.join(made)}: {str(out).rstrip('/')}/", soft_wrap=True, highlight=False)
        return 0

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


def portrait(
    problem: "Problem",
    rates: Mapping[str, float],
    seeds: range,
    steps: int,
    plane: str,
    grid: int,
    show: comparison.OnProgress,
) -> "xarray.Dataset":
    """The portrait of a problem with optimizers of ours at these learning rates, named with them."""
    from jaxdl import landscape
    from jaxdl.landscape.runs import SNAPSHOTS

    made = {f"{name}, η = {rate:.3g}": optimizers.FACTORIES[name](rate) for name, rate in rates.items()}
    show("training", 0, 1)
    of_plane = problem.name in planar.FUNCTIONS
    return landscape.of_problem(
        problem,
        made,
        seeds=seeds,
        steps=steps,
        snapshots=min(steps, 10 * SNAPSHOTS if of_plane else SNAPSHOTS - 1) + 1,
        plane=plane,
        grid=grid,
        on_progress=functools.partial(show, "landscape"),
    )


def told(data: "xarray.Dataset") -> list[str]:
    """What there is to say of a portrait: what its plane holds, and what there is to doubt."""
    held, walk = float(data["explained"].sum()), float(data["walk"].sum())
    exact = data.attrs["plane"] == "coordinates"
    first = [] if exact else [f"The plane holds {held:.1%} of the paths' variance (walks without aim: {walk:.1%})."]
    return [*first, *json.loads(data.attrs["doubts"])]


def _write(data: "xarray.Dataset", out: Path, show: comparison.OnProgress) -> list[str]:
    from jaxdl import plots

    store.save(data, out / "landscape.zarr")
    figures = {"contour": plots.contour(data), "surface": plots.surface(data), "honesty": plots.honesty(data)}
    for done, (name, figure) in enumerate(figures.items()):
        show("drawing", done, len(figures) + 1)
        plots.save(figure, out / f"{name}.png")
    every = max(1, data.sizes["snapshot"] // 50)
    plots.animate(data.isel(snapshot=slice(None, None, every)), out / "paths.gif")
    return ["landscape.zarr", *(f"{name}.png" for name in figures), "paths.gif"]


def _write_basins(problem: "Problem", rates: Mapping[str, float], steps: int, out: Path) -> list[str]:
    from jaxdl import landscape, plots

    record = planar.FUNCTIONS[problem.name]
    made = {f"{name}, η = {rate:.3g}": optimizers.FACTORIES[name](rate) for name, rate in rates.items()}
    data = landscape.basins(record.value, made, record.domain, steps=max(10, steps), attractors=record.minima)
    data = data.assign_attrs(problem=problem.name)
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
