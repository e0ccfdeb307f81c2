"""Masks by rank and by path, and the decay that they steer."""

import jax
import jax.numpy as jnp
import pytest

from jaxdl import optimizers
from jaxdl.transforms import masks, shrink

PARAMS = {"dense": {"bias": jnp.ones(3), "kernel": jnp.ones((4, 3))}, "norm": {"scale": jnp.ones(3)}}


def test_rank_chooses_kernels():
    chosen = masks.by_rank(2)(PARAMS)
    assert chosen == {"dense": {"bias": False, "kernel": True}, "norm": {"scale": False}}
    assert jax.tree.leaves(masks.by_rank(1)(PARAMS)) == [True, True, True]
    assert jax.tree.leaves(masks.by_rank(3)(PARAMS)) == [False, False, False]


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [("kernel$", [False, True, False]), ("^dense/", [True, True, False]), ("^(?!.*bias)", [False, True, True])],
)
def test_path_is_searched_for_the_pattern(pattern, chosen):
    assert jax.tree.leaves(masks.by_path(pattern)(PARAMS)) == chosen


def test_pattern_that_finds_nothing_is_an_error_that_lists_the_paths():
    with pytest.raises(
        ValueError, match=r"^no path holds 'embed'; the paths are: dense/bias, dense/kernel, norm/scale\.$"
    ):
        masks.by_path("embed")(PARAMS)


def test_rank_below_one_is_refused():
    with pytest.raises(ValueError, match=r"^minimum must be a whole number of at least 1, got 0\.$"):
        masks.by_rank(0)


@pytest.mark.parametrize("decay_by", [None, shrink.fixed, shrink.proximal])
def test_mask_steers_decay_in_every_convention(decay_by):
    tx = optimizers.adamw(0.1, weight_decay=0.5, mask=masks.by_rank(2), decay_by=decay_by)
    zeros = jax.tree.map(jnp.zeros_like, PARAMS)
    updates, _ = tx.update(zeros, tx.init(PARAMS), PARAMS)
    assert (updates["dense"]["kernel"] < 0).all()
    assert (updates["dense"]["bias"] == 0).all()
    assert (updates["norm"]["scale"] == 0).all()
