"""Central differences: exact on parabolas, right on trees, and a judge of gradients by hand; networks pass them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import finite_differences
from jaxdl.models.cnn import CNN
from jaxdl.models.rnn import RNN


def test_parabolas_are_exact_up_to_rounding(rng):
    A, x = jnp.asarray(rng.normal(size=(5, 5))), jnp.asarray(100 * rng.normal(size=5))
    numerical = finite_differences.numerical_gradient(lambda x: x @ A @ x, x)
    np.testing.assert_allclose(numerical, (A + A.T) @ x, rtol=1e-8)


def test_trees_and_arguments():
    def f(params, scale):
        return scale * jnp.sum(jnp.sin(params["a"])) * params["b"]

    params = {"a": jnp.array([[0.3, 1.0]]), "b": jnp.array(2.0)}
    numerical = finite_differences.numerical_gradient(f, params, 3.0)
    np.testing.assert_allclose(numerical["a"], 6 * np.cos([[0.3, 1.0]]), rtol=1e-9)
    np.testing.assert_allclose(numerical["b"], 3 * np.sin([0.3, 1.0]).sum(), rtol=1e-9)


def test_a_wrong_gradient_is_measured_and_a_right_one_passes(rng):
    x = jnp.asarray(rng.normal(size=4))
    f, right = lambda x: jnp.sum(jnp.exp(x)), jnp.exp(x)
    assert finite_differences.gradient_error(f, x) < 1e-9
    assert finite_differences.gradient_error(f, x, gradient=right) < 1e-9
    np.testing.assert_allclose(finite_differences.gradient_error(f, x, gradient=0.9 * right), 0.1, rtol=1e-6)
    np.testing.assert_allclose(finite_differences.gradient_error(f, x, gradient=-right), 2, rtol=1e-6)
    assert finite_differences.gradient_error(lambda x: jnp.sum(0 * x), x) == 0


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (CNN((2,), outputs=3, activation=jnp.tanh, dtype="float64", param_dtype="float64"), (2, 4, 4, 1)),
        (RNN(features=3, outputs=1, dtype="float64", param_dtype="float64"), (2, 6, 1)),
    ],
)
def test_convolution_and_recurrence_pass(model, shape, rng, key):
    x = jnp.asarray(rng.normal(size=shape))
    params = model.init(key, x)
    error = jax.jit(lambda p: finite_differences.gradient_error(lambda p: jnp.mean(model.apply(p, x) ** 2), p))(params)
    assert error < 1e-8
