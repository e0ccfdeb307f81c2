"""How every transformation behaves, whatever it computes: one table of factories × one list of contracts."""

import functools
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import optimizers, transforms
from jaxdl.rules import rule_of
from tests import cases
from tests.conftest import peer
from tests.contracts import CONTRACT, CONTRACTS, RECIPES, Contract

every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
every_rule = pytest.mark.parametrize(
    "contract", [contract for contract in CONTRACTS if contract not in RECIPES], ids=lambda contract: contract.name
)
"""For contracts that compile much: a recipe is a chain of rules that keep them."""

HALF, SINGLE, DOUBLE = ("float16", "bfloat16"), "float32", "float64"
DTYPES = (*HALF, SINGLE, DOUBLE)
PARAMS_AND_GRADIENTS = [(dtype, dtype) for dtype in DTYPES] + [("bfloat16", "float32"), ("float32", "bfloat16")]


def _params(dtype: str = DOUBLE) -> Any:
    return cases.tree_of(jnp.linspace(-1, 2, cases.SIZE).astype(dtype))


@functools.cache
def _gradients(steps: int, dtype: str = DOUBLE) -> Any:
    return cases.tree_of(jnp.asarray(cases.feed(DOUBLE).gradients[:steps]).astype(dtype))


def _at(index: int, tree: Any) -> Any:
    """One step of stacked gradients, or one lane of stacked floats."""
    return jax.tree.map(lambda leaf: leaf[index], tree)


def _stack(trees: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def _run(contract: Contract, floats: Mapping[str, Any], gradients: Any) -> Any:
    """The updates of every step, stacked, as a pure function of the floats and the stacked gradients."""
    tx, params = contract.make(**floats), _params()
    state, stacked = tx.init(params), []
    for t in range(len(gradients["bias"])):
        updates, state = tx.update(_at(t, gradients), state, params)
        stacked.append(updates)
    return _stack(stacked)


@functools.cache
def _traced(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """A run of two steps, compiled once for all values of its floats."""
    run = cases.quick_jit(partial(_run, CONTRACT[name]))
    return lambda floats: run(floats, _gradients(2))


@functools.cache
def _constant(name: str) -> Any:
    """The outcome of the same run with its floats compiled into it."""
    return cases.quick_jit(partial(_run, CONTRACT[name], {}))(_gradients(2))


def _leaves(tree: Any) -> list[np.ndarray]:
    is_key = [jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) for leaf in jax.tree.leaves(tree)]
    readable = [jax.random.key_data(x) if key else x for x, key in zip(jax.tree.leaves(tree), is_key, strict=True)]
    return [np.asarray(leaf) for leaf in readable]


def _assert_close(actual: Any, expected: Any, tolerance: float = 1e-12) -> None:
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for a, e in zip(_leaves(actual), _leaves(expected), strict=True):
        np.testing.assert_allclose(a, e, rtol=tolerance, atol=tolerance)


def _assert_equal(actual: Any, expected: Any) -> None:
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for a, e in zip(_leaves(actual), _leaves(expected), strict=True):
        assert a.dtype == e.dtype
        np.testing.assert_array_equal(a, e)


# --- the table itself ------------------------------------------------------------------------------------------------


def _factories() -> dict[str, Callable[..., Any]]:
    rules = {name: value for name, value in vars(transforms).items() if inspect.isfunction(value)}
    return {**optimizers.FACTORIES, **rules}


@pytest.mark.parametrize("name", sorted(_factories()))
def test_table_has_every_factory_with_every_float(name):
    factory = _factories()[name]
    signature = inspect.signature(factory).parameters.values()
    floats = {p.name for p in signature if "float" in str(p.annotation) and "bool" not in str(p.annotation)}
    assert floats or name in ("scale_by_sign", "round_stochastically")
    assert floats in [set(contract.floats) for contract in CONTRACTS if contract.factory is factory]


# --- types and states ------------------------------------------------------------------------------------------------


@every_contract
def test_is_an_optax_transformation_with_extra_args(contract):
    assert isinstance(contract.make(), optax.GradientTransformationExtraArgs)


@every_contract
def test_says_what_it_is(contract):
    rule = rule_of(contract.make())
    assert rule is not None
    assert not rule.opaque
    assert rule.equation
    if contract.factory in _factories().values():
        assert rule.name == contract.factory.__name__
        assert {name: rule.arguments[name] for name in contract.floats} == dict(contract.floats)


@every_contract
def test_accepts_extra_args_it_does_not_know(contract):
    tx, params, gradient = contract.make(), _params(), _at(0, _gradients(1))
    plain = tx.update(gradient, tx.init(params), params)
    _assert_equal(tx.update(gradient, tx.init(params), params, value=1.0, something_else=None), plain)


@every_contract
@pytest.mark.parametrize(("params_dtype", "gradient_dtype"), PARAMS_AND_GRADIENTS)
def test_update_keeps_the_state_and_returns_the_gradients_dtype(contract, params_dtype, gradient_dtype):
    tx, params, gradient = contract.make(), _params(params_dtype), _at(0, _gradients(1, gradient_dtype))
    before = jax.eval_shape(tx.init, params)
    updates, after = jax.eval_shape(tx.update, gradient, before, params)
    assert jax.tree.structure(after) == jax.tree.structure(before)
    assert jax.tree.leaves(after) == jax.tree.leaves(before)
    assert {leaf.dtype for leaf in jax.tree.leaves(updates)} == {jnp.dtype(gradient_dtype)}


@every_contract
def test_init_takes_shapes_in_place_of_parameters(contract):
    tx, params = contract.make(), _params("bfloat16")
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), params)
    _assert_equal(tx.init(shapes), tx.init(params))


