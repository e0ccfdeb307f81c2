"""The catalogue: every row C01 … C106 with its statement and the function that checks it.

A row's check measures and returns *claims*; the row passes if all of them do. Rows that only quote (a list of books or
frameworks) say in ``stands_in`` what is checked in place of the quotation.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from experiments.lecture.laboratory import Laboratory


class Claim(NamedTuple):
    """One measured statement. ``measured``: number or text. ``expected``: in words or numbers."""

    text: str
    measured: Any
    expected: str
    passed: bool


Check = Callable[[Laboratory], Iterable[Claim]]


class Row(NamedTuple):
    """A row of the catalogue.

    Attributes:
      id: C01 … C106.
      slide: Page or pages of the deck.
      title: What it is about.
      statement: What the lecture says, or what must hold.
      check: Measures it.
      figures: Names of the figures that show it.
      stands_in: For a row that only quotes: what is checked instead.
      known: For a row that fails: what was found out about it.
    """

    id: str
    slide: str
    title: str
    statement: str
    check: Check
    figures: tuple[str, ...] = ()
    stands_in: str = ""
    known: str = ""


ROWS: dict[str, Row] = {}
"""Filled by the chapters, see :func:`catalogue`."""

IDS = tuple(f"C{number:02d}" for number in range(1, 107))
"""All of the catalogue, in order."""


def row(
    id: str,
    slide: str,
    title: str,
    statement: str,
    *,
    figures: tuple[str, ...] = (),
    stands_in: str = "",
    known: str = "",
) -> Callable[[Check], Check]:
    """Enters the decorated check into the catalogue.

    Raises:
      ValueError: an id that is not in the catalogue or was entered before.
    """
    if id not in IDS or id in ROWS:
        raise ValueError(f"rows are C01 … C106, each once, got {id!r}{' again' if id in ROWS else ''}.")

    def enter(check: Check) -> Check:
        ROWS[id] = Row(id, slide, title, statement, check, figures, stands_in, known)
        return check

    return enter


def catalogue() -> dict[str, Row]:
    """All rows by id, in order."""
    from experiments.lecture import chapters

    chapters.load()
    return {id: ROWS[id] for id in IDS if id in ROWS}


# --- claims -----------------------------------------------------------------------------------------------------------


def holds(text: str, truth: Any, measured: Any = None) -> Claim:
    """A claim that is true or not."""
    return Claim(text, bool(truth) if measured is None else measured, "true", bool(truth))


def near(text: str, measured: Any, expected: float, tolerance: float = 1e-12) -> Claim:
    """|measured − expected| ≤ tolerance."""
    value = float(measured)
    return Claim(text, value, f"{expected:g} ± {tolerance:g}", bool(abs(value - expected) <= tolerance))


def below(text: str, measured: Any, bound: float) -> Claim:
    """measured ≤ bound."""
    value = float(measured)
    return Claim(text, value, f"≤ {bound:g}", bool(value <= bound))


def above(text: str, measured: Any, bound: float) -> Claim:
    """measured ≥ bound."""
    value = float(measured)
    return Claim(text, value, f"≥ {bound:g}", bool(value >= bound))


def within(text: str, measured: Any, low: float, high: float) -> Claim:
    """low ≤ measured ≤ high."""
    value = float(measured)
    return Claim(text, value, f"[{low:g}, {high:g}]", bool(low <= value <= high))


def ascending(text: str, *values: Any) -> Claim:
    """Each value smaller than the next."""
    numbers = [float(value) for value in values]
    ordered = all(a < b for a, b in itertools.pairwise(numbers))
    return Claim(text, " < ".join(f"{number:.4g}" for number in numbers), "each below the next", ordered)


def not_rising(text: str, *values: Any) -> Claim:
    """No value larger than the one before, and the last smaller than the first."""
    numbers = [float(value) for value in values]
    ordered = all(a >= b for a, b in itertools.pairwise(numbers)) and numbers[0] > numbers[-1]
    return Claim(text, " ≥ ".join(f"{number:.4g}" for number in numbers), "none above the one before", ordered)
