r"""What a loss computes that is affine in the coordinates of a slice, done once for all of its points.

On a slice the parameters are :math:`\theta(a) = c + \sum_i a_i d_i`, so that whatever depends on them through linear
operations alone is affine in a too. Of a network that is the first layer, dense or convolutional:

.. math::  X\,W(a) + b(a) = P_0 + \sum_i a_i P_i, \qquad P_0 = X W_c + b_c, \quad P_i = X W_{d_i} + b_{d_i},

and three products serve the whole plane. Of a linear model it is all but the loss itself.

The operations are those of the loss's own jaxpr, so that nothing has to be said about the model: :func:`split` follows
the parameters through it as far as it is linear in them, and returns what to compute once and what at every point.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Literal

from jaxdl import tree
from jaxdl.typing import Params, PyTree

TERMWISE = frozenset(
    (
        *("add", "add_any", "sub", "neg", "concatenate", "pad", "reduce_sum", "copy", "copy_p", "stop_gradient"),
        *("transpose", "reshape", "squeeze", "expand_dims", "broadcast_in_dim", "slice", "rev"),
    )
)
"""Linear in all operands together: a fixed operand counts to the constant part alone."""
PRODUCTS = frozenset(("dot_general", "conv_general_dilated"))
"""Linear in each operand, and what makes it worth while."""
SCALINGS = frozenset(("mul", "div", "gather", "dynamic_slice"))
"""Linear in one operand; of the last three the first."""
INLINED = frozenset(("jit", "pjit", "closed_call"))


class Split(NamedTuple):
    """``prepare(params, directions, args) -> prepared``, once; ``at(prepared, a) -> outputs`` at a point. ``products``:
    how many matrix products and convolutions the first saves the second. ``error(params, directions, args, a)``: how
    far what is put together at a point is from the same computed there, relative to its length, in √ε."""

    prepare: Callable[[Params, Sequence[PyTree], tuple[Any, ...]], Any]
    at: Callable[[Any, jax.Array], Any]
    products: int
    error: Callable[[Params, Sequence[PyTree], tuple[Any, ...], jax.Array], jax.Array]


_Value: TypeAlias = int
"""A value of the program, by number."""


class _Step(NamedTuple):
    equation: Any
    inputs: tuple[_Value, ...]
    outputs: tuple[_Value, ...]


class _Program(NamedTuple):
    """A jaxpr without inner programs. ``constants``: captured values and literals."""

    inputs: tuple[_Value, ...]
    constants: dict[_Value, Any]
    steps: list[_Step]
    outputs: tuple[_Value, ...]


class _Stages(NamedTuple):
    """``affine``: values that are affine in a. ``joined``: those that are put together at every point. ``carried``:
    fixed ones that are needed there. ``late``: steps that are taken there."""

    affine: set[_Value]
    joined: list[_Value]
    carried: list[_Value]
    late: list[_Step]


def split(function: Callable[..., PyTree], params: Params, axes: int, args: tuple[Any, ...]) -> Split:
    """Divides ``function(params, *args)`` into what is computed once for a slice and what at each of its points.

    Args:
      function: Any function of JAX; its values may be a tree.
      params: For their shapes.
      axes: Number of directions of the slice.
      args: For their shapes.

    Returns:
      The two halves; equal to the function up to rounding.

    >>> halves = split(lambda w, x: jnp.exp(x @ w), jnp.zeros(3), 1, (jnp.ones((2, 3)),))
    >>> prepared = halves.prepare(jnp.zeros(3), [jnp.ones(3)], (jnp.ones((2, 3)),))
    >>> print(halves.at(prepared, jnp.array([2.0])).round(1), halves.products)  # exp(2 · 3)
    [403.4 403.4] 1
    """
    closed, shape = jax.make_jaxpr(function, return_shape=True)(params, *args)
    program = _flat(closed)
    leaves = len(jax.tree.leaves(params))
    stages = _staged(program, set(program.inputs[:leaves]), axes)

    def prepare(params: Params, directions: Sequence[PyTree], args: tuple[Any, ...]) -> Any:
        parts = [list(part) for part in zip(*map(jax.tree.leaves, (params, *directions)), strict=True)]
        fixed = dict(program.constants) | dict(zip(program.inputs[leaves:], jax.tree.leaves(args), strict=True))
        return _prepared(program, stages, dict(zip(program.inputs[:leaves], parts, strict=True)), fixed)

    def at(prepared: Any, a: jax.Array) -> PyTree:
        parts, carried = prepared
        values = dict(program.constants) | dict(zip(stages.carried, carried, strict=True))
        values |= {value: _joined(part, a) for value, part in zip(stages.joined, parts, strict=True)}
        for step in stages.late:
            values.update(zip(step.outputs, _bind(step.equation, [values[v] for v in step.inputs]), strict=True))
        return jax.tree.unflatten(jax.tree.structure(shape), [values[value] for value in program.outputs])

    def error(params: Params, directions: Sequence[PyTree], args: tuple[Any, ...], a: jax.Array) -> jax.Array:
        together = prepare(params, directions, args)[0]
        there = prepare(jax.tree.map(lambda *x: _joined(x, a), params, *directions), (), args)[0]
        apart = [_apart(_joined(parts, a), whole) for parts, (whole,) in zip(together, there, strict=True)]
        return jnp.max(jnp.stack([jnp.zeros(()), *apart]))

    return Split(prepare, at, _saved(program, stages), error)


def _apart(found: jax.Array, expected: jax.Array) -> jax.Array:
    """The length of the difference relative to that of the second, in √ε; NaN where only one is finite."""
    dtype = tree.compute_dtype(found)
    same = (found == expected) | (jnp.isnan(found) & jnp.isnan(expected))
    away = jnp.where(same, jnp.zeros_like(found), found - expected).astype(dtype)
    size = jnp.where(jnp.isfinite(expected), expected, jnp.zeros_like(expected)).astype(dtype)
    length = jnp.maximum(jnp.sqrt(jnp.sum(size**2)), jnp.finfo(dtype).tiny)
    relative = jnp.sqrt(jnp.sum(away**2)) / length
    return (relative / jnp.sqrt(jnp.asarray(jnp.finfo(found.dtype).eps, dtype))).astype(jnp.zeros(()).dtype)


def _joined(parts: Sequence[jax.Array], a: jax.Array) -> jax.Array:
    """P₀ + Σ aᵢ Pᵢ."""
    total = parts[0]
    for i, part in enumerate(parts[1:]):
        total = total + a[i].astype(part.dtype) * part
    return total


def _bind(equation: Any, values: Sequence[Any]) -> list[Any]:
    given = equation.primitive.get_bind_params(equation.params)
    functions, parameters = given if isinstance(given, tuple) else ((), given)  # a pair before JAX 0.10
    found = equation.primitive.bind(*functions, *values, **parameters)
    return list(found) if equation.primitive.multiple_results else [found]


# --- the program ------------------------------------------------------------------------------------------------------


def _flat(closed: ClosedJaxpr) -> _Program:
    """The program with the jitted functions inside it written out."""
    constants: dict[_Value, Any] = {}
    steps: list[_Step] = []
    numbers: Iterator[int] = iter(range(10**9))

    def constant(value: Any) -> _Value:
        constants[number := next(numbers)] = value
        return number

    def run(jaxpr: Any, consts: Sequence[Any], inputs: Sequence[_Value]) -> list[_Value]:
        known = dict(zip(jaxpr.invars, inputs, strict=True))
        known |= {var: constant(value) for var, value in zip(jaxpr.constvars, consts, strict=True)}

        def read(atom: Any) -> _Value:
            return constant(atom.val) if isinstance(atom, Literal) else known[atom]

        for equation in jaxpr.eqns:
            operands = [read(atom) for atom in equation.invars]
            if equation.primitive.name in INLINED:
                inner = equation.params["jaxpr"]
                outputs = run(inner.jaxpr, inner.consts, operands)
            else:
                outputs = [next(numbers) for _ in equation.outvars]
                steps.append(_Step(equation, tuple(operands), tuple(outputs)))
            known.update(zip(equation.outvars, outputs, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    inputs = tuple(next(numbers) for _ in closed.jaxpr.invars)
    outputs = run(closed.jaxpr, closed.consts, inputs)
    return _Program(inputs, constants, steps, tuple(outputs))


def _stays_affine(step: _Step, affine: set[_Value], axes: int) -> bool:
    """Whether the result of a step with affine operands is affine."""
    name: str = step.equation.primitive.name
    moving = [value in affine for value in step.inputs]
    if name in TERMWISE:
        return True
    if name == "convert_element_type":
        old, new = step.equation.invars[0].aval.dtype, step.equation.outvars[0].aval.dtype
        return bool(jnp.issubdtype(new, jnp.floating) and jnp.finfo(new).nmant >= jnp.finfo(old).nmant)
    if name in SCALINGS:
        return sum(moving) == 1 and (name == "mul" or moving[0])
    # To put axes + 1 arrays together must cost less than the product that it saves.
    return name in PRODUCTS and sum(moving) == 1 and _terms(step.equation) > axes + 1


def _terms(equation: Any) -> int:
    """How many products are summed for each element of a product's result."""
    shape: tuple[int, ...] = equation.invars[1].aval.shape
    if equation.primitive.name == "dot_general":
        return math.prod(shape[axis] for axis in equation.params["dimension_numbers"][0][1])
    outputs: int = shape[equation.params["dimension_numbers"].rhs_spec[0]]
    return math.prod(shape) // max(1, outputs)


