"""Straight lines through what runs began and ended with: where a line leaves the start, and whether a barrier lies
between two ends.

A line is exact where a plane is not: at 0 and 1 stand the losses that runs had. That there is no barrier from the start
to the end says nothing about the run's own way, which was another.

Source: Goodfellow, Vinyals and Saxe, "Qualitatively characterizing neural network optimization problems", ICLR 2015
(from the start to the end); Frankle, Dziugaite, Roy and Carbin, "Linear mode connectivity and the lottery ticket
hypothesis", ICML 2020 (between ends).
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, cast

import jax
import numpy as np

from jaxdl import provenance
from jaxdl.curvature.products import Loss
from jaxdl.landscape import evaluation, slices, trajectories
from jaxdl.landscape.trajectories import Paths
from jaxdl.typing import Params

if TYPE_CHECKING:
    import xarray

FROM = ("start", "best end")
"""What lies at 0; at 1 lies the end of a run."""


class _Line(NamedTuple):
    place: tuple[int, int, int]
    start: Params
    end: Params


def lines(
    loss: Loss,
    paths: Paths,
    *args: Any,
    points: int = 81,
    extent: slices.Range = (-0.5, 1.5),
    floor: float | None = None,
    units: str = "1",
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The loss from the start of every run to its end, and from the best end to the ends of the others.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      paths: As of :func:`jaxdl.landscape.portrait`; only first and last points are looked at.
      *args: What else the loss is given, such as a batch.
      points: Of each line.
      extent: Coordinates of the first and the last point.
      floor: Infimum of the loss, where it is known.
      units: Unit of the loss.
      **options: See :class:`jaxdl.landscape.Options`.

    Returns:
      A Dataset with ``loss(line, path, seed, x)``, and the metrics likewise. Of the coordinate ``line``, ``"start"``
      means that x = 0 is the start of the run and ``"best end"`` that it is the end with the smallest loss of that
      seed, NaN where that is the run's own; x = 1 is the end. ``length(line, path, seed)``: from 0 to 1.
      ``best(seed)``: whose end is the best.

    Raises:
      ValueError: what :func:`jaxdl.landscape.interpolate` raises.

    >>> import jax.numpy as jnp
    >>> runs = {"a": jnp.array([[2.0, 0.0], [1.0, 0.0]]), "b": jnp.array([[2.0, 0.0], [0.0, 0.0]])}
    >>> data = lines(lambda w: jnp.sum(w**2), runs, points=3, extent=(0.0, 1.0))
    >>> print(data["loss"].sel(path="a").values[:, 0], data["best"].values)
    [[4.   2.25 1.  ]
     [0.   0.25 1.  ]] ['b']
    """
    import xarray

    starts, ends, runs, best = _ends(loss, paths, args)
    many = list(_pairs(starts, ends, runs, best))
    shape = (len(FROM), *runs)
    found: dict[str, np.ndarray] = {"length": np.full(shape, np.nan)}
    x = np.empty(0)
    for number, line in enumerate(many):
        own = cast(evaluation.Options, {**options, **_part(options, number, len(many), points)})
        one = slices.interpolate(loss, line.start, line.end, *args, points=points, extent=extent, **own)
        x = one["x"].values
        found["length"][line.place] = np.sqrt(one["gram"].values[0, 0])
        for name in (str(name) for name, values in one.data_vars.items() if values.dims == ("x",)):
            found.setdefault(name, np.full((*shape, len(x)), np.nan, one[name].dtype))[line.place] = one[name].values
    dims = ("line", "path", "seed", "x")
    names = list(paths)
    data = xarray.Dataset(
        {name: (dims[: values.ndim], values) for name, values in found.items()}
        | {"best": ("seed", [names[i] for i in best])},
        coords={"line": list(FROM), "path": names, "x": x},
        attrs={"environment": json.dumps(provenance.environment()), "loss_units": units},
    )
    return data if floor is None else data.assign_attrs(floor=floor)


def _ends(loss: Loss, paths: Paths, args: tuple[Any, ...]) -> tuple[Params, Params, tuple[int, int], np.ndarray]:
    """First and last points of all runs, the numbers of names and seeds, and whose end is the best of every seed."""
    points, (names, seeds, snapshots) = trajectories.stacked(paths)
    starts, ends = (jax.tree.map(lambda x, i=i: x[i::snapshots], points) for i in (0, snapshots - 1))
    losses = jax.jit(lambda ends, args: jax.lax.map(lambda p: loss(p, *args), ends))(ends, args)
    found = np.asarray(losses, float).reshape(names, seeds)
    return starts, ends, (names, seeds), np.where(np.isfinite(found), found, np.inf).argmin(axis=0)


def _pairs(starts: Params, ends: Params, shape: tuple[int, int], best: np.ndarray) -> Iterator[_Line]:
    """All lines; of the second kind none from an end to itself."""
    names, seeds = shape

    def run(tree: Params, name: int, seed: int) -> Params:
        one: Params = jax.tree.map(lambda x: x[name * seeds + seed], tree)
        return one

    for name in range(names):
        for seed in range(seeds):
            yield _Line((0, name, seed), run(starts, name, seed), run(ends, name, seed))
            if name != best[seed]:
                yield _Line((1, name, seed), run(ends, int(best[seed]), seed), run(ends, name, seed))


def _part(options: evaluation.Options, number: int, count: int, points: int) -> evaluation.Options:
    """The options of one line: a folder of its own, and progress of all."""
    part: evaluation.Options = {}
    folder, tell = options.get("out"), options.get("on_progress")
    if folder is not None:
        part["out"] = Path(os.fspath(folder)) / str(number)
    if tell is not None:
        part["on_progress"] = _shifted(tell, number * points, count * points)
    return part


def _shifted(tell: Callable[[int, int], None], before: int, total: int) -> Callable[[int, int], None]:
    return lambda done, _: tell(before + done, total)
