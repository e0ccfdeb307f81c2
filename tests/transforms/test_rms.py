"""RMSProp in closed form for a constant gradient, and the variance that does not cancel."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import transforms
from tests import oracles
from tests.conftest import peer

G, ALPHA, T = 0.1, 0.9, np.arange(1.0, 31.0)
FORGOTTEN = ALPHA**T
"""αᵗ, the weight of the start after t constant gradients."""

# keywords → what g is divided by, after t equal gradients and with ε = 0
DENOMINATORS = {
    "plain": (transforms.scale_by_rms, {}, G * np.sqrt(1 - FORGOTTEN)),
    "plain, initial scale": (
        transforms.scale_by_rms,
        {"initial_scale": 1.0},
        np.sqrt(FORGOTTEN + (1 - FORGOTTEN) * G**2),
    ),
    "plain, bias correction": (transforms.scale_by_rms, {"bias_correction": True}, np.full(30, G)),
    # A mean of zero has weight αᵗ and g has the rest: the variance of a coin.
    "centred": (transforms.scale_by_stddev, {}, G * np.sqrt(FORGOTTEN * (1 - FORGOTTEN))),
    "centred, initial scale": (
        transforms.scale_by_stddev,
        {"initial_scale": 1.0},
        np.sqrt(FORGOTTEN * (1 + (1 - FORGOTTEN) * G**2)),
    ),
}


def directions(transform, gradients):
    def step(state, gradient):
        direction, state = transform.update(gradient, state)
        return state, direction

    start = transform.init(jnp.zeros_like(gradients[0]))
    return np.asarray(jax.jit(lambda: jax.lax.scan(step, start, gradients)[1])(), np.float64)


@pytest.mark.parametrize("eps_in_sqrt", [True, False])
@pytest.mark.parametrize("name", DENOMINATORS)
def test_constant_gradient(name, eps_in_sqrt):
    factory, keywords, denominator = DENOMINATORS[name]
    tx = factory(ALPHA, eps=0.0, eps_in_sqrt=eps_in_sqrt, **keywords)
    np.testing.assert_allclose(directions(tx, jnp.full(30, G)), G / denominator, rtol=1e-12)


@pytest.mark.parametrize(("eps_in_sqrt", "direction"), [(True, 1e4), (False, 1e8)])
def test_epsilon_alone_divides_where_there_is_no_variance(eps_in_sqrt, direction):
    tx = transforms.scale_by_stddev(0.0, eps_in_sqrt=eps_in_sqrt)
    np.testing.assert_allclose(directions(tx, jnp.ones(3)), direction, rtol=1e-12)


# --- float32: ν − μ² is a difference of nearly equal numbers wherever the gradient is steady --------------------------

STEPS, RATE = 500, 0.1
NAIVE = optax.scale_by_stddev
"""optax 0.2.8, like torch and Keras, computes ν − μ²."""


def steps_and_exact_steps(factory, gradients):
    """Centred RMSProp's steps in float32, and those of the two-pass variance in float64 from the same gradients."""
    gradients = np.float32(gradients)
    with peer():
        steps = -RATE * directions(factory(), jnp.asarray(gradients))
    wide = np.float64(gradients)[:, None]
    path = oracles.rmsprop(np.zeros(1), wide, np.full(STEPS, RATE), decay=0.9, eps=1e-8, centered=True)
    return steps, np.diff(path[:, 0], prepend=0.0)


def worst_relative_error(factory, gradients):
    steps, exact = steps_and_exact_steps(factory, gradients)
    return np.max(np.abs(steps / exact - 1))


def test_steady_gradient_keeps_to_the_exact_variance():
    steady = np.full(STEPS, 0.1)
    assert worst_relative_error(transforms.scale_by_stddev, steady) < 1e-5
    assert worst_relative_error(NAIVE, steady) > 0.1


def test_steady_gradient_is_bounded_by_epsilon():
    steps, _ = steps_and_exact_steps(transforms.scale_by_stddev, np.full(STEPS, 0.1))
    assert np.max(np.abs(steps)) <= RATE * 0.1 / np.sqrt(1e-8) * (1 + 1e-6)


def test_almost_steady_gradient_keeps_a_variance_where_the_difference_turns_negative(rng):
    almost = 1 + 1e-4 * rng.normal(size=STEPS)
    assert worst_relative_error(transforms.scale_by_stddev, almost) < 1e-3
    assert np.isnan(worst_relative_error(NAIVE, almost))


# --- precision and errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_parameters_keep_wide_moments(dtype):
    gradient = jnp.full(3, 1e-4, dtype)  # its square is 0 in float16
    rms, stddev = transforms.scale_by_rms(), transforms.scale_by_stddev()
    plain = rms.update(gradient, rms.init(gradient))[1]
    centred = stddev.update(gradient, stddev.init(gradient))[1]
    assert {plain.nu.dtype, centred.mu.dtype, centred.var.dtype} == {jnp.dtype("float32")}
    square = np.float64(gradient[0]) ** 2
    np.testing.assert_allclose(plain.nu, 0.1 * square, rtol=1e-6)
    np.testing.assert_allclose(centred.var, 0.9 * 0.1 * square, rtol=1e-6)


def test_second_moment_in_bfloat16_parameters_does_not_stagnate():
    tx = transforms.scale_by_rms(decay=0.999, eps=0.0)
    moments = directions(tx, jnp.ones(2000, "bfloat16"))
    # A bfloat16 ν would stop growing near 0.25, where 0.001 (1 − ν) is less than half its last digit.
    assert moments[-1] == pytest.approx(1 / np.sqrt(1 - 0.999**2000), rel=1 / 128)


def test_complex_gradients_have_real_moments():
    gradient = jnp.array([3 + 4j])
    for tx in (transforms.scale_by_rms(0.75, eps=0.0), transforms.scale_by_stddev(0.5, eps=0.0)):
        direction, state = tx.update(gradient, tx.init(gradient))
        assert state[-1].dtype == jnp.float64
        np.testing.assert_allclose(direction, [(3 + 4j) / 2.5], rtol=1e-12)


REFUSED = [
    ({"decay": 1.0}, r"decay must lie in \[0, 1\), got 1\."),
    ({"decay": -0.5}, r"decay must lie in \[0, 1\), got -0\.5\."),
    ({"eps": -1.0}, r"eps must be non-negative, got -1\."),
    ({"initial_scale": -2.0}, r"initial_scale must be non-negative, got -2\."),
]


@pytest.mark.parametrize("factory", [transforms.scale_by_rms, transforms.scale_by_stddev])
@pytest.mark.parametrize(("keywords", "sentence"), REFUSED)
def test_values_out_of_range_are_refused(factory, keywords, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        factory(**keywords)
