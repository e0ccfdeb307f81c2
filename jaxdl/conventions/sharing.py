"""What formulas have in common: it is written once and used by name."""

from collections.abc import Mapping
from typing import TypeAlias

from jaxdl.conventions.expressions import Expression, substitute, symbol

Line: TypeAlias = tuple[Expression, Expression]
"""A name and its formula."""


def count_uses(roots: list[Expression]) -> dict[Expression, int]:
    """How often each subexpression is used, where what is shared is counted once below."""
    uses: dict[Expression, int] = {}

    def walk(e: Expression) -> None:
        uses[e] = uses.get(e, 0) + 1
        if uses[e] == 1:
            for child in e.children:
                walk(child)

    for root in roots:
        walk(root)
    return uses


def size(x: Expression) -> int:
    """Number of distinct nodes."""
    return len(count_uses([x]))


def ordered(states: Mapping[Expression, Expression], last: Line) -> tuple[Line, ...]:
    """Formulas as lines in which each is written with the others that it contains, and stands after those.

    Args:
      states: name → formula.
      last: what is written with all of them.
    """
    shown = {name: formula for name, formula in states.items() if formula.kind not in ("symbol", "number")}
    named = {formula: name for name, formula in reversed(shown.items())}

    def abbreviated(name: Expression | None, formula: Expression) -> Expression:
        inner = {f: n for f, n in named.items() if n != name and f != formula}
        return substitute(formula, dict(sorted(inner.items(), key=lambda pair: -size(pair[0]))))

    lines = [(name, abbreviated(name, formula)) for name, formula in states.items()]
    lines.append((last[0], substitute(last[1], dict(sorted(named.items(), key=lambda pair: -size(pair[0]))))))
    return _shared(_sorted(lines))


def _sorted(lines: list[Line]) -> list[Line]:
    """Each line after those whose names it uses."""
    done: list[Line] = []
    waiting = list(lines)
    while waiting:
        names = {name for name, _ in waiting}
        ready = next((line for line in waiting if not names & set(count_uses([line[1]]))), waiting[0])
        waiting.remove(ready)
        done.append(ready)
    return done


SHARED = 6
"""Nodes from which a subformula that is used twice gets a name of its own."""


def _shared(lines: list[Line]) -> tuple[Line, ...]:
    """The lines with long subformulas that are used more than once written once."""
    written: list[Line] = []
    for done, (name, formula) in enumerate(lines):
        while True:
            uses = count_uses([formula])
            twice = [e for e, n in uses.items() if n > 1 and e.kind in ("sum", "product", "power", "call")]
            longest = max((e for e in twice if size(e) >= SHARED), key=size, default=None)
            if longest is None:
                break
            letter = symbol(f"q{len(written) - done}")
            written.append((letter, longest))
            formula = substitute(formula, {longest: letter})
        written.append((name, formula))
    return tuple(written)
