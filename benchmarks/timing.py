"""Timing side by side: every function runs once per round, so that what slows the machine slows them all.

The order changes from round to round: with a fixed one, two identical programs differ by 5 % here, because each finds
the cache as its predecessor left it.
"""

import json
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.environment import environment


def interleaved(
    functions: Mapping[str, Callable[[], Any]], repetitions: int, shortest_ms: float = 0.0
) -> dict[str, dict[str, Any]]:
    """Times ``functions``, each of which returns when its work is done, in rounds of changing order.

    Args:
      functions: What to time, by name; each runs beforehand, uncounted.
      repetitions: Number of rounds.
      shortest_ms: A sample is the mean of as many calls in a row as take about so long.

    Returns:
      By name: ``min_ms``, ``median_ms`` and all ``samples_ms`` of a call.
    """
    calls = {name: _calls(function, shortest_ms) for name, function in functions.items()}
    samples: dict[str, list[float]] = {name: [] for name in functions}
    order = random.Random(0)
    for _ in range(repetitions):
        for name in order.sample(list(functions), len(functions)):
            samples[name].append(_mean_ms(functions[name], calls[name]))
    return {name: _summary(times) for name, times in samples.items()}


def _calls(function: Callable[[], Any], shortest_ms: float) -> int:
    """How many calls last ``shortest_ms``, by the second one: the first may compile."""
    function()
    return math.ceil(shortest_ms / _mean_ms(function, 1)) if shortest_ms else 1


def _mean_ms(function: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return 1e3 * (time.perf_counter() - start) / calls


def joined(parts: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Several results of :func:`interleaved` on the same names as one."""
    return {name: _summary([ms for part in parts for ms in part[name]["samples_ms"]]) for name in parts[0]}


def _summary(times: list[float]) -> dict[str, Any]:
    return {"min_ms": min(times), "median_ms": statistics.median(times), "samples_ms": times}


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
