"""What of a function depends on scalars alone, done once for many arrays.

An update rule is written for one array: bias corrections and step sizes stand in the same lines as the arithmetic of
the elements. Of a thousand arrays they would stand a thousand times in the program, and be compiled a thousand times.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax

from jaxdl.typing import PyTree

if TYPE_CHECKING:
    from jax.extend.core import Jaxpr


def hoisted(function: Callable[..., PyTree], scalars: PyTree) -> Callable[..., PyTree]:
    """``function(scalars, *arrays)`` as a function of the arrays, whose calls share what the scalars alone decide.

    A call does the same operations as ``function`` does, those that need no array at the first call only; so values
    and derivatives are the same.

    Args:
      function: Of ``(scalars, *arrays)``, pure; traced once for each kind of arrays (shapes and dtypes).
      scalars: Tree of arrays of shape ``()``, maybe traced.

    Returns:
      A function of ``*arrays``, to be dropped where the trace ends to which ``scalars`` belong.

    >>> import jax.numpy as jnp
    >>> def update(x, y, rate):
    ...     rule = hoisted(lambda rate, x: x / (1 - rate), rate)
    ...     return rule(x), rule(y)
    >>> program = jax.make_jaxpr(update)(jnp.ones(2), jnp.ones(3), jnp.asarray(0.5))
    >>> names = [equation.primitive.name for equation in program.eqns]
    >>> names.count("sub"), names.count("div")
    (1, 2)
    """
    known = jax.tree.leaves(scalars)
    remaining: dict[Any, Callable[..., PyTree]] = {}
    prepared: dict[Any, tuple[Sequence[Any], list[Any]]] = {}

    def rest_of(arrays: Sequence[jax.Array]) -> Callable[..., PyTree]:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(scalars, *arrays)
        first, rest = _divided(closed.jaxpr, len(known))
        key = (str(first), *map(id, closed.consts))  # arrays of other shapes need the same scalars
        if key not in prepared:  # the constants are kept too, so that no other object gets an id of theirs
            prepared[key] = closed.consts, jax.core.eval_jaxpr(first, closed.consts, *known)
        result, (_, values) = jax.tree.structure(shape), prepared[key]
        # A call of what is traced already, so that it is copied into the program and not bound operation by operation.
        return jax.jit(
            lambda *arrays: jax.tree.unflatten(result, jax.core.eval_jaxpr(rest, values, *arrays)), inline=True
        )

    def apply(*arrays: jax.Array) -> PyTree:
        if not any(isinstance(x, jax.core.Tracer) for x in (*known, *arrays)):
            return function(scalars, *arrays)  # nothing is compiled, so nothing is to be saved
        kind = tuple(jax.typeof(x) for x in arrays)
        if kind not in remaining:
            remaining[kind] = rest_of(arrays)
        return remaining[kind](*arrays)

    return apply


def _divided(jaxpr: "Jaxpr", scalars: int) -> tuple["Jaxpr", "Jaxpr"]:
    """The part that needs the first inputs alone, and the part that does the rest with its outputs as constants."""
    from jax.extend.core import Literal

    given, arrays = jaxpr.invars[:scalars], jaxpr.invars[scalars:]
    known = {*jaxpr.constvars, *given}
    early, late = [], []
    for equation in jaxpr.eqns:
        # What is as large as an array stays with it: kept for all of them, it would lie in memory.
        small = not any(getattr(x.aval, "shape", ()) for x in equation.outvars)
        if small and all(isinstance(x, Literal) or x in known for x in equation.invars):
            early.append(equation)
            known.update(equation.outvars)
        else:
            late.append(equation)
    read = [x for equation in late for x in equation.invars] + [*jaxpr.outvars]
    passed = list(dict.fromkeys(x for x in read if not isinstance(x, Literal) and x in known))
    return (
        jaxpr.replace(invars=given, outvars=passed, eqns=early),
        jaxpr.replace(constvars=passed, invars=arrays, eqns=late),
    )
