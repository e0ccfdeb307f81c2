"""A 51 × 51 surface of a 784-128-128-10 tanh network on 1 024 points, on one core, against other libraries.

Rows: ``plane``, our public call with what is affine in the coordinates computed once; ``plain``, the same without;
``torch``, a loop that moves torch's parameters in place; ``loss_landscapes``, its planar interpolation, where it is
installed. All on the same weights, data and directions, in milliseconds a point; our first call, which compiles, is
apart. ``products_alone_ms``: the matrix products that a point cannot do without, bare, in NumPy: how much faster
anything could be. ``memory``: the peak of the resident memory of a process that computes the surface, above what it had
after importing. ``hvp``, ``eigenpairs``, ``edge``: see ``landscape_curvature.py``.

Not installed with ``jaxdl[bench]``: ``pip install --no-deps loss-landscapes PyHessian``, both of them old.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import tyro

from benchmarks.landscape_peers import arrays, by_loss_landscapes, by_torch, loss, products_alone


@dataclass(frozen=True)
class Settings:
    """Measures milliseconds a point, megabytes, and curvature."""

    json: Path = Path("benchmarks/results/landscape_speed.json")
    """Where to store the measurement."""
    grid: int = 51
    """Points along either axis."""
    repetitions: int = 5
    """Rounds."""
    only_memory: bool = False
    """Compute one surface and print the peak of memory above that after importing."""


class Surface:
    """Our surface by the public call, on numbers that are made once; its first call compiles."""

    def __init__(self, grid: int, **options: Any) -> None:
        self._given, self._grid, self._options = arrays(), grid, options

    def __call__(self) -> np.ndarray:
        from jaxdl import landscape

        given = self._given
        data = landscape.plane(loss, given["params"], given["axes"], *given["batch"], grid=self._grid, **self._options)
        return np.asarray(data["loss"].values.ravel())


def peak_above_imports(grid: int) -> float:
    """Megabytes: of this process, which must have done nothing else."""
    import jax

    from jaxdl import landscape

    jax.block_until_ready(jax.numpy.zeros(1))
    import torch  # noqa: F401, what a process that compares has loaded too
    import xarray  # noqa: F401

    assert callable(landscape.plane)
    before = _resident()
    Surface(grid, devices=jax.devices()[:1])()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def surfaces(settings: Settings) -> list[dict[str, Any]]:
    """Milliseconds a point of all, and how far they lie apart."""
    from benchmarks import timing

    functions: dict[str, Callable[[], Any]] = {
        "plane": Surface(settings.grid, shortcut=True),
        "plain": Surface(settings.grid, shortcut=False),
        "torch": by_torch(settings.grid),
    }
    theirs = by_loss_landscapes(settings.grid)
    first = {name: timing.seconds(function) for name, function in functions.items()}
    values = {name: value for name, (_, value) in first.items()}
    apart = max(float(np.max(np.abs(v / values["torch"] - 1))) for v in values.values())
    if theirs is not None:
        functions["loss_landscapes"] = theirs
    times = timing.interleaved(functions, settings.repetitions)
    points = settings.grid**2
    ms = {name: found["median_ms"] / points for name, found in times.items()}
    # As many products one after another as there are points in a chunk: a single one is over before a clock is sure.
    every, later = products_alone()
    floors = {"plain": lambda: [every() for _ in range(100)], "plane": lambda: [later() for _ in range(100)]}
    with threadpoolctl.threadpool_limits(1):  # NumPy's threads were there before the process was held to one core
        bare = timing.interleaved(floors, settings.repetitions)
    alone = {name: found["median_ms"] / 100 for name, found in bare.items()}
    ratios = {f"{a}/{b}": ms[a] / ms[b] for a in ms if a not in ("plane", "plain") for b in ("plane", "plain")}
    shares = {name: alone[name] / ms[name] for name in alone}
    row = {"what": "surface", "ms_per_point": ms, "ratios": ratios, "products_alone_ms": alone, "share_of_time": shares}
    row["highest_ratios"] = {f"{a}/{b}": ms[a] / alone[b] for a in ms if a not in alone for b in alone}
    row["first_call_s"] = {name: first[name][0] for name in ("plane", "plain")}
    _told(row)
    row["samples_ms"] = {name: found["samples_ms"] for name, found in times.items()}
    return [{**row, "largest_relative_difference": apart}]


def _told(row: dict[str, Any]) -> None:
    for name, value in (row["ms_per_point"] | row["ratios"]).items():
        print(f"{name:24s} {value:.3f}" + ("" if "/" in name else " ms a point"))
    for name, share in row["share_of_time"].items():
        alone = row["products_alone_ms"][name]
        print(f"{name}: its matrix products alone take {alone:.3f} ms in NumPy, {share:.0%} of its time")
    for name, ratio in row["highest_ratios"].items():
        print(f"{name:24s} {ratio:.2f} if nothing but the products took time")


def memory_row(settings: Settings) -> dict[str, Any]:
    """The peak of memory, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.landscape_speed", "--only-memory", "--grid", str(settings.grid)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes = float(done.stdout.strip().splitlines()[-1])
    print(f"peak of memory above that after importing: {megabytes:.0f} MB")
    return {"what": "memory", "peak_mb": megabytes}


def main(settings: Settings) -> None:
    """Measures and stores."""
    if settings.only_memory:
        print(peak_above_imports(settings.grid))
        return
    from benchmarks import landscape_curvature, timing

    rows = [memory_row(settings), *surfaces(settings)]
    matrix = landscape_curvature.Matrix()
    rows.append(landscape_curvature.product_row(matrix, settings.repetitions))
    found = landscape_curvature.methods(matrix)
    rows += [landscape_curvature.eigenpair_row(found, matrix), landscape_curvature.edge_row()]
    chosen = {"grid": settings.grid, "repetitions": settings.repetitions, "cores": len(os.sched_getaffinity(0))}
    timing.store(settings.json, "landscape_speed", chosen, json.loads(json.dumps(rows)))


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for all, before any of them starts threads
    main(tyro.cli(Settings))
