"""Does the planner choose well? Its layout against every fixed one; and how much memory a huge grid takes.

Lanes are learning rates of Adam, one seed, without evaluation, on problems whose lanes differ in size: ``tiny`` (a
function of two numbers), ``small`` (digits-mlp 64-32-10), ``wide`` (64-256-256-10) and ``conv`` (digits-cnn); and, as
sweeps are mostly asked for, ``rates-seeds``: ``small`` with its evaluation, every rate with eight seeds. Lanes of one
seed share their batches, so that a fixed layout is as wide as its shape only where there are as many rates. All layouts
of a row run in one process, with one CPU device per core. The planner's is timed as that fixed layout which it
equals, if it equals one: a program against itself would only show the noise.

A fixed layout is cut as the planner cuts its own: points divided evenly, every core at work. ``--timed`` lets the
planner time candidates as it does for studies of a minute and more; otherwise it goes by experience. Problems of large
lanes stop at fewer lanes than others: 4096 of ``conv`` would take hours, and nothing changes once a call is full.

``--memory`` instead runs 1 000, 10 000 and 100 000 lanes of digits-mlp (a hundred seeds) for 20 steps with all their
records, each in a process of its own, and reports the peak of its memory above what it had after importing.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tyro

import jaxdl
from benchmarks import timing
from jaxdl import configuration
from jaxdl.sweeps import definition, engine, plan, planner, programs, runs
from jaxdl.sweeps.plan import Layout, Shape

FIXED = {
    "1 in turn": Shape(1, True),
    "4 in turn": Shape(4, True),
    "16 in turn": Shape(16, True),
    "64 in turn": Shape(64, True),
    "256 in turn": Shape(256, True),
    "64 together": Shape(64, False),
    "512 together": Shape(512, False),
    "4096 together": Shape(4096, False),
}
"""Lanes that are mapped together, and whether groups of them take turns or a call is one group."""


SAMPLE_MS = 200.0
"""How long a sample takes at least: the shortest studies last 3 ms, and single ones differ by a half."""


class Case(NamedTuple):
    """A problem, how many steps each run of it gets, and the largest number of lanes that is bearable.

    ``seeds``: of every rate; as many lanes as rates times seeds. ``evaluated``: whether records hold the metrics.
    """

    problem: Callable[[], jaxdl.Problem]
    steps: int
    most: int
    seeds: int = 1
    evaluated: bool = False


CASES = {
    "tiny": Case(lambda: jaxdl.problems.get("rosenbrock"), 2000, 4096),
    "small": Case(lambda: jaxdl.problems.get("digits-mlp"), 100, 4096),
    "rates-seeds": Case(lambda: jaxdl.problems.get("digits-mlp"), 100, 4096, seeds=8, evaluated=True),
    "wide": Case(lambda: jaxdl.problems.get("digits-mlp", hidden=(256, 256)), 20, 256),
    "conv": Case(lambda: jaxdl.problems.get("digits-cnn"), 10, 64),
}


@dataclass(frozen=True)
class Settings:
    """Measures milliseconds per run, or megabytes."""

    json: Path = Path("benchmarks/results/layouts.json")
    """Where to store the measurement."""
    problems: tuple[str, ...] = tuple(CASES)
    """Which of the cases."""
    lanes: tuple[int, ...] = (16, 64, 256, 1024, 4096)
    """Numbers of lanes; of a case with seeds, its multiples."""
    repetitions: int = 7
    """Rounds of timing."""
    timed: bool = False
    """Whether the planner times its candidates however short the study is."""
    memory: bool = False
    """Measure memory instead: with ``--lanes``, these numbers of lanes."""
    memory_of: int | None = None
    """Print the memory of a grid of so many lanes as JSON, for the process that collects them."""


def defined(case: Case, lanes: int, layout: Layout | None = None) -> definition.Definition:
    """A study of ``lanes`` runs: learning rates, each with all seeds of the case."""
    axes = {"learning_rate": np.geomspace(1e-4, 1e-2, lanes // case.seeds)}
    asked = (case.problem(), jaxdl.adam, axes, case.seeds, case.steps, max(1, case.steps // 10))
    return definition.define(*asked, evaluated=case.evaluated, layout=layout)


def run_of(part: definition.Part, teams: list[programs.Programs]) -> Callable[[], runs.Results]:
    """All cells of a part, once."""
    return lambda: engine.execute(part.study, teams, part.optimizer, part.cells)


def measure(settings: Settings, name: str, lanes: int) -> dict[str, Any]:
    """One row: the planner's choice and every fixed layout."""
    case = CASES[name]
    planning, chosen = timing.seconds(lambda: planner.choose(defined(case, lanes)))
    built = chosen.build(0)
    layouts = {label: plan.cut(shape, chosen.definition.demand) for label, shape in FIXED.items()}
    functions: dict[Layout, Callable[[], Any]] = {built.part.study.layout: run_of(built.part, built.teams)}
    for layout in layouts.values():
        if layout not in functions:
            made = defined(case, lanes, layout)
            part = made.parts[0]
            functions[layout] = run_of(part, programs.build(part.study, part.factories, part.lane, made.teams))
    named = {str(tuple(layout)): run for layout, run in functions.items()}
    times = timing.interleaved(named, settings.repetitions, SAMPLE_MS)
    per_run = {label: times[str(tuple(layout))]["median_ms"] / lanes for label, layout in layouts.items()}
    planned = times[str(tuple(chosen.plan.layout))]["median_ms"] / lanes
    row = {
        "problem": name,
        "lanes": lanes,
        "steps": case.steps,
        "seeds": case.seeds,
        "plan": chosen.describe(),
        "layout": chosen.plan.layout.describe(),
        "plan_s": planning,
        "ms_per_run": {"planner": planned, **per_run},
        "planner_over_best": planned / min(per_run.values()),
        "samples_ms": {layout: found["samples_ms"] for layout, found in times.items()},
    }
    print(f"{name} {lanes}: {planned:.4f} ms per run, {row['planner_over_best']:.2f} of the best; {row['plan']}")
    return row


