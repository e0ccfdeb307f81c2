"""Momentum in closed form: impulse responses, and powers of the transfer matrix on a quadratic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import optimizers, transforms
from tests import cases


def responses(transform, gradients):
    """The directions that follow a sequence of scalar gradients."""
    state, directions = transform.init(jnp.zeros(())), []
    for g in gradients:
        direction, state = transform.update(jnp.asarray(g), state)
        directions.append(float(direction))
    return np.array(directions)


IMPULSE = np.eye(8)[0]
MU = 0.75


def test_trace_of_an_impulse_decays_by_mu():
    np.testing.assert_allclose(responses(transforms.trace(MU), IMPULSE), MU ** np.arange(8.0), rtol=1e-15)


def test_nesterov_trace_of_an_impulse_is_one_power_ahead():
    ahead = MU ** np.arange(1.0, 9.0) + IMPULSE
    np.testing.assert_allclose(responses(transforms.trace(MU, nesterov=True), IMPULSE), ahead, rtol=1e-15)


def test_trace_of_a_constant_is_the_geometric_sum():
    sums = (1 - MU ** np.arange(1.0, 9.0)) / (1 - MU)
    np.testing.assert_allclose(responses(transforms.trace(MU), np.ones(8)), sums, rtol=1e-15)


# One step on ½hθ² as a matrix acting on (θ, velocity), by hand from the two lines of each convention.
ETA, H = 0.3, 1.7
TRANSFER = {
    # b' = μb + hθ, θ' = θ − ηb'
    "heavy ball, outside": ({}, [[1 - ETA * H, -ETA * MU], [H, MU]]),
    # b' = μb + hθ, θ' = θ − η(hθ + μb')
    "nesterov, outside": ({"nesterov": True}, [[1 - ETA * H * (1 + MU), -ETA * MU**2], [H, MU]]),
    # v' = μv − ηhθ, θ' = θ + v'
    "heavy ball, inside": ({"learning_rate_in_velocity": True}, [[1 - ETA * H, MU], [-ETA * H, MU]]),
    # v' = μv − ηhθ, θ' = θ − ηhθ + μv'
    "nesterov, inside": (
        {"nesterov": True, "learning_rate_in_velocity": True},
        [[1 - ETA * H * (1 + MU), MU**2], [-ETA * H, MU]],
    ),
}


@pytest.mark.parametrize("name", TRANSFER)
def test_quadratic_is_powers_of_the_transfer_matrix(name):
    keywords, matrix = TRANSFER[name]
    tx = optimizers.sgd(ETA, MU, **keywords)

    def step(carry, _):
        theta, state = carry
        update, state = tx.update(H * theta, state)
        return (theta + update, state), theta + update

    start = jnp.asarray(1.5)
    path = jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), length=40)[1])()
    powers = [np.linalg.matrix_power(np.array(matrix), t) @ [1.5, 0.0] for t in range(1, 41)]
    np.testing.assert_allclose(path, np.array(powers)[:, 0], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("nesterov", [False, True])
def test_where_the_rate_enters_shows_only_when_it_decays(nesterov):
    def distance(rate):
        rates = cases.RATES[rate].ours(0.02)
        inside, outside = (
            cases.path(optimizers.sgd(rates, 0.9, nesterov, learning_rate_in_velocity=inside), *cases.feed("float64"))
            for inside in (True, False)
        )
        return cases.deviation(inside, outside)

    assert distance("constant") < 1e-12
    assert distance("cosine") > 0.1


@pytest.mark.parametrize(("asked", "stored"), [("float32", "float32"), (None, "bfloat16")])
def test_velocity_stays_in_the_dtype_asked_for(asked, stored):
    tx = transforms.trace(0.9, accumulator_dtype=asked)
    start = tx.init(jnp.zeros(2, "bfloat16"))
    direction, state = tx.update(jnp.ones(2, "bfloat16"), start)
    assert (start.trace.dtype, state.trace.dtype, direction.dtype) == (stored, stored, "bfloat16")


def test_momentum_of_one_never_forgets():
    assert responses(transforms.trace(1.0), np.ones(3)).tolist() == [1, 2, 3]


def test_negative_decay_is_refused():
    with pytest.raises(ValueError, match=r"decay must be non-negative, got -0\.5\."):
        transforms.trace(-0.5)
