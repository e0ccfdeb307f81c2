"""The contracts that every transformation should keep, whatever it computes: each is a function that raises or returns.

A contract gets a :class:`Subject` and returns a remark, or nothing; it raises :class:`Broken` with one sentence.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl.typing import PyTree

CLOSE = 1e-6
"""Relative difference that two orders of the same float32 arithmetic may have."""


class Broken(Exception):
    """A contract is broken; one sentence."""


class Subject(NamedTuple):
    """What a contract looks at.

    Attributes:
      transform: the transformation.
      params: a tree of a vector and, one level down, a matrix, float32.
      gradients: three trees like it.
    """

    transform: optax.GradientTransformation
    params: PyTree
    gradients: tuple[PyTree, ...]


def subject(transform: optax.GradientTransformation) -> Subject:
    """The transformation with parameters and gradients of both signs and several sizes."""
    values = np.linspace(-1.0, 2.0, 15, dtype=np.float32)
    waves = [(np.cos(np.arange(15.0) * k * k) * 10.0 ** (k - 2)).astype(np.float32) for k in (1, 2, 3)]
    return Subject(transform, _tree(values), tuple(_tree(wave) for wave in waves))


def _tree(vector: Any) -> PyTree:
    return {"bias": jnp.asarray(vector[:3]), "dense": {"kernel": jnp.asarray(vector[3:]).reshape(4, 3)}}


def _run(subject: Subject, **extra_args: Any) -> tuple[list[PyTree], PyTree]:
    transform, params, gradients = subject
    state, steps = transform.init(params), []
    for gradient in gradients:
        updates, state = transform.update(gradient, state, params, **extra_args)
        steps.append(updates)
    return steps, state


def _signature(tree: PyTree) -> Any:
    return jax.tree.map(lambda leaf: (jnp.shape(leaf), str(jnp.asarray(leaf).dtype)), tree), _structure(tree)


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


def _structure(tree: PyTree) -> Any:
    return jax.tree.structure(tree)


def _distance(a: PyTree, b: PyTree) -> float:
    """Largest difference relative to max(largest of b, 1e-30) over the leaves; inf for other structures or NaN."""
    if _structure(a) != _structure(b):
        return np.inf
    worst = 0.0
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        p, q = np.asarray(x, np.float64), np.asarray(y, np.float64)
        difference = np.max(np.abs(p - q), initial=0) / max(float(np.max(np.abs(q), initial=0)), 1e-30)
        worst = max(worst, np.inf if np.isnan(difference) else float(difference))
    return worst


def _demand_close(a: PyTree, b: PyTree, said: str) -> None:
    distance = _distance(a, b)
    _demand(distance <= CLOSE, f"{said}: they differ by {distance:.1e} of the largest step.")


# --- the contracts ----------------------------------------------------------------------------------------------------


def protocol(subject: Subject) -> None:
    """``init`` and ``update`` are functions; updates have the gradients' structure, shapes and dtypes."""
    steps, _ = _run(subject)
    _demand(
        _signature(steps[0]) == _signature(subject.gradients[0]),
        "updates have not the gradients' structure and dtypes.",
    )


def stable_state(subject: Subject) -> None:
    """The state keeps its structure, shapes and dtypes, also with bfloat16 parameters and float32 gradients."""
    narrow = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), subject.params)
    for params in (subject.params, narrow):
        before = jax.eval_shape(subject.transform.init, params)
        _, after = jax.eval_shape(subject.transform.update, subject.gradients[0], before, params)
        same = _structure(before) == _structure(after) and all(
            (a.shape, a.dtype) == (b.shape, b.dtype)
            for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
        )
        dtypes = jax.tree.leaves(params)[0].dtype
        _demand(same, f"the state changes its structure, shapes or dtypes at the first update ({dtypes} parameters).")


def one_trace(subject: Subject) -> None:
    """A second update traces nothing anew."""
    transform, params, gradients = subject
    traces: list[None] = []

    @jax.jit
    def step(gradient: PyTree, state: PyTree, params: PyTree) -> Any:
        traces.append(None)
        return transform.update(gradient, state, params)

    state = transform.init(params)
    for gradient in gradients:
        _, state = step(gradient, state, params)
    _demand(len(traces) == 1, f"update was traced {len(traces)} times for {len(gradients)} calls of one shape.")


