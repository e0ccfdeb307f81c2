"""Runs of a problem with their paths kept, and the portrait of its loss with them."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, cast

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import checks, configuration, recording, training
from jaxdl.curvature.products import Loss
from jaxdl.landscape import evaluation, joined, kept, portraits
from jaxdl.landscape.portraits import Plane
from jaxdl.landscape.trajectories import Paths
from jaxdl.problems import planar
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Params

if TYPE_CHECKING:
    import xarray

SNAPSHOTS = 51
"""Points of a path that are kept by default."""


def paths(
    problem: Problem,
    optimizers: Mapping[str, optax.GradientTransformation],
    *,
    seeds: Sequence[int] = (0,),
    steps: int = 500,
    snapshots: int = SNAPSHOTS,
    out: str | os.PathLike[str] | None = None,
) -> tuple[Paths, np.ndarray]:
    """Trains every optimizer with every seed, as ``jaxdl.train`` does, and keeps points of its way.

    Args:
      problem: What is trained on.
      optimizers: Transformations by name.
      seeds: Numbers of the runs, as in ``jaxdl.sweep``: the same for all optimizers.
      steps: Updates of each run.
      snapshots: Most points to keep, evenly spaced, first and last included; at least 2.
      out: Folder in which the paths of finished optimizers are kept: the same call again trains the others.

    Returns:
      The paths, and the completed updates at each point.

    Raises:
      ValueError: numbers that are too small, or ``out`` holds other runs or some made elsewhere.

    >>> import jaxdl
    >>> bowl = jaxdl.problems.get("quadratic", dimension=3)
    >>> found, steps = paths(bowl, {"sgd": jaxdl.sgd(0.1)}, steps=10, snapshots=6)
    >>> found["sgd"][0].shape, steps.tolist()
    ((6, 3), [0, 2, 4, 6, 8, 10])
    """
    checks.positive_integer(steps=steps)
    if snapshots < 2:
        raise ValueError(f"a path needs at least 2 snapshots, got {snapshots}.")
    interval = -(-steps // (snapshots - 1))
    when = recording.record_steps(steps, interval)
    records = len(when) - 1

    # Apart, since random numbers compile slowly and are the same for all optimizers.
    @jax.jit
    def prepared(keys: jax.Array) -> Any:
        def one(key: jax.Array) -> Any:
            parts = training.split_key(key)
            return problem.init(parts.init), training.draw_batches(problem, parts.data, 0, records * interval), parts

        return jax.lax.map(one, keys)

    starts, indices, keys = prepared(jnp.stack([jax.random.key(seed) for seed in seeds]))

    def run(tx: optax.GradientTransformation, params: Params, indices: jax.Array | None, key: jax.Array) -> Any:
        buffer = jax.tree.map(lambda p: jnp.broadcast_to(p, (records + 1, *p.shape)), params)
        slots = jnp.arange(1, records + 1, dtype=jnp.int32)
        shape: dict[str, Any] = {"steps": steps, "records": records, "record_every": interval}
        options: dict[str, Any] = {"evaluated": False, "padded": steps % interval != 0}
        start = training.start(problem, tx, params)
        return training.advance(
            problem, tx, start, indices, key, **shape, **options, snapshot_slots=slots, snapshots=buffer
        )[2]

    # Traced here, since that reads settings of this thread, and compiled by several.
    given = (starts, indices, keys.loss)
    traced = {
        name: jax.jit(lambda *all_, tx=tx: jax.lax.map(lambda one: run(tx, *one), all_)).trace(*given)
        for name, tx in optimizers.items()
    }
    form = jax.tree.map(lambda p: jax.ShapeDtypeStruct((len(seeds), records + 1, *p.shape[1:]), p.dtype), starts)
    with kept.runs(out, lambda: kept.checksum([one.jaxpr for one in traced.values()], given), form) as done:
        found = {name: done.get(name) for name in traced}
        missing = [name for name, paths in found.items() if paths is None]
        with ThreadPoolExecutor(max_workers=configuration.cores()) as pool:
            compiled = list(pool.map(lambda program: program.compile(), [traced[name].lower() for name in missing]))
        for name, program in zip(missing, compiled, strict=True):
            found[name] = program(*given)
            done.add(name, found[name])
    return {
        name: [jax.tree.map(lambda x, i=i: x[i], paths) for i in range(len(seeds))] for name, paths in found.items()
    }, when


def of_problem(
    problem: Problem,
    optimizers: Mapping[str, optax.GradientTransformation],
    *,
    seeds: Sequence[int] = (0,),
    steps: int = 500,
    snapshots: int = SNAPSHOTS,
    plane: str | portraits.PlaneRule | Plane = "pca",
    grid: int | tuple[int, int] = 51,
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """Trains optimizers on a problem and draws their ways over its training loss, penalties included, noise not.

    Args:
      problem: From ``jaxdl.problems.get`` or your own. The plane of a function of two variables is its domain.
      optimizers: Transformations by name.
      seeds: See :func:`paths`; likewise the next two.
      steps: Updates of each run.
      snapshots: Points of each way.
      plane: See :func:`jaxdl.landscape.portrait`.
      grid: Points along x and y, or one number for both.
      **options: See :class:`jaxdl.landscape.Options`; in ``out`` runs are kept too, in a folder of their own.

    Returns:
      The Dataset of :func:`jaxdl.landscape.portrait`, with the problem's metrics on the training split and, as
      ``val_…``, on the validation split.
    """
    out = options.get("out")
    apart = {} if out is None else {name: Path(os.fspath(out)) / name for name in ("runs", "points")}
    found, when = paths(problem, optimizers, seeds=seeds, steps=steps, snapshots=snapshots, out=apart.get("runs"))
    options = cast(evaluation.Options, {**options, "out": apart.get("points")})
    return of_paths(problem, found, when, seeds=seeds, plane=plane, grid=grid, **options)


def of_paths(
    problem: Problem,
    paths: Paths,
    steps: np.ndarray,
    *,
    seeds: Sequence[int] = (0,),
    plane: str | portraits.PlaneRule | Plane = "pca",
    grid: int | tuple[int, int] = 51,
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """Draws paths over the training loss of a problem; ``paths`` and ``steps`` from :func:`paths`, all else as there.

    Returns:
      See :func:`of_problem`.
    """
    record = planar.FUNCTIONS.get(problem.name)
    if record is not None:
        unit = jnp.eye(2, dtype=jax.tree.leaves(paths)[0].dtype)
        plane = Plane(jnp.zeros_like(unit[0]), (unit[0], unit[1]), record.domain, "coordinates")
    seen = _measures(problem, options)
    data = portraits.portrait(
        seen.loss,
        paths,
        *seen.args,
        plane=plane,
        grid=grid,
        margin=0.0 if record is not None else portraits.MARGIN,
        steps=steps,
        floor=problem.floor,
        units=problem.units,
        **seen.options,
    )
    return data.assign_attrs(problem=problem.name, run=_words(int(steps[-1]), seeds))


def lines_of_problem(
    problem: Problem,
    paths: Paths,
    steps: np.ndarray,
    *,
    seeds: Sequence[int] = (0,),
    points: int = 81,
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The training loss of a problem from starts to ends of runs and between ends; arguments as of :func:`of_paths`.

    Returns:
      The Dataset of :func:`jaxdl.landscape.lines`, with the problem's metrics on both splits.
    """
    seen = _measures(problem, options)
    data = joined.lines(
        seen.loss, paths, *seen.args, points=points, floor=problem.floor, units=problem.units, **seen.options
    )
    return data.assign_attrs(problem=problem.name, run=_words(int(steps[-1]), seeds))


