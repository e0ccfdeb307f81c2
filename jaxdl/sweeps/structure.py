"""Which columns of a grid become lanes of one program, and which need a program for each of their values.

A column goes to the argument of the same name of the optimizer's factory; with the prefix ``problem.`` to the problem's
factory; ``steps`` is the length of each run, given to the optimizer's factory too where it has such an argument (the
decay of a schedule); ``optimizer`` names the factory. Seeds are no column: a sweep takes them apart from its grid.

A number that JAX can trace through a whole step of training, data and loss included, is a value of a *lane*. Everything
else is *structural*: it decides which operations there are (bool, str, None, functions, tuples) or their shapes
(``problem.dimension``). Points of one structure share one compiled program. Of numbers this is not asked of the user
but tried, because the same argument may be read by ``jnp`` in one factory and by ``if`` in another.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks, training
from jaxdl.grids import Column, Grid
from jaxdl.problems.problem import Problem
from jaxdl.sweeps.grid import check_factory
from jaxdl.typing import OptimizerFactory

ProblemFactory: TypeAlias = Callable[..., Problem]
"""Anything that turns arguments, given by keyword, into a problem."""

PROBLEM = "problem."
"""Prefix of the columns that are arguments of the problem's factory."""


class Destinations(NamedTuple):
    """One point's values by where they go; ``steps`` is None where the grid has no such column."""

    optimizer: dict[str, Any]
    problem: dict[str, Any]
    steps: Any


class Structure(NamedTuple):
    """Points that share one compiled program.

    Attributes:
      optimizer: Name of the factory.
      fixed: Structural column to its value.
      lanes: Column of numbers to the dtype in which the program takes them.
      points: Indices into the grid, ascending, int64.
    """

    optimizer: str
    fixed: dict[str, Any]
    lanes: dict[str, np.dtype[Any]]
    points: np.ndarray


def destinations(point: Mapping[str, Any], factory: OptimizerFactory) -> Destinations:
    """Sorts a point's values, or whole columns, by where they go.

    Args:
      point: Column name to what stands there at one point, maybe traced.
      factory: The optimizer's, which is given ``steps`` where its signature has that name.

    Returns:
      Keyword arguments of the two factories, and the length of the run.

    >>> destinations({"rate": 0.1, "problem.dimension": 3, "steps": 50}, lambda rate, steps: None)
    Destinations(optimizer={'rate': 0.1, 'steps': 50}, problem={'dimension': 3}, steps=50)
    """
    ours = {name: value for name, value in point.items() if name not in ("optimizer", "steps")}
    problem = {name.removeprefix(PROBLEM): value for name, value in ours.items() if name.startswith(PROBLEM)}
    optimizer = {name: value for name, value in ours.items() if not name.startswith(PROBLEM)}
    if "steps" in point and "steps" in inspect.signature(factory).parameters:
        optimizer["steps"] = point["steps"]
    return Destinations(optimizer, problem, point.get("steps"))


def structures(
    grid: Grid, factories: Mapping[str, OptimizerFactory], problem: Problem | ProblemFactory
) -> list[Structure]:
    """Groups the points of a grid by what shapes their program.

    Args:
      grid: The points; with several optimizers, its column ``optimizer`` names each point's.
      factories: Optimizers by name.
      problem: A problem or, for a grid with columns ``problem.…``, its factory.

    Returns:
      The structures in order of their first points; together they hold every point once.

    Raises:
      ValueError: a column that nothing takes, an argument or value that a factory rejects, ``steps`` that are not
        whole numbers of at least 1, or an unknown or missing name of an optimizer.

    >>> import jaxdl
    >>> grid = jaxdl.grids.product({"learning_rate": [0.1, 0.2], "nesterov": [True, False]})
    >>> for found in structures(grid, {"momentum": jaxdl.momentum}, jaxdl.problems.get("quadratic")):
    ...     print(found.fixed, list(found.lanes), found.points)
    {'nesterov': True} ['learning_rate'] [0 2]
    {'nesterov': False} ['learning_rate'] [1 3]
    """
    columns = _columns(grid, factories)
    make_problem = _problem_factory(problem, columns)
    numbers = {name: column for name, column in columns.items() if isinstance(column, np.ndarray)}
    shaping = {name: column for name, column in columns.items() if name not in numbers}
    found = []
    for fixed, points in _by_value(shaping, np.arange(grid.size)):
        name = fixed.get("optimizer", next(iter(factories)))
        there = {column: values[points] for column, values in numbers.items()}
        _check_values(name, factories[name], make_problem, fixed, there)
        lanes = _lanes(factories[name], make_problem, fixed, there)
        untraceable = {column: values for column, values in numbers.items() if column not in lanes}
        found += [Structure(name, {**fixed, **more}, lanes, of) for more, of in _by_value(untraceable, points)]
    return sorted(found, key=lambda structure: int(structure.points[0]))


