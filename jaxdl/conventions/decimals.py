"""Numbers as one types them: 0.1, where arithmetic has left 0.09999999999999999."""

import math
from typing import Any

ULPS = 2
"""How far the written number may lie from the value, in units of its last place: 4.4e-16 of it at most."""


def shortest(value: float) -> str:
    """The decimal with the fewest digits within :data:`ULPS` of a float; that of equal length which is closest.

    Args:
      value: Any float.

    Returns:
      The decimal, written as Python writes floats; what is not finite as ``repr`` has it.

    >>> shortest(0.3 / 3), shortest(1 / 3), shortest(0.1)
    ('0.1', '0.3333333333333333', '0.1')
    """
    if not math.isfinite(value):
        return repr(float(value))
    allowed = ULPS * math.ulp(value)
    candidates = (float(f"{value:.{digits}g}") for digits in range(1, 18))
    return repr(next(short for short in candidates if abs(short - value) <= allowed))


def literal(value: Any, *, unnamed: str = "schedule") -> str:
    """How a value is written as the argument of a call.

    Args:
      value: Of an argument. Of a function, its name is written.
      unnamed: What a function without a name is called, a lambda too.

    Returns:
      An expression; where there is none for it, what its ``repr`` is.

    >>> literal((0.3 / 3, None, math.sqrt))
    '(0.1, None, sqrt)'
    """
    if callable(value):
        name = str(getattr(value, "__name__", unnamed))
        return name if name.isidentifier() else unnamed
    if isinstance(value, float):
        return shortest(value)
    if type(value) is tuple:
        inner = ", ".join(literal(item, unnamed=unnamed) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def beside(a: Any, b: Any, *, unnamed: str = "schedule") -> tuple[str, str]:
    """Two different values, written so that they differ: in all their digits where fewer would be the same.

    >>> beside(0.1, 0.3 / 3), beside(0.2, 0.6 / 3)
    (('0.1', '0.09999999999999999'), ('0.2', '0.19999999999999998'))
    """
    written = literal(a, unnamed=unnamed), literal(b, unnamed=unnamed)
    return written if written[0] != written[1] else (repr(a), repr(b))
