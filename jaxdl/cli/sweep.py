"""``jaxdl sweep``: a grid of hyper-parameters over seeds, kept in a folder that the same command resumes."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import tyro

from jaxdl import checks, grids, optimizers, problems, ranking
from jaxdl.cli import axes, display, studies
from jaxdl.sweeps import record
from jaxdl.sweeps.study import sweep

if TYPE_CHECKING:
    import xarray
    from rich.console import Console
    from rich.table import Table

SHOWN = 5
"""Points of the table that the command prints."""

_MODES = ("resume", "studies", "verify")
_APART = (*_MODES, "out", "count", "anyway", "memory")
"""Options that say where or how, and not what is run."""


@dataclass(frozen=True)
class Sweep:
    """Train every point of a grid with every seed.

    Writes the study and, for one or two axes of numbers, the figure sweep.png into --out. The same command again goes
    on where an earlier one stopped; one with further values, seeds or optimizers computes only what is not there.

    An axis is an argument of the optimizer, or of the problem (problem.label_noise), or the number of steps:
    --axis learning_rate=log:1e-4:1e-1:16 --axis b1=0.8,0.9 --axis nesterov=true,false --axis steps=100,200

    A first study, what it holds, and whether it can be repeated:
    $ jaxdl sweep --axis learning_rate=log:1e-4:1e-1:8 --out runs/first
    $ jaxdl sweep --list runs
    $ jaxdl sweep --verify runs/first
    """

    problem: str = "digits-mlp"
    """What to train on; an unknown name lists the known ones."""
    optimizers: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["--optimizer"])] = ("adam",)
    """Which optimizers; several are an axis of their own."""
    axes: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="axis", metavar="NAME=VALUES")] = ()
    """Values of an axis: 0.8,0.9 or log:low:high:n or lin:low:high:n; all combinations of the axes are run."""
    draw: Annotated[str | None, tyro.conf.arg(metavar="KIND:COUNT", help_behavior_hint="")] = None
    """Quasi-random or random points in place of combinations: sobol:64, halton:50, random:50."""
    ranges: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(name="range", metavar="NAME=RANGE")
    ] = ()
    """What they are drawn from: log:low:high or lin:low:high."""
    seeds: int = 5
    """Seeds of every point."""
    steps: int = 500
    """Updates per run, where they are no axis."""
    record_every: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Updates between records; by default there are about 50 records."""
    batch: Literal["shared", "own"] = "shared"
    """Whether the runs of a seed see the same batches, or every point its own."""
    exact: bool = False
    """Every run bit for bit as if it ran alone; several times as slow."""
    observe: Annotated[tuple[str, ...], tyro.conf.arg(help_behavior_hint="")] = ()
    """What to watch at every step, such as grad_norm update_ratio."""
    audit: int = 0
    """How many runs, besides the best, are repeated alone and compared."""
    out: Path = Path("runs/sweep")
    """Folder of the study."""
    memory: Annotated[int | None, tyro.conf.arg(metavar="MEGABYTES", help_behavior_hint="")] = None
    """How much memory the programs may take; by default half of what is free."""
    anyway: bool = False
    """Go on with a study of other versions or of another kind of device; the study says so then."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """Go on with the study in this folder, as it was commanded."""
    studies: Annotated[
        tuple[Path, ...] | None, tyro.conf.arg(name="list", metavar="[DIR ...]", help_behavior_hint="")
    ] = None
    """List the studies in and below folders, where none is named below runs."""
    verify: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="")] = None
    """Repeat some runs of the study in this folder and compare them with what is stored."""
    count: int = 10
    """How many runs --verify repeats."""

    when_interrupted: ClassVar[str] = "what was finished is kept; the same command goes on from there."

    def run(self, console: "Console") -> int:
        """Does what the command says; returns its exit code."""
        self._check_mode()
        if self.studies is not None:
            studies.show(self.studies or (Path("runs"),), console)
            return 0
        if self.verify is not None:
            checks.positive_integer(**{"--count": self.count})
            return studies.verify(self.verify, stored(self.verify).call(), self.count, console)
        if self.resume is not None:
            again = replace(stored(self.resume), anyway=self.anyway, memory=self.memory)
            again._train(self.resume, console)
        else:
            self._train(self.out, console)
        return 0

    def call(self) -> dict[str, Any]:
        """Arguments of ``jaxdl.sweep``.

        Raises:
          ValueError: what the options say is not to be understood, or names nothing that is known.
        """
        checks.known("problem", self.problem, problems.names())
        if not self.optimizers:
            raise ValueError("--optimizers needs at least one name, got none.")
        for name in self.optimizers:
            checks.known("optimizer", name, optimizers.FACTORIES)
        for option in ("seeds", "steps", *(["record_every"] if self.record_every is not None else [])):
            checks.positive_integer(**{f"--{option.replace('_', '-')}": getattr(self, option)})
        if self.audit < 0:
            raise ValueError(f"--audit must be a whole number of at least 0, got {self.audit}.")
        grid = axes.grid(self.axes, self.draw, self.ranges)
        factories = {name: optimizers.FACTORIES[name] for name in self.optimizers}
        return {
            "problem": self._problem(grid),
            "factory": factories if len(factories) > 1 else factories[self.optimizers[0]],
            "axes": grid,
            **{name: getattr(self, name) for name in ("seeds", "steps", "record_every", "batch", "exact", "observe")},
        }

    def _problem(self, grid: grids.Grid) -> Any:
        """The problem, or its factory where the grid has arguments for it."""
        make = functools.partial(problems.get, self.problem)
        return make if any(name.startswith("problem.") for name in grid.columns) else make()

    def _check_mode(self) -> None:
        """Another mode takes no options that it would not heed."""
        given = {field.name: field for field in fields(self) if getattr(self, field.name) != field.default}
        modes = [name for name in _MODES if getattr(self, name) is not None]
        if not modes:
            if "count" in given:
                raise ValueError("--count goes with --verify DIR, got it alone.")
            return
        heeded = {"verify": ("count",), "resume": ("anyway", "memory")}.get(modes[0], ())
        if others := [name for name in given if name not in (modes[0], *heeded)]:
            raise ValueError(f"{_option(modes[0])} takes all else from the study, got {_option(others[0])} too.")

    def _train(self, out: Path, console: "Console") -> None:
        """Runs what is missing, draws the figure, and says what there is."""
        call = self.call()
        if self.memory is not None:
            checks.positive_integer(**{"--memory": self.memory})
            call["memory"] = 1_000_000 * self.memory
        with studies.warned(console), display.live(console) as show:
            results = sweep(
                **call, audit=self.audit, out=out, origin=self._origin(), anyway=self.anyway, on_progress=show
            )
        drawn = _draw(results, out)
        studies.say(console, _title(results))
        console.print(_table(results), highlight=False)
        for sentence in _account(results):
            studies.say(console, sentence)
        studies.say(console, f"Results{' and figure' if drawn else ''}: {str(out).rstrip('/')}/")

    def _origin(self) -> dict[str, Any]:
        """The options that say what is run, as JSON."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _APART}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def stored(folder: Path) -> Sweep:
    """The command that made the study in ``folder``.

    Raises:
      FileNotFoundError: there is no study.
      ValueError: it was made by no such command.
    """
    origin = record.summary(folder).origin
    if origin is None or set(origin) != {f.name for f in fields(Sweep)} - set(_APART):
        raise ValueError(
            f"the study in {str(folder)!r} was not made by this version's `jaxdl sweep`, so its call is not known; "
            f"repeat the call that made it, with out={str(folder)!r}."
        )
    options: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in origin.items()}
    return Sweep(**options)


