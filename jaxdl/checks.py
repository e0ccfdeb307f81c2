"""Errors at factory time: one sentence that says what was expected and what came.

Only concrete values can be judged; a traced value passes, because its range is not known while a program is built.
"""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np


def _concrete(value: Any) -> float | None:
    """The number behind ``value``, or None where it is a schedule, None, or known only at run time."""
    if value is None or callable(value) or isinstance(value, jax.core.Tracer):
        return None
    array = np.asarray(value)
    return float(array) if array.ndim == 0 and np.isrealobj(array) else None


def nonnegative(**values: Any) -> None:
    """Raises ValueError unless every concrete value is ≥ 0 (NaN is not)."""
    for name, value in values.items():
        number = _concrete(value)
        if number is not None and not number >= 0:
            raise ValueError(f"{name} must be non-negative, got {number:g}.")


def at_least(minimum: float, **values: Any) -> None:
    """Raises ValueError unless every concrete value is ≥ ``minimum``."""
    for name, value in values.items():
        number = _concrete(value)
        if number is not None and not number >= minimum:
            raise ValueError(f"{name} must be at least {minimum:g}, got {number:g}.")


def positive(**values: Any) -> None:
    """Raises ValueError unless every concrete value is > 0."""
    for name, value in values.items():
        number = _concrete(value)
        if number is not None and not number > 0:
            raise ValueError(f"{name} must be positive, got {number:g}.")


def positive_integer(**values: Any) -> None:
    """Raises ValueError unless every value is a whole number ≥ 1."""
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}.")


def decay_rate(**values: Any) -> None:
    """Raises ValueError unless every concrete value lies in [0, 1): the weights of a moving average."""
    for name, value in values.items():
        number = _concrete(value)
        if number is not None and not 0 <= number < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {number:g}.")


def fraction(**values: Any) -> None:
    """Raises ValueError unless every concrete value lies in [0, 1]: a part of a whole."""
    for name, value in values.items():
        number = _concrete(value)
        if number is not None and not 0 <= number <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {number:g}.")


def parameters(params: Any) -> None:
    """Raises ValueError where a transformation that reads the parameters was given none."""
    if params is None:
        raise ValueError("this transformation reads the parameters: call update(updates, state, params).")


def known(name: str, value: str, choices: Iterable[str]) -> None:
    """Raises ValueError, listing the choices, unless ``value`` is one of them."""
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}; known are: {', '.join(choices)}.")