class _Measures(NamedTuple):
    """What runs go down, as ``loss(params, *args)``, and options with the metrics in them."""

    loss: Loss
    args: tuple[Batch, Batch]
    options: evaluation.Options


def _measures(problem: Problem, options: evaluation.Options) -> _Measures:
    noisy = _draws(problem)

    def loss(params: Params, train: Batch, val: Batch) -> jax.Array:
        del val
        return problem.metrics(params, train)["loss"] if noisy else problem.loss(params, train, jax.random.key(0))

    with_metrics = {**options, "metrics": {**metrics(problem), **(options.get("metrics") or {})}}
    return _Measures(loss, (problem.data["train"], problem.data["val"]), cast(evaluation.Options, with_metrics))


def _draws(problem: Problem) -> bool:
    """Whether a problem's loss takes something from its key: noise, of which the metric of the same name is free."""
    key = jax.random.key(0)
    traced = jax.make_jaxpr(problem.loss)(jax.eval_shape(problem.init, key), problem.data["train"], key).jaxpr
    return any(traced.invars[-1] is read for equation in traced.eqns for read in equation.invars)


def _words(steps: int, seeds: Sequence[int]) -> str:
    several = f"seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{steps} updates, {several}"


def metrics(problem: Problem) -> dict[str, Any]:
    """The problem's metrics but the training loss, as functions of ``(params, train split, val split)``."""
    shapes = jax.eval_shape(problem.init, jax.random.key(0))
    names = list(jax.eval_shape(problem.metrics, shapes, problem.data["train"]))
    found: dict[str, Any] = {}
    for name in names:
        found[name] = lambda p, train, val, name=name: problem.metrics(p, train)[name]
        if jax.tree.leaves(problem.data["val"]):
            found[f"val_{name}"] = lambda p, train, val, name=name: problem.metrics(p, val)[name]
    return {name: function for name, function in found.items() if name != "loss"}
