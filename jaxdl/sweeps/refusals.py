"""What no study can be made of, refused in one sentence before anything is compiled or written."""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from jaxdl import checks, grids, labels
from jaxdl.problems.problem import Problem

OF_RESULTS = ("step", "diverged_at", "audit_difference", "chaotic", "stopped_at")
"""Names in a Dataset that are not a record's."""


def functions(problem: Any, factories: Mapping[str, Any]) -> None:
    """Raises ValueError unless the problem is one, or makes one, and the optimizers are functions.

    >>> functions("quadratic", {})
    Traceback (most recent call last):
    ValueError: the problem must be a jaxdl.Problem, such as jaxdl.problems.get(name), or its factory, got 'quadratic'.
    """
    if not isinstance(problem, Problem):
        if not callable(problem):
            raise ValueError(
                "the problem must be a jaxdl.Problem, such as jaxdl.problems.get(name), or its factory, "
                f"got {_short(problem)}."
            )
        _signature("the problem", problem)
    for name, factory in factories.items():
        if not callable(factory):
            raise ValueError(
                f"optimizer {name!r} must be a function of hyper-parameters, such as jaxdl.adam, got {_short(factory)}."
            )
        _signature(f"optimizer {name!r}", factory)


def _signature(what: str, function: Callable[..., Any]) -> None:
    """What a partial function binds must be arguments; ``inspect`` would say so without naming them."""
    if isinstance(function, partial):
        checks.arguments(what, function.func, list(function.keywords))
    inspect.signature(function)


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, str) else f"a {type(value).__name__}"


def divergence_factor(value: Any) -> None:
    """Raises ValueError unless a loss can be this many times the first one."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < math.inf:
        raise ValueError(f"divergence_factor must be a positive finite number, got {value!r}.")


def told_apart(grid: grids.Grid) -> None:
    """Raises ValueError where two points are the same, or only seem to differ: a result could not be found again.

    >>> told_apart(grids.product({"learning_rate": [0.1, 0.1]}))
    Traceback (most recent call last):
    ValueError: points must differ in their values as written, got {'learning_rate': 0.1} at point 0 and at point 1.
    """
    shown = {name: labels.column(column) for name, column in grid.columns.items()}
    first: dict[str, int] = {}
    for point in range(grid.size):
        values = {name: column[point] for name, column in shown.items()}
        other = first.setdefault(json.dumps(values), point)
        if other != point:
            raise ValueError(
                f"points must differ in their values as written, got {values} at point {other} and at point {point}."
            )


def names(columns: Iterable[str], recorded: Iterable[str]) -> None:
    """Raises ValueError where an axis or a record has a name that is another's in the Dataset."""
    for name in columns:
        if name in (*OF_RESULTS, *recorded):
            raise ValueError(f"{name!r} is a name of results, got an axis of that name; call the argument otherwise.")
    for name in recorded:
        if name in ("seed", *OF_RESULTS):
            raise ValueError(f"{name!r} is a name of other results, got an observable or metric of that name.")


def cast(name: str, values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """A column of numbers as lanes take it.

    Raises:
      ValueError: the dtype cannot hold a value.

    >>> cast("learning_rate", [0.1, 1e300], np.dtype("float32"))
    Traceback (most recent call last):
    ValueError: axis 'learning_rate' holds 1e+300, which is beyond float32.
    """
    given = np.asarray(values)
    with np.errstate(over="ignore"):
        made = given.astype(dtype)
    beyond = ~np.isfinite(made) if dtype.kind == "f" else made != given
    if beyond.any():
        raise ValueError(f"axis {name!r} holds {given[beyond][0].item()!r}, which is beyond {dtype.name}.")
    return made
