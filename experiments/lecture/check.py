"""Checks rows of the catalogue, and says for each what was measured, whether it passed, and if not why."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from experiments.lecture.laboratory import Laboratory
from experiments.lecture.registry import IDS, Claim, Row, catalogue
from jaxdl import provenance


class Outcome(NamedTuple):
    """A checked row. ``reason``: which claims failed, with what was measured and expected; empty if none."""

    row: Row
    claims: tuple[Claim, ...]
    passed: bool
    reason: str
    seconds: float


def check(row: Row, lab: Laboratory) -> Outcome:
    """Checks one row; an error inside the check is a failure with its text for the reason."""
    started = time.perf_counter()
    claims: list[Claim] = []
    try:
        claims.extend(row.check(lab))
        reason = "; ".join(f"{c.text}: {shown(c)}" for c in claims if not c.passed)
    except Exception as error:  # whatever breaks one row must not hide the other 105
        reason = f"{type(error).__name__}: {error}"
    passed = bool(claims) and not reason
    reason += f". {row.known}" if reason and row.known else ""
    return Outcome(row, tuple(claims), passed, reason or ("" if claims else "nothing was measured"), _since(started))


def check_all(lab: Laboratory, ids: Iterable[str] = IDS, told: Callable[[Outcome], Any] | None = None) -> list[Outcome]:
    """Checks rows in order, telling each outcome as it comes.

    Raises:
      ValueError: a row is not in the catalogue.
    """
    rows = catalogue()
    outcomes = []
    for id in ids:
        if id not in rows:
            raise ValueError(f"expected a row of the catalogue, C01 … C106, got {id!r}.")
        outcomes.append(check(rows[id], lab))
        if told is not None:
            told(outcomes[-1])
    return outcomes


def describe(outcomes: Iterable[Outcome], lab: Laboratory) -> dict[str, Any]:
    """Outcomes as plain data, for ``--json``."""
    return {"seeds": lab.seeds, "environment": provenance.environment(), "rows": [_plain(o) for o in outcomes]}


def shown(claim: Claim) -> str:
    """What was measured, to six digits, and what was expected where that says more than "true".

    >>> shown(Claim("a", 0.123456789, "≤ 0.1", False)), shown(Claim("b", True, "true", True))
    ('0.123457, expected ≤ 0.1', 'true')
    """
    value = claim.measured
    text = f"{value:.6g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    if claim.expected == "true":
        return text if claim.passed else f"{text}, which is not so"
    return f"{text}, expected {claim.expected}"


def _plain(outcome: Outcome) -> dict[str, Any]:
    row = outcome.row
    return {
        "id": row.id,
        "slide": row.slide,
        "title": row.title,
        "statement": row.statement,
        **({"stands_in": row.stands_in} if row.stands_in else {}),
        "passed": outcome.passed,
        "reason": outcome.reason,
        "claims": [claim._asdict() for claim in outcome.claims],
        "seconds": round(outcome.seconds, 3),
    }


def _since(started: float) -> float:
    return time.perf_counter() - started
