"""Dropout in both forms: means, their equivalence by a factor, and rates that are traced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.models.dropout import inverted, weight_scaling
from jaxdl.models.mlp import MLP

H = jnp.linspace(-1, 2, 20000, dtype=jnp.float32)


def test_inverted_keeps_a_part_and_scales_it(key):
    dropped = np.asarray(inverted.in_training(key, H, 0.25))
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], np.asarray(H)[kept] / 0.75, rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 4 * np.sqrt(0.25 * 0.75 / H.size)
    np.testing.assert_array_equal(inverted.in_evaluation(H, 0.25), H)


def test_both_forms_are_one_method_for_weights_that_differ_by_a_factor(key):
    scaled = H / 0.6
    np.testing.assert_allclose(
        weight_scaling.in_training(key, scaled, 0.4), inverted.in_training(key, H, 0.4), rtol=1e-6
    )
    np.testing.assert_allclose(weight_scaling.in_evaluation(scaled, 0.4), inverted.in_evaluation(H, 0.4), rtol=1e-6)


@pytest.mark.parametrize("form", [inverted, weight_scaling])
def test_mean_in_training_is_what_evaluation_sees(form, key):
    draws = jax.vmap(lambda k: form.in_training(k, jnp.full(200, 3.0), 0.3))(jax.random.split(key, 200))
    error = float(draws.std()) / np.sqrt(draws.size)
    assert abs(float(draws.mean()) - float(form.in_evaluation(jnp.full(1, 3.0), 0.3)[0])) < 4 * error


@pytest.mark.parametrize("form", [inverted, weight_scaling])
def test_rate_one_drops_all_with_a_finite_gradient_and_rate_zero_none(form, key):
    def total(h, rate):
        return jnp.sum(form.in_training(key, h, rate))

    value, slope = jax.jit(jax.value_and_grad(total))(H, 1.0)
    assert value == 0
    np.testing.assert_array_equal(slope, np.zeros(H.size))
    np.testing.assert_array_equal(form.in_training(key, H, jnp.float32(0)), H)


def test_rates_of_a_network_may_be_mapped(key):
    x = jnp.ones((3, 4), jnp.float32)
    variables = MLP((50, 1)).init(key, x)

    def output(rate):
        model = MLP((50, 1), dropout_rate=rate)
        return model.apply(variables, x, training=True, rngs={"dropout": key})

    swept = jax.jit(jax.vmap(output))(jnp.array([0.0, 0.5], jnp.float32))
    np.testing.assert_allclose(swept[0], MLP((50, 1)).apply(variables, x), rtol=1e-5)
    np.testing.assert_allclose(swept[1], output(0.5), rtol=1e-5)
    assert jnp.abs(swept[1] - swept[0]).min() > 0


def test_layers_draw_masks_of_their_own(key):
    model = MLP((64, 64, 1), dropout_rate=0.5)
    x = jnp.ones((1, 4), jnp.float32)
    variables = model.init(key, x)
    keep = {"params": jax.tree.map(jnp.zeros_like, variables["params"])}
    keep["params"]["Dense_0"]["bias"] = jnp.ones(64, jnp.float32)
    keep["params"]["Dense_1"]["kernel"] = jnp.eye(64, dtype=jnp.float32)
    keep["params"]["Dense_2"]["kernel"] = jnp.ones((64, 1), jnp.float32)
    kept = float(model.apply(keep, x, training=True, rngs={"dropout": key})[0, 0]) / 4  # units that pass both masks
    assert 4 < kept < 28, "one mask twice would keep about 32 of 64, two of them 16 ± 3.5"


def test_a_network_scales_afterwards_where_it_is_asked_to(key):
    x = jnp.ones((2, 4), jnp.float32)
    model = MLP((6, 1), dropout_rate=0.5, dropout=weight_scaling)
    variables = model.init(key, x)
    np.testing.assert_allclose(model.apply(variables, x), 0.5 * MLP((6, 1)).apply(variables, x), rtol=1e-6)
