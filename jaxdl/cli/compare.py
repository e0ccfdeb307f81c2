"""``jaxdl compare``: several optimizers, one budget, one verdict."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from jaxdl import checks, comparison, optimizers, problems, store, verdict
from jaxdl.cli import landscape

if TYPE_CHECKING:
    import xarray
    from rich.console import Console
    from rich.table import Table

    from jaxdl.problems.problem import Problem

_FULL = {"learning_rates": 12, "seeds": 5, "fresh_seeds": 20, "steps": 500}
_QUICK = {"learning_rates": 6, "seeds": 3, "fresh_seeds": 10, "steps": 200}


@dataclass(frozen=True)
class Compare:
    """Tune each optimizer's learning rate on validation data, report it on test data with fresh seeds.

    Writes results.zarr, table.json, table.md, convergence.png and sensitivity.png into --out.
    """

    problem: str = "digits-mlp"
    """What to train on; an unknown name lists the known ones."""
    optimizers: tuple[str, ...] = optimizers.CLASSICS
    """Which optimizers to compare."""
    learning_rates: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(12; quick: 6)")] = None
    """Learning rates per optimizer, spread over its documented range."""
    seeds: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(5; quick: 3)")] = None
    """Seeds per learning rate, on which rates are selected."""
    fresh_seeds: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(20; quick: 10)")] = None
    """Further seeds, on which the selected rates are reported."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(500; quick: 200)")] = None
    """Updates per run."""
    out: Path = Path("runs/compare")
    """Folder for results and figures; what an earlier run left there is replaced."""
    landscape: bool = False
    """Also draw the ways of the selected optimizers over the loss: landscape.zarr, landscape.png and honesty.png."""
    quick: bool = False
    """The same job, smaller: under 20 seconds with nothing compiled."""

    when_interrupted: ClassVar[str] = "nothing was written."

    def run(self, console: "Console") -> int:
        """Does what the command says; returns its exit code."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        budget = _QUICK if self.quick else _FULL
        given = {name: getattr(self, name) for name in budget}
        budget = {name: budget[name] if value is None else value for name, value in given.items()}
        for name, value in budget.items():
            checks.positive_integer(**{f"--{name.replace('_', '-')}": value})
        for name in self.optimizers:
            checks.known("optimizer", name, optimizers.FACTORIES)
        checks.known("problem", self.problem, problems.names())
        out = store.check_writable(self.out)
        columns = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            compiling = progress.add_task("compiling", total=None)
            training = progress.add_task("training", total=None)

            def show(what: str, done: int, total: int) -> None:
                if what == "compiling":
                    progress.update(compiling, completed=done, total=total)
                else:
                    progress.update(training, description=f"training: {what}", completed=done, total=total)

            problem = problems.get(self.problem)
            found = comparison.compare(problem, self.optimizers, **budget, audit=not self.quick, on_progress=show)
            progress.update(training, description="training")
            drawn = self._landscape(problem, found, budget, show) if self.landscape else None
        _write(found, out)
        if drawn is not None:
            _write_landscape(drawn, out)
            for sentence in landscape.told(drawn):
                console.print(sentence, soft_wrap=True, highlight=False, markup=False)
        console.print(_rich_table(found))
        console.print(verdict.summary(found.results), soft_wrap=True)
        console.print(f"Results, table and figures: {out}{'' if str(out).endswith('/') else '/'}", soft_wrap=True)
        return 0

    def _landscape(
        self, problem: "Problem", found: comparison.Comparison, budget: dict[str, int], show: comparison.OnProgress
    ) -> "xarray.Dataset":
        """The ways of the selected optimizers with the first fresh seed."""
        fresh = int(found.results["fresh_seed"].values[0])
        rates = landscape.selected(found)
        return landscape.portrait(
            landscape.trained(problem, rates, range(fresh, fresh + 1), budget["steps"], show), show
        )


def _write_landscape(data: "xarray.Dataset", out: Path) -> None:
    from jaxdl import plots

    store.save(data, out / "landscape.zarr")
    plots.save(plots.contour(data), out / "landscape.png")
    plots.save(plots.honesty(data), out / "honesty.png")


def _write(found: comparison.Comparison, out: Path) -> None:
    from jaxdl import plots

    store.save(found.results, out / "results.zarr")
    store.write_json(out / "table.json", found.table)
    store.write_text(out / "table.md", verdict.markdown(found.results))
    plots.save(plots.convergence(found.results), out / "convergence.png")
    plots.save(plots.sensitivity(found.results), out / "sensitivity.png")


def _rich_table(found: comparison.Comparison) -> "Table":
    from rich.table import Table

    title = f"{found.results.attrs['problem']}, best first"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    head, *rows = verdict.cells(found.results)
    for i, name in enumerate(head):
        table.add_column(name, justify="left" if i in (0, len(head) - 1) else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table
