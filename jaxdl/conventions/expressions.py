"""Formulas of real scalars that simplify themselves as they are built.

Every rewriting here is exact for all real arguments: numbers fold, sums and products flatten and collect like terms,
and ``where`` loses a branch that says what the other says. Nothing is expanded or cancelled, because x/x is not 1 at 0.
"""

import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any, TypeAlias

Number: TypeAlias = int | float


class Expression:
    """An immutable node: ``kind`` and ``parts``.

    ``number`` (value), ``symbol`` (name, time), ``sum`` (terms …), ``product`` (coefficient, (base, exponent) …),
    ``power`` (base, exponent: an expression), ``call`` (function, arguments …). Made by the functions below, which
    simplify.
    """

    __slots__ = ("_hash", "kind", "parts")

    def __init__(self, kind: str, *parts: Any) -> None:
        self.kind = kind
        self.parts = parts
        self._hash = hash((kind, parts))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Expression) or self._hash != other._hash:
            return False
        return self.kind == other.kind and self.parts == other.parts

    def __repr__(self) -> str:
        return f"{self.kind}{self.parts}"

    @property
    def children(self) -> tuple["Expression", ...]:
        """The expressions directly below."""
        if self.kind == "product":
            return tuple(base for base, _ in self.parts[1:])
        return tuple(part for part in self.parts if isinstance(part, Expression))


def number(value: Number) -> Expression:
    """A constant; a float that is whole and small becomes an int, so that 1.0 and 1 are one number."""
    value = value if isinstance(value, int) else float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return Expression("number", value)


def symbol(name: str, time: str = "") -> Expression:
    """A name: of a value ``before`` the update, of one that is ``new`` after it, or of a constant."""
    return Expression("symbol", name, time)


ZERO, ONE = number(0), number(1)


def value_of(x: Expression) -> Number | None:
    """The number, or None."""
    return x.parts[0] if x.kind == "number" else None


# --- sums and products ------------------------------------------------------------------------------------------------


def _coefficient(x: Expression) -> tuple[Number, Expression]:
    """``x`` as number × the rest."""
    if x.kind == "number":
        return x.parts[0], ONE
    if x.kind == "product":
        return x.parts[0], _product(1, x.parts[1:])
    return 1, x


def _terms(x: Expression) -> Iterator[tuple[Number, Expression]]:
    """The terms of a sum as number × rest; a sum with a factor stays whole, so that 0.9 (b + g) keeps its form."""
    if x.kind == "sum":
        for term in x.parts:
            yield from _terms(term)
    else:
        yield _coefficient(x)


def add(*terms: Expression) -> Expression:
    """The sum, with like terms collected in order of their first appearance and the constant last."""
    collected: dict[Expression, Number] = {}
    for term in terms:
        for coefficient, rest in _terms(term):
            collected[rest] = collected.get(rest, 0) + coefficient
    constant = collected.pop(ONE, 0)
    left = [multiply(number(c), rest) for rest, c in collected.items() if c != 0]
    if constant != 0 or not left:
        left.append(number(constant))
    return left[0] if len(left) == 1 else Expression("sum", *left)


def _product(coefficient: Number, factors: tuple[tuple[Expression, Number], ...]) -> Expression:
    if not factors:
        return number(coefficient)
    if coefficient == 1 and len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    return Expression("product", number(coefficient).parts[0], *factors)


def multiply(*factors: Expression) -> Expression:
    """The product, with powers of one base collected where both stand above or both below the line."""
    coefficient: Number = 1
    powers: dict[tuple[Expression, bool], Number] = {}
    for factor in factors:
        if factor.kind == "number":
            coefficient *= factor.parts[0]
            continue
        if factor.kind == "product":
            coefficient *= factor.parts[0]
        pairs = factor.parts[1:] if factor.kind == "product" else ((factor, 1),)
        for base, exponent in pairs:
            above = (base, exponent > 0)
            powers[above] = powers.get(above, 0) + exponent
    if coefficient == 0:
        return ZERO
    return _product(coefficient, tuple((base, exponent) for (base, _), exponent in powers.items()))


def negate(x: Expression) -> Expression:
    """−x."""
    return multiply(number(-1), x)


def divide(x: Expression, y: Expression) -> Expression:
    """x / y."""
    return multiply(x, power(y, number(-1)))


def _folded(operation: Callable[..., Number], *values: Number) -> Expression | None:
    """The number, where the operation has a real one for these."""
    try:
        result = operation(*values)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return None if isinstance(result, complex) else number(result)


def power(base: Expression, exponent: Expression) -> Expression:
    """base ^ exponent. A power of a power collapses only for whole exponents: √(x²) is |x|, not x."""
    b, e = value_of(base), value_of(exponent)
    if e is None:
        return ONE if b == 1 else Expression("power", base, exponent)
    if e == 0:
        return ONE
    if b is not None:
        folded = _folded(lambda x, y: x**y, b, e)
        return folded if folded is not None else Expression("product", 1, (base, e))
    if e == 1:
        return base
    if e == 0.5 and base.kind == "product" and base.parts[0] >= 0 and all(k % 2 == 0 for _, k in base.parts[1:]):
        roots = [power(call("abs", inner), number(k / 2)) for inner, k in base.parts[1:]]
        return multiply(power(number(base.parts[0]), exponent), *roots)
    if base.kind == "product" and float(e).is_integer():
        factors = [_product(1, ((inner, inner_e * e),)) for inner, inner_e in base.parts[1:]]
        return multiply(power(number(base.parts[0]), exponent), *factors)
    return Expression("product", 1, (base, e))


