"""How long does a study compile, the first time and again?

Each study is a process of its own, with one CPU device per core and a cache of compiled programs that only the first
finds empty: ``first``; ``again``, the same study; ``other values``, with other learning rates and seeds, which must
cost no more, because values are arguments of the programs and never constants in them. 64 learning rates of Adam on
digits-mlp, with evaluation. ``build_s`` is all that a user waits for before the first step; ``trace_s`` and
``compile_s`` are the parts of it that JAX reports, the second with the reading of the cache, summed over programs that
several threads compile at once.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro

import jaxdl
from benchmarks import timing
from jaxdl import configuration
from jaxdl.sweeps import definition, programs

STUDIES = {"first": 0, "again": 0, "other values": 1}
"""What each study is called, and by how much its rates and seeds are moved."""
EVENTS = {
    "/jax/core/compile/jaxpr_trace_duration": "trace_s",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "trace_s",
    "/jax/core/compile/backend_compile_duration": "compile_s",
}


@dataclass(frozen=True)
class Settings:
    """Measures seconds."""

    json: Path = Path("benchmarks/results/compile_time.json")
    """Where to store the measurement."""
    repetitions: int = 3
    """How often, each time with an empty cache."""
    moved: int | None = None
    """Build one study, moved so far, with the programs in ``--cache``, and print what it took."""
    cache: Path | None = None
    """Folder of compiled programs."""


def build(moved: int, cache: Path) -> dict[str, Any]:
    """The programs of a study, from scratch."""
    jaxdl.configure(devices=configuration.cores(), cache=cache)
    spent: dict[str, float] = defaultdict(float)
    problem = jaxdl.problems.get("digits-mlp")
    axes = {"learning_rate": np.geomspace(1e-4, 1e-2, 64) * (1 + moved)}
    made = definition.define(problem, jaxdl.adam, axes, [moved, 2 + moved], 500)
    part = made.parts[0]

    def add(event: str, duration_secs: float, **_: str | int) -> None:
        if event in EVENTS:
            spent[EVENTS[event]] += duration_secs

    jax.monitoring.register_event_duration_secs_listener(add)
    seconds, _ = timing.seconds(lambda: programs.build(part.study, part.factories, part.lane, made.teams))
    return {"build_s": seconds, **spent}


def in_own_process(moved: int, cache: str) -> dict[str, Any]:
    """:func:`build` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.compile_time", "--moved", str(moved), "--cache", cache]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(settings: Settings) -> None:
    """Measures and stores."""
    if settings.moved is not None and settings.cache is not None:
        print(json.dumps(build(settings.moved, settings.cache)))
        return
    rows: list[dict[str, Any]] = [{"study": name, "samples": []} for name in STUDIES]
    for _ in range(settings.repetitions):
        with tempfile.TemporaryDirectory() as cache:
            for row, moved in zip(rows, STUDIES.values(), strict=True):
                row["samples"].append(in_own_process(moved, cache))
                row["cache_entries"] = len(list(Path(cache).glob("*-cache")))
    for row in rows:
        for name in ("build_s", "trace_s", "compile_s"):
            row[name] = min(sample[name] for sample in row["samples"])
        row["compile_of_first"] = row["compile_s"] / rows[0]["compile_s"]
        print(f"{row['study']:13s} build {row['build_s']:.2f} s, compile {row['compile_s']:.2f} s")
    timing.store(settings.json, "compile_time", {"problem": "digits-mlp", "repetitions": settings.repetitions}, rows)


if __name__ == "__main__":
    main(tyro.cli(Settings))