@every_contract
def test_second_call_does_not_retrace(contract):
    tx, params, gradient = contract.make(), _params("bfloat16"), _at(0, _gradients(1, "float32"))
    traces = []

    @jax.jit
    def update(state: Any) -> Any:
        traces.append(1)
        return tx.update(gradient, state, params)[1]

    update(update(tx.init(params)))
    assert len(traces) == 1


# --- under JAX's transformations -------------------------------------------------------------------------------------


@every_rule
def test_jit_equals_eager(contract):
    _assert_close(_constant(contract.name), _run(contract, {}, _gradients(2)))


@every_contract
def test_scan_carries_the_state(contract):
    def step(state: Any, gradient: Any) -> Any:
        updates, state = contract.make().update(gradient, state, _params())
        return state, updates

    state = contract.make().init(_params())
    gradients = _gradients(3)
    carried, stacked = jax.eval_shape(lambda: jax.lax.scan(step, state, gradients))
    assert jax.tree.structure(carried) == jax.tree.structure(state)
    assert [leaf.shape for leaf in jax.tree.leaves(stacked)] == [leaf.shape for leaf in jax.tree.leaves(gradients)]


@pytest.mark.parametrize(
    "contract",
    [contract for contract in CONTRACTS if contract.floats and contract not in RECIPES],
    ids=lambda c: c.name,
)
def test_vmap_over_every_float_equals_a_loop(contract):
    lanes = {name: jnp.asarray([0.5, 0.8, 1.0]) * value for name, value in contract.floats.items()}
    looped = [_traced(contract.name)(_at(i, lanes)) for i in range(3)]
    mapped = cases.quick_jit(jax.vmap(partial(_run, contract), in_axes=(0, None)))(lanes, _gradients(2))
    _assert_close(mapped, _stack(looped))


@every_rule
def test_traced_floats_compute_what_constants_do(contract):
    _assert_close(_traced(contract.name)(contract.arrays()), _constant(contract.name), tolerance=1e-14)


@every_contract
def test_an_array_enters_the_arithmetic_with_the_bits_of_the_same_constant(contract):
    params, gradient = _params(SINGLE), _at(0, _gradients(1, SINGLE))

    def update(floats: Mapping[str, Any]) -> Any:
        tx = contract.make(**floats)
        return tx.update(gradient, tx.init(params), params)

    # Operation by operation: in a compiled program LLVM chooses which of two products it fuses with their sum.
    _assert_equal(update(contract.arrays(SINGLE)), update(contract.floats))


