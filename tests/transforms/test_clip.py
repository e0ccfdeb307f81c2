"""Clipping by value and by global norm."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import transforms


def applied(tx, updates):
    return tx.update(updates, tx.init(updates))[0]


def test_clip_limits_both_sides_and_leaves_the_middle():
    assert applied(transforms.clip(0.5), jnp.array([-3.0, -0.5, 0.1, 7.0])).tolist() == [-0.5, -0.5, 0.1, 0.5]


def test_clip_at_zero_stops_everything():
    assert applied(transforms.clip(0.0), jnp.array([-3.0, 2.0])).tolist() == [0, 0]


TREE = {"a": jnp.array([3.0, 0.0]), "b": [jnp.array([[4.0]]), None]}


def test_long_tree_keeps_its_direction_and_gets_the_norm():
    clipped = applied(transforms.clip_by_global_norm(1.0), TREE)
    np.testing.assert_allclose(clipped["a"], [0.6, 0], rtol=1e-15)
    np.testing.assert_allclose(clipped["b"][0], [[0.8]], rtol=1e-15)
    assert clipped["b"][1] is None


@pytest.mark.parametrize("max_norm", [5.0, 5.1, 1e30])
def test_short_tree_is_untouched(max_norm):
    clipped = applied(transforms.clip_by_global_norm(max_norm), TREE)
    assert clipped["a"].tolist() == [3, 0]
    assert clipped["b"][0].tolist() == [[4]]


def test_zero_tree_stays_zero():
    assert applied(transforms.clip_by_global_norm(1.0), jnp.zeros(3)).tolist() == [0, 0, 0]


def test_norm_of_a_thousand_bfloat16_leaves_is_right():
    leaves = [jnp.full((), 0.3167, "bfloat16") for _ in range(1000)]  # of norm 10
    clipped = applied(transforms.clip_by_global_norm(1.0), leaves)
    assert {leaf.dtype for leaf in clipped} == {jnp.dtype("bfloat16")}
    assert float(clipped[0]) == pytest.approx(1 / np.sqrt(1000), rel=1 / 128)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_divergence_is_seen_and_not_clipped_away(bad):
    clipped = applied(transforms.clip_by_global_norm(1.0), {"good": jnp.ones(1), "bad": jnp.array([bad])})
    assert jnp.isnan(clipped["bad"]).all()


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"^max_delta must be non-negative, got -1\.$"):
        transforms.clip(-1.0)
    with pytest.raises(ValueError, match=r"^max_norm must be positive, got 0\.$"):
        transforms.clip_by_global_norm(0.0)
