"""The jaxpr of a function of scalars, read back as formulas."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from jaxdl.conventions.expressions import Expression, add, call, divide, multiply, negate, number, power, symbol


class Formulas(NamedTuple):
    """What a jaxpr computes.

    Attributes:
      outputs: one formula for each output.
      opaque: primitives that were not understood; they stand in the formulas as functions of their names.
    """

    outputs: list[Expression]
    opaque: tuple[str, ...]


Reader = Callable[..., Expression]

UNARY_CALLS: tuple[str, ...] = (
    "sign",
    "abs",
    "exp",
    "log",
    "log1p",
    "expm1",
    "tanh",
    "cos",
    "sin",
    "tan",
    "floor",
    "ceil",
    "round",
)
UNARY_CALLS += ("erf", "erf_inv", "erfc", "sinh", "cosh", "asin", "acos", "atan", "lgamma", "digamma")
SPELLED = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠", "is_finite": "finite"}
RESHAPES = ("broadcast_in_dim", "reshape", "squeeze", "expand_dims")
REDUCTIONS = ("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or", "transpose")
THE_SAME = ("copy", "copy_p", "stop_gradient", "real", "conj", "reduce_precision", "pvary", *RESHAPES, *REDUCTIONS)
"""What does nothing to a real scalar."""

SCALAR_READERS: dict[str, Reader] = {
    "add": add,
    "add_any": add,
    "sub": lambda x, y: add(x, negate(y)),
    "mul": multiply,
    "div": divide,
    "neg": negate,
    "max": lambda x, y: call("max", x, y),
    "min": lambda x, y: call("min", x, y),
    "pow": power,
    "sqrt": lambda x: power(x, number(0.5)),
    "rsqrt": lambda x: power(x, number(-0.5)),
    "cbrt": lambda x: power(x, number(1 / 3)),
    "square": lambda x: power(x, number(2)),
    "exp2": lambda x: power(number(2), x),
    "logistic": lambda x: divide(number(1), add(number(1), call("exp", negate(x)))),
    "clamp": lambda low, x, high: call("min", call("max", x, low), high),
    "and": lambda x, y: call("and", x, y),
    "or": lambda x, y: call("or", x, y),
    "not": lambda x: call("not", x),
    **{name: (lambda x: x) for name in THE_SAME},
    **{name: (lambda x, name=name: call(name, x)) for name in UNARY_CALLS},
    **{name: (lambda *x, sign=sign: call(sign, *x)) for name, sign in SPELLED.items()},
}
"""Primitive → formula of its operands."""

SUBPROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
ELEMENTWISE = {
    *SCALAR_READERS,
    *("integer_pow", "convert_element_type", "select_n", "imag", "rem", "optimization_barrier"),
} - {*REDUCTIONS}


def read(closed: ClosedJaxpr, inputs: Sequence[Expression], name_of: Callable[[Any], str | None]) -> Formulas:
    """The formulas of a jaxpr.

    Args:
      closed: Of scalars; arrays pass too where every element is treated alike.
      inputs: One formula for each input.
      name_of: The name of a value that is captured and not known (a tracer), or None.
    """
    reader = _Reader(name_of)
    return Formulas(reader.run(closed.jaxpr, closed.consts, inputs), tuple(dict.fromkeys(reader.opaque)))


class _Reader:
    """Walks a jaxpr; keeps what it met that has no formula."""

    def __init__(self, name_of: Callable[[Any], str | None]) -> None:
        self.name_of = name_of
        self.opaque: list[str] = []
        self.unnamed: list[Any] = []

    def run(self, jaxpr: Jaxpr, consts: Sequence[Any], inputs: Sequence[Expression]) -> list[Expression]:
        """The formulas of the outputs."""
        known: dict[Any, Expression] = dict(zip(jaxpr.invars, inputs, strict=True))
        known.update({var: self.constant(value) for var, value in zip(jaxpr.constvars, consts, strict=True)})

        def formula(atom: Any) -> Expression:
            return self.constant(atom.val) if isinstance(atom, Literal) else known[atom]

        for equation in jaxpr.eqns:
            outputs = self.equation(equation, [formula(x) for x in equation.invars])
            known.update(zip(equation.outvars, outputs, strict=True))
        return [formula(x) for x in jaxpr.outvars]

    def constant(self, value: Any) -> Expression:
        """A captured value: its number, or a symbol where there is none to print."""
        if isinstance(value, Expression):
            return value
        if not isinstance(value, jax.core.Tracer) and np.size(value) == 1 and np.isrealobj(value):
            element = np.asarray(value).reshape(())
            return number(int(element) if element.dtype.kind in "bui" else float(element))
        name = self.name_of(value)
        if name is None:
            seen = [i for i, other in enumerate(self.unnamed) if other is value]
            if not seen:
                self.unnamed.append(value)
            name = f"c{seen[0] if seen else len(self.unnamed) - 1}"
        return symbol(name)

    def equation(self, equation: Any, operands: list[Expression]) -> list[Expression]:
        """The formulas of one equation's outputs."""
        name, parameters = equation.primitive.name, equation.params
        if name == "cond" and len(parameters["branches"]) == 2:
            # The last branch is taken where the index is not 0.
            no, yes = (self.run(b.jaxpr, b.consts, operands[1:]) for b in parameters["branches"])
            return [call("where", operands[0], y, n) for y, n in zip(yes, no, strict=True)]
        inner = next((parameters[key] for key in SUBPROGRAMS if key in parameters), None)
        if inner is not None and name not in ("while", "scan"):
            return self.run(*_opened(inner), operands)
        if name == "optimization_barrier":
            return operands
        if name.startswith("reduce_") and name in REDUCTIONS and equation.invars[0].aval.size != _size_of(equation):
            self.opaque.append(name)  # of a state that holds several numbers for one parameter
            return [call(name, *operands)]
        if name == "dot_general" and all(x.aval.size == 1 for x in equation.invars):
            return [multiply(*operands)]
        one = _one_output(name, equation, operands)
        if one is not None:
            return [one]
        self.opaque.append(name)
        return [
            call(name if len(equation.outvars) == 1 else f"{name}[{i}]", *operands)
            for i in range(len(equation.outvars))
        ]