def memory_of(lanes: int) -> dict[str, Any]:
    """Runs a grid, keeps the last loss of every run, and says what the process took at its fullest."""
    # JAX is up and the data are read: what every program with jaxdl has.
    problem = jaxdl.problems.get("digits-mlp")
    before = _peak()
    seeds = min(lanes, 100)
    axes = {"learning_rate": np.geomspace(1e-4, 1e-1, lanes // seeds)}
    made = definition.define(problem, jaxdl.adam, axes, seeds, steps=20)
    chosen = planner.choose(made)
    part, teams, planned = chosen.build(0)
    compiled = _peak()
    start = time.perf_counter()
    last = np.full(made.size, np.nan)
    for border in engine.run(part.study, teams, part.optimizer, part.cells):
        last[border.finished] = border.results.metrics["val_loss"][:, -1]
    return {
        "lanes": made.size,
        "plan": chosen.describe(),
        "planned_mb": planned / 1e6,
        "compiled_mb": (compiled - before) / 1e6,
        "peak_mb": (_peak() - before) / 1e6,
        "seconds": time.perf_counter() - start,
        "finished": int(np.isfinite(last).sum()),
    }


def memory_in_own_process(lanes: int) -> dict[str, Any]:
    """:func:`memory_of` in a fresh process: a peak never falls."""
    command = [sys.executable, "-m", "benchmarks.layouts", "--memory-of", str(lanes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{lanes} lanes: {row['peak_mb']:.0f} MB above import, {row['compiled_mb']:.0f} of it by compiling")
    return row


def main(settings: Settings) -> None:
    """Measures and stores."""
    jaxdl.configure(devices=configuration.cores())
    if settings.memory_of is not None:
        print(json.dumps(memory_of(settings.memory_of)))
        return
    if settings.memory:
        default = settings.lanes == Settings.lanes
        rows = [memory_in_own_process(lanes) for lanes in ((1000, 10_000, 100_000) if default else settings.lanes)]
        timing.store(settings.json, "layouts_memory", {"problem": "digits-mlp", "steps": 20}, rows)
        return
    if settings.timed:
        planner.PAYS = 0.0
    rows = [
        measure(settings, name, lanes)
        for name in settings.problems
        for lanes in settings.lanes
        if lanes <= CASES[name].most and lanes % CASES[name].seeds == 0
    ]
    timing.store(settings.json, "layouts", {"repetitions": settings.repetitions, "timed": settings.timed}, rows)


def _peak() -> int:
    """Bytes of physical memory that this process had at its fullest."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    main(tyro.cli(Settings))
