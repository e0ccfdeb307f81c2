"""A 51 × 51 surface of a 784-128-128-10 tanh network on 1 024 points, on one core, against other libraries.

Rows: ``plane``, ours with what is affine in the coordinates computed once; ``plain``, ours without; ``torch``, a loop
that moves torch's parameters in place; ``loss_landscapes``, its planar interpolation, where it is installed. All on the
same weights, data and directions, in milliseconds a point. ``memory``: the peak of the resident memory of a process
that computes the surface, above what it had after importing. ``hvp`` and ``eigenpairs``: Hessian–vector products, and
the five largest eigenvalues by us, by SciPy's ``eigsh`` on the same products, and by PyHessian where it is installed,
with the residuals that they turn out to have. ``edge``: gradient descent on a small network, whose sharpness times η/2
has a median near 1.

Not installed with ``jaxdl[bench]``: ``pip install --no-deps loss-landscapes PyHessian``, both of them old.
"""

import importlib.util
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
import tyro

from benchmarks.landscape_peers import arrays, by_loss_landscapes, by_pyhessian, by_torch, loss


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


def surface(grid: int, **options: Any) -> Any:
    """Ours; the seconds and the values."""
    from jaxdl import landscape

    given = arrays()
    return landscape.plane(loss, given["params"], given["axes"], *given["batch"], grid=grid, **options)


class Prepared:
    """Our program for the surface, compiled once: what is timed is the prepared part and all points."""

    def __init__(self, grid: int, shortcut: bool) -> None:
        import jax

        from jaxdl.landscape import affine
        from jaxdl.landscape.directions import combination

        given = arrays()
        ticks = np.linspace(-1, 1, grid, dtype=np.float32)
        self._points = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
        self._given = (given["params"], given["axes"], given["batch"])
        halves = affine.split(lambda p, x, y: loss(p, x, y), given["params"], 2, given["batch"])

        def by_shortcut(params: Any, axes: Any, batch: Any, points: Any) -> Any:
            prepared = halves.prepare(params, axes, batch)
            return jax.lax.map(lambda a: halves.at(prepared, a), points, batch_size=4)

        def plainly(params: Any, axes: Any, batch: Any, points: Any) -> Any:
            def at(a: Any) -> Any:
                moved = jax.tree.map(lambda p, d: p + d, params, combination(a, axes))
                return loss(moved, *batch)

            return jax.lax.map(at, points, batch_size=4)

        self._program = jax.jit(by_shortcut if shortcut else plainly).lower(*self._given, self._points).compile()

    def __call__(self) -> np.ndarray:
        return np.asarray(self._program(*self._given, self._points))