# --- functions --------------------------------------------------------------------------------------------------------

FOLDS: dict[str, Callable[..., Number | bool]] = {
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "max": max,
    "min": min,
    **{name: getattr(math, name) for name in ("exp", "log", "log1p", "expm1", "tanh", "cos", "sin")},
    **{name: getattr(math, name) for name in ("floor", "ceil", "trunc")},
    "<": lambda x, y: x < y,
    "≤": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    "≥": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "≠": lambda x, y: x != y,
    "and": lambda x, y: bool(x) and bool(y),
    "or": lambda x, y: bool(x) or bool(y),
    "not": lambda x: not x,
    "finite": math.isfinite,
}


def call(function: str, *arguments: Expression) -> Expression:
    """A function of expressions; folded where all are numbers and the function is known."""
    if function == "where":
        return _where(*arguments)
    if function == "max" and _never_negative(arguments[0]) and arguments[1] == ZERO:
        return arguments[0]
    values = [value_of(x) for x in arguments]
    if function in FOLDS and None not in values:
        folded = _folded(lambda *v: int(r) if isinstance(r := FOLDS[function](*v), bool) else r, *values)  # type: ignore[arg-type]  # no None is left
        if folded is not None:
            return folded
    return Expression("call", function, *arguments)


def _never_negative(x: Expression) -> bool:
    return x.kind == "call" and x.parts[0] == "abs"


SATURATION = 2**15 - 1
"""From here on a bound on a count is the end of an integer type."""


def _where(condition: Expression, chosen: Expression, otherwise: Expression) -> Expression:
    known = value_of(condition)
    if known is not None:
        return chosen if known else otherwise
    if condition.kind == "call" and condition.parts[0] == "not":
        return _where(condition.parts[1], otherwise, chosen)
    chosen, otherwise = _assume(chosen, condition, True), _assume(otherwise, condition, False)
    if chosen == otherwise or _saturates(condition, chosen, otherwise):
        return chosen
    if condition.kind == "call" and condition.parts[0] == "=":
        x, k = condition.parts[1:]
        if substitute(otherwise, {x: k}) == chosen:
            return otherwise
    if condition == Expression("call", "≤", otherwise, chosen):
        return call("max", otherwise, chosen)
    return Expression("call", "where", condition, chosen, otherwise)


def _saturates(condition: Expression, chosen: Expression, otherwise: Expression) -> bool:
    """A count that stops at the largest integer instead of wrapping: for people, it counts."""
    limit = value_of(otherwise)
    if limit is None or limit < SATURATION or condition.kind != "call" or condition.parts[0] not in ("<", "≠"):
        return False
    return condition.parts[2] == otherwise and chosen == add(condition.parts[1], ONE)


def _assume(x: Expression, condition: Expression, truth: bool) -> Expression:
    """``x`` where the condition is known: inner choices by it are made."""
    return rewrite(x, lambda e: e.parts[2 if truth else 3] if e.parts[:2] == ("where", condition) else None)


# --- rewriting --------------------------------------------------------------------------------------------------------


def rewrite(x: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """``x`` with every node for which ``change`` gives something replaced by it, from the top down, and simplified."""
    done: dict[Expression, Expression] = {}

    def walk(e: Expression) -> Expression:
        if e not in done:
            new = change(e)
            done[e] = rebuilt(e, [walk(child) for child in e.children]) if new is None else walk_changed(e, new)
        return done[e]

    def walk_changed(e: Expression, new: Expression) -> Expression:
        return new if new == e or new.kind in ("symbol", "number") else walk(new)

    return walk(x)


def rebuilt(x: Expression, children: list[Expression]) -> Expression:
    """The node ``x`` over other children."""
    if all(new is old for new, old in zip(children, x.children, strict=True)):
        return x
    if x.kind == "sum":
        return add(*children)
    if x.kind == "product":
        powers = (power(base, number(e)) for base, (_, e) in zip(children, x.parts[1:], strict=True))
        return multiply(number(x.parts[0]), *powers)
    if x.kind == "power":
        return power(*children)
    return call(x.parts[0], *children)


def substitute(x: Expression, new: dict[Expression, Expression]) -> Expression:
    """``x`` with whole subexpressions replaced; a sum is also found among the terms of a longer one."""
    return reduce(_substitute_one, new.items(), x)


def _substitute_one(x: Expression, pair: tuple[Expression, Expression]) -> Expression:
    old, new = pair

    def change(e: Expression) -> Expression | None:
        if e == old:
            return new
        if old.kind == e.kind == "sum" and set(old.parts) < set(e.parts):
            return add(new, *(term for term in e.parts if term not in old.parts))
        return None

    return rewrite(x, change)
