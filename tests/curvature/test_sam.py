"""SAM-sharpness against closed forms on linear and quadratic losses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature
from tests.curvature.matrices import with_spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

MATRIX = jnp.asarray(with_spectrum(np.array([0.5, 1.0, 2.0, 6.0])))


def quadratic(x):
    return 0.5 * x @ MATRIX @ x


def test_one_step_in_closed_form():
    x, rho = jnp.arange(1.0, 5.0), 0.3
    g = MATRIX @ x
    expected = rho * jnp.linalg.norm(g) + 0.5 * rho**2 * g @ MATRIX @ g / (g @ g)
    found = curvature.sam_sharpness(quadratic, x, rho=rho)
    np.testing.assert_allclose(found.value, expected, rtol=1e-13)
    np.testing.assert_allclose(found.perturbation, rho * g / jnp.linalg.norm(g), rtol=1e-13)


def test_near_a_minimum_it_climbs_to_half_the_sharpness():
    start = 1e-9 * jnp.ones(4)
    found = curvature.sam_sharpness(quadratic, start, rho=0.1, steps=40)
    np.testing.assert_allclose(found.value, 0.5 * 0.1**2 * 6.0, rtol=1e-6)
    one = curvature.sam_sharpness(quadratic, start, rho=0.1)
    assert one.value < 0.9 * found.value


def test_adaptive_in_closed_form():
    x, g, rho = jnp.array([1.0, -2.0, 0.0]), jnp.array([3.0, 4.0, 5.0]), 0.2
    found = curvature.sam_sharpness(lambda p: g @ p, x, rho=rho, adaptive=True)
    np.testing.assert_allclose(found.value, rho * np.hypot(3.0, 8.0), rtol=1e-13)
    assert found.perturbation[2] == 0


def test_adaptive_sharpness_is_invariant_to_rescaled_neurons():
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((6, 2)))

    def loss(p):
        return jnp.mean(jax.nn.relu(inputs @ p["in"]) @ p["out"]) ** 2

    rng = np.random.default_rng(1)
    params = {"in": jnp.asarray(rng.standard_normal((2, 3))), "out": jnp.asarray(rng.standard_normal(3))}
    factors = jnp.array([0.1, 3.0, 10.0])
    scaled = {"in": params["in"] * factors[None], "out": params["out"] / factors}
    for steps in (1, 5):
        a, b = (curvature.sam_sharpness(loss, p, rho=0.1, adaptive=True, steps=steps).value for p in (params, scaled))
        np.testing.assert_allclose(a, b, rtol=1e-10)
    a, b = (curvature.sam_sharpness(loss, p, rho=0.1).value for p in (params, scaled))
    assert abs(a / b - 1) > 0.1, "the plain measure is not"


def test_a_flat_place_and_the_best_of_the_climb():
    found = curvature.sam_sharpness(quadratic, jnp.zeros(4), steps=3)
    assert found.value == 0
    assert (found.perturbation == 0).all()
    # A hill: the first step up is the best, later ones may not lower it.
    few, many = (curvature.sam_sharpness(lambda x: jnp.sin(x).sum(), jnp.ones(1), rho=1.5, steps=s) for s in (1, 4))
    assert many.value >= few.value


@pytest.mark.parametrize(("option", "value"), [("rho", 0.0), ("steps", 0)])
def test_bad_numbers(option, value):
    with pytest.raises(ValueError, match=f"{option} must be"):
        curvature.sam_sharpness(quadratic, jnp.ones(4), **{option: value})
