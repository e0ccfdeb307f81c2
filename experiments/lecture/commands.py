"""Thin shells over the functions of this folder. Mistakes cost one sentence and exit code 2."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import tyro
from rich.console import Console
from rich.table import Table

from experiments.lecture import bands, check, tables
from experiments.lecture.chapters import CHAPTERS
from experiments.lecture.laboratory import SEEDS, Laboratory
from experiments.lecture.registry import IDS, catalogue
from jaxdl import configuration

OUT = Path("runs/lecture")


@dataclass(frozen=True)
class Tables:
    """All tables: printed value, our median, the band of 5 to 95 % of the seeds, verdict, misclassified points."""

    table: tuple[str, ...] = tuple(tables.TABLES)
    """Which of them."""
    seeds: int = SEEDS
    json: Path | None = None
    """File for the numbers."""
    out: Path | None = None
    """Folder for the comparisons as figures."""

    def run(self, console: Console) -> int:
        for name in self.table:
            if name not in tables.TABLES:
                raise ValueError(f"unknown table {name!r}; there are: {', '.join(tables.TABLES)}.")
        lab = Laboratory(self.seeds)
        content = bands.describe(lab.studies, self.table)
        for name in self.table:
            console.print(_table(lab, name))
        console.print("\ninside: whether the band of these seeds holds the printed value, and that of our stored 200;")
        console.print("errors: median number of misclassified points; which, in most seeds\n")
        true = sum(ordering["true"] for ordering in content["orderings"])
        for ordering in content["orderings"]:
            console.print(f"{'holds' if ordering['true'] else '[red]fails[/red]'}: {ordering['text']}")
        console.print(
            f"{true} of {len(content['orderings'])} orderings hold; {content['seconds']:.1f} s for {self.seeds} seeds"
        )
        if self.json is not None:
            bands.write(content, self.json)
        if self.out is not None:
            _draw([name for name in self.table if name != "early-stopping"], lab, self.out, console)
        return 0


@dataclass(frozen=True)
class Figures:
    """Every figure, into a folder."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Which of them; all by default."""
    out: Path = OUT
    seeds: int = SEEDS

    def run(self, console: Console) -> int:
        from experiments.lecture.figures import catalogue as figures

        _draw(list(self.names or figures.FIGURES), Laboratory(self.seeds), self.out, console)
        return 0


@dataclass(frozen=True)
class Check:
    """Every row C01 … C106: its statement, what was measured, pass or fail. Ends with 1 where a row fails."""

    rows: tyro.conf.Positional[tuple[str, ...]] = ()
    """Which of them; all by default."""
    seeds: int = SEEDS
    json: Path | None = None
    """File for all statements and measurements."""

    def run(self, console: Console) -> int:
        lab = Laboratory(self.seeds)
        outcomes = check.check_all(lab, self.rows or IDS, lambda outcome: _tell(console, outcome))
        failed = [outcome.row.id for outcome in outcomes if not outcome.passed]
        console.print(f"{len(outcomes) - len(failed)} of {len(outcomes)} rows pass{_named(failed)}")
        if self.json is not None:
            self.json.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps(check.describe(outcomes, lab), indent=1, ensure_ascii=False, default=str)
            self.json.write_text(content + "\n", encoding="utf-8")
        return 1 if failed else 0


@dataclass(frozen=True)
class Train:
    """Trains on 150 digits with any of the remedies against over-fitting (slide 33); 0 is off."""

    l1: float = 0.0
    """λ of λ‖θ‖₁."""
    l2: float = 0.0
    """λ of ½ λ‖θ‖²."""
    weight_decay: float = 0.0
    """Decoupled, times the rate."""
    dropout_rate: float = 0.0
    patience: int = 0
    """Looks at the validation loss without progress before the run stops."""
    shift: int = 0
    """Pixels by which training images move."""
    steps: int = 400
    seed: int = 0

    def run(self, console: Console) -> int:
        from experiments.lecture import remedies

        made = remedies.train(**vars(self))
        console.print(
            f"updates {made.steps}; loss (nat): training {made.train:.4f}, "
            f"validation {made.val:.4f}, test {made.test:.4f}"
        )
        console.print(f"wrong test images: {100 * made.error:.1f} %; weights below 1e-3: {100 * made.small:.0f} %")
        return 0


@dataclass(frozen=True)
class Demo:
    """The four optimizers of slide 25 from a start of your choice."""

    x: float = 0.633
    y: float = 1.214

    def run(self, console: Console) -> int:
        from experiments.lecture import demo

        for name, path in demo.paths(start=(self.x, self.y)).items():
            end, value = path[-1], demo.value(path[-1])
            console.print(f"{name:16} {len(path) - 1:4} steps, ends at ({end[0]:.4f}, {end[1]:.4f}), f = {value:.4f}")
        return 0


