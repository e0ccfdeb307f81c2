"""Errors at factory time: one sentence that says what was expected and what came.

Only concrete values can be judged; a traced value passes, because its range is not known while a program is built.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np


def _concrete(name: str, value: Any) -> float | None:
    """The number behind ``value``, or None where it is a schedule, None, or known only at run time."""
    if value is None or callable(value) or isinstance(value, jax.core.Tracer):
        return None
    if isinstance(value, str | bytes | bool | list | tuple | dict):
        raise ValueError(f"{name} must be a number, got {value!r}.")
    array = np.asarray(value)
    return float(array) if array.ndim == 0 and np.isrealobj(array) else None


def nonnegative(**values: Any) -> None:
    """Raises ValueError unless every concrete value is ≥ 0 (NaN is not)."""
    for name, value in values.items():
        number = _concrete(name, value)
        if number is not None and not number >= 0:
            raise ValueError(f"{name} must be non-negative, got {number:g}.")


def given(**values: Any) -> None:
    """Raises ValueError where a number or a schedule is None."""
    for name, value in values.items():
        if value is None:
            raise ValueError(f"{name} must be a number or a schedule, got None.")


def functions(home: str, **values: Any) -> None:
    """Raises ValueError unless every value that is not None is a function: one of those in the module ``home``."""
    for name, value in values.items():
        if value is not None and not callable(value):
            raise ValueError(f"{name} must be a function, such as those in {home}, got {value!r}.")


def arguments(what: str, factory: Callable[..., Any], names: Sequence[str]) -> None:
    """Raises ValueError unless the factory ``what`` takes every one of the names by keyword."""
    parameters = inspect.signature(factory).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    missing = [name for name in names if name not in parameters and not takes_any]
    if missing:
        raise ValueError(f"{what} takes no argument {missing[0]!r}; it takes: {', '.join(parameters)}.")


def transformation(value: Any) -> None:
    """Raises TypeError unless ``value`` has the ``init`` and ``update`` of an optax transformation."""
    if not (hasattr(value, "init") and hasattr(value, "update")):
        called = getattr(value, "__name__", repr(value))
        raise TypeError(f"expected a transformation, such as jaxdl.adam(0.1), got {called}.")


def at_least(minimum: float, **values: Any) -> None:
    """Raises ValueError unless every concrete value is ≥ ``minimum``."""
    for name, value in values.items():
        number = _concrete(name, value)
        if number is not None and not number >= minimum:
            raise ValueError(f"{name} must be at least {minimum:g}, got {number:g}.")


def positive(**values: Any) -> None:
    """Raises ValueError unless every concrete value is > 0."""
    for name, value in values.items():
        number = _concrete(name, value)
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
        number = _concrete(name, value)
        if number is not None and not 0 <= number < 1:
            raise ValueError(f"{name} must lie in [0, 1), got {number:g}.")


def fraction(**values: Any) -> None:
    """Raises ValueError unless every concrete value lies in [0, 1]: a part of a whole."""
    for name, value in values.items():
        number = _concrete(name, value)
        if number is not None and not 0 <= number <= 1:
            raise ValueError(f"{name} must lie in [0, 1], got {number:g}.")


def random_key(**values: Any) -> None:
    """Raises ValueError unless every value is a key as :func:`jax.random.key` (or the older ``PRNGKey``) makes it."""
    for name, value in values.items():
        dtype, shape = getattr(value, "dtype", np.dtype(object)), getattr(value, "shape", ())
        if not (jax.numpy.issubdtype(dtype, jax.dtypes.prng_key) or (dtype == np.uint32 and len(shape) > 0)):
            raise ValueError(f"{name} must be a random key, such as jax.random.key(0), got {value!r}.")


def parameters(params: Any) -> None:
    """Raises ValueError where a transformation that reads the parameters was given none."""
    if params is None:
        raise ValueError("this transformation reads the parameters: call update(updates, state, params).")


def known(name: str, value: str, choices: Iterable[str]) -> None:
    """Raises ValueError, listing the choices, unless ``value`` is one of them."""
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}; known are: {', '.join(choices)}.")
