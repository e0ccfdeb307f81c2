"""Directions, principal axes against the SVD and the random-walk null, and projections that are orthogonal."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape

pytestmark = pytest.mark.usefixtures("quick_compilation")

PARAMS = {"kernel": jnp.asarray(np.random.default_rng(0).standard_normal((4, 3))), "bias": jnp.ones(3)}


def as_rows(trees):
    """Trees with a leading axis as a matrix."""
    return np.concatenate([np.reshape(x, (len(x), -1)) for x in jax.tree.leaves(trees)], axis=1)


def stacked(trees):
    return jax.tree.map(lambda *x: jnp.stack(x), *trees)


def test_random_directions_are_gaussian_and_scaled():
    u, v = landscape.random(jax.random.key(0), PARAMS)
    for d in (u, v):
        np.testing.assert_allclose(
            np.linalg.norm(d["kernel"], axis=0), np.linalg.norm(PARAMS["kernel"], axis=0), rtol=1e-13
        )
        np.testing.assert_array_equal(d["bias"], 0)
    assert abs(landscape.cosines((u, v))[0, 1]) < 0.9
    raw = landscape.random(jax.random.key(1), {"w": jnp.zeros((50, 50))}, 4, "none", keep_vectors=True)
    values = as_rows(stacked(raw))
    assert abs(values.mean()) < 4 / 100
    assert abs(values.var() - 1) < 4 * np.sqrt(2) / 100


def trajectory(points, seed=0):
    """A noisy path."""
    rng = np.random.default_rng(seed)
    return {
        "a": jnp.asarray(np.cumsum(rng.standard_normal((points, 5, 2)), axis=0)),
        "b": jnp.asarray(np.cumsum(rng.standard_normal((points, 4)), axis=0)),
    }


def test_principal_axes_are_those_of_the_svd():
    many = [trajectory(12, seed) for seed in (0, 1)]
    found = landscape.principal(many, 3)
    points = np.concatenate([as_rows(t) for t in many])
    _, singular, vectors = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(found.explained, (singular**2 / np.sum(singular**2))[:3], rtol=1e-12)
    axes = as_rows(stacked(found.axes))
    np.testing.assert_allclose(np.abs(axes @ vectors[:3].T), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(as_rows(stacked([found.mean]))[0], points.mean(axis=0), rtol=1e-13)


def test_a_random_walk_explains_as_much_as_the_null_says():
    walk = jnp.asarray(np.cumsum(np.random.default_rng(3).standard_normal((300, 20000)), axis=0))
    found = landscape.principal(walk, 3)
    np.testing.assert_allclose(found.explained, landscape.RANDOM_WALK, rtol=0.03)
    np.testing.assert_allclose(landscape.RANDOM_WALK, [0.608, 0.152, 0.068], atol=1e-3)


def test_points_count_by_their_weights():
    path, counts = trajectory(6), np.array([1, 2, 1, 3, 1, 1])
    found = landscape.principal(path, 2, counts)
    repeated = np.repeat(as_rows(path), counts, axis=0)
    _, singular, vectors = np.linalg.svd(repeated - repeated.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(found.explained, (singular**2 / np.sum(singular**2))[:2], rtol=1e-12)
    np.testing.assert_allclose(np.abs(as_rows(stacked(found.axes)) @ vectors[:2].T), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(as_rows(stacked([found.mean]))[0], repeated.mean(axis=0), rtol=1e-12)
    with pytest.raises(ValueError, match=r"weights must have the shape \(6,\) of the points, got \(2,\)"):
        landscape.principal(path, 2, [1.0, 2.0])


def test_too_few_points():
    with pytest.raises(ValueError, match="2 principal axes need at least 3 points, got 2"):
        landscape.principal(trajectory(2))


def test_coordinates_on_a_skew_plane():
    u, v = PARAMS, {"kernel": jnp.ones((4, 3)), "bias": jnp.arange(3.0)}
    assert abs(landscape.cosines((u, v))[0, 1]) > 0.1
    centre = jax.tree.map(lambda x: 2 * x, v)
    beside = landscape.random(jax.random.key(5), PARAMS, 1, keep_vectors=True)[0]
    # What is orthogonal to both, by least squares in NumPy.
    plane = as_rows(stacked((u, v)))
    rest = as_rows(stacked([beside]))[0]
    rest = rest - plane.T @ np.linalg.lstsq(plane.T, rest, rcond=None)[0]
    point = as_rows(stacked([centre]))[0] + 1.5 * plane[0] - 0.5 * plane[1] + rest
    tree = {"bias": jnp.asarray(point[:3][None]), "kernel": jnp.asarray(point[3:].reshape(1, 4, 3))}
    where, distance = landscape.coordinates(tree, centre, (u, v))
    np.testing.assert_allclose(where, [[1.5, -0.5]], rtol=1e-12)
    np.testing.assert_allclose(distance, [np.linalg.norm(rest)], rtol=1e-12)


def test_a_difference_reaches_the_end():
    end = jax.tree.map(lambda x: 3 * x, PARAMS)
    d = landscape.difference(PARAMS, end)
    jax.tree.map(lambda p, d, e: np.testing.assert_allclose(p + d, e), PARAMS, d, end)
