r"""Where runs end: an atlas of the attractors of a function of two variables, pixel by pixel.

Every pixel is a run of its own, all in one program: from the point that the pixel is (:func:`basins`, one map for every
optimizer), or from one point with the hyper-parameters that the pixel is (:func:`outcomes`). What a run reaches is one
of the attractors; **nowhere**, where it has not settled within the steps; or it has **diverged**, where it left the
domain by ten times its size or lost its numbers.

.. math::

    \text{area}_k = \frac{\#\{\text{pixels that reach } k\}}{\#\{\text{pixels}\}}, \qquad
    \text{boundary} = \frac{\#\{\text{neighbours that reach different ones}\}}{\#\{\text{neighbours}\}}
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import checks, provenance
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray

Value = Callable[[jax.Array], jax.Array]
"""``value(point) -> scalar``, the point of shape ``(2,)``."""
Domain = tuple[tuple[float, float], tuple[float, float]]
"""``((x low, x high), (y low, y high))``."""

NOWHERE, DIVERGED = -1, -2
"""Labels of runs that have not settled and that are lost."""
FAR = 10.0
"""A run is lost where it is further from the domain's centre than so many times its diagonal."""
SMALLEST = 1e-3
"""Part of the runs of all maps that must settle at a point that was not given, for it to be an attractor."""
MOST = 32
"""Most attractors that are told apart."""


class _Ends(NamedTuple):
    """Of n runs: ``points``, shape ``(n, 2)``; ``settled`` and ``lost``, ``(n,)``."""

    points: np.ndarray
    settled: np.ndarray
    lost: np.ndarray


def basins(
    value: Value,
    optimizers: Mapping[str, optax.GradientTransformation],
    domain: Domain,
    *,
    grid: int | tuple[int, int] = 101,
    steps: int = 500,
    attractors: Iterable[Sequence[float]] = (),
    tolerance: float | None = None,
) -> "xarray.Dataset":
    """Which attractor runs reach from every point of a domain, for every optimizer.

    Args:
      value: The function; it is differentiated.
      optimizers: Transformations by name.
      domain: Of the starts.
      grid: Pixels along x and y, or one number for both.
      steps: Updates of every run.
      attractors: Known ones, such as the minima of ``jaxdl.problems.planar.FUNCTIONS[name]``; points where runs settle
        otherwise are found and follow them, those of most runs first.
      tolerance: How near a run must end to its attractor, and how little it may have moved in its last tenth; by
        default a hundredth of the domain's diagonal.

    Returns:
      A Dataset with ``reached(optimizer, y, x)``, the numbers of the attractors, −1 for nowhere and −2 for diverged;
      ``area(optimizer, label)`` and ``boundary(optimizer)``, see the top of this file; the attractors,
      ``attractor(label, coordinate)``, with NaN for the two labels below 0; and ``height(y, x)``, the function.

    Raises:
      ValueError: fewer than 2 pixels along an axis or less than 10 steps.

    >>> from jaxdl.transforms import scale_by_learning_rate
    >>> wells = lambda p: (p[0] ** 2 - 1) ** 2 + p[1] ** 2
    >>> data = basins(wells, {"sgd": scale_by_learning_rate(0.05)}, ((-2.0, 2.0), (-1.0, 1.0)), grid=(4, 3))
    >>> print(data["reached"].values[0, 0], data["area"].sel(label=0).values)
    [0 0 1 1] [0.5]
    """
    sizes = (grid, grid) if isinstance(grid, int) else grid
    x, y = (_pixels(size, bounds) for size, bounds in zip(sizes, domain, strict=True))
    starts = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    ends = [_run(value, lambda tx=tx: tx, starts, {}, domain, steps, tolerance) for tx in optimizers.values()]
    heights = np.asarray(jax.jit(jax.vmap(value))(jnp.asarray(starts))).reshape(len(y), len(x))
    known = list(attractors)
    return _atlas(
        value, ends, list(optimizers), {"y": y, "x": x}, domain, known, tolerance, {"height": (("y", "x"), heights)}
    ).assign_attrs(steps=steps)