def _spreads(step: _Step, affine: set[_Value]) -> bool:
    """Whether a step makes more numbers of its affine operands, so that these are better put together before it."""
    if step.equation.primitive.name in PRODUCTS:
        return False
    avals = zip(step.inputs, step.equation.invars, strict=True)
    before: int = sum(math.prod(atom.aval.shape) for value, atom in avals if value in affine)
    after: int = math.prod(step.equation.outvars[0].aval.shape)
    return after > before


def _staged(program: _Program, moving: set[_Value], axes: int) -> _Stages:
    """Follows the parameters forwards as far as they go linearly, then what is needed backwards."""
    affine, general = set(moving), set[_Value]()
    for step in program.steps:
        if general.intersection(step.inputs) or step.equation.effects:
            general.update(step.outputs)
        elif affine.intersection(step.inputs):
            (affine if _stays_affine(step, affine, axes) else general).update(step.outputs)
    wanted, late, joined = set(program.outputs), list[_Step](), set[_Value]()
    for step in reversed(program.steps):
        if not wanted.intersection(step.outputs):
            continue
        if general.intersection(step.outputs) or (affine.intersection(step.outputs) and _spreads(step, affine)):
            late.append(step)
            wanted.update(step.inputs)
        elif affine.intersection(step.outputs):
            joined.update(step.outputs)
    made_late = {value for step in late for value in step.outputs}
    joined |= wanted & moving
    carried = wanted - joined - made_late - set(program.constants)
    return _Stages(affine, sorted(joined), sorted(carried), late[::-1])


