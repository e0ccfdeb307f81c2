"""What one update of a lane costs, read off its program before anything is compiled.

The program of a single lane is traced, and the operations inside its loop over steps are counted. The cost in seconds
is a guess, good to a factor of two or three: enough to say how long a chunk should be and whether measuring pays.
"""

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import provenance, stepping, training
from jaxdl.sweeps.lanes import Lane, Study, advance_lane, lane_dtype, lane_problem, start_lane
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    from jax.extend.core import Jaxpr

SPEEDS = {"cpu": (5e10, 4e9)}
"""Multiplications and additions inside matrix products, and elements written by other operations, that a device does
in a second: measured on one core of a server with small networks."""
SPEED_OF_ACCELERATORS = (5e12, 2e11)
"""The same for other devices: not measured, a tenth of what their makers state."""


class Work(NamedTuple):
    """Of one lane: ``flops`` inside matrix products and ``written`` bytes, both per step; ``state``: bytes of the
    training state; ``digest``: SHA-256 of the program's text; ``records``: names of what it records.
    """

    flops: float
    written: float
    state: int
    digest: str
    records: tuple[str, ...] = ()

    def seconds(self, backend: str | None = None) -> float:
        """A guess of the time of one step on one device that runs many lanes."""
        flops, elements = SPEEDS.get(backend or jax.default_backend(), SPEED_OF_ACCELERATORS)
        return self.flops / flops + self.written / 4 / elements


def of_lane(study: Study, factory: OptimizerFactory, lane: Lane) -> Work:
    """Traces one lane of a study; nothing is compiled or run.

    Args:
      study: What all lanes share; its layout does not matter.
      factory: The optimizer's.
      lane: What lanes set: values do not matter, only names and what is None.
    """

    def begin(data: Any, lane: Lane, key: jax.Array) -> tuple[stepping.TrainState, jax.Array | None]:
        state = start_lane(study, factory, data, lane_problem(study, data, lane).init(key), lane)
        return state, training.draw_batches(study.problem, key, 0, study.record_every)

    def advance(data: Any, lane: Lane, key: jax.Array, state: stepping.TrainState, indices: jax.Array | None) -> Any:
        return advance_lane(study, factory, data, state, indices, key, lane, records=1)

    abstract = jax.tree.map(lambda x: jax.ShapeDtypeStruct((), lane_dtype(x)), lane)
    given = (study.problem.data, abstract, jax.eval_shape(jax.random.key, jax.ShapeDtypeStruct((), jnp.uint32)))
    state, indices = jax.eval_shape(begin, *given)
    closed, (_, records) = jax.make_jaxpr(advance, return_shape=True)(*given, state, indices)
    jaxpr = closed.jaxpr
    # What stands before the loop is done once per chunk.
    counts = [_count(equation) for equation in jaxpr.eqns if equation.primitive.name == "scan"]
    flops, written = (sum(count[i] for count in counts) / study.record_every for i in (0, 1))
    size = sum(_bytes(leaf) for leaf in jax.tree.leaves(state))
    return Work(flops, written, size, provenance.digest(str(jaxpr)), tuple(records))


def _count(equation: Any) -> tuple[float, float]:
    """The same of one operation: a loop counts as often as it runs, a branch as its dearest."""
    inner = [count(jaxpr) for jaxpr in _inside(equation)]
    name, written = equation.primitive.name, sum(_bytes(variable.aval) for variable in equation.outvars)
    if name == "scan":
        length = int(equation.params["length"])
        return length * inner[0][0], length * inner[0][1]
    if name == "cond":
        return max(flops for flops, _ in inner), max(bytes_ for _, bytes_ in inner)
    if inner:
        return sum(flops for flops, _ in inner), sum(bytes_ for _, bytes_ in inner)
    return _products(equation, name), written


def count(jaxpr: "Jaxpr") -> tuple[float, float]:
    """Floating-point operations inside matrix products, and bytes written, of a program."""
    counts = [_count(equation) for equation in jaxpr.eqns]
    return sum(flops for flops, _ in counts), sum(written for _, written in counts)


def _products(equation: Any, name: str) -> float:
    """Two operations per element of the result and summed index of a matrix product or convolution; otherwise none."""
    out = _size(equation.outvars[0].aval)
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        summed: list[int] = [equation.invars[0].aval.shape[axis] for axis in contracted]
        return 2.0 * out * prod(summed)
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval
        outputs = int(kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]])
        return 2.0 * out * _size(kernel) / outputs
    return 0.0


def _inside(equation: Any) -> Iterator["Jaxpr"]:
    """Programs that an operation runs: the body of a loop, branches, a jitted function."""
    from jax.extend.core import ClosedJaxpr, Jaxpr

    for value in equation.params.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, ClosedJaxpr | Jaxpr):
                yield one.jaxpr if isinstance(one, ClosedJaxpr) else one


def _size(array: Any) -> int:
    shape: tuple[int, ...] = array.shape
    return prod(shape)


def _bytes(array: Any) -> int:
    return _size(array) * int(getattr(array.dtype, "itemsize", 4))