def compiled_is_eager(subject: Subject) -> None:
    """Compiled and eager updates agree."""
    compiled = subject._replace(transform=subject.transform._replace(update=jax.jit(subject.transform.update)))
    _demand_close(_run(compiled)[0], _run(subject)[0], "jit changes the updates")


def lanes_are_loops(subject: Subject) -> None:
    """Under ``vmap`` each lane does what it does alone."""
    transform, params, (gradient, other, _) = subject

    def two_steps(first: PyTree, second: PyTree) -> Any:
        updates, state = transform.update(first, transform.init(params), params)
        del updates
        return transform.update(second, state, params)[0]

    stacked = jax.tree.map(lambda a, b: jnp.stack([a, b]), gradient, other)
    lanes = jax.vmap(lambda g: two_steps(g, g))(stacked)
    for i, g in enumerate((gradient, other)):
        lane = jax.tree.map(lambda leaf, i=i: leaf[i], lanes)
        _demand_close(lane, two_steps(g, g), "a lane of vmap is not the single run")


def none_leaves(subject: Subject) -> None:
    """None in parameters and gradients stays None."""
    params, gradient = {**subject.params, "bias": None}, {**subject.gradients[0], "bias": None}
    updates, _ = subject.transform.update(gradient, subject.transform.init(params), params)
    _demand(_structure(updates) == _structure(params), "None leaves do not stay None.")


def extra_arguments(subject: Subject) -> str | None:
    """Extra arguments that it does not know change nothing."""
    wrapped = subject._replace(transform=optax.with_extra_args_support(subject.transform))
    _demand_close(
        _run(wrapped, something_else=1.0)[0], _run(subject)[0], "an unknown extra argument changes the updates"
    )
    if not isinstance(subject.transform, optax.GradientTransformationExtraArgs):
        return "takes none itself; optax.with_extra_args_support gives it that."
    return None


def zero_gradients(subject: Subject) -> None:
    """Zero gradients, first and later, leave everything finite, in float32 and float16."""
    for dtype in (jnp.float32, jnp.float16):
        params, gradient = (
            jax.tree.map(lambda leaf, dtype=dtype: leaf.astype(dtype), tree)
            for tree in (subject.params, subject.gradients[1])
        )
        zero = jax.tree.map(jnp.zeros_like, gradient)
        steps, state = _run(Subject(subject.transform, params, (zero, zero, gradient, zero)))
        finite = all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves((steps, state)) if _is_float(leaf))
        _demand(finite, f"zero gradients make NaN or infinity in {jnp.dtype(dtype)}.")


def _is_float(leaf: Any) -> bool:
    return jnp.issubdtype(jnp.asarray(leaf).dtype, jnp.floating)


def permutation(subject: Subject) -> str | None:
    """Whether the elements of a leaf may be permuted; a remark, because some rules look at rows and columns."""
    order = np.array([2, 0, 1])

    def permuted(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[order] if leaf.ndim == 1 else leaf[:, order], tree)

    moved = subject._replace(params=permuted(subject.params), gradients=tuple(map(permuted, subject.gradients)))
    distance = _distance(_run(moved)[0], [permuted(step) for step in _run(subject)[0]])
    return None if distance <= CLOSE else "the order of the elements matters: it is no elementwise rule."


def scale(subject: Subject) -> str:
    """How steps grow with gradients: a remark."""
    scaled = subject._replace(gradients=tuple(jax.tree.map(lambda g: 8 * g, tree) for tree in subject.gradients))
    still = subject._replace(params=jax.tree.map(jnp.zeros_like, subject.params))
    plain, larger = (_run(s._replace(params=still.params))[0] for s in (subject, scaled))
    for factor, said in ((8.0, "steps grow in proportion to gradients."), (1.0, "steps do not depend on their scale.")):
        if _distance(larger, jax.tree.map(lambda u, factor=factor: factor * u, plain)) <= 1e-3:
            return said
    return "steps are neither proportional to gradients nor free of their scale."


CONTRACTS: Mapping[str, Callable[[Subject], str | None]] = MappingProxyType(
    {
        "protocol": protocol,
        "stable state": stable_state,
        "one trace": one_trace,
        "compiled = eager": compiled_is_eager,
        "vmap = loop": lanes_are_loops,
        "None leaves": none_leaves,
        "extra arguments": extra_arguments,
        "zero gradients": zero_gradients,
        "permutation": permutation,
        "scale": scale,
    }
)
"""By name, in the order of the report."""