def _early(program: _Program, stages: _Stages) -> list[_Step]:
    """The steps that are taken once, in order."""
    wanted, early = {*stages.joined, *stages.carried}, list[_Step]()
    for step in reversed(program.steps):
        if wanted.intersection(step.outputs):
            early.append(step)
            wanted.update(step.inputs)
    return early[::-1]


def _saved(program: _Program, stages: _Stages) -> int:
    early = _early(program, stages)
    return sum(s.equation.primitive.name in PRODUCTS and not stages.affine.isdisjoint(s.outputs) for s in early)


def _prepared(
    program: _Program, stages: _Stages, parts: dict[_Value, list[Any]], fixed: dict[_Value, Any]
) -> tuple[list[Any], list[Any]]:
    """The parts of the values to join, and the fixed ones."""
    for step in _early(program, stages):
        if stages.affine.isdisjoint(step.outputs):
            fixed.update(zip(step.outputs, _bind(step.equation, [fixed[v] for v in step.inputs]), strict=True))
            continue
        count = len(next(parts[v] for v in step.inputs if v in parts))
        rest = step.equation.primitive.name in TERMWISE

        def operand(value: _Value, part: int, rest: bool = rest) -> Any:
            if value in parts:
                return parts[value][part]
            return jnp.zeros_like(fixed[value]) if rest and part else fixed[value]

        made = [_bind(step.equation, [operand(v, part) for v in step.inputs]) for part in range(count)]
        parts[step.outputs[0]] = [outputs[0] for outputs in made]
    return [parts[value] for value in stages.joined], [fixed[value] for value in stages.carried]
