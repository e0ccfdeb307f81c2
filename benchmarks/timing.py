"""Timing side by side: every function runs once per round, so that what slows the machine slows them all."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.environment import environment


def interleaved(functions: Mapping[str, Callable[[], Any]], repetitions: int) -> dict[str, dict[str, Any]]:
    """Times ``functions``, each of which returns when its work is done, in rounds A B C A B C …

    Args:
      functions: What to time, by name; each runs once beforehand, uncounted.
      repetitions: Number of rounds.

    Returns:
      By name: ``min_ms``, ``median_ms`` and all ``samples_ms``.
    """
    for function in functions.values():
        function()
    samples: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(repetitions):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            samples[name].append(1e3 * (time.perf_counter() - start))
    return {
        name: {"min_ms": min(times), "median_ms": statistics.median(times), "samples_ms": times}
        for name, times in samples.items()
    }


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """How long one call takes, and what it returns: for compilation, which happens once."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def store(path: Path, benchmark: str, settings: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    """Writes rows with their settings and environment as JSON."""
    content = {"benchmark": benchmark, "environment": environment(), "settings": dict(settings), "rows": rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(f"stored in {path}")
