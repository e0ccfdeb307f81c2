r"""Points at which to run: products of axes, lists, random and quasi-random draws.

A grid is columns of equal length, one value per point, and the shape in which results are laid out. Columns of numbers
are arrays; what shapes a program (booleans, strings, None, functions, tuples) stands in lists.

Draws come in sequence: a draw of n points is the start of a draw of more with the same seed and ranges, so that a study
can be extended and keeps what it has. Random and quasi-random draws put a different value of *every* hyper-parameter
into every trial, which finds good points with fewer trials than a product where few of the hyper-parameters matter.

Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 2012, section 2.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from jaxdl import checks, labels

Column: TypeAlias = np.ndarray | list[Any]
"""One value per point: a float64 or int64 array, or a list where a value is not a number."""


class Grid(NamedTuple):
    """Points and their layout.

    Attributes:
      columns: Hyper-parameter to its value at each point, ``size`` values each.
      dims: Names of the dimensions of the results: the axes of a product, or ``("point",)``.
      shape: Their lengths. Points are in C order of them.
    """

    columns: dict[str, Column]
    dims: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(self.shape)


class Range(NamedTuple):
    """An interval to draw from: uniformly, or with ``log`` uniformly on a logarithmic scale. See :func:`uniform`."""

    low: float
    high: float
    log: bool


def uniform(low: float, high: float) -> Range:
    """Every value of [low, high] alike.

    Raises:
      ValueError: ``low`` not below ``high``, or not finite.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"a range needs finite low < high, got ({low!r}, {high!r}).")
    return Range(float(low), float(high), log=False)


def log_uniform(low: float, high: float) -> Range:
    """Every order of magnitude of [low, high] alike.

    Raises:
      ValueError: ``low`` not below ``high``, not finite, or not positive.
    """
    if not low > 0:
        raise ValueError(f"a logarithmic range needs low > 0, got ({low!r}, {high!r}); uniform(low, high) takes any.")
    return uniform(low, high)._replace(log=True)


def product(axes: Mapping[str, Any]) -> Grid:
    """All combinations, the last axis varying fastest.

    Args:
      axes: Hyper-parameter to the list of its values.

    Returns:
      A grid with one dimension per axis.

    Raises:
      ValueError: an axis that is not a non-empty list, or holds a number that is not real and finite.

    >>> grid = product({"learning_rate": [0.1, 0.2], "nesterov": [False, True]})
    >>> grid.shape, grid.columns["learning_rate"].tolist(), grid.columns["nesterov"]
    ((2, 2), [0.1, 0.1, 0.2, 0.2], [False, True, False, True])
    """
    values = {name: _column(name, axis) for name, axis in axes.items()}
    shape = tuple(map(len, values.values()))
    where = np.indices(shape).reshape(len(shape), math.prod(shape))
    columns = {name: _take(column, index) for (name, column), index in zip(values.items(), where, strict=True)}
    return Grid(columns, tuple(values), shape)


def points(listed: Sequence[Mapping[str, Any]]) -> Grid:
    """The points that are listed, each a dictionary with the same keys.

    Raises:
      ValueError: no points, a point with other keys than the first, or a number that is not real and finite.

    >>> points([{"learning_rate": 0.1, "b1": 0.9}, {"learning_rate": 0.01, "b1": 0.95}]).columns["b1"].tolist()
    [0.9, 0.95]
    """
    if not len(listed):
        raise ValueError("a list of points needs at least one point, got none.")
    names = list(listed[0])
    for number, point in enumerate(listed):
        lacking, more = [n for n in names if n not in point], [n for n in point if n not in names]
        if lacking:
            raise ValueError(f"every point must have the keys of point 0; point {number} lacks {lacking[0]!r}.")
        if more:
            raise ValueError(f"every point must have the keys of point 0, which lacks {more[0]!r} of point {number}.")
    return _pointwise({name: [point[name] for point in listed] for name in names}, len(listed))


def random(ranges: Mapping[str, Any], count: int, seed: int = 0) -> Grid:
    """Independent draws.

    Args:
      ranges: Hyper-parameter to :func:`uniform` or :func:`log_uniform`, or to a pair (low, high), which is logarithmic.
      count: How many points.
      seed: Which draws; the first of many are the few of the same seed.

    Returns:
      A grid with the dimension ``"point"``.

    Raises:
      ValueError: no ranges, a range that is none, or ``count`` below 1.

    >>> random({"learning_rate": (1e-4, 1e-1), "b1": uniform(0.8, 0.99)}, 3).columns["b1"].round(3).tolist()
    [0.851, 0.803, 0.973]
    """
    return _drawn(lambda dimension: np.random.default_rng(seed).random((count, dimension)), ranges, count)


def sobol(ranges: Mapping[str, Any], count: int, seed: int = 0) -> Grid:
    """A scrambled Sobol sequence, more even than :func:`random`, whose arguments, returns and errors it has.

    It is most even where ``count`` is a power of two.

    Source: Sobol, 1967; Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995 (the scrambling).
    """

    def unit(dimension: int) -> np.ndarray:
        from scipy.stats import qmc

        # Drawn up to the next power of two and cut: SciPy warns about any other number.
        engine = qmc.Sobol(dimension, rng=np.random.default_rng(seed))
        return np.asarray(engine.random_base2((count - 1).bit_length()))[:count]

    return _drawn(unit, ranges, count)


