"""The shortcut: the same values, from fewer products, wherever the parameters enter linearly; elsewhere no shortcut."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape, losses
from jaxdl.landscape import affine, programs
from jaxdl.landscape.directions import combination
from jaxdl.models.cnn import CNN
from jaxdl.models.mlp import MLP
from tests.conftest import peer

pytestmark = pytest.mark.usefixtures("quick_compilation")

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.standard_normal((6, 8, 8, 1)))
LABELS = jnp.asarray(RNG.integers(0, 10, 6))
WIDE = {"dtype": jnp.float64, "param_dtype": jnp.float64}


def like(tree, seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: jnp.asarray(rng.standard_normal(x.shape)), tree)


def both(function, params, *args):
    """By the shortcut and plainly, at two points of a plane; and the halves."""
    axes = (like(params, 1), like(params, 2))
    halves = affine.split(function, params, 2, args)
    prepared = halves.prepare(params, axes, args)
    for a in (jnp.array([0.3, -2.0]), jnp.array([0.0, 1.0])):
        moved = jax.tree.map(jnp.add, params, combination(a, axes))
        yield halves.at(prepared, a), function(moved, *args), halves


def mlp():
    return MLP((16, 10), **WIDE)


def cnn():
    return CNN((4, 6), **WIDE)


def convolution():
    return nn.Sequential(
        [nn.Conv(4, (3, 3), **WIDE), jax.nn.relu, lambda x: x.reshape(len(x), -1), nn.Dense(10, **WIDE)]
    )


@pytest.mark.parametrize("make", [mlp, pytest.param(cnn, marks=pytest.mark.slow), convolution])
def test_networks_have_one_product_less(make):
    model = make()
    with peer():
        params = like(model.init(jax.random.key(0), X), 0)

        def function(p, x, y):
            logits = model.apply(p, x)
            return {"loss": losses.cross_entropy(logits, y), "accuracy": losses.accuracy(logits, y)}

        for got, want, halves in both(function, params, X, LABELS):
            assert halves.products == 1
            np.testing.assert_allclose(got["loss"], want["loss"], rtol=1e-12)
            np.testing.assert_array_equal(got["accuracy"], want["accuracy"])


def products_in(function, *args):
    return str(jax.make_jaxpr(function)(*args)).count("dot_general")


def test_of_a_linear_model_no_product_is_left():
    def loss(w, x, y):
        return losses.cross_entropy(x.reshape(len(x), -1) @ w["kernel"] / 2.0 + w["bias"], y)

    params = {"kernel": like(jnp.zeros((64, 10)), 0), "bias": jnp.ones((10,))[None]}
    ((got, want, halves), _) = both(loss, params, X, LABELS)
    np.testing.assert_allclose(got, want, rtol=1e-12)
    prepared = halves.prepare(params, (params, params), (X, LABELS))
    assert products_in(halves.at, prepared, jnp.zeros(2)) == 0
    assert products_in(loss, params, X, LABELS) == 1


def test_every_linear_operation_is_followed():
    def function(w, x, table):
        h = jnp.concatenate([x @ w["a"], jnp.ones((6, 2))], axis=1)
        h = jnp.pad(h.T, ((1, 0), (0, 0)), constant_values=3.0)[::-1] - 2.0
        h = -h.sum(axis=0) * 3.0 + w["b"][table] + w["b"].sum()
        return jnp.tanh(h), 1.0 - h, table + 1

    params = {"a": like(jnp.zeros((8, 5)), 0), "b": jnp.arange(4.0)}
    for got, want, halves in both(function, params, X[:, 0, :, 0], jnp.array([0, 3, 1, 1, 2, 0])):
        assert halves.products == 1
        for g, w in zip(got, want, strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda w, x: jnp.sum((x @ w["a"]) @ w["b"]),  # a product of two that move
        lambda w, x: jnp.sum(x / w["c"]) + jnp.sum(w["a"] * w["a"]),
        lambda w, x: jax.lax.scan(lambda h, row: (jnp.tanh(h + row @ w["a"]), None), jnp.zeros(5), x)[0].sum(),
        lambda w, x: jnp.where(w["c"] > 0, x, -x).sum(),
        lambda w, x: (x.astype(jnp.float32) @ w["a"].astype(jnp.float32)).sum().astype(x.dtype),
        lambda w, x: jnp.max(w["a"].T @ w["a"]),
    ],
)
def test_what_is_not_linear_is_computed_at_every_point(function):
    params = {"a": like(jnp.zeros((8, 5)), 0), "b": like(jnp.zeros((5,)), 1), "c": jnp.array(1.5)}
    for got, want, _ in both(function, params, X[:, 0, :, 0]):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_product_that_costs_less_than_its_parts_is_not_taken_apart():
    halves = affine.split(lambda w, x: jnp.tanh(x @ w), jnp.ones((2, 50)), 2, (jnp.ones((9, 2)),))
    assert halves.products == 0


def test_slices_take_the_shortcut_where_there_is_one(monkeypatch):
    taken = []
    chosen = programs.Programs.chosen

    def noted(*given):
        taken.append(chosen(*given))
        return taken[-1]

    monkeypatch.setattr(programs.Programs, "chosen", noted)
    w, x = jnp.ones((8, 3)), X[:, 0, :, 0]
    by_shortcut = landscape.line(lambda w: jnp.sum(jnp.tanh(x @ w)), w, w, points=3)
    plainly = landscape.line(lambda w: jnp.sum(jnp.tanh(x @ w)), w, w, points=3, shortcut=False)
    assert [short for _, short in taken] == [True, False]
    np.testing.assert_allclose(by_shortcut["loss"], plainly["loss"], rtol=1e-13)
    landscape.line(lambda w: jnp.sum(jnp.tanh(x @ w)), w, w, points=3, memory=10**6)
    landscape.line(lambda w: jnp.sum(w**2), w, w, points=3)
    assert [short for _, short in taken[2:]] == [True, False]
    with pytest.raises(ValueError, match="shortcut=True cannot give them"):
        landscape.line(lambda w: jnp.sum(w**2), w, w, points=3, shortcut=True, derivatives=True)


def test_a_shortcut_that_does_not_agree_is_not_taken(monkeypatch):
    """Tanh said to be linear: the check at three points finds it out."""
    monkeypatch.setattr(affine, "TERMWISE", affine.TERMWISE | {"tanh"})
    w, x = like(jnp.ones((8, 3)), 0), X[:, 1, :, 0]

    def loss(w):
        return jnp.sum(jnp.tanh(x @ w))

    with pytest.warns(UserWarning, match="the slice is computed without it"):
        data = landscape.line(loss, w, w, points=5)
    np.testing.assert_allclose(data["loss"], [loss(w * (1 + a)) for a in np.linspace(-1, 1, 5)], rtol=1e-12)
    with pytest.raises(ValueError, match="must agree with what it replaces within 16 √ε, it is off by"):
        landscape.line(loss, w, w, points=5, shortcut=True)


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32, jnp.bfloat16])
def test_roundings_are_no_disagreement(dtype):
    w, x = (like(jnp.zeros(shape), 3).astype(dtype) for shape in ((500, 4), (20, 500)))
    halves = affine.split(lambda w, x: jnp.tanh(x @ w), w, 2, (x,))
    axes = (like(w, 4).astype(dtype), like(w, 5).astype(dtype))
    assert 0 < halves.error(w, axes, (x,), jnp.array([3.0, -2.0])) < 1


def test_a_number_that_is_missing_is_a_disagreement():
    values = jnp.array([1.0, jnp.nan, jnp.inf])
    assert affine._apart(values, values) == 0
    assert jnp.isnan(affine._apart(values, jnp.ones(3)))
    assert affine._apart(jnp.zeros(3), jnp.zeros(3)) == 0
