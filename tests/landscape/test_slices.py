"""Slices: exact paraboloids, oblong grids, data in batches, derivatives within the slice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import curvature, landscape, losses
from tests.curvature.matrices import dense_hessian, network, parameters, samples, with_spectrum

pytestmark = pytest.mark.usefixtures("quick_compilation")

MATRIX = with_spectrum(np.array([1.0, 2.0, 5.0, -1.0, 0.5]))
CENTRE = jnp.arange(5.0)
RNG = np.random.default_rng(0)
U, V = RNG.standard_normal((2, 5))


def paraboloid(w):
    return 0.5 * w @ jnp.asarray(MATRIX) @ w


def loss(params, batch):
    return losses.cross_entropy(network(params, batch[0]), batch[1])


@pytest.mark.parametrize("batch_size", [None, 1, 5, 1000])
def test_a_paraboloid_on_an_oblong_grid_is_drawn_exactly(batch_size):
    data = landscape.plane(
        paraboloid, CENTRE, (U, V), grid=(7, 4), extent=((-2.0, 1.0), (0.0, 3.0)), batch_size=batch_size
    )
    assert data["loss"].dims == ("y", "x")
    assert data["loss"].shape == (4, 7)
    w = np.asarray(CENTRE) + data["x"].values[None, :, None] * U + data["y"].values[:, None, None] * V
    np.testing.assert_allclose(data["loss"], 0.5 * np.einsum("yxi,ij,yxj->yx", w, MATRIX, w), rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(data["x"], np.linspace(-2, 1, 7))
    second = np.diff(data["loss"], 2, axis=1)
    np.testing.assert_allclose(second, second[0, 0], rtol=1e-10)


def test_derivatives_within_the_slice():
    data = landscape.plane(paraboloid, CENTRE, (U, V), grid=3, derivatives=True)
    axes = np.stack([U, V])
    np.testing.assert_allclose(
        data["curvature"], np.broadcast_to(axes @ MATRIX @ axes.T, (3, 3, 2, 2)), rtol=1e-12, atol=1e-12
    )
    w = np.asarray(CENTRE) + data["x"].values[None, :, None] * U + data["y"].values[:, None, None] * V
    np.testing.assert_allclose(data["slope"], (w @ MATRIX) @ axes.T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(data["gradient_norm"], np.linalg.norm(w @ MATRIX, axis=-1), rtol=1e-12)
    np.testing.assert_allclose(data["gram"], axes @ axes.T, rtol=1e-14)
    assert data["slope"].dims == ("y", "x", "axis")
    assert list(data["axis"].values) == ["x", "y"]


def test_eigenvectors_as_axes_show_their_eigenvalues():
    params, batch = parameters(), samples(20)
    pairs = curvature.eigenpairs(loss, params, batch, k=2)
    axes = [jax.tree.map(lambda v, i=i: v[i], pairs.vectors) for i in range(2)]
    data = landscape.plane(loss, params, axes, batch, grid=3, extent=(-1e-3, 1e-3), derivatives=True)
    np.testing.assert_allclose(data["curvature"][1, 1], np.diag(pairs.values), atol=1e-10)
    values = np.linalg.eigvalsh(dense_hessian(loss, params, batch))
    np.testing.assert_allclose(data["curvature"][1, 1].values.diagonal(), values[:-3:-1], rtol=1e-10)


def test_batches_count_by_their_sizes():
    params, batch = parameters(), samples(10)
    axes = landscape.random(jax.random.key(0), params)
    whole = landscape.plane(loss, params, axes, batch, grid=3)
    parts = landscape.plane(landscape.over_batches(loss, 4), params, axes, batch, grid=3)
    np.testing.assert_allclose(parts["loss"], whole["loss"], rtol=1e-13)


def test_interpolation_passes_both_solutions():
    start, end, batch = parameters(0), parameters(1), samples(10)

    def accuracy(p, b):
        return losses.accuracy(network(p, b[0]), b[1])

    data = landscape.interpolate(loss, start, end, batch, points=9, metrics={"accuracy": accuracy})
    for x, params in ((0.0, start), (1.0, end)):
        row = data.sel(x=x)
        np.testing.assert_allclose(row["loss"], loss(params, batch), rtol=1e-12)
        np.testing.assert_allclose(row["accuracy"], accuracy(params, batch))
    assert data.sizes["x"] == 9
    np.testing.assert_allclose(data["x"][[0, -1]], [-0.5, 1.5])


def test_the_parameters_are_not_touched_and_other_data_do_not_recompile():
    params = {"w": np.ones(2)}
    before = params["w"].copy()
    landscape.line(lambda p: jnp.sum(p["w"] ** 2), params, {"w": np.ones(2)}, points=3)
    np.testing.assert_array_equal(params["w"], before)


def test_losses_that_are_not_positive_or_not_finite_stay():
    data = landscape.line(lambda w: jnp.log(w[0]), jnp.zeros(1), jnp.ones(1), points=3)
    assert np.isnan(data["loss"][0])
    assert np.isneginf(data["loss"][1])
    assert data["loss"][2] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: landscape.plane(paraboloid, CENTRE, (U,)), "a plane has 2 directions, got 1"),
        (lambda: landscape.line(paraboloid, CENTRE, U, points=1), "at least 2 points along an axis, got 1"),
        (lambda: landscape.line(paraboloid, CENTRE, U, metrics={"loss": paraboloid}), "another name than 'loss'"),
        (lambda: landscape.line(paraboloid, CENTRE, U, batch_size=0), "batch_size must be a whole number"),
    ],
)
def test_what_cannot_be(call, message):
    with pytest.raises(ValueError, match=message):
        call()