def outcomes(
    value: Value,
    factory: OptimizerFactory,
    axes: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float],
    domain: Domain,
    *,
    steps: int = 500,
    attractors: Iterable[Sequence[float]] = (),
    tolerance: float | None = None,
    name: str | None = None,
) -> "xarray.Dataset":
    """Which attractor runs from one point reach, over two hyper-parameters of an optimizer.

    Args:
      value: The function.
      factory: Called with the two hyper-parameters by keyword, traced.
      axes: Two names to values; the first is the horizontal axis.
      start: The point.
      domain: What diverging is measured by.
      steps: Updates of every run.
      attractors: See :func:`basins`.
      tolerance: See :func:`basins`.
      name: Of the optimizer; the factory's by default.

    Returns:
      A Dataset like that of :func:`basins` with the hyper-parameters in place of y and x, and without ``height``.

    Raises:
      ValueError: not two axes of two values or more, one that the optimizer does not take, or less than 10 steps.
    """
    if len(axes) != 2:
        raise ValueError(f"outcomes are drawn over 2 hyper-parameters, got {len(axes)}.")
    label = name or str(getattr(factory, "__name__", "optimizer"))
    checks.arguments(f"optimizer {label!r}", factory, list(axes))
    across, up = axes
    grids = {axis: _values(axis, axes[axis]) for axis in (up, across)}
    first, second = np.meshgrid(grids[across], grids[up])
    starts = np.broadcast_to(np.asarray(start, float), (first.size, 2))
    columns = {across: first.ravel(), up: second.ravel()}
    ends = _run(value, factory, starts, columns, domain, steps, tolerance)
    return _atlas(value, [ends], [label], grids, domain, list(attractors), tolerance, {}).assign_attrs(steps=steps)


def _values(axis: str, values: Any) -> np.ndarray:
    array = np.asarray(values, float)
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"axis {axis!r} needs at least 2 values, got {values!r}.")
    return array


def _pixels(count: int, bounds: tuple[float, float]) -> np.ndarray:
    checks.positive_integer(grid=count)
    if count < 2:
        raise ValueError(f"a map needs at least 2 pixels along an axis, got {count}.")
    return np.linspace(*bounds, count)


def _tolerance(domain: Domain, given: float | None) -> float:
    return 0.01 * _diagonal(domain) if given is None else given


def _diagonal(domain: Domain) -> float:
    return math.hypot(*(high - low for low, high in domain))


