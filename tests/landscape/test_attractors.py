"""Atlases: basins of functions whose basins are known, and what is no attractor."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import landscape, plots
from jaxdl.problems import planar

pytestmark = pytest.mark.usefixtures("quick_compilation")

DOMAIN = ((-2.0, 2.0), (-1.0, 1.0))


def wells(p):
    """Minima at (±1, 0), a ridge at x = 0."""
    return (p[0] ** 2 - 1) ** 2 + p[1] ** 2


def bowl(p):
    return 0.5 * (p[0] ** 2 + 4 * p[1] ** 2)


def test_gradient_descent_divides_two_wells_at_the_ridge():
    data = landscape.basins(wells, {"sgd": jaxdl.sgd(0.05)}, DOMAIN, grid=(20, 5), attractors=[(1.0, 0.0), (-1.0, 0.0)])
    assert data["reached"].dims == ("optimizer", "y", "x")
    np.testing.assert_array_equal(data["reached"][0], np.broadcast_to(np.where(data["x"] > 0, 0, 1), (5, 20)))
    np.testing.assert_allclose(data["area"].sel(label=[-2, -1, 0, 1])[0], [0, 0, 0.5, 0.5])
    pairs = 4 * 20 + 5 * 19
    np.testing.assert_allclose(data["boundary"], [5 / pairs])
    np.testing.assert_allclose(data["height"][2, 3], wells((data["x"].values[3], 0.0)))


def test_attractors_that_are_not_given_are_found_where_the_slope_is_zero():
    data = landscape.basins(wells, {"sgd": jaxdl.sgd(0.05), "adam": jaxdl.adam(0.05)}, DOMAIN, grid=(21, 5), steps=400)
    found = data["attractor"].sel(label=slice(0, None)).values
    assert sorted(np.abs(found[:2, 0]).round(2)) == [1, 1]
    np.testing.assert_allclose(found[2:], [[0, 0]], atol=0.02)  # runs from the ridge stay on it
    middle = data["reached"].sel(optimizer="sgd", x=0.0)
    assert set(middle.values.tolist()) == {2}


def test_slow_runs_have_settled_nowhere_and_lost_ones_nowhere_else():
    slow = landscape.basins(bowl, {"sgd": jaxdl.sgd(1e-6)}, DOMAIN, grid=4)
    assert slow["area"].sel(label=-1).item() == 1
    assert slow.sizes["label"] == 2
    lost = landscape.basins(bowl, {"sgd": jaxdl.sgd(0.6)}, DOMAIN, grid=4, attractors=[(0, 0)])
    assert lost["area"].sel(label=-2).item() == 1


def test_a_place_where_many_runs_are_slow_is_no_attractor():
    axes = {"learning_rate": [1e-7, 1e-6], "momentum": [0.0, 0.1]}
    data = landscape.outcomes(bowl, jaxdl.momentum, axes, (1.0, 1.0), DOMAIN, steps=10)
    assert data["label"].values.tolist() == [-2, -1]
    assert data["area"].sel(label=-1).item() == 1


def test_a_top_that_slow_runs_have_not_left_is_no_attractor():
    hill = {"value": lambda p: -bowl(p), "factory": jaxdl.momentum, "domain": DOMAIN, "steps": 10}
    axes = {"learning_rate": [1e-7, 1e-6], "momentum": [0.0, 0.1]}
    data = landscape.outcomes(axes=axes, start=(1e-3, 0.0), **hill)
    assert data["area"].sel(label=-1).item() == 1


def test_over_rate_and_momentum_heavy_ball_is_stable_where_theory_says():
    axes = {"learning_rate": np.linspace(0.05, 1.05, 21), "momentum": [0.0, 0.3, 0.6]}
    data = landscape.outcomes(
        bowl, jaxdl.momentum, axes, (1.0, 1.0), DOMAIN, steps=2000, attractors=[(0.0, 0.0)], name="heavy ball"
    )
    assert data["reached"].dims == ("optimizer", "momentum", "learning_rate")
    rate, momentum = np.meshgrid(axes["learning_rate"], axes["momentum"])
    stable = rate * 4 < 2 * (1 + momentum)
    sure = np.abs(rate * 4 - 2 * (1 + momentum)) > 0.05
    np.testing.assert_array_equal((data["reached"][0].values == 0)[sure], stable[sure])
    assert list(data["optimizer"].values) == ["heavy ball"]


def test_what_cannot_be():
    with pytest.raises(ValueError, match="over 2 hyper-parameters, got 1"):
        landscape.outcomes(bowl, jaxdl.sgd, {"learning_rate": [0.1]}, (1, 1), DOMAIN)
    with pytest.raises(ValueError, match="optimizer 'sgd' takes no argument 'b1'; it takes: learning_rate"):
        landscape.outcomes(bowl, jaxdl.sgd, {"learning_rate": [0.1, 0.2], "b1": [0.9, 0.99]}, (1, 1), DOMAIN)
    with pytest.raises(ValueError, match=r"axis 'learning_rate' needs at least 2 values, got \[0.1\]"):
        landscape.outcomes(bowl, jaxdl.sgd, {"learning_rate": [0.1], "momentum": [0.0, 0.9]}, (1, 1), DOMAIN)
    with pytest.raises(ValueError, match="at least 2 pixels along an axis, got 1"):
        landscape.basins(bowl, {"sgd": jaxdl.sgd(0.1)}, DOMAIN, grid=1)
    with pytest.raises(ValueError, match="at least 10 steps to settle, got 3"):
        landscape.basins(bowl, {"sgd": jaxdl.sgd(0.1)}, DOMAIN, steps=3)


def test_maps_are_drawn():
    f = planar.FUNCTIONS["himmelblau"]
    rates = {"sgd": jaxdl.sgd(0.01), "adam": jaxdl.adam(0.1)}
    data = landscape.basins(f.value, rates, f.domain, grid=9, steps=100, attractors=f.minima)
    one, two = plots.atlas(data.assign_attrs(problem="himmelblau")).axes
    assert two.get_title().startswith("adam\n")
    parts = data["area"].sel(optimizer="adam", label=slice(0, None)).values
    assert [text.get_text() for text in two.texts] == [f"{part:.0%}" for part in parts]
    np.testing.assert_allclose([text.xy for text in two.texts], f.minima)
    assert f"boundary {float(data['boundary'][1]):.1%}" in two.get_title()
    mesh = next(c for c in one.collections if type(c).__name__ == "QuadMesh")
    np.testing.assert_array_equal(np.ravel(mesh.get_array()), data["reached"][0].values.ravel())
    axes = {"learning_rate": jnp.geomspace(1e-3, 1e-1, 5), "momentum": [0.0, 0.9]}
    hyper = landscape.outcomes(f.value, jaxdl.momentum, axes, (0, 0), f.domain, steps=50, attractors=f.minima)
    (panel,) = plots.atlas(hyper).axes
    points, parts = hyper["attractor"], hyper["area"].isel(optimizer=0)
    said = [f"({points.sel(label=k)[0]:.3g}, {points.sel(label=k)[1]:.3g}): {parts.sel(label=k):.0%}" for k in range(4)]
    shown = [text.get_text() for text in panel.get_legend().get_texts()]
    assert shown[: len(said)] == [words for k, words in enumerate(said) if parts.sel(label=k) > 0][: len(shown)]
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "linear")
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("learning rate", "momentum")
