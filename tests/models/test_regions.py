"""Linear regions: bounds at their known values, exact counts in one dimension, and networks that attain the bound."""

import itertools

import numpy as np
import pytest

from jaxdl.models import regions


@pytest.mark.parametrize(("inputs", "width", "expected"), [(2, 32, 529), (2, 16, 137), (2, 12, 79), (1, 6, 7)])
def test_shallow_bound(inputs, width, expected):
    assert regions.shallow_bound(inputs, width) == expected
    assert regions.deep_bound(inputs, (width,)) == expected


@pytest.mark.parametrize(
    ("inputs", "widths", "expected"), [(2, (16, 16), 8768), (2, (8, 8), 592), (2, (4, 4, 4), 176), (1, (2, 2, 2), 12)]
)
def test_deep_bound(inputs, widths, expected):
    assert regions.deep_bound(inputs, widths) == expected


@pytest.mark.parametrize("widths", [(6,), (2, 2, 2), (3, 5), (4, 3, 4), (1, 2), (2, 2, 2, 2, 2)])
def test_folding_network_attains_the_bound(widths):
    layers = regions.folding_layers(widths)
    assert [kernel.shape[1] for kernel, _ in layers] == list(widths)
    assert len(regions.breakpoints(layers, 0.0, 1.0)) + 1 == regions.deep_bound(1, widths)


def random_layers(rng, widths):
    sizes = (1, *widths)
    return [(rng.normal(size=(a, b)), rng.normal(size=b)) for a, b in itertools.pairwise(sizes)]


def outputs(layers, x):
    for kernel, bias in layers:
        x = np.maximum(x @ kernel + bias, 0)
    return x


@pytest.mark.parametrize("widths", [(5,), (6, 6), (4, 5, 6)])
def test_breakpoints_of_random_networks_are_where_they_bend(widths, rng):
    layers = random_layers(rng, widths)
    found = regions.breakpoints(layers, -3.0, 3.0)
    ends = np.concatenate([[-3.0], found, [3.0]])
    assert (np.diff(ends) > 0).all()
    if len(widths) == 1:
        assert len(found) + 1 <= regions.shallow_bound(1, *widths)
    part = np.linspace(0, 1, 7)[None, :, None]  # every piece is straight
    inside = outputs(layers, ends[:-1, None, None] + part * np.diff(ends)[:, None, None])
    np.testing.assert_allclose(np.diff(inside, 2, axis=1), 0, atol=1e-12)
    step = np.minimum(np.diff(ends)[:-1], np.diff(ends)[1:])[:, None] / 2  # and no piece goes on into the next
    before, at, after = (outputs(layers, found[:, None] + k * step) for k in (-1, 0, 1))
    assert (np.abs(before - 2 * at + after).max(axis=1) > 1e-9).all()


def test_a_layer_in_the_plane_stays_below_its_bound(rng):
    kernel, bias = rng.normal(size=(2, 6)), 0.3 * rng.normal(size=6)
    grid = np.stack(np.meshgrid(*2 * [np.linspace(-8, 8, 400)]), axis=-1).reshape(-1, 2)
    counted = regions.count_patterns(grid @ kernel + bias)
    assert 12 <= counted <= regions.shallow_bound(2, 6) == 22


def test_bad_widths_are_refused():
    with pytest.raises(ValueError, match=r"at least as wide as the 3 inputs, got widths \(4, 2\)"):
        regions.deep_bound(3, (4, 2))
    with pytest.raises(ValueError, match="at least two units"):
        regions.folding_layers((3, 1))