def _run(
    value: Value,
    make: Callable[..., optax.GradientTransformation],
    starts: np.ndarray,
    columns: Mapping[str, np.ndarray],
    domain: Domain,
    steps: int,
    tolerance: float | None,
) -> _Ends:
    """Runs from all starts, with the hyper-parameters of ``columns``."""
    if steps < 10:
        raise ValueError(f"runs need at least 10 steps to settle, got {steps}.")
    centre = jnp.asarray([sum(bounds) / 2 for bounds in domain])
    far, still = FAR * _diagonal(domain), _tolerance(domain, tolerance)
    last = steps // 10

    @jax.jit
    def run(starts: jax.Array, columns: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        return jax.vmap(one)(starts, columns)

    def one(point: jax.Array, hyper: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        tx = optax.with_extra_args_support(make(**hyper))

        def step(carry: Any, _: None) -> tuple[Any, None]:
            point, state, lost = carry
            loss, slope = jax.value_and_grad(value)(point)
            updates, state = tx.update(slope, state, point, value=loss, grad=slope)
            moved = point + updates
            lost |= ~(jnp.linalg.norm(moved - centre) < far)  # also of NaN
            return (jnp.where(lost, point, moved), state, lost), None

        start = (point, tx.init(point), jnp.zeros((), bool))
        before, _ = jax.lax.scan(step, start, length=steps - last)
        (end, _, lost), _ = jax.lax.scan(step, before, length=last)
        return end, jnp.linalg.norm(end - before[0]) < still, lost

    dtype = jnp.result_type(float)
    given = {name: jnp.asarray(column, dtype) for name, column in columns.items()}
    return _Ends(*map(np.asarray, run(jnp.asarray(starts, dtype), given)))


def _atlas(
    value: Value,
    ends: Sequence[_Ends],
    names: list[str],
    grids: Mapping[str, np.ndarray],
    domain: Domain,
    known: list[Sequence[float]],
    tolerance: float | None,
    variables: Mapping[str, Any],
) -> "xarray.Dataset":
    import xarray

    near = _tolerance(domain, tolerance)
    attractors = _attractors(value, ends, np.asarray(known, float).reshape(-1, 2), near)
    shape = tuple(len(values) for values in grids.values())
    reached = np.stack([_labels(end, attractors, near).reshape(shape) for end in ends])
    labels = np.arange(DIVERGED, len(attractors))
    areas = np.stack([np.mean(reached == label, axis=(1, 2)) for label in labels], axis=1)
    return xarray.Dataset(
        {
            "reached": (("optimizer", *grids), reached),
            "area": (("optimizer", "label"), areas),
            "boundary": ("optimizer", np.array([_boundary(one) for one in reached])),
            "attractor": (("label", "coordinate"), np.concatenate([np.full((2, 2), np.nan), attractors])),
            **variables,
        },
        coords={"optimizer": names, "label": labels, "coordinate": ["x", "y"], **grids},
        attrs={"environment": json.dumps(provenance.environment()), "tolerance": near},
    )


def _attractors(value: Value, ends: Sequence[_Ends], known: np.ndarray, near: float) -> np.ndarray:
    """The known ones, then others by how many runs settle there; shape ``(k, 2)``."""
    attracts = jax.jit(lambda point: (_newton_length(value, point) < near) & ~_is_top(value, point))
    settled = np.concatenate([end.points[end.settled & ~end.lost] for end in ends]).astype(float)
    least = max(2, round(SMALLEST * sum(len(end.points) for end in ends)))
    left = settled[_distances(settled, known).min(axis=1, initial=np.inf) > near]
    found: list[np.ndarray] = []
    while len(left) >= least and len(found) + len(known) < MOST:
        around = left[np.linalg.norm(left - left[0], axis=1) <= near]
        middle = np.median(around, axis=0)
        inside = np.linalg.norm(left - middle, axis=1) <= near
        if inside.sum() >= least and attracts(jnp.asarray(middle)):  # else runs are merely slow there
            found.append(np.array([*middle, inside.sum()]))
        inside[0] = True
        left = left[~inside]
    found.sort(key=lambda entry: -entry[2])
    return np.concatenate([known, *(entry[None, :2] for entry in found)])


def _newton_length(value: Value, point: jax.Array) -> jax.Array:
    """How far a critical point is, by Newton's step."""
    step = jnp.linalg.lstsq(jax.hessian(value)(point), jax.grad(value)(point))[0]
    length: jax.Array = jnp.linalg.norm(step)
    return length


def _is_top(value: Value, point: jax.Array) -> jax.Array:
    """Whether the function bends down in every direction: nothing goes there, it only leaves slowly."""
    down: jax.Array = jnp.linalg.eigvalsh(jax.hessian(value)(point))[-1] < 0
    return down


def _labels(ends: _Ends, attractors: np.ndarray, near: float) -> np.ndarray:
    distances = _distances(ends.points, attractors)
    nearest = distances.argmin(axis=1) if len(attractors) else np.zeros(len(ends.points), int)
    there = ends.settled & (distances.min(axis=1, initial=np.inf) <= near)
    return np.where(ends.lost, DIVERGED, np.where(there, nearest, NOWHERE))


def _distances(points: np.ndarray, attractors: np.ndarray) -> np.ndarray:
    """Shape ``(points, attractors)``."""
    distances: np.ndarray = np.linalg.norm(points[:, None] - attractors[None], axis=-1)
    return distances


def _boundary(reached: np.ndarray) -> float:
    """Share of the neighbours, along both axes, that reach different ones."""
    pairs = [np.diff(reached, axis=axis).ravel() != 0 for axis in (0, 1)]
    return float(np.mean(np.concatenate(pairs)))
