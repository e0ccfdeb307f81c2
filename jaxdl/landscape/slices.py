r"""The loss, and whatever else, along lines and on planes through the space of parameters.

.. math::  f(a) = L\Bigl(c + \sum_i a_i d_i\Bigr)

Every point is an evaluation of a pure function: the user's parameters are never changed, and no error adds up from
point to point. How many points are computed at a time, on which devices, and what of the loss is computed once for all
of them: ``evaluation.py`` and ``affine.py``; a second call of the same function and shapes compiles nothing:
``programs.py``. What becomes of batch statistics along the way is a choice, see
``batch_statistics.py``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

import jax
import numpy as np

from jaxdl import checks, provenance
from jaxdl.curvature.batches import mean_over_parts
from jaxdl.curvature.products import Loss
from jaxdl.landscape import directions as along
from jaxdl.landscape import evaluation, programs
from jaxdl.typing import Batch, Params, PyTree

if TYPE_CHECKING:
    import xarray

Range: TypeAlias = tuple[float, float]


def line(
    loss: Loss,
    params: Params,
    direction: PyTree,
    *args: Any,
    points: int = 51,
    extent: Range = (-1.0, 1.0),
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The loss along one direction; arguments, returns and errors as of :func:`plane`, with the one axis ``x``.

    >>> import jax.numpy as jnp
    >>> data = line(lambda w: jnp.sum(w**2), jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0]), points=3)
    >>> print(data["loss"].values)
    [5. 1. 5.]
    """
    grids = {"x": _ticks(points, extent)}
    return _slice(loss, params, (direction,), args, grids, options)


def interpolate(
    loss: Loss,
    start: Params,
    end: Params,
    *args: Any,
    points: int = 81,
    extent: Range = (-0.5, 1.5),
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The loss on the line through two solutions, ``start`` at x = 0, ``end`` at x = 1; otherwise as :func:`line`."""
    data = line(loss, start, along.difference(start, end), *args, points=points, extent=extent, **options)
    return data.assign_attrs(plane="interpolation")


def plane(
    loss: Loss,
    params: Params,
    directions: Sequence[PyTree],
    *args: Any,
    grid: int | tuple[int, int] = 51,
    extent: Range | tuple[Range, Range] = (-1.0, 1.0),
    **options: Unpack[evaluation.Options],
) -> "xarray.Dataset":
    """The loss on the plane of two directions.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: c, the centre.
      directions: Two trees shaped like the parameters, from ``random``, ``eigenpairs`` or your own.
      *args: What else the loss is given, such as a batch; :func:`over_batches` makes a loss that goes through it in
        parts.
      grid: Points along x and y, or one number for both.
      extent: Coordinates of the first and the last point, for both axes or for each.
      **options: How, and what else: see :class:`jaxdl.landscape.Options`.

    Returns:
      A Dataset with the axes ``y`` (rows) and ``x``, in units of the directions, and ``loss`` and the metrics on them;
      ``gram`` and ``cosine`` of the directions; the environment among its attributes. A value may be NaN or ∞.

    Raises:
      ValueError: not two directions, fewer than 2 points, a metric named ``loss``, or options that cannot be.

    >>> import jax.numpy as jnp
    >>> w, axes = jnp.zeros(2), (jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]))
    >>> data = plane(lambda w: w[0] + 10 * w[1], w, axes, grid=(3, 2))
    >>> print(data["loss"].values)
    [[-11. -10.  -9.]
     [  9.  10.  11.]]
    """
    if len(directions) != 2:
        raise ValueError(f"a plane has 2 directions, got {len(directions)}.")
    sizes = (grid, grid) if isinstance(grid, int) else grid
    extents = extent if isinstance(extent[0], tuple) else (extent, extent)
    x, y = (_ticks(size, each) for size, each in zip(sizes, extents, strict=True))
    return _slice(loss, params, directions, args, {"y": y, "x": x}, options)


def over_batches(loss: Loss, batch_size: int) -> Loss:
    """``loss(params, batch, *args)``, a mean over samples, as the mean over parts of the batch weighted by their sizes.

    >>> import jax.numpy as jnp
    >>> print(over_batches(lambda w, x: jnp.mean(w * x), 2)(1.0, jnp.array([1.0, 2.0, 6.0])))
    3.0
    """
    checks.positive_integer(batch_size=batch_size)

    def of_parts(params: Params, batch: Batch, *args: Any) -> jax.Array:
        mean: jax.Array = mean_over_parts(lambda part: loss(params, part, *args), batch, batch_size)
        return mean

    return of_parts


def _ticks(points: int, extent: Range) -> np.ndarray:
    checks.positive_integer(points=points)
    if points < 2:
        raise ValueError(f"a slice needs at least 2 points along an axis, got {points}.")
    return np.linspace(*extent, points)


def _slice(
    loss: Loss,
    params: Params,
    directions: Sequence[PyTree],
    args: tuple[Any, ...],
    grids: Mapping[str, np.ndarray],
    options: evaluation.Options,
) -> "xarray.Dataset":
    """Any number of axes; ``grids`` are in the order of the array's dimensions, the reverse of ``directions``."""
    import xarray

    metrics = options.get("metrics") or {}
    if "loss" in metrics:
        raise ValueError("a metric must have another name than 'loss'.")
    # Row-major over (y, x), the coordinates in the order of the directions (x, y).
    points = np.stack(np.meshgrid(*grids.values(), indexing="ij")[::-1], axis=-1).reshape(-1, len(grids))
    looked_at = programs.Slice(
        {"loss": loss, **metrics}, params, tuple(directions), args, options.get("derivatives", False)
    )
    values = evaluation.evaluate(looked_at, points, options)
    shape, dims = tuple(len(ticks) for ticks in grids.values()), tuple(grids)
    inner = {0: (), 1: ("axis",), 2: ("axis", "axis_too")}
    variables = {
        name: ((*dims, *inner[value.ndim - 1]), value.reshape(*shape, *value.shape[1:]))
        for name, value in values.items()
    }
    names = list(reversed(dims))
    variables["gram"] = (("axis", "axis_too"), np.asarray(along.gram(directions)))
    variables["cosine"] = (("axis", "axis_too"), np.asarray(along.cosines(directions)))
    return xarray.Dataset(
        variables,
        coords={**grids, "axis": names, "axis_too": names},
        attrs={"environment": json.dumps(provenance.environment())},
    )
