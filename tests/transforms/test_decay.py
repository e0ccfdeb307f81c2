"""Weight decay in closed form, what its place in the chain means, and masks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import optimizers, schedules, transforms
from tests import cases

PARAMS = {"bias": jnp.array([2.0]), "dense": {"kernel": jnp.array([[3.0, -1.0]])}}
ZEROS = jax.tree.map(jnp.zeros_like, PARAMS)


def decayed(tx, steps, params=PARAMS):
    """The parameters after steps in which the loss is flat."""
    state = tx.init(params)
    for _ in range(steps):
        updates, state = tx.update(jax.tree.map(jnp.zeros_like, params), state, params)
        params = optax.apply_updates(params, updates)
    return params


def assert_shrunk(params, bias, kernel):
    np.testing.assert_allclose(params["bias"], bias * PARAMS["bias"], rtol=1e-14)
    np.testing.assert_allclose(params["dense"]["kernel"], kernel * PARAMS["dense"]["kernel"], rtol=1e-14)


def test_decoupled_decay_alone_is_geometric():
    assert_shrunk(decayed(optimizers.adamw(0.1, weight_decay=0.5), 7), 0.95**7, 0.95**7)


def test_coupled_decay_alone_is_not_it_is_adams_sign_of_the_weight():
    coupled = optax.chain(transforms.add_l2_gradient(0.5), optimizers.adam(0.1, eps=0.0))
    np.testing.assert_allclose(decayed(coupled, 1)["dense"]["kernel"], [[2.9, -0.9]], rtol=1e-14)


def test_coupled_and_decoupled_decay_are_one_for_plain_descent_and_two_for_momentum():
    before = {"theta": lambda rate, mu: optax.chain(transforms.add_l2_gradient(0.3), optimizers.sgd(rate, mu))}
    theta, gradients = cases.feed("float64")

    def distance(mu):
        inner = transforms.trace(mu)
        after = optax.chain(inner, transforms.add_decayed_weights(0.3), transforms.scale_by_learning_rate(0.02))
        return cases.deviation(
            cases.path(after, theta, gradients), cases.path(before["theta"](0.02, mu), theta, gradients)
        )

    assert distance(0.0) < 1e-12
    assert distance(0.9) > 0.1


def test_scheduled_decay_is_called_with_the_completed_updates():
    tx = optimizers.adamw(0.1, weight_decay=schedules.piecewise_constant(0.5, {2: 0.0}))
    assert_shrunk(decayed(tx, 5), 0.95**2, 0.95**2)


MASKS = {
    "none": (None, 0.95, 0.95),
    "prefix": ({"bias": False, "dense": True}, 1, 0.95),
    "full": ({"bias": True, "dense": {"kernel": False}}, 0.95, 1),
    "callable": (lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params), 1, 0.95),
    "callable prefix": (lambda params: {"bias": False, "dense": True}, 1, 0.95),
    "one for all": (False, 1, 1),
}


@pytest.mark.parametrize("name", MASKS)
def test_mask_chooses_the_leaves(name):
    mask, bias, kernel = MASKS[name]
    assert_shrunk(decayed(optimizers.adamw(0.1, weight_decay=0.5, mask=mask), 1), bias, kernel)


@pytest.mark.parametrize("add", [transforms.add_decayed_weights, transforms.add_l2_gradient])
def test_adds_the_weights_to_the_direction(add):
    tx = add(0.5)
    direction, _ = tx.update(jax.tree.map(jnp.ones_like, PARAMS), tx.init(PARAMS), PARAMS)
    assert direction["dense"]["kernel"].tolist() == [[2.5, 0.5]]


def test_decay_in_bfloat16_is_added_in_float32():
    tx = transforms.add_decayed_weights(1e-3)
    theta = jnp.ones(1, "bfloat16")
    direction, _ = tx.update(jnp.full(1, 2.0, "float32"), tx.init(theta), theta)
    np.testing.assert_allclose(direction, 2.001, rtol=1e-7)


def test_missing_parameters_are_an_error():
    tx = optimizers.adamw(0.1)
    with pytest.raises(ValueError, match=r"reads the parameters: call update\(updates, state, params\)\."):
        tx.update(ZEROS, tx.init(PARAMS))


@pytest.mark.parametrize("add", [transforms.add_decayed_weights, transforms.add_l2_gradient])
def test_negative_decay_is_refused(add):
    with pytest.raises(ValueError, match=r"^weight_decay must be non-negative, got -0\.1\.$"):
        add(-0.1)
