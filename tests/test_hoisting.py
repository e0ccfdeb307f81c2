"""What scalars decide is computed once, and nothing but the size of the program shows it."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl.hoisting import hoisted

X, Y = np.array([1.0, -2.0]), np.array([[0.5, 3.0, -1.0]])


def rule(scalars, x):
    rate, power = scalars["rate"], scalars["power"]
    return {"u": x * jnp.sqrt(1 - rate**power), "s": jnp.where(x == 0, jnp.ones_like(x), jnp.sin(x) / (1 + rate))}


def apart(rate, x, y):
    scalars = {"rate": jnp.asarray(rate), "power": jnp.asarray(3.0)}
    return [rule(scalars, z) for z in (x, y, 2 * x)]


def shared(rate, x, y):
    once = hoisted(rule, {"rate": jnp.asarray(rate), "power": jnp.asarray(3.0)})
    return [once(z) for z in (x, y, 2 * x)]


def sine_sum(function):
    return lambda *args: sum(jnp.sum(jnp.sin(z)) for z in jax.tree.leaves(function(*args)))


@pytest.mark.parametrize("of", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_values_are_those_of_the_function(of):
    tolerance = 0 if of is not jax.jit else 1e-15
    for a, b in zip(*(jax.tree.leaves(of(f)(0.25, X, Y)) for f in (apart, shared)), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance)


def test_slopes_are_those_of_the_function_in_scalars_and_in_arrays():
    for argument in range(3):
        a, b = (jax.grad(sine_sum(f), argument)(0.25, X, Y) for f in (apart, shared))
        np.testing.assert_allclose(a, b, rtol=1e-15)
        assert np.all(a != 0)


def test_scalars_may_be_mapped():
    rates = jnp.array([0.1, 0.5])
    mapped = jax.vmap(sine_sum(shared), (0, None, None))(rates, X, Y)
    np.testing.assert_allclose(mapped, [sine_sum(apart)(rate, X, Y) for rate in rates], rtol=1e-15)


def primitives(function, *args):
    return Counter(equation.primitive.name for equation in jax.make_jaxpr(function)(*args).eqns)


def test_arrays_of_every_shape_share_what_the_scalars_decide():
    found = primitives(shared, 0.25, X, Y)
    assert (found["pow"], found["sqrt"], found["sub"]) == (1, 1, 1)
    assert found["sin"] == found["div"] == 3
    assert primitives(apart, 0.25, X, Y)["pow"] == 3


def test_what_the_function_captures_belongs_to_its_shape():
    factors = {(2,): jnp.asarray(3.0), (1, 3): jnp.asarray(5.0)}

    def scaled(rate, x):
        return x * (rate * factors[x.shape])

    def both(rate, x, y):
        once = hoisted(scaled, rate)
        return once(x), once(y)

    for found in (both(2.0, X, Y), jax.jit(both)(2.0, X, Y)):
        np.testing.assert_array_equal(found[0], 6 * X)
        np.testing.assert_array_equal(found[1], 10 * Y)


def test_what_is_as_large_as_an_array_is_not_kept_for_all():
    def filled(rate, x):
        return x + jnp.full(x.shape, rate)

    def several(rate, x):
        once = hoisted(filled, rate)
        return [once(x) for _ in range(3)]

    assert primitives(several, 0.5, X)["broadcast_in_dim"] == 3


def test_constants_made_inside_the_function_are_not_confused():
    def tabled(rate, x):
        table = np.arange(float(x.size)) + 1
        return x * table.reshape(x.shape) * rate

    once = hoisted(tabled, jnp.asarray(2.0))
    for x in [np.ones(n) for n in range(1, 9)]:
        np.testing.assert_array_equal(once(x), 2 * (np.arange(float(x.size)) + 1))