def peak_above_imports(grid: int) -> float:
    """Megabytes: of this process, which must have done nothing else."""
    import jax

    from jaxdl import landscape

    jax.block_until_ready(jax.numpy.zeros(1))
    import torch  # noqa: F401, what a process that compares has loaded too
    import xarray  # noqa: F401

    assert callable(landscape.plane)
    before = _resident()
    surface(grid, devices=jax.devices()[:1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def surfaces(settings: Settings) -> list[dict[str, Any]]:
    """Milliseconds a point of all, and how far they lie apart."""
    from benchmarks import timing

    functions: dict[str, Callable[[], Any]] = {
        "plane": Prepared(settings.grid, True),
        "plain": Prepared(settings.grid, False),
        "torch": by_torch(settings.grid),
    }
    theirs = by_loss_landscapes(settings.grid)
    values = {name: function() for name, function in functions.items()}
    apart = max(float(np.max(np.abs(v / values["torch"] - 1))) for v in values.values())
    if theirs is not None:
        functions["loss_landscapes"] = theirs
    times = timing.interleaved(functions, settings.repetitions)
    points = settings.grid**2
    ms = {name: found["median_ms"] / points for name, found in times.items()}
    ratios = {f"{a}/{b}": ms[a] / ms[b] for a in ms if a not in ("plane", "plain") for b in ("plane", "plain")}
    for name, value in (ms | ratios).items():
        print(f"{name:24s} {value:.3f}" + ("" if "/" in name else " ms a point"))
    samples = {name: found["samples_ms"] for name, found in times.items()}
    row = {"what": "surface", "ms_per_point": ms, "ratios": ratios, "samples_ms": samples}
    return [{**row, "largest_relative_difference": apart}]


def memory_row(settings: Settings) -> dict[str, Any]:
    """The peak of memory, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.landscape_speed", "--only-memory", "--grid", str(settings.grid)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes = float(done.stdout.strip().splitlines()[-1])
    print(f"peak of memory above that after importing: {megabytes:.0f} MB")
    return {"what": "memory", "peak_mb": megabytes}


def curvature_rows(repetitions: int) -> list[dict[str, Any]]:
    """Products, and the five largest eigenvalues with their residuals."""
    import jax
    import jax.numpy as jnp
    import scipy.sparse.linalg

    from benchmarks import timing
    from jaxdl import curvature
    from jaxdl.curvature import flat

    given = arrays()
    params, batch = jax.tree.map(jnp.asarray, (given["params"], given["batch"]))
    form = flat.flat(params)
    product = jax.jit(lambda p, v, x, y: flat.ravel(form, curvature.hvp(loss, p, flat.unravel(form, v), x, y)))
    vector = jnp.asarray(np.random.default_rng(1).standard_normal(form.size).astype(np.float32))

    def matvec(v: np.ndarray) -> np.ndarray:
        return np.asarray(product(params, jnp.asarray(v.ravel(), jnp.float32), *batch))

    operator = scipy.sparse.linalg.LinearOperator((form.size, form.size), matvec=matvec, dtype=np.float32)
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def ours() -> None:
        pairs = jax.block_until_ready(curvature.eigenpairs(loss, params, *batch, k=5))
        rows = jax.vmap(lambda v: flat.ravel(form, v))(pairs.vectors)
        found["jaxdl"] = np.asarray(pairs.values), np.asarray(rows)

    def scipys() -> None:
        values, vectors = scipy.sparse.linalg.eigsh(operator, k=5, which="LA", tol=1e-3)
        found["eigsh"] = values[::-1], vectors.T[::-1]

    functions: dict[str, Callable[[], Any]] = {"jaxdl": ours, "eigsh": scipys}
    products: dict[str, Callable[[], Any]] = {"jaxdl": lambda: matvec(np.asarray(vector))}
    if importlib.util.find_spec("pyhessian") is not None:
        functions["pyhessian"] = by_pyhessian(found)
    times = timing.interleaved(functions, repetitions)
    residuals = {
        name: max(float(np.linalg.norm(matvec(v) - value * v)) for value, v in zip(*pairs, strict=True))
        / float(pairs[0][0])
        for name, pairs in found.items()
    }
    for name in times:
        print(f"top 5 by {name:10s} {times[name]['median_ms']:.0f} ms, worst relative residual {residuals[name]:.1e}")
    ms = timing.interleaved(products, 10 * repetitions)["jaxdl"]["median_ms"]
    print(f"H·v {ms:.2f} ms")
    return [
        {"what": "hvp", "ms": {"jaxdl": ms}},
        {
            "what": "eigenpairs",
            "ms": {name: row["median_ms"] for name, row in times.items()},
            "worst_relative_residual": residuals,
            "values": {name: pairs[0].tolist() for name, pairs in found.items()},
        },
    ]


def edge_row() -> dict[str, Any]:
    """Gradient descent at η = 0.2 on Chebyshev's polynomial of degree 3: median of λ η/2 over the last half."""
    import jax
    import jax.numpy as jnp

    import jaxdl
    from jaxdl import curvature, losses

    eta, steps = 0.2, 4000
    x = jnp.linspace(-1, 1, 20)[:, None]
    y = 4 * x**3 - 3 * x

    def init(key: jax.Array) -> list[jax.Array]:
        shapes = [(1, 30), (30, 30), (30, 1)]
        keys = jax.random.split(key, len(shapes))
        return [jax.random.normal(k, s) / jnp.sqrt(s[0]) for k, s in zip(keys, shapes, strict=True)]

    def error(params: Any, batch: Any, key: Any) -> jax.Array:
        del key
        h = jnp.tanh(jnp.tanh(batch[0] @ params[0]) @ params[1]) @ params[2]
        return losses.squared_error(h, batch[1])

    data = dict.fromkeys(("train", "val", "test"), (x, y))
    problem = jaxdl.Problem("chebyshev", init, error, lambda p, b: {"loss": error(p, b, None)}, data)
    tracked = curvature.track(jaxdl.sgd(eta), curvature.training_loss(problem), every=10)
    run = jax.jit(
        lambda key: jaxdl.train(problem, tracked, key, steps, evaluated=False, observe=curvature.OBSERVERS)[1]
    )
    sharpness = np.asarray(run(jax.random.key(0)).metrics["sharpness"])
    median = float(np.median(sharpness[len(sharpness) // 2 :])) * eta / 2
    print(f"edge of stability: median λ·η/2 over the last half of {steps} steps {median:.3f}")
    return {"what": "edge", "median_of_sharpness_over_bound": median, "eta": eta, "steps": steps}


def main(settings: Settings) -> None:
    """Measures and stores."""
    if settings.only_memory:
        print(peak_above_imports(settings.grid))
        return
    from benchmarks import timing

    rows = [memory_row(settings), *surfaces(settings), *curvature_rows(settings.repetitions), edge_row()]
    chosen = {"grid": settings.grid, "repetitions": settings.repetitions, "cores": len(os.sched_getaffinity(0))}
    timing.store(settings.json, "landscape_speed", chosen, json.loads(json.dumps(rows)))


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for all, before any of them starts threads
    main(tyro.cli(Settings))
