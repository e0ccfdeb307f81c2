"""Axes as they are typed: ``learning_rate=log:1e-4:1e-1:16``, ``b1=0.8,0.9``, ``nesterov=true,false``."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from jaxdl import grids

DRAWS: Mapping[str, Callable[..., grids.Grid]] = MappingProxyType(
    {"sobol": grids.sobol, "halton": grids.halton, "random": grids.random}
)
"""Draws of points by name."""

_WORDS: Mapping[str, Any] = MappingProxyType({"true": True, "false": False, "none": None})
_NAME = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?"


def grid(axes: Sequence[str], draw: str | None = None, ranges: Sequence[str] = ()) -> grids.Grid:
    """The grid of a command.

    Args:
      axes: ``NAME=VALUES`` each. VALUES: numbers, true, false, none and words, separated by commas; or n numbers from
        low to high, evenly spaced (``lin:low:high:n``) or on a logarithmic scale (``log:low:high:n``).
      draw: ``sobol:COUNT``, ``halton:COUNT`` or ``random:COUNT`` points from the ranges, each of them at every
        combination of the axes' values.
      ranges: ``NAME=lin:low:high`` or ``NAME=log:low:high`` each.

    Returns:
      The product of the axes, or the draws across them.

    Raises:
      ValueError: anything else.

    >>> grid(["learning_rate=log:0.01:1:3", "nesterov=true,false"]).shape
    (3, 2)
    >>> grid(["nesterov=true,false"], "sobol:8", ["learning_rate=log:1e-4:1e-1"]).dims
    ('nesterov', 'point')
    """
    listed = _named("--axis", axes, "learning_rate=log:1e-4:1e-1:16 or b1=0.8,0.9", _values)
    drawn = _named("--range", ranges, "learning_rate=log:1e-4:1e-1", _interval)
    if draw is None:
        if drawn:
            raise ValueError("--range needs --draw, such as --draw sobol:64, got none.")
        if not listed:
            raise ValueError("a sweep needs an --axis, such as --axis learning_rate=log:1e-4:1e-1:16, got none.")
        return grids.product(listed)
    if not drawn:
        raise ValueError("--draw needs a --range, such as --range learning_rate=log:1e-4:1e-1, got none.")
    if both := [name for name in drawn if name in listed]:
        raise ValueError(f"{both[0]!r} must be an --axis or a --range, got both.")
    found = _drawn(draw, drawn)
    for name, values in reversed(listed.items()):
        found = grids.across(found, name, values)
    return found


def _named(option: str, texts: Sequence[str], example: str, read: Callable[[str, str], Any]) -> dict[str, Any]:
    """What ``read`` makes of the right-hand sides, by name."""
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not values or not re.fullmatch(_NAME, name):
            raise ValueError(f"{option} must be NAME=VALUES, such as {example}, got {text!r}.")
        if name in found:
            raise ValueError(f"{option} must name every axis once, got {name!r} twice.")
        found[name] = read(f"{option} {name}", values)
    return found


def _values(option: str, text: str) -> list[Any]:
    if ":" in text:
        scale, low, high, count = _spaced(option, text, "low:high:n")
        points = int(count) if float(count).is_integer() else 0
        if points < 2 or not low < high:
            raise ValueError(f"{option} needs low < high and a whole n of at least 2, got {text!r}.")
        spaced = np.geomspace if scale == "log" else np.linspace
        return [float(value) for value in spaced(low, high, points)]
    values = [_value(option, part.strip()) for part in text.split(",")]
    # True is 1 and 1 is 1.0 in Python; as values of an axis the first two differ, the last two do not.
    keys = [(isinstance(value, bool), value) for value in values]
    if twice := [value for i, value in enumerate(values) if keys[i] in keys[:i]]:
        raise ValueError(f"{option} must have different values, got {twice[0]!r} twice.")
    return values


def _value(option: str, text: str) -> Any:
    """A number, true, false, none, or a word."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    number = _number(text)
    if number is not None:
        return number
    if re.fullmatch(r"(?!(?i:nan|inf|infinity)$)[A-Za-z][\w.-]*", text):
        return text
    raise ValueError(
        f"{option} must be finite numbers, true, false, none or words, separated by commas, "
        f"or log:low:high:n or lin:low:high:n, got {text!r}."
    )


def _number(text: str) -> float | None:
    """A finite number as it is usually written; None where it is none."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        return None
    number = float(text)
    return number if np.isfinite(number) else None


def _interval(option: str, text: str) -> grids.Range:
    scale, low, high = _spaced(option, text, "low:high")
    if not low < high:
        raise ValueError(f"{option} needs low < high, got {text!r}.")
    return grids.log_uniform(low, high) if scale == "log" else grids.uniform(low, high)


def _spaced(option: str, text: str, form: str) -> tuple[Any, ...]:
    """The scale and the numbers of ``log:…`` or ``lin:…``; ``form`` names the numbers."""
    scale, *parts = text.split(":")
    numbers = [_number(part.strip()) for part in parts]
    if scale not in ("log", "lin") or len(numbers) != len(form.split(":")) or None in numbers:
        raise ValueError(f"{option} must be log:{form} or lin:{form}, got {text!r}.")
    if scale == "log" and not numbers[0] > 0:  # type: ignore[operator]
        raise ValueError(f"{option} needs low > 0 on a logarithmic scale, got {text!r}.")
    return scale, *numbers


def _drawn(draw: str, ranges: Mapping[str, grids.Range]) -> grids.Grid:
    kind, _, count = draw.partition(":")
    if kind not in DRAWS or not re.fullmatch(r"0*[1-9]\d*", count):
        kinds = ", ".join(f"{name}:COUNT" for name in DRAWS)
        raise ValueError(f"--draw must be one of {kinds}, with at least one point, got {draw!r}.")
    return DRAWS[kind](ranges, int(count))
