"""Formulas as numbers, by a walk that shares nothing with how they are simplified or written."""

import math

FUNCTIONS = {
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "max": max,
    "min": min,
    "exp": math.exp,
    "tanh": math.tanh,
    "cos": math.cos,
    "trunc": math.trunc,
    "<": lambda x, y: x < y,
    "≤": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    "≥": lambda x, y: x >= y,
    "=": lambda x, y: x == y,
    "≠": lambda x, y: x != y,
    "and": lambda x, y: x and y,
    "or": lambda x, y: x or y,
}


def evaluate(formula, values):
    """The number that a formula is where its symbols have these values."""
    if formula.kind == "number":
        return formula.parts[0]
    if formula.kind == "symbol":
        return values[formula]
    if formula.kind == "sum":
        return sum(evaluate(term, values) for term in formula.parts)
    if formula.kind == "product":
        return math.prod([formula.parts[0], *(evaluate(base, values) ** e for base, e in formula.parts[1:])])
    if formula.kind == "power":
        base, exponent = (evaluate(part, values) for part in formula.parts)
        return base**exponent
    function, *arguments = formula.parts
    if function == "where":
        condition, chosen, otherwise = arguments
        return evaluate(chosen if evaluate(condition, values) else otherwise, values)
    return FUNCTIONS[function](*(evaluate(x, values) for x in arguments))
