"""Axes of hyper-parameters become points: one value of each axis per point."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from jaxdl import checks

Points = Mapping[str, np.ndarray]
"""Columns of equal length P: hyper-parameter name to its value at each point."""


def axis(name: str, values: Any) -> np.ndarray:
    """One axis as a float array of shape ``(n,)``.

    Raises:
      ValueError: not a non-empty list of finite real numbers. Booleans, strings and None shape the program; they
        cannot be mapped over.
    """
    array = np.asarray(values)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
        raise ValueError(
            f"axis {name!r} must be a non-empty list of finite real numbers, got {values!r}; "
            "bind arguments that are not numbers with functools.partial."
        )
    return array.astype(np.float64)


def check_factory(
    name: str, factory: Callable[..., Any], points: Points, fixed: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Builds the optimizer once at every point, outside any program, where bad values can still be named.

    Args:
      name: Of the optimizer, for messages.
      factory: The optimizer's.
      points: Columns of its arguments.
      fixed: Arguments that are the same at every point.

    Raises:
      ValueError: the factory lacks an argument, or rejects its values.
    """
    checks.arguments(f"optimizer {name!r}", factory, [*fixed, *points])
    columns = [column.tolist() for column in points.values()]
    for values in dict.fromkeys(zip(*columns, strict=True)) if columns else [()]:
        arguments = {**fixed, **dict(zip(points, values, strict=True))}
        try:
            made = factory(**arguments)
        except (TypeError, ValueError) as error:
            raise ValueError(f"optimizer {name!r} rejects {arguments}: {error}") from error
        if not (callable(getattr(made, "init", None)) and callable(getattr(made, "update", None))):
            raise ValueError(f"optimizer {name!r} must return a gradient transformation, got {type(made).__name__}.")