def _opened(program: Any) -> tuple[Jaxpr, Sequence[Any]]:
    return (program.jaxpr, program.consts) if isinstance(program, ClosedJaxpr) else (program, ())


def _size_of(equation: Any) -> int:
    return int(equation.outvars[0].aval.size)


def _one_output(name: str, equation: Any, operands: list[Expression]) -> Expression | None:
    """The formula of a primitive with one output, or None where it has none."""
    if name == "convert_element_type":
        return _converted(equation.invars[0].aval.dtype, equation.outvars[0].aval.dtype, operands[0])
    if name == "integer_pow":
        return power(operands[0], number(equation.params["y"]))
    if name == "select_n" and len(operands) == 3:
        condition, otherwise, chosen = operands
        return call("where", condition, chosen, otherwise)
    if name == "imag":
        return number(0)
    whole = jnp.issubdtype(equation.outvars[0].aval.dtype, jnp.integer)
    if name in ("div", "rem") and (whole or name == "rem"):
        quotient = call("trunc", divide(*operands))
        return quotient if name == "div" else add(operands[0], negate(multiply(operands[1], quotient)))
    reader = SCALAR_READERS.get(name)
    return None if reader is None else reader(*operands)


def _converted(old: np.dtype[Any], new: np.dtype[Any], x: Expression) -> Expression:
    """A cast: written where it rounds."""
    if jnp.issubdtype(old, jnp.floating) and not jnp.issubdtype(new, jnp.floating):
        return call("≠", x, number(0)) if new == np.bool_ else call("trunc", x)
    if jnp.issubdtype(old, jnp.floating) and jnp.finfo(new).nmant < jnp.finfo(old).nmant and x.kind != "number":
        return call(str(np.dtype(new)), x)
    return x


def equations(jaxpr: Jaxpr) -> Iterator[Any]:
    """Every equation, those of inner programs too."""
    for equation in jaxpr.eqns:
        inner = [value for key, value in equation.params.items() if key in SUBPROGRAMS]
        inner += [*equation.params.get("branches", ())]
        inner += [equation.params[key] for key in ("cond_jaxpr", "body_jaxpr") if key in equation.params]
        yield equation
        for program in inner:
            yield from equations(_opened(program)[0])


def crossings(jaxpr: Jaxpr) -> tuple[str, ...]:
    """The primitives through which one element of an array reaches another, by name, in order of appearance."""
    found, reshaped = [], []
    for equation in equations(jaxpr):
        if any(key in equation.params for key in (*SUBPROGRAMS, "branches")):
            continue
        shapes = {x.aval.shape for x in equation.invars if getattr(x.aval, "shape", ())}
        name = equation.primitive.name
        if shapes and name not in ELEMENTWISE:
            found.append(name)
        elif shapes and {x.aval.shape for x in equation.outvars} != shapes:
            reshaped.append(name)
    return tuple(dict.fromkeys(found or reshaped))