COMMANDS: dict[str, Callable[..., Any]] = {
    "tables": Tables,
    "figures": Figures,
    "check": Check,
    "train": Train,
    "demo": Demo,
}


def main(arguments: list[str]) -> int:
    """Runs a command; without one it lists the chapters. Returns the exit code."""
    console = Console()
    try:
        jax.config.update("jax_enable_x64", True)
        if not arguments:
            _contents(console)
            return 0
        if re.fullmatch(r"[cC]\d+", arguments[0]):
            return _one(console, f"C{int(arguments[0][1:]):02d}", arguments[1:])
        command = tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m experiments.lecture", args=arguments)
        _start()
        code: int = command.run(console)
        return code
    except (ValueError, OSError) as error:
        print(f"experiments.lecture: {error}", file=sys.stderr)
        return 2


def _start() -> None:
    """Before JAX starts: a device for every core, and compiled programs kept for the next run."""
    configuration.configure(devices=configuration.cores(), cache=True)


@dataclass(frozen=True)
class _Row:
    seeds: int = SEEDS
    out: Path = OUT


def _one(console: Console, id: str, arguments: list[str]) -> int:
    """One row: its text, its command, its figure."""
    rows = catalogue()
    if id not in rows:
        raise ValueError(f"expected a row of the catalogue, C01 … C106, got {id!r}.")
    options = tyro.cli(_Row, prog=f"python -m experiments.lecture {id}", args=arguments)
    _start()
    row, lab = rows[id], Laboratory(options.seeds)
    console.print(
        f"[bold]{row.id}[/bold] slide {row.slide}: [bold]{row.title}[/bold]\n{row.statement}", highlight=False
    )
    if row.stands_in:
        console.print(f"only quoted; in its place: {row.stands_in}", highlight=False)
    outcome = check.check(row, lab)
    for claim in outcome.claims:
        mark = "[green]✓[/green]" if claim.passed else "[red]✗[/red]"
        console.print(f" {mark} {claim.text}: {check.shown(claim)}", highlight=False)
    console.print("pass" if outcome.passed else f"[red]fail[/red]: {outcome.reason}", highlight=False)
    console.print(f"again: python -m experiments.lecture {id}", highlight=False)
    _draw(list(row.figures), lab, options.out, console)
    return 0 if outcome.passed else 1


def _draw(names: list[str], lab: Laboratory, folder: Path, console: Console) -> None:
    from experiments.lecture.figures import catalogue as figures

    for name in names:
        console.print(f"figure: {figures.draw(name, lab, folder)}", highlight=False)


def _contents(console: Console) -> None:
    rows = catalogue()
    for title, first, last in CHAPTERS.values():
        console.print(f"\n[bold]{title}[/bold]", highlight=False)
        for id in IDS[first - 1 : last]:
            console.print(f"  {id:5} {rows[id].title}", highlight=False)
    console.print(f"\npython -m experiments.lecture {' | '.join(COMMANDS)} | C41", highlight=False)


def _tell(console: Console, outcome: check.Outcome) -> None:
    mark = "[green]pass[/green]" if outcome.passed else "[red]FAIL[/red]"
    console.print(f"{outcome.row.id:5} {mark} {outcome.row.title}: {outcome.row.statement}", highlight=False)
    if not outcome.passed:
        console.print(f"      {outcome.reason}", highlight=False, style="red")


def _named(failed: list[str]) -> str:
    return f"; failing: {', '.join(failed)}" if failed else ""


def _table(lab: Laboratory, name: str) -> Table:
    title, settings = tables.TABLES[name]
    made = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    texts = ("row", "setting", "errors")
    for column in ("row", "setting", "printed", "median", "5–95 %", "inside", "errors"):
        made.add_column(column, justify="left" if column in texts else "right", no_wrap=column != "setting")
    for setting in settings:
        line, digits, stored = tables.line(lab.studies, setting), setting.digits, lab.bands[setting.id]
        numbers = (f"{value:.{digits}f}" for value in (setting.printed, line.median))
        band = f"[{line.band[0]:.{digits}f}, {line.band[1]:.{digits}f}]".replace("[", "\\[", 1)
        both = (line.inside, tables.holds((stored.low, stored.high), setting.printed, digits))
        inside = ", ".join("yes" if one else "no" for one in both)
        made.add_row(setting.row, setting.text, *numbers, band, inside, f"{line.errors:g}: {line.wrong}")
    return made