def _option(name: str) -> str:
    """A field of the command as it is typed."""
    typed = {"axes": "axis", "ranges": "range", "studies": "list"}.get(name, name)
    return f"--{typed.replace('_', '-')}"


def _account(results: "xarray.Dataset") -> Iterator[str]:
    """What the command found done and what it did, what diverged, and what an audit found."""
    stored, continued, new = (results.attrs[f"runs_{name}"] for name in ("stored", "continued", "new"))
    if stored or continued:
        longer = f"{continued} were continued from fewer steps, " if continued else ""
        yield f"{stored} of {stored + continued + new} runs were there already, {longer}{new} are new."
    if lost := int(ranking.diverged(results).sum()):
        stopped = int((results["diverged_at"] >= 0).sum())
        ended = f"{stopped} were stopped, {lost - stopped} ended no better than they began"
        yield f"{lost} of {results['diverged_at'].size} runs diverged: {ended}."
    if "chaotic" in results:
        yield _audited(results)


def _audited(results: "xarray.Dataset") -> str:
    """How many of the audited runs are chaotic, and which."""
    repeated, chaotic = results["chaotic"].attrs["audited"], ranking.chaotic(results)
    if not chaotic:
        return f"Audited alone: {repeated}, none of them takes another course."
    named = [", ".join(f"{name} {_value(value)}" for name, value in run.items()) for run in chaotic[:SHOWN]]
    more = "" if len(chaotic) <= SHOWN else "; …"
    return f"Audited alone: {repeated}, of which {len(chaotic)} chaotic, on another course: {'; '.join(named)}{more}"


def _draw(results: "xarray.Dataset", out: Path) -> bool:
    """Writes the figure, where there is one."""
    from jaxdl import plots

    figure = plots.sweep(results)
    if figure is not None:
        plots.save(figure, out / "sweep.png")
    return figure is not None


def _title(results: "xarray.Dataset") -> str:
    points = results["diverged_at"].size // results.sizes["seed"]
    loss = "validation" if ranking.metric(results) == "val_loss" else "training"
    names = f"{results.attrs['problem']}, {results.attrs['optimizer']}"
    return f"{names}: best {min(SHOWN, points)} of {points} points by median final {loss} loss over seeds"


def _table(results: "xarray.Dataset") -> "Table":
    from rich.table import Table

    points, seeds = ranking.best(results, SHOWN), results.sizes["seed"]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in (*points[0].values, "loss", "quartiles", "diverged"):
        table.add_column(name, justify="right")
    for point in points:
        values = map(_value, point.values.values())
        quartiles = f"[{_loss(point.low)}, {_loss(point.high)}]"
        table.add_row(*values, _loss(point.median), quartiles, f"{point.diverged}/{seeds}")
    return table


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _loss(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.4g}"
