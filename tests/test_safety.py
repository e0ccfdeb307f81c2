"""What every rule does where numbers are hard: huge, tiny, infinite and missing ones, in every dtype, and complex ones.

The policy. Arithmetic is float32 or wider and squares are kept so: gradients from the smallest subnormal to 1e18 give
finite steps against the gradient. What is not finite is neither hidden nor spread: NaN stays NaN in its own coordinate,
an infinity makes its own step infinite or NaN, unless the rule is bounded by nature, and no other coordinate notices
(a norm over all leaves must). A complex number is one number: rules commute with a rotation of all phases.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.contracts import CONTRACTS, RECIPES

every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)

# Accumulators have the parameters' dtype: in float16 some steps of 1e4 add up to nearly its largest number, 65504.
HUGE = {"float16": 1e4, "bfloat16": 1e18, "float32": 1e18, "float64": 1e150}
TINY = {"float16": 6e-8, "bfloat16": 1e-38, "float32": 1e-38, "float64": 1e-300}
SIGNS = np.array([1.0, -1.0, 1.0])
STEADY = {"scale_by_stddev, corrected", "rmsprop, centred, momentum"}
"""Whose corrected variance is 0 at first: a step of g/ε, which is beyond float16 where g is huge: not tried there."""
STEPS = 3


def _default_eps(contract: Any) -> Any:
    """The transformation with the ε that a user gets."""
    bare = {name: value for name, value in contract.floats.items() if "eps" not in name}
    return contract.factory(**bare, **contract.structure)


def _steps(tx: Any, gradients: Any, params: Any) -> tuple[list[Any], Any]:
    """The steps of shape (6,) on two equal leaves, of which masks may choose one, and the last state."""
    both = {"bias": params, "dense": params}
    state, steps = tx.init(both), []
    for gradient in gradients:
        updates, state = tx.update({"bias": gradient, "dense": gradient}, state, both)
        steps.append(jnp.concatenate([updates["bias"], updates["dense"]]))
    return steps, state


@pytest.mark.parametrize(
    ("contract", "size", "dtype"),
    [
        pytest.param(contract, size, dtype, id=f"{contract.name}-{size}-{dtype}")
        for contract, size, dtype in itertools.product(CONTRACTS, ["huge", "tiny"], HUGE)
        if not (contract.name in STEADY and (size, dtype) == ("huge", "float16"))
    ],
)
def test_huge_and_tiny_gradients_give_finite_steps_against_them(contract, dtype, size):
    magnitude = {"huge": HUGE, "tiny": TINY}[size][dtype]
    params = jnp.zeros(3, dtype)  # where decay has no part
    gradient = jnp.asarray(SIGNS * magnitude).astype(dtype)
    assert (gradient != 0).all() or dtype in ("bfloat16", "float32")  # XLA flushes what is subnormal there
    steps, state = _steps(_default_eps(contract), [gradient] * STEPS, params)
    for leaf in jax.tree.leaves((steps, state)):
        if jnp.issubdtype(leaf.dtype, jnp.inexact):
            assert jnp.isfinite(leaf).all()
    if contract in RECIPES:
        assert all((np.asarray(step, np.float64) * np.tile(SIGNS, 2) <= 0).all() for step in steps)


HIT, OTHERS = np.array([1, 4]), np.array([0, 2, 3, 5])
BOUNDED = {"clip", "scale_by_sign", "scale_by_lion", "sign_sgd", "signum", "lion"}
"""Rules whose step is bounded whatever the gradient: an infinity has a sign."""
WHOLE = {"clip_by_global_norm"}
"""Rules that look at all coordinates at once."""


@every_contract
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_coordinate_and_is_seen(contract, bad):
    params, rng = jnp.ones(3), np.random.default_rng(0)
    clean = [jnp.asarray(row) for row in rng.normal(size=(STEPS, 3))]
    broken = [clean[0], clean[1].at[1].set(bad), clean[2]]
    expected, _ = _steps(contract.make(), clean, params)
    steps, _ = _steps(contract.make(), broken, params)
    if contract.name not in WHOLE:
        for step, whole in zip(steps, expected, strict=True):
            np.testing.assert_array_equal(step[OTHERS], whole[OTHERS])
    hit = np.asarray(steps[1][HIT])
    seen = np.isnan(hit).all() if np.isnan(bad) else not np.isfinite(hit).any()
    assert seen or (contract.name in BOUNDED and np.isinf(bad))


REAL_ONLY = {"clip"}
"""Rules that need an order and refuse complex numbers."""
every_complex_contract = pytest.mark.parametrize(
    "contract", [c for c in CONTRACTS if c.name not in REAL_ONLY], ids=lambda contract: contract.name
)


@every_contract
def test_complex_gradients_turn_with_their_phase_or_are_refused(contract):
    rng = np.random.default_rng(0)
    params = jnp.asarray(rng.normal(size=3) + 1j * rng.normal(size=3))
    gradients = [jnp.asarray(rng.normal(size=3) + 1j * rng.normal(size=3)) for _ in range(STEPS)]
    if contract.name in REAL_ONLY:
        with pytest.raises((TypeError, ValueError), match="complex"):
            _steps(contract.make(), gradients, params)
        return
    turn = jnp.exp(0.7j)
    steps, _ = _steps(contract.make(), gradients, params)
    turned, _ = _steps(contract.make(), [turn * g for g in gradients], turn * params)
    for step, other in zip(steps, turned, strict=True):
        assert step.dtype == jnp.complex128
        np.testing.assert_allclose(other, turn * step, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "contract",
    [contract for contract in CONTRACTS if contract.name not in REAL_ONLY],
    ids=lambda contract: contract.name,
)
def test_real_rule_is_the_complex_rule_on_the_real_line(contract):
    rng = np.random.default_rng(0)
    params, gradients = jnp.asarray(rng.normal(size=3)), jnp.asarray(rng.normal(size=(STEPS, 3)))
    real, _ = _steps(contract.make(), list(gradients), params)
    line, _ = _steps(contract.make(), list(gradients.astype(complex)), params.astype(complex))
    for step, other in zip(real, line, strict=True):
        np.testing.assert_allclose(other, step, rtol=1e-10, atol=1e-12)
