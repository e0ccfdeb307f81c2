"""Adam in closed form, its precision in half-precision parameters, and its gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import optimizers, transforms

GRADIENT = jnp.array([3.0, -1e-3, 1e-7, -20.0])


def first_step(**keywords):
    tx = optimizers.adam(0.1, **keywords)
    return tx.update(GRADIENT, tx.init(jnp.zeros(4)))[0]


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.1), (0.0, 0.0)])
@pytest.mark.parametrize("eps", [1e-8, 1e-2])
def test_first_step_is_the_sign_whatever_the_betas(betas, eps):
    expected = -0.1 * np.sign(GRADIENT) / (1 + eps / np.abs(GRADIENT))
    np.testing.assert_allclose(first_step(b1=betas[0], b2=betas[1], eps=eps), expected, rtol=1e-12)


def test_first_step_without_bias_correction():
    expected = -0.1 * np.sign(GRADIENT) * 0.1 / np.sqrt(0.001)
    np.testing.assert_allclose(first_step(bias_correction=False, eps=0.0), expected, rtol=1e-12)


def test_first_step_of_nadam_looks_ahead():
    # m̂ = β₁(1−β₁)g/(1−β₁²) + g = g (β₁/(1+β₁) + 1)
    expected = -0.1 * np.sign(GRADIENT) * (0.9 / 1.9 + 1)
    np.testing.assert_allclose(first_step(nesterov=True, eps=0.0), expected, rtol=1e-12)


def test_constant_gradient_moves_by_the_rate_at_every_step():
    tx = optimizers.adam(0.1, eps=0.0)
    state = tx.init(jnp.zeros(4))
    for _ in range(5):
        update, state = tx.update(GRADIENT, state)
        np.testing.assert_allclose(update, -0.1 * np.sign(GRADIENT), rtol=1e-12)


def test_steps_do_not_depend_on_the_scale_of_the_gradient():
    tx = optimizers.adam(0.1, eps=0.0)
    states = [tx.init(jnp.zeros(4)) for _ in range(2)]
    for t in range(4):
        gradient = GRADIENT * (1 + t) ** 2 * (-1) ** t
        (small, states[0]), (large, states[1]) = (
            tx.update(c * gradient, state) for c, state in zip((1.0, 1e6), states, strict=True)
        )
        np.testing.assert_allclose(large, small, rtol=1e-12)


def test_is_rmsprop_where_the_mean_forgets_at_once():
    adam = transforms.scale_by_adam(b1=0.0, b2=0.9)
    rms = transforms.scale_by_rms(0.9, eps_in_sqrt=False, bias_correction=True)
    states = adam.init(GRADIENT), rms.init(GRADIENT)
    for t in range(4):
        gradient = GRADIENT * (t - 1.5)
        (a, first), (r, second) = adam.update(gradient, states[0]), rms.update(gradient, states[1])
        states = first, second
        np.testing.assert_allclose(a, r, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_parameters_keep_a_wide_second_moment(dtype):
    tx = transforms.scale_by_adam()
    gradient = jnp.full(3, 1e-4, dtype)  # its square is 0 in float16
    state = tx.update(gradient, tx.init(jnp.zeros(3, dtype)))[1]
    assert (state.mu.dtype, state.nu.dtype) == (dtype, jnp.float32)
    np.testing.assert_allclose(state.nu, 0.001 * np.float64(gradient[0]) ** 2, rtol=1e-4)


def test_bias_correction_is_computed_wide():
    assert 1 - jnp.asarray(0.999, "bfloat16") ** jnp.asarray(1, "bfloat16") == 0  # what a narrow power would divide by
    tx = transforms.scale_by_adam()
    direction, _ = tx.update(jnp.full(3, 0.5, "bfloat16"), tx.init(jnp.zeros(3, "bfloat16")))
    assert direction.dtype == jnp.bfloat16
    assert direction.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("asked", "stored"), [("bfloat16", "bfloat16"), ("float64", "float64"), (None, "float32")])
def test_mean_stays_in_the_dtype_asked_for(asked, stored):
    tx = transforms.scale_by_adam(mu_dtype=asked)
    start = tx.init(jnp.zeros(2, "float32"))
    direction, state = tx.update(jnp.ones(2, "float32"), start)
    assert (start.mu.dtype, state.mu.dtype, direction.dtype) == (stored, stored, "float32")


def test_complex_parameters_have_a_real_second_moment():
    tx = transforms.scale_by_adam(eps=0.0)
    direction, state = tx.update(jnp.array([3 + 4j]), tx.init(jnp.zeros(1, "complex128")))
    assert state.nu.dtype == jnp.float64
    np.testing.assert_allclose(direction, [0.6 + 0.8j], rtol=1e-12)


@pytest.mark.parametrize("factory", [optimizers.adam, optimizers.adamw, optimizers.rmsprop])
def test_training_can_be_differentiated_where_a_gradient_is_always_zero(factory):
    inputs = jnp.array([1.0, 0.0, 2.0])  # the second is a dead pixel: its weight never has a gradient

    def final_loss(rate):
        def loss(theta):
            return jnp.sum((theta * inputs - 1) ** 2)

        tx, theta = factory(rate), jnp.zeros(3)
        state = tx.init(theta)
        for _ in range(3):
            updates, state = tx.update(jax.grad(loss)(theta), state, theta)
            theta = optax.apply_updates(theta, updates)
        return loss(theta)

    quotient = (final_loss(0.01 + 1e-6) - final_loss(0.01 - 1e-6)) / 2e-6
    np.testing.assert_allclose(jax.grad(final_loss)(0.01), quotient, rtol=1e-6)


REFUSED = [
    ({"b1": 1.0}, r"b1 must lie in \[0, 1\), got 1\."),
    ({"b2": -0.1}, r"b2 must lie in \[0, 1\), got -0\.1\."),
    ({"eps": -1e-8}, r"eps must be non-negative, got -1e-08\."),
    ({"eps_root": -1.0}, r"eps_root must be non-negative, got -1\."),
]


@pytest.mark.parametrize(("keywords", "sentence"), REFUSED)
def test_values_out_of_range_are_refused(keywords, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        transforms.scale_by_adam(**keywords)
