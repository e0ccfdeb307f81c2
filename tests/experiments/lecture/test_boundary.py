"""Bends of a decision boundary: by hand, and against the level line of a fine grid."""

import jax
import numpy as np
import pytest

from experiments.lecture import boundary, protocol, studies

SQUARE = (np.array([-1.0, -1.0]), np.array([1.0, 1.0]))


def network(w, b, v, c):
    return {"w1": np.array(w, float), "b1": np.array(b, float), "w2": np.array(v, float), "b2": c}


def test_a_wedge_bends_once_by_its_angle():
    # max(0, x) + max(0, −x) = |x|, so that y = |x| − ½ is the boundary: a right angle at (0, −½)
    wedge = network([[1, 0], [-1, 0], [0, 1]], [0, 0, 5], [1, 1, -1], -0.5 + 5)
    found = boundary.bends(wedge, *SQUARE)
    np.testing.assert_allclose(found.points, [[0.5, 0.25], [0.5, 0.25]], atol=1e-12)  # one bend, two units there
    assert boundary.bends(network([[1, 0]], [0], [1], -0.5), *SQUARE).angles.size == 0


def test_a_closed_boundary_turns_by_a_whole_circle():
    # |x| + |y| = ½: a square on its corner, four bends of 90°, each on a line of two units that share it
    shifts = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    diamond = network(shifts, [0.01, 0.01, 0.01, 0.01], [1, 1, 1, 1], -0.5)
    found = boundary.bends(diamond, *SQUARE)
    assert len(found.angles) == 8  # every corner is cut by the two lines ±0.01
    assert found.angles.sum() == pytest.approx(360, abs=1e-9)


def test_angles_are_those_of_the_picture():
    corner = network(np.eye(2), [0, 0], [1, 1], -0.5)
    wide = boundary.bends(corner, np.array([-1.0, -1.0]), np.array([1.0, 3.0]))  # y is drawn at half its size
    assert sorted(wide.angles) == pytest.approx([np.degrees(np.arctan(0.5)), 90 - np.degrees(np.arctan(0.5))])


def test_bends_lie_where_the_logit_and_a_unit_are_zero():
    params = protocol.init(jax.random.key(3)) | {"w2": jax.random.normal(jax.random.key(4), (32,)), "b2": 0.1}
    found = boundary.bends(params, np.array([-2.0, -2.0]), np.array([2.0, 2.0]))
    points = found.points * 4 - 2
    assert len(points) > 3
    np.testing.assert_allclose(protocol.logits(params, points), np.zeros(len(points)), atol=1e-12)
    before = points @ np.asarray(params["w1"]).T + np.asarray(params["b1"])
    np.testing.assert_allclose(np.abs(before).min(axis=1), np.zeros(len(points)), atol=1e-12)
    assert ((found.points >= 0) & (found.points <= 1)).all()
    units = np.abs(before).argmin(axis=1)
    aside = 1e-7 * np.asarray(params["w1"])[units]
    slope = jax.vmap(jax.grad(lambda point: protocol.logits(params, point[None])[0]))
    one, other = np.asarray(slope(points - aside)), np.asarray(slope(points + aside))
    cosines = np.sum(one * other, axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    np.testing.assert_allclose(found.angles, np.degrees(np.arccos(cosines)), rtol=1e-6)


def test_regions_are_counted_in_the_map():
    through = (boundary.LOW + boundary.HIGH) / 2
    cross = network(np.eye(2), -through, [1, 1], 0.0)
    assert boundary.linear_regions(cross) == 4
    assert boundary.linear_regions(network(np.eye(2), [9, 9], [1, 1], 0.0)) == 1
    for part in (0.02, 0.98):  # a line close to either end of the window
        at = boundary.LOW + part * (boundary.HIGH - boundary.LOW)
        assert boundary.linear_regions(network(np.eye(2), -at, [1, 1], 0.0)) == 4


@pytest.mark.slow
def test_shapes_are_medians_per_penalty():
    found = boundary.shapes(2, epochs=1)
    assert len(found) == len(studies.PENALTIES)
    assert all(np.isfinite(shape).all() and shape.regions > 1 for shape in found)
