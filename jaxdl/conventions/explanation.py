"""``explain``: the recurrence of any transformation, read from the program that it is."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import optax

from jaxdl.conformance.demands import NeedsMore, missing
from jaxdl.conventions import tracing
from jaxdl.conventions.expressions import Expression, symbol
from jaxdl.conventions.losses import LETTERS, OF_LOSS, stand_ins
from jaxdl.conventions.sharing import Line, ordered
from jaxdl.conventions.writing import LATEX, PLAIN, Style, write
from jaxdl.rules import Rule, rule_of
from jaxdl.typing import PyTree

GRADIENT, PARAMETER, STEP, LOSS = symbol("g"), symbol("θ", "before"), symbol("Δθ"), symbol("f")
MATRIX, VECTOR = (256, 384), (5,)
"""Shapes at which a rule is looked at for what a scalar cannot show; nothing of that size is computed."""


@dataclass(frozen=True)
class Explanation:
    """The recurrence of one transformation on one scalar parameter.

    Attributes:
      name: what its factory is called, or None.
      initial: the state before the first update, by name.
      lines: ``(name, formula)`` in an order in which they can be computed; the last one is Δθ.
      across: primitives by which elements of a parameter, or parameters, reach each other; empty for an elementwise
        rule, whose recurrence this is in full.
      otherwise: shapes of parameters that get another recurrence than a scalar.
      opaque: primitives that stand in the formulas by their names, unread.
      asks: extra arguments that the update needs, with the letters that stand for them here.
      unread: why there are no lines, where its program could not be had; else nothing.
      stated: then, the equations that its factories state in their arguments' letters, where they state any.
    """

    name: str | None
    initial: tuple[Line, ...]
    lines: tuple[Line, ...]
    across: tuple[str, ...] = ()
    otherwise: tuple[tuple[int, ...], ...] = ()
    opaque: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    unread: str = ""
    stated: str = ""

    @property
    def exact(self) -> bool:
        """Whether the lines say everything: elementwise, the same for every shape, nothing opaque or unread."""
        return not (self.across or self.otherwise or self.opaque or self.unread)

    @property
    def reservations(self) -> tuple[str, ...]:
        """What the lines do not say, one sentence each."""
        said = [f"It asks for more than gradients: {'; '.join(self.asks)}."] if self.asks else []
        if self.across:
            how = ", ".join(self.across)
            said.append(f"Partial: it looks, or may look, across elements ({how}); this is a lone scalar's rule.")
        if self.otherwise:
            said.append(f"Partial: leaves of shape {', '.join(map(str, self.otherwise))} get another rule.")
        if self.opaque:
            said.append(f"Opaque here: {', '.join(self.opaque)}.")
        if self.unread:
            source = "These are the words of its factories, not its program: " if self.stated else "Opaque: "
            said.append(source + self.unread)
        return tuple(said)

    def __str__(self) -> str:
        width = max((len(write(left, PLAIN)) for left, _ in self.lines), default=0)
        rows = [f"{write(left, PLAIN):<{width}} = {write(right, PLAIN)}" for left, right in self.lines]
        start = ", ".join(f"{write(left, PLAIN)} = {write(right, PLAIN)}" for left, right in self.initial)
        head = [self.name] if self.name else []
        rows += self.stated.splitlines()
        return "\n".join([*head, *rows, *([f"at the start: {start}"] if start else []), *self.reservations])

    def latex(self) -> str:
        """The recurrence as one ``aligned`` block; what the lines do not say follows as comments."""
        rows = [_row(left, right, LATEX) for left, right in self.lines]
        body = " \\\\\n".join(f"  {row}" for row in rows)
        comments = [f"% {said}" for said in (*self.stated.splitlines(), *self.reservations)]
        block = [r"\begin{aligned}", body, r"\end{aligned}"] if self.lines else []
        return "\n".join([*block, *comments])

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"


def _row(left: Expression, right: Expression, style: Style) -> str:
    return f"{write(left, style)} &= {write(right, style)}"


def explain(transform: optax.GradientTransformation | Callable[..., Any], **arguments: Any) -> Explanation:
    """The exact recurrence of a transformation, chain included, read from the jaxpr of its ``update``.

    Nothing is taken on trust: what is printed is the program, simplified. ``x′`` is x after the update.

    Args:
      transform: Any optax transformation, jaxdl's or not. Or a factory, whose float arguments are then letters.
      **arguments: For a factory, arguments to be taken as given.

    Returns:
      The recurrence: ``print`` it, or take ``.latex()``. It says so itself where it is partial: where the rule looks
      across elements (a global norm), where matrices get another one, or where something could not be read. An update
      that asks for the loss is given letters for it; one that asks for what has no letter, or that a lone parameter is
      not enough for, has no lines, and the explanation says why.

    Raises:
      TypeError: neither a transformation nor a callable; arguments for a transformation.

    >>> import jaxdl
    >>> print(explain(optax.sgd(0.1, momentum=0.9)))
    trace′ = g + 0.9 · trace
    Δθ     = −0.1 · trace′
    at the start: trace = 0
    >>> print(explain(jaxdl.momentum))
    momentum
    trace′ = momentum · trace + g
    Δθ     = −learning_rate · trace′
    at the start: trace = 0
    """
    if hasattr(transform, "update") and hasattr(transform, "init"):
        if arguments:
            raise TypeError("arguments go to a factory; a transformation has taken its own already.")
        return _explained(lambda: transform, {}, rule_of(transform))
    if not callable(transform):
        raise TypeError(f"expected a transformation or a factory, got {type(transform).__name__}.")
    letters = {name: symbol(name) for name in _float_arguments(transform) if name not in arguments}
    return _explained(lambda **traced: transform(**arguments, **traced), letters, None, _called(transform))


def _called(factory: Callable[..., Any]) -> str | None:
    return getattr(getattr(factory, "func", factory), "__name__", None)


def _float_arguments(factory: Callable[..., Any]) -> list[str]:
    """Names of the arguments that letters stand for: those that must be given, and those whose default is a float."""
    parameters = inspect.signature(factory).parameters.values()
    given = getattr(factory, "keywords", {})  # of a partial
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name not in given]
    return sorted(p.name for p in named if p.default is p.empty or isinstance(p.default, float))


def _explained(
    make: Callable[..., optax.GradientTransformation],
    letters: Mapping[str, Expression],
    rule: Rule | None,
    name: str | None = None,
) -> Explanation:
    # Standard promotion: other people's rules mix dtypes. Double precision: 1 − 0.9 prints as 0.1.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        program = _Program(make, letters, rule)
        program.make_once()
        try:
            return program.explained(name or (rule.name if rule else None))
        except NeedsMore as demand:
            why = f"its update needs {', '.join(map(repr, demand.names))}, for which there is no letter."
        except Exception as error:  # somebody else's program: whatever keeps it from being traced is the answer
            why = f"on a lone parameter its program ends in {type(error).__name__}: {str(error).splitlines()[0]}"
    return Explanation(name or (rule.name if rule else None), (), (), unread=why, stated=rule.equation if rule else "")


class _Program:
    """A transformation's ``init`` and ``update`` on one leaf, as programs of abstract arrays."""

    def __init__(
        self, make: Callable[..., optax.GradientTransformation], letters: Mapping[str, Expression], rule: Rule | None
    ) -> None:
        self.make = make
        self.letters = letters
        self.names = _argument_names(rule)
        self.asks: tuple[str, ...] = ()

    def make_once(self) -> None:
        """Calls the factory alone, so that what it refuses is raised as it is."""
        jax.eval_shape(lambda floats: self.make(**floats) and None, self.floats())

    def explained(self, name: str | None) -> Explanation:
        """All that the program says."""
        initial, lines, opaque = self.recurrence(self.smallest())
        across = self.crossings()
        shapes = () if across else tuple(s for s in (VECTOR, MATRIX) if self.recurrence(s)[:2] != (initial, lines))
        return Explanation(name, initial, lines, across, shapes, opaque, tuple(LETTERS[asked] for asked in self.asks))

    def floats(self) -> dict[str, Any]:
        return {name: jax.ShapeDtypeStruct((), np.float64) for name in self.letters}

    def init(self, floats: Mapping[str, Any], theta: PyTree) -> PyTree:
        return self.make(**floats).init(theta)

    def update(self, floats: Mapping[str, Any], g: PyTree, state: PyTree, theta: PyTree, loss: Any) -> PyTree:
        given = stand_ins(loss, g)
        return self.make(**floats).update(g, state, theta, **{name: given[name] for name in self.asks})

    def arguments(self, theta: PyTree) -> tuple[Any, ...]:
        loss = jax.ShapeDtypeStruct((), np.float64)
        return self.floats(), theta, jax.eval_shape(self.init, self.floats(), theta), theta, loss

    def smallest(self) -> tuple[int, ...]:
        """The shape of a lone scalar: ``()``, or ``(1,)`` for rules that need an axis; notes what the update asks."""
        try:
            jax.eval_shape(self.update, *self.arguments(jax.ShapeDtypeStruct((), np.float64)))
        except IndexError:
            return (1,)
        except TypeError as error:
            asked = missing(error)
            if not asked:
                raise
            if set(asked) - set(LETTERS):
                raise NeedsMore([name for name in asked if name not in LETTERS]) from error
            self.asks += asked
            return self.smallest()
        return ()

    def crossings(self) -> tuple[str, ...]:
        """What mixes elements or leaves, seen on a tree of a matrix and a vector."""
        tree = [jax.ShapeDtypeStruct(shape, np.float64) for shape in (MATRIX, VECTOR)]
        arguments = self.arguments(tree)
        return tracing.crossings(jax.make_jaxpr(self.update)(*arguments).jaxpr)

    def recurrence(self, shape: tuple[int, ...]) -> tuple[Any, Any, tuple[str, ...]]:
        """Initial state, lines and opaque primitives for one leaf of that shape."""
        floats, g, state, theta, loss = self.arguments(jax.ShapeDtypeStruct(shape, np.float64))
        names = _state_names(state)
        start = tracing.read(jax.make_jaxpr(self.init)(floats, theta), [*self.letters.values(), PARAMETER], self.names)
        before = [symbol(name, "before") for name in names]
        inputs = [*self.letters.values(), GRADIENT, *before, PARAMETER, LOSS]
        step = tracing.read(jax.make_jaxpr(self.update)(floats, g, state, theta, loss), inputs, self.names)
        after = [symbol(name, "new") for name in names]
        lines = ordered(dict(zip(after, step.outputs[1:], strict=True)), (STEP, step.outputs[0]))
        return (
            tuple(zip(before, start.outputs, strict=True)),
            lines,
            tuple(name for name in step.opaque if name not in OF_LOSS),
        )


def _argument_names(rule: Rule | None) -> Callable[[Any], str | None]:
    """Finds the argument that a captured value was, by identity, in the rule and its parts."""
    found: list[tuple[Any, str]] = []

    def collect(rule: Rule | None) -> None:
        if rule is not None:
            found.extend((value, name) for name, value in rule.arguments.items())
            for part in rule.parts:
                collect(part)

    collect(rule)
    return lambda value: next((name for other, name in found if other is value), None)


def _state_names(state: PyTree) -> list[str]:
    """The field of each leaf of the state, with its place in the chain where two share a name."""
    paths = [path for path, _ in jax.tree.leaves_with_path(state)]
    fields = [f"state.{field}" if field in ("g", "θ", "Δθ", "f") else field for field in map(_field, paths)]
    return [
        field if fields.count(field) == 1 else f"{field}.{fields[:i].count(field)}" for i, field in enumerate(fields)
    ]


def _field(path: Sequence[Any]) -> str:
    named = [str(getattr(key, "name", getattr(key, "key", ""))) for key in path]
    return next((name for name in reversed(named) if name), "state")
