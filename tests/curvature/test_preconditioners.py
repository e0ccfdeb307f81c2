"""Preconditioners against NumPy from the equations, step by step, for every way to build the rule."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl.curvature import preconditioners

pytestmark = pytest.mark.usefixtures("quick_compilation")

GRADIENTS = np.random.default_rng(0).standard_normal((7, 3))


def after(tx, count):
    """The state after some updates."""
    state = tx.init(jnp.zeros(3))
    for g in GRADIENTS[:count]:
        _, state = tx.update(jnp.asarray(g), state, jnp.zeros(3))
    return state


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("bias_correction", [True, False])
def test_adam(count, bias_correction):
    b1, b2, eps, eps_root = 0.7, 0.9, 0.3, 0.2
    v = sum(0.1 * 0.9 ** (count - 1 - i) * g**2 for i, g in enumerate(GRADIENTS[:count]))
    expected = np.sqrt(v + eps_root) + eps
    if bias_correction:
        expected = (1 - b1**count) * (np.sqrt(v / (1 - b2**count) + eps_root) + eps)
    arguments = {"b1": b1, "b2": b2, "eps": eps, "eps_root": eps_root, "bias_correction": bias_correction}
    found = preconditioners.adam(**arguments)(after(jaxdl.adamw(0.1, **arguments), count))
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("eps_in_sqrt", "centered", "bias_correction"), list(itertools.product([True, False], repeat=3))
)
def test_rmsprop_is_the_gradient_over_the_direction(eps_in_sqrt, centered, bias_correction):
    arguments = {"decay": 0.8, "eps": 0.1, "eps_in_sqrt": eps_in_sqrt, "bias_correction": bias_correction}
    tx = jaxdl.rmsprop(1.0, centered=centered, **arguments)
    state = after(tx, 6)
    updates, state = tx.update(jnp.asarray(GRADIENTS[6]), state, jnp.zeros(3))
    np.testing.assert_allclose(preconditioners.rmsprop(**arguments)(state), -GRADIENTS[6] / updates, rtol=1e-13)


def test_the_moments_are_found_wherever_they_stand():
    tx = optax.chain(jaxdl.clip_by_global_norm(1e9), jaxdl.adam(0.1))
    plain = preconditioners.adam()(after(jaxdl.adam(0.1), 3))
    np.testing.assert_allclose(preconditioners.adam()(after(tx, 3)), plain, rtol=1e-15)


def test_two_moments_are_not_guessed_between():
    tx = optax.chain(jaxdl.scale_by_adam(), jaxdl.scale_by_adam())
    with pytest.raises(ValueError, match="reads one ScaleByAdamState in the optimizer's state, found 2"):
        preconditioners.adam()(tx.init(jnp.zeros(2)))


def test_floats_may_be_traced():
    state = after(jaxdl.adam(0.1, b2=0.9), 3)
    traced = jax.jit(lambda b2, eps: preconditioners.adam(b2=b2, eps=eps)(state))(0.9, 1e-8)
    np.testing.assert_allclose(traced, preconditioners.adam(b2=0.9)(state), rtol=1e-15)


@pytest.mark.parametrize(
    ("factory", "option"),
    [(preconditioners.adam, "b1"), (preconditioners.adam, "eps"), (preconditioners.rmsprop, "decay")],
)
def test_bad_numbers(factory, option):
    with pytest.raises(ValueError, match=f"{option} must"):
        factory(**{option: -1.0})
