"""Paths on planes: where they lie, what walks without aim would show, and what there is to doubt."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape
from jaxdl.landscape import portraits

pytestmark = pytest.mark.usefixtures("quick_compilation")

SCALES = jnp.array([1.0, 4.0, 0.5, 2.0])


def loss(w, shift=0.0):
    return 0.5 * jnp.sum(SCALES * w["a"].ravel() ** 2) + shift


def flat_path(rows):
    return {"a": jnp.asarray(rows, float).reshape(len(rows), 2, 2)}


IN_PLANE = flat_path([[4, 2, 0, 0], [3, 1, 0, 0], [1, 0.5, 0, 0], [0.1, 0, 0, 0]])
BESIDE = flat_path([[4, 2, 0, 0], [3, 1, 0, 3], [1, 0.5, 0, 6], [0.1, 0, 0, 9]])
FIRST, SECOND = ({"a": jnp.eye(4)[i].reshape(2, 2)} for i in (0, 1))
ZERO = {"a": jnp.zeros((2, 2))}


def seen(**paths):
    return landscape.on_plane(loss, paths, ZERO, (FIRST, {"a": FIRST["a"] + 2 * SECOND["a"]}), steps=[0, 5, 10, 20])


def test_points_on_a_skew_plane_and_beside_it():
    data = seen(inside=IN_PLANE, beside=BESIDE)
    rows = np.asarray(IN_PLANE["a"]).reshape(4, 4)
    np.testing.assert_allclose(data["path_x"][0, 0], rows[:, 0] - rows[:, 1] / 2, atol=1e-12)
    np.testing.assert_allclose(data["path_y"][0, 0], rows[:, 1] / 2, atol=1e-12)
    np.testing.assert_allclose(data["path_distance"][:, 0], [[0, 0, 0, 0], [0, 3, 6, 9]], atol=1e-12)
    np.testing.assert_allclose(data["path_loss"][1, 0, 2], 0.5 * (1 + 4 * 0.25 + 2 * 36))
    np.testing.assert_allclose(data["path_plane_loss"][1, 0, 2], 0.5 * (1 + 4 * 0.25))
    np.testing.assert_allclose(data["path_travelled"][0, 0], np.linalg.norm(rows - rows[0], axis=1))
    assert data["step"].values.tolist() == [0, 5, 10, 20]


def scaled_to_a_way_of_one(*runs):
    """Points around their weighted mean, every run divided by the length of its way; shape (points, 4)."""
    rows = [np.asarray(run, float).reshape(len(run), -1) for run in runs]
    ways = [np.linalg.norm(run[-1] - run[0]) for run in rows]
    mean = sum(run.mean(axis=0) / way**2 for run, way in zip(rows, ways, strict=True)) / sum(w**-2 for w in ways)
    return np.concatenate([(run - mean) / way for run, way in zip(rows, ways, strict=True)])


def test_shares_of_the_variance_are_those_of_least_squares_with_every_run_alike():
    data = seen(inside=IN_PLANE, beside=BESIDE)
    squares = scaled_to_a_way_of_one(IN_PLANE["a"], BESIDE["a"]) ** 2
    np.testing.assert_allclose(data["explained"], squares.sum(axis=0)[:2] / squares.sum(), rtol=1e-12)


def test_the_run_that_goes_farthest_does_not_take_the_plane():
    rng = np.random.default_rng(1)
    steps = rng.standard_normal((2, 5, 4)) * np.array([100.0, 1.0])[:, None, None]
    runs = np.concatenate([np.zeros((2, 1, 4)), np.cumsum(steps, axis=1)], axis=1)
    runs[1] *= 0.2 * np.linalg.norm(runs[0, -1]) / np.linalg.norm(runs[1, -1])
    vectors = np.linalg.svd(scaled_to_a_way_of_one(*runs))[2]
    for there in (runs, runs[:, ::-1]):  # and back
        chosen = portraits.principal(loss, {"far": flat_path(there[0]), "near": flat_path(there[1])}, (), None)
        axes = np.stack([np.ravel(d["a"]) for d in chosen.directions])
        np.testing.assert_allclose(np.abs(axes @ vectors[:2].T), np.eye(2), atol=1e-12)
        assert (axes @ (there[:, -1] - there[:, 0]).sum(axis=0) > 0).all(), "they point where the runs go"


def test_runs_that_hardly_move_are_not_magnified():
    far, near = jnp.array([[0.0], [10.0]]), jnp.array([[0.0], [1e-9]])
    assert landscape.weights({"far": far, "near": near, "still": 0 * near}).tolist() == pytest.approx(
        [1, 1] + 4 * [100]
    )
    assert landscape.weights({"still": 0 * near}).tolist() == [1, 1]


def test_walks_have_the_shares_that_simulated_ones_have():
    rng = np.random.default_rng(0)
    starts = 3 * rng.standard_normal((2, 1, 4000))  # as far apart as the walks get
    walks = starts + np.concatenate(
        [np.zeros((2, 1, 4000)), np.cumsum(rng.standard_normal((2, 30, 4000)), axis=1)], axis=1
    )
    paths = {"one": jnp.asarray(walks[0]), "two": jnp.asarray(walks[1])}
    shares = landscape.walk_shares(paths, 3)
    np.testing.assert_allclose(shares, landscape.principal(jnp.asarray(walks.reshape(62, -1)), 3).explained, rtol=0.1)
    steps = [0, 1, 2, 5, 12, 30]
    some = {name: path[jnp.array(steps)] for name, path in paths.items()}
    found = landscape.principal(list(some.values()), 3).explained
    np.testing.assert_allclose(landscape.walk_shares(some, 3, steps), found, rtol=0.1)
    assert np.abs(landscape.walk_shares(some, 3) / found - 1).max() > 0.2
    # Neither starts nor numbers of walks are ignored.
    assert abs(shares[0] - landscape.walk_shares({"one": paths["one"]})[0]) > 0.02
    # Walks that get less far count as much.
    walks[1] = walks[1, :1] + 0.3 * (walks[1] - walks[1, :1])
    values = np.linalg.svd(scaled_to_a_way_of_one(*walks), compute_uv=False) ** 2
    shares = landscape.walk_shares(dict(zip("ab", jnp.asarray(walks), strict=True)), 3)
    np.testing.assert_allclose(shares, values[:3] / values.sum(), rtol=0.1)


def test_seeds_are_an_axis():
    both = {"adam": [IN_PLANE, BESIDE]}
    data = landscape.on_plane(loss, both, ZERO, (FIRST, SECOND))
    assert data["path_x"].shape == (1, 2, 4)
    np.testing.assert_allclose(data["path_distance"][0, 1], [0, 3, 6, 9], atol=1e-12)


def test_doubts_are_raised_where_a_picture_misleads():
    honest = landscape.portrait(loss, {"sgd": IN_PLANE}, grid=3)
    assert json.loads(honest.attrs["doubts"]) == []
    data = seen(inside=IN_PLANE, beside=BESIDE)
    first, second, third = landscape.doubts(data)
    assert first.startswith("The plane holds 39% of the paths' variance; of walks without aim")
    assert second == "beside ends beside the plane by 90% of the way it went."
    assert third.startswith("At 38% of the points the contours show another loss than the path has: beside at step 20")


def test_losses_below_zero_are_compared_by_their_range():
    data = landscape.on_plane(lambda w: loss(w, -50.0), {"a": IN_PLANE, "b": BESIDE}, ZERO, (FIRST, SECOND))
    sentences = landscape.doubts(data)
    assert any("contours show another loss" in sentence for sentence in sentences)
    inside = landscape.on_plane(lambda w: loss(w, -50.0), {"a": IN_PLANE}, ZERO, (FIRST, SECOND))
    assert landscape.doubts(inside) == []


@pytest.mark.parametrize("plane", ["pca", "random", "hessian"])
def test_portraits_show_the_paths_and_the_loss(plane):
    data = landscape.portrait(loss, {"a": IN_PLANE, "b": BESIDE}, plane=plane, grid=(9, 5), margin=0.1)
    assert data["loss"].shape == (5, 9)
    for name in ("x", "y"):
        inside = data[f"path_{name}"].values
        assert data[name].values.min() < inside.min() <= inside.max() < data[name].values.max()
    assert data.attrs["plane"] == plane
    if plane == "pca":
        assert data["explained"].sum() > 0.95
    if plane == "hessian":  # the largest curvatures of the quadratic, through the best end
        second = np.diff(data["loss"].values, 2, axis=1)[0, 0] / np.diff(data["x"].values)[0] ** 2
        np.testing.assert_allclose(second, 4.0, rtol=1e-6)
        assert (data["path_distance"].sel(path="a")[0, -1] < 1e-6).item()
    if plane == "random":
        assert data["x"].values.min() <= -1


def test_a_plane_of_ones_own():
    mine = portraits.Plane(ZERO, (FIRST, SECOND), ((-5.0, 5.0), (-1.0, 2.5)))
    data = landscape.portrait(loss, {"a": IN_PLANE}, plane=mine, grid=3, floor=0.0, units="nat")
    np.testing.assert_allclose(data["x"], [-5, 0, 5])
    np.testing.assert_allclose(data["loss"][1, 1], loss({"a": jnp.array([[0, data["y"].values[1]], [0, 0]])}))
    assert (data.attrs["floor"], data.attrs["loss_units"]) == (0.0, "nat")


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({}, "at least one path"),
        ({"a": IN_PLANE, "b": jax.tree.map(lambda x: x[:2], IN_PLANE)}, "'b' has"),
    ],
)
def test_paths_that_do_not_fit(paths, message):
    with pytest.raises(ValueError, match=message):
        landscape.portrait(loss, paths)


def test_an_unknown_plane():
    with pytest.raises(ValueError, match="unknown plane 'pcs'; known are: pca, random, hessian"):
        landscape.portrait(loss, {"a": IN_PLANE}, plane="pcs")
