"""How values of axes are written: in coordinates, in the names of stored runs, and to tell points apart."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

_EXACT = 2**53
"""Whole numbers up to this are floats without rounding."""


def label(value: Any) -> Any:
    """A value as a coordinate shows it: a Python number as it is, the name of a function, text of others.

    The text is the same in every process: without the addresses that Python gives objects.

    >>> from functools import partial
    >>> label(2), label(abs), label(partial(pow, exp=2)), label(None)
    (2, 'abs', 'pow(exp=2)', 'None')
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if hasattr(value, "dtype"):
        return value.item()
    if isinstance(value, partial):
        bound = [*map(label, value.args), *(f"{name}={label(bound)}" for name, bound in value.keywords.items())]
        return f"{label(value.func)}({', '.join(map(str, bound))})"
    return getattr(value, "__name__", _text(value)) if callable(value) else _text(value)


def column(values: Iterable[Any]) -> list[Any]:
    """A column of a grid as keys show it: numbers that are the same number are the same, whole or not.

    >>> column([1, 1.0, True, "1"])
    [1.0, 1.0, 'True', '1']
    """

    def settled(shown: Any) -> Any:
        exact = isinstance(shown, float) or (isinstance(shown, int) and abs(shown) <= _EXACT)
        return float(shown) if exact else shown

    return [settled(label(value)) for value in values]


def _text(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