@every_rule
def test_gradient_through_the_updates_is_the_difference_quotient(contract):
    weights = cases.tree_of(jnp.cos(jnp.arange(2.0 * cases.SIZE)).reshape(2, cases.SIZE))

    def outcome(updates: Any) -> jax.Array:
        return jax.tree.reduce(jnp.add, jax.tree.map(jnp.vdot, weights, updates))

    floats, h = contract.arrays(), 1e-5
    slope = jax.grad(lambda floats, gradients: outcome(_run(contract, floats, gradients)))
    slopes = cases.quick_jit(slope)(floats, _gradients(2))
    for name, value in floats.items():
        up, down = (outcome(_traced(contract.name)({**floats, name: value * factor})) for factor in (1 + h, 1 - h))
        np.testing.assert_allclose(slopes[name], (up - down) / (2 * h * value), rtol=1e-5, atol=1e-8, err_msg=name)


# --- None leaves, composition ----------------------------------------------------------------------------------------


@every_contract
def test_leaf_without_a_gradient_keeps_its_state(contract):
    tx, params, gradient = contract.make(), _params(), _at(0, _gradients(1))
    start = tx.init(params)
    updates, state = tx.update({**gradient, "bias": None}, start, params)
    assert updates["bias"] is None
    after = dict(jax.tree.leaves_with_path(state))
    for path, leaf in jax.tree.leaves_with_path(start):
        if "bias" in jax.tree_util.keystr(path):
            _assert_equal(after[path], leaf)
    alone, _ = tx.update({**gradient, "bias": jnp.zeros(3)}, start, params)
    _assert_equal(updates["dense"], alone["dense"])


@every_contract
def test_none_in_parameters_and_gradients_stays_none(contract):
    tx, params, gradient = contract.make(), {**_params(), "bias": None}, {**_at(0, _gradients(1)), "bias": None}
    updates, state = tx.update(gradient, tx.init(params), params)
    assert jax.tree.structure(updates) == jax.tree.structure(params)
    assert jax.tree.structure(optax.apply_updates(params, updates)) == jax.tree.structure(params)
    assert jax.tree.structure(state) == jax.tree.structure(tx.init(params))


@every_contract
def test_composes_with_optax_chain_and_apply_updates(contract):
    tx, params, gradient = contract.make(), _params(), _at(0, _gradients(1))
    chained = optax.chain(tx, optax.scale(-0.5))
    with peer():
        updates, _ = chained.update(gradient, chained.init(params), params)
    direction, _ = tx.update(gradient, tx.init(params), params)
    _assert_close(
        optax.apply_updates(params, updates), jax.tree.map(lambda theta, u: theta - 0.5 * u, params, direction)
    )


# --- numerical safety ------------------------------------------------------------------------------------------------


@every_contract
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_gradients_first_and_again_give_no_nan(contract, dtype):
    default_eps = {name: value for name, value in contract.floats.items() if "eps" not in name}
    tx, params = contract.factory(**default_eps, **contract.structure), _params(dtype)
    some = _at(0, _gradients(1, dtype))
    zero = jax.tree.map(jnp.zeros_like, some)
    state = tx.init(params)
    for gradient in (zero, zero, some, zero):
        updates, state = tx.update(gradient, state, params)
        for leaf in jax.tree.leaves((updates, state)):
            assert jnp.isfinite(leaf).all()


@every_contract
def test_count_stops_at_the_largest_integer(contract):
    tx, params, gradient = contract.make(), _params(), _at(0, _gradients(1))
    largest = jnp.iinfo(jnp.int32).max
    start = jax.tree.map(
        lambda x: jnp.full_like(x, largest) if jnp.issubdtype(x.dtype, jnp.integer) else x, tx.init(params)
    )
    updates, state = tx.update(gradient, start, params)
    counts = [x for x in jax.tree.leaves(state) if jnp.issubdtype(x.dtype, jnp.integer)]
    assert {(count.dtype, int(count)) for count in counts} <= {(jnp.dtype("int32"), largest)}
    for leaf in jax.tree.leaves(updates):
        assert jnp.isfinite(leaf).all()
