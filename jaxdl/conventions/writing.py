"""Expressions as plain text and as LaTeX: one walk, two styles."""

import math
from collections.abc import Callable
from typing import NamedTuple

from jaxdl.conventions.expressions import Expression, Number, multiply, number

SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly a piece of text binds."""


class Text(NamedTuple):
    """A piece of text and how tightly it binds."""

    written: str
    binding: int


class Style(NamedTuple):
    """How the pieces are put together.

    Attributes:
      symbol: a name and its time: before, new, or none.
      number: a constant.
      times: between a number and the rest, and between the rest.
      fraction: numerator and denominator.
      root: of degree two.
      power: base and exponent, both written.
      call: function and arguments.
      minus: the sign.
      brackets: opening and closing.
    """

    symbol: Callable[[str, str], str]
    number: Callable[[Number], Text]
    times: str
    fraction: Callable[[Text, Text], Text]
    root: Callable[[Text], Text]
    power: Callable[[str, Text], str]
    call: Callable[[str, list[Text]], Text]
    minus: str
    brackets: tuple[str, str]


def write(x: Expression, style: Style) -> str:
    """The expression in a style."""
    return _write(x, style).written


def _within(text: Text, binding: int, style: Style) -> str:
    opening, closing = style.brackets
    return text.written if text.binding >= binding else f"{opening}{text.written}{closing}"


def _write(x: Expression, style: Style) -> Text:
    if x.kind == "number":
        return style.number(x.parts[0])
    if x.kind == "symbol":
        return Text(style.symbol(*x.parts), ATOM)
    if x.kind == "sum":
        return _write_sum(x, style)
    if x.kind == "product":
        return _write_product(x, style)
    if x.kind == "power":
        base, exponent = (_write(part, style) for part in x.parts)
        return Text(style.power(_within(base, ATOM, style), exponent), POWER)
    return style.call(x.parts[0], [_write(part, style) for part in x.parts[1:]])


def _sign(x: Expression) -> tuple[bool, Expression]:
    """Whether a minus stands in front, and what follows it."""
    leading = x.parts[0] if x.kind in ("number", "product") else 1
    return (True, multiply(number(-1), x)) if leading < 0 else (False, x)


def _write_sum(x: Expression, style: Style) -> Text:
    terms = sorted(x.parts, key=lambda term: _sign(term)[0])  # a sum starts with a plus where it can
    pieces = []
    for i, term in enumerate(terms):
        negative, rest = _sign(term)
        sign = f" {style.minus if negative else '+'} " if i else (style.minus if negative else "")
        pieces.append(sign + _within(_write(rest, style), PRODUCT, style))
    return Text("".join(pieces), SUM)


def _write_product(x: Expression, style: Style) -> Text:
    negative, x = _sign(x)
    if x.kind != "product":
        return Text(style.minus + _within(_write(x, style), PRODUCT, style), SUM if negative else PRODUCT)
    coefficient, *factors = x.parts
    above = [_write_power(base, e, style) for base, e in factors if e > 0]
    below = [_write_power(base, -e, style) for base, e in factors if e < 0]
    if coefficient != 1 or not above:
        above.insert(0, style.number(coefficient))
    written = _joined(above, style)
    if below:
        written = style.fraction(written, _joined(below, style))
    return Text(style.minus + _within(written, PRODUCT, style), SUM) if negative else written


def _joined(factors: list[Text], style: Style) -> Text:
    if len(factors) == 1:
        return factors[0]
    return Text(style.times.join(_within(f, POWER, style) for f in factors), PRODUCT)


def _write_power(base: Expression, exponent: Number, style: Style) -> Text:
    if exponent == 1:
        return _write(base, style)
    if exponent == 0.5:
        return style.root(_write(base, style))
    if float(exponent * 2).is_integer() and not float(exponent).is_integer():
        return _joined([_write_power(base, int(exponent), style), _write_power(base, 0.5, style)], style)
    return Text(style.power(_within(_write(base, style), ATOM, style), style.number(exponent)), POWER)


# --- plain text -------------------------------------------------------------------------------------------------------

SUPERSCRIPTS = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
INFIX = {"<", "≤", ">", "≥", "=", "≠", "and", "or"}


def _is_pi(value: Number) -> bool:
    return f"{value:.12g}" == f"{math.pi:.12g}"


def _plain_number(value: Number) -> Text:
    if _is_pi(value):
        return Text("π", ATOM)
    written = f"{value:.12g}".replace("-", "−").replace("inf", "∞")
    return Text(written, ATOM if value >= 0 else SUM)


def _plain_fraction(above: Text, below: Text) -> Text:
    return Text(f"{_within(above, PRODUCT, PLAIN)} / {_within(below, POWER, PLAIN)}", PRODUCT)


def _plain_power(base: str, exponent: Text) -> str:
    if exponent.written.lstrip("−").isdigit():
        return base + exponent.written.translate(SUPERSCRIPTS)
    return f"{base}^{_within(exponent, ATOM, PLAIN)}"


def _plain_call(function: str, arguments: list[Text]) -> Text:
    if function in INFIX:
        return Text(f" {function} ".join(_within(a, PRODUCT, PLAIN) for a in arguments), SUM)
    if function == "abs":
        return Text(f"|{arguments[0].written}|", ATOM)
    if function == "where":
        condition, chosen, otherwise = (a.written for a in arguments)
        return Text(f"({chosen} if {condition} else {otherwise})", ATOM)
    return Text(f"{function}({', '.join(a.written for a in arguments)})", ATOM)


PLAIN: Style = Style(
    symbol=lambda name, time: name + ("′" if time == "new" else ""),
    number=_plain_number,
    times=" · ",
    fraction=_plain_fraction,
    root=lambda x: Text(f"√{_within(x, ATOM, PLAIN)}", POWER),
    power=_plain_power,
    call=_plain_call,
    minus="−",
    brackets=("(", ")"),
)

# --- LaTeX ------------------------------------------------------------------------------------------------------------

OPERATORS = {"≤": r"\le", "≥": r"\ge", "≠": r"\ne", "and": r"\wedge", "or": r"\vee"}
FUNCTIONS = {name: rf"\{name}" for name in ("max", "min", "exp", "log", "tanh", "cos", "sin")}


def _latex_symbol(name: str, time: str) -> str:
    r"""A new x is :math:`x_t`, an old one :math:`x_{t-1}`; a constant has no index."""
    letters = {"g": "g_t", "θ": r"\theta_{t-1}", "Δθ": r"\Delta\theta_t"}
    if name in letters:
        return letters[name]
    index = {"new": "_t", "before": "_{t-1}"}.get(time, "")
    return rf"\mathrm{{{name}}}".replace("_", r"\_") + index


def _latex_number(value: Number) -> Text:
    if _is_pi(value):
        return Text(r"\pi", ATOM)
    mantissa, _, exponent = f"{value:.12g}".replace("inf", r"\infty").partition("e")
    scale = rf"10^{{{int(exponent)}}}" if exponent else ""
    written = scale if scale and mantissa == "1" else rf"{mantissa}\cdot {scale}" if scale else mantissa
    return Text(written, SUM if value < 0 else POWER if scale else ATOM)


def _latex_call(function: str, arguments: list[Text]) -> Text:
    if function in INFIX:
        sign = OPERATORS.get(function, function)
        return Text(f" {sign} ".join(_within(a, PRODUCT, LATEX) for a in arguments), SUM)
    if function == "abs":
        return Text(rf"\left|{arguments[0].written}\right|", ATOM)
    if function == "where":
        condition, chosen, otherwise = (a.written for a in arguments)
        cases = rf"{chosen} & \text{{if }} {condition} \\ {otherwise} & \text{{otherwise}}"
        return Text(rf"\begin{{cases}} {cases} \end{{cases}}", ATOM)
    name = FUNCTIONS.get(function, rf"\operatorname{{{function}}}".replace("_", r"\_"))
    return Text(rf"{name}\left({', '.join(a.written for a in arguments)}\right)", ATOM)


LATEX: Style = Style(
    symbol=_latex_symbol,
    number=_latex_number,
    times=r" \, ",
    fraction=lambda above, below: Text(rf"\frac{{{above.written}}}{{{below.written}}}", PRODUCT),
    root=lambda x: Text(rf"\sqrt{{{x.written}}}", POWER),
    power=lambda base, exponent: rf"{base}^{{{exponent.written}}}",
    call=_latex_call,
    minus="-",
    brackets=(r"\left(", r"\right)"),
)