def halton(ranges: Mapping[str, Any], count: int, seed: int = 0) -> Grid:
    """A scrambled Halton sequence, even at any ``count``; arguments, returns and errors of :func:`random`.

    Source: Halton, 1960; Owen, "A randomized Halton algorithm in R", 2017 (the scrambling).
    """

    def unit(dimension: int) -> np.ndarray:
        from scipy.stats import qmc

        return np.asarray(qmc.Halton(dimension, rng=np.random.default_rng(seed)).random(count))

    return _drawn(unit, ranges, count)


def across(grid: Grid, name: str, values: Any) -> Grid:
    """The whole grid once for each value of a further, outermost axis.

    Args:
      grid: The grid that is repeated.
      name: Of the new axis, such as ``"optimizer"``.
      values: Its values.

    Raises:
      ValueError: the grid has the axis already, or ``values`` is not a list.

    >>> across(product({"learning_rate": [0.1, 0.2]}), "optimizer", ["sgd", "adam"]).columns["optimizer"]
    ['sgd', 'sgd', 'adam', 'adam']
    """
    if name in grid.columns or name in grid.dims:
        raise ValueError(f"the grid has an axis {name!r} already; its axes are: {', '.join(grid.columns)}.")
    outer = _column(name, values)
    which, point = np.divmod(np.arange(len(outer) * grid.size), grid.size)
    columns = {name: _take(outer, which)} | {n: _take(column, point) for n, column in grid.columns.items()}
    return Grid(columns, (name, *grid.dims), (len(outer), *grid.shape))


def coordinates(grid: Grid) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Coordinates of a Dataset of the grid's results.

    Returns:
      Name to (dims, values): an axis along its own dimension, and along ``"point"`` the columns of points and their
      numbers. What is not a number is written out, because Datasets store numbers and strings.

    >>> coordinates(product({"momentum": [None, 0.9]}))
    {'momentum': (('momentum',), array(['None', '0.9'], dtype='<U4'))}
    """
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    if "point" in grid.dims:
        found["point"] = (("point",), np.arange(grid.shape[grid.dims.index("point")]))
    for name, column in grid.columns.items():
        dim = name if name in grid.dims else "point"
        along = grid.dims.index(dim)
        stride = math.prod(grid.shape[along + 1 :])
        found[name] = ((dim,), _coordinate(_take(column, stride * np.arange(grid.shape[along]))))
    return found


def _coordinate(column: Column) -> np.ndarray:
    return column if isinstance(column, np.ndarray) else np.array([str(labels.label(value)) for value in column])


def _drawn(unit: Callable[[int], np.ndarray], ranges: Mapping[str, Any], count: int) -> Grid:
    """Points of the unit cube, shape ``(count, dimension)``, stretched to the ranges."""
    checks.positive_integer(count=count)
    if not ranges:
        raise ValueError("draws need at least one range, such as {'learning_rate': (1e-4, 1e-1)}, got none.")
    intervals = {name: _range(name, given) for name, given in ranges.items()}
    columns = zip(intervals.items(), unit(len(intervals)).T, strict=True)
    return _pointwise({name: _stretch(interval, column) for (name, interval), column in columns}, count)


def _range(name: str, given: Any) -> Range:
    if isinstance(given, Range):
        return given
    try:
        low, high = given
        return log_uniform(low, high)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the range of {name!r} must be (low, high), uniform or log_uniform, got {given!r}."
        ) from error


def _stretch(interval: Range, unit: np.ndarray) -> np.ndarray:
    low, high = interval.low, interval.high
    drawn = low * (high / low) ** unit if interval.log else low + (high - low) * unit
    return np.clip(drawn, low, high)  # rounding may step over an end


def _pointwise(columns: Mapping[str, Any], count: int) -> Grid:
    return Grid({name: _column(name, values) for name, values in columns.items()}, ("point",), (count,))


def _column(name: str, values: Any) -> Column:
    """Values as an array of numbers, or as a list where one of them is not a number."""
    listed = values if isinstance(values, Sequence) else np.asarray(values)
    if isinstance(listed, str) or (isinstance(listed, np.ndarray) and not listed.ndim) or not len(listed):
        raise ValueError(f"axis {name!r} must be a non-empty list, got {values!r}.")
    column = [value.item() if getattr(value, "shape", None) == () else value for value in listed]
    wrong = [value for value in column if not _admissible(value)]
    if wrong:
        raise ValueError(
            f"axis {name!r} must hold finite real numbers, or hashable values such as strings and tuples, "
            f"got {wrong[0]!r}."
        )
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in column)
    return np.array(column) if numbers else column


def _admissible(value: Any) -> bool:
    """Whether a value is a finite real number, or something that points can be grouped by."""
    if isinstance(value, float | complex):
        return isinstance(value, float) and math.isfinite(value)
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _take(column: Column, indices: np.ndarray) -> Column:
    return column[indices] if isinstance(column, np.ndarray) else [column[index] for index in indices]