def _columns(grid: Grid, factories: Mapping[str, OptimizerFactory]) -> dict[str, Column]:
    """The grid's columns, of sound names; ``steps`` as integers."""
    columns = dict(grid.columns)
    if "seed" in columns:
        raise ValueError("'seed' is no axis of a grid, got one; pass seeds=[...] to run every point with every seed.")
    if "optimizer" not in columns and len(factories) != 1:
        raise ValueError(
            f"a grid for {len(factories)} optimizers must have the column 'optimizer', got {', '.join(columns)}; "
            "jaxdl.grids.across(grid, 'optimizer', names) adds it."
        )
    for name in dict.fromkeys(columns.get("optimizer", [])):
        checks.known("optimizer", name, factories)
    if "steps" in columns:
        whole = [int(n) if isinstance(n, float) and n.is_integer() else n for n in _values(columns["steps"])]
        for steps in dict.fromkeys(whole):
            checks.positive_integer(steps=steps)
        columns["steps"] = np.array(whole)
    return columns


def _problem_factory(problem: Problem | ProblemFactory, columns: Mapping[str, Column]) -> ProblemFactory:
    arguments = [name for name in columns if name.startswith(PROBLEM)]
    if not isinstance(problem, Problem):
        checks.arguments("the problem", problem, [name.removeprefix(PROBLEM) for name in arguments])
        return problem
    if arguments:
        raise ValueError(
            f"column {arguments[0]!r} needs the problem's factory, got the finished problem {problem.name!r}; "
            "pass functools.partial(jaxdl.problems.get, name) or a function of your own."
        )
    return lambda: problem


def _by_value(columns: Mapping[str, Column], points: np.ndarray) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """The combinations of values that occur at ``points``, and where. True is not 1, and 1 is not 1.0."""
    members: dict[tuple[Any, ...], list[int]] = {}
    values = {name: _values(column) for name, column in columns.items()}
    for point in points.tolist():
        key = tuple((type(column[point]), column[point]) for column in values.values())
        members.setdefault(key, []).append(point)
    for key, indices in members.items():
        yield {name: value for name, (_, value) in zip(columns, key, strict=True)}, np.array(indices)


def _values(column: Column) -> list[Any]:
    """As Python numbers, where they are numbers."""
    return column.tolist() if isinstance(column, np.ndarray) else column


def _check_values(
    name: str,
    factory: OptimizerFactory,
    make_problem: ProblemFactory,
    fixed: Mapping[str, Any],
    numbers: Mapping[str, np.ndarray],
) -> None:
    """Calls both factories outside any program, where bad values can still be named."""
    swept, given = destinations(numbers, factory), destinations(fixed, factory)
    check_factory(name, factory, swept.optimizer, given.optimizer)
    # A problem is costly to make, and what it asks of a number is a range: both ends of each column will do.
    middle = {column: values[0].item() for column, values in swept.problem.items()}
    ends = [{column: end.item()} for column, values in swept.problem.items() for end in (values.min(), values.max())]
    for end in ends or [{}]:
        arguments = {**given.problem, **middle, **end}
        try:
            make_problem(**arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the problem rejects {arguments}: {error}") from error


def _lanes(
    factory: OptimizerFactory,
    make_problem: ProblemFactory,
    fixed: Mapping[str, Any],
    numbers: Mapping[str, np.ndarray],
) -> dict[str, np.dtype[Any]]:
    """The columns that can be traced, together, and as what."""
    first = {**fixed, **{name: values[0].item() for name, values in numbers.items()}}
    whole, real = np.dtype(np.int32), np.dtype(jnp.result_type(float))

    def traceable(lanes: Mapping[str, np.dtype[Any]]) -> bool:
        try:
            _trace_step(factory, make_problem, first, lanes)
        except Exception:  # a factory may refuse a traced value in words of its own
            return False
        return True

    wanted = {name: whole if name == "steps" else real for name in numbers}
    if traceable(wanted):
        return wanted
    _trace_step(factory, make_problem, first, {})  # what fails without tracing too is no matter of structure
    lanes: dict[str, np.dtype[Any]] = {}
    for name, dtype in wanted.items():
        # As a real number first: 1 and 2 are learning rates too. Some integers index or count, and must stay such.
        for candidate in (dtype, whole) if numbers[name].dtype.kind == "i" else (dtype,):
            if traceable({**lanes, name: candidate}):
                lanes[name] = candidate
                break
    return lanes


def _trace_step(
    factory: OptimizerFactory,
    make_problem: ProblemFactory,
    point: Mapping[str, Any],
    lanes: Mapping[str, np.dtype[Any]],
) -> None:
    """One step of training, with its records, traced and not run: ``lanes`` abstract, the rest as in ``point``."""

    def step(traced: dict[str, jax.Array]) -> Any:
        to = destinations({**point, **traced}, factory)
        return training.train(make_problem(**to.problem), factory(**to.optimizer), jax.random.key(0), steps=1)

    jax.eval_shape(step, {name: jax.ShapeDtypeStruct((), dtype) for name, dtype in lanes.items()})
