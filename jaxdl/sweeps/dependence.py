"""Which parts of a problem's data differ between lanes.

A problem whose factory is called with traced values inside a program brings its data along: what does not depend on
those values would stand in the program as a constant, compiled in anew for every data set. Known leaf by leaf, it is
passed as one shared argument, and only what depends is computed by each lane.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from jaxdl.problems.problem import Problem
from jaxdl.typing import PyTree


def lane_data(factory: Callable[..., Problem], arguments: Mapping[str, np.dtype[Any]]) -> PyTree:
    """Traces the factory and follows its arguments through the operations to the data.

    An operation's results all depend on whatever one of its operands depends on; a loop, a branch or a jitted function
    is one operation. So a leaf may be called dependent without need, and never the other way round.

    Args:
      factory: The problem's.
      arguments: Names of the arguments that lanes set to numbers of their own, and their dtypes.

    Returns:
      A tree like ``problem.data`` of booleans: whether the leaf depends on any of the arguments.

    >>> from functools import partial
    >>> import jaxdl
    >>> lane_data(partial(jaxdl.problems.get, "digits-mlp"), {"label_noise": np.dtype(np.float32)})
    {'test': (False, False), 'train': (False, True), 'val': (False, False)}
    """
    traced = {name: jax.ShapeDtypeStruct((), dtype) for name, dtype in arguments.items()}
    closed, data = jax.make_jaxpr(lambda given: factory(**given).data, return_shape=True)(traced)
    dependent = set(closed.jaxpr.invars)
    for equation in closed.jaxpr.eqns:
        if any(_is_in(operand, dependent) for operand in equation.invars):
            dependent.update(equation.outvars)
    return jax.tree.unflatten(jax.tree.structure(data), [_is_in(leaf, dependent) for leaf in closed.jaxpr.outvars])


def _is_in(operand: Any, variables: set[Any]) -> bool:
    """Literals have no hash and depend on nothing."""
    from jax.extend.core import Literal

    return not isinstance(operand, Literal) and operand in variables
