"""Stochastic rounding: to neighbours, without bias, and so that small steps are not lost."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import optimizers, transforms
from jaxdl.transforms.rounding import round_to_bfloat16


def descended(tx, steps=1000):
    """θ = 1 in bfloat16 after steps of gradient 1 at rate 1e-3."""

    def step(carry, _):
        theta, state = carry
        updates, state = tx.update(jnp.ones_like(theta), state, theta)
        return (optax.apply_updates(theta, updates), state), None

    start = jnp.ones(100, jnp.bfloat16)
    return jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), length=steps)[0][0])()


def test_weight_of_one_stands_still_without_and_moves_with_it():
    assert (descended(optimizers.sgd(1e-3)) == 1).all()
    theta = descended(optax.chain(optimizers.sgd(1e-3), transforms.round_stochastically(jax.random.key(0))))
    assert theta.dtype == jnp.bfloat16
    # Above ½ a step is a quarter of a unit in the last place: 1000 draws, each with deviation below 2^-8 · ½.
    assert abs(float(theta.astype(jnp.float32).mean())) < 4 * np.sqrt(1000) * 2.0**-9 / np.sqrt(100)
    assert theta.std() > 0


@pytest.mark.parametrize("x", [1.001, -1.001, 3e-5, 1.0, 0.0, -2.7e20])
def test_mean_is_the_number_and_both_results_are_its_neighbours(x):
    x32 = np.float32(x)
    drawn = np.asarray(round_to_bfloat16(jnp.full(20_000, x32), jax.random.key(1)).astype(jnp.float32), np.float64)
    below = np.uint32(x32.view(np.uint32) & np.uint32(0xFFFF0000))
    neighbours = np.array([below, below + np.uint32(0x10000)]).view(np.float32)
    assert set(drawn) <= set(neighbours.astype(np.float64))
    assert abs(drawn.mean() - np.float64(x32)) <= 5 * drawn.std() / np.sqrt(drawn.size)


@pytest.mark.parametrize("x", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_stays_so(x):
    rounded = round_to_bfloat16(jnp.full(9, x, jnp.float32), jax.random.key(0))
    np.testing.assert_array_equal(rounded.astype(jnp.float32), np.full(9, x))


def test_other_dtypes_pass_through_untouched():
    tx = transforms.round_stochastically(jax.random.key(0))
    params = {"wide": jnp.ones(2, jnp.float32), "none": None, "half": jnp.ones(2, jnp.float16)}
    updates = {"wide": jnp.full(2, 1e-9, jnp.float32), "none": None, "half": jnp.full(2, 1e-4, jnp.float16)}
    same, _ = tx.update(updates, tx.init(params), params)
    assert same["none"] is None
    assert (same["wide"] == updates["wide"]).all()
    assert (same["half"] == updates["half"]).all()


def test_leaves_and_steps_draw_different_numbers():
    tx = transforms.round_stochastically(jax.random.key(0))
    params = {"a": jnp.ones(200, jnp.bfloat16), "b": jnp.ones(200, jnp.bfloat16)}
    updates = jax.tree.map(lambda x: jnp.full_like(x, -2e-3), params)
    first, state = tx.update(updates, tx.init(params), params)
    second, _ = tx.update(updates, state, params)
    assert (first["a"] != first["b"]).any()
    assert (first["a"] != second["a"]).any()


def test_parameters_are_needed():
    tx = transforms.round_stochastically(jax.random.key(0))
    with pytest.raises(ValueError, match=r"reads the parameters: call update\(updates, state, params\)\."):
        tx.update(jnp.ones(1), tx.init(jnp.ones(1)))
