"""Figures of landscapes: what is drawn is what the Dataset holds, and doubts are seen."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxdl import landscape, plots
from jaxdl.plots import levels

AXES = (jnp.array([1.0, 0.0, 0.0]), jnp.array([0.0, 1.0, 0.0]))
WAY = jnp.stack([jnp.linspace(2, 0.1, 6), jnp.linspace(1, 0, 6) ** 2, jnp.zeros(6)], axis=1)
BESIDE = WAY.at[:, 2].set(jnp.linspace(0, 5, 6))


def loss(w):
    return jnp.sum(w**2)


@pytest.fixture(scope="module")
def data():
    metrics = {"accuracy": lambda w: 1 / (1 + loss(w))}
    return landscape.portrait(loss, {"sgd": WAY, "adam": 0.9 * WAY}, grid=(9, 7), metrics=metrics, units="nat")


@pytest.fixture(scope="module")
def misleading():
    plane = landscape.Plane(jnp.zeros(3), AXES)
    return landscape.portrait(loss, {"sgd": WAY, "adam": BESIDE}, plane=plane, grid=5)


def lines(axes):
    return {str(line.get_label()): line for line in axes.get_lines()}


@pytest.mark.parametrize("filled", [True, False])
def test_contours_and_paths(data, filled):
    figure = plots.contour(data.assign_attrs(problem="bowl"), filled=filled)
    axes, bar = figure.axes
    np.testing.assert_allclose(lines(axes)["adam"].get_xdata(), data["path_x"].sel(path="adam")[0])
    np.testing.assert_allclose(lines(axes)["adam"].get_ydata(), data["path_y"].sel(path="adam")[0])
    dots = [c for c in axes.collections if type(c).__name__ == "PathCollection"]
    np.testing.assert_allclose(dots[0].get_array(), data["path_loss"].sel(path="sgd")[0], rtol=1e-6)
    assert bar.get_ylabel() == "loss (nat)"
    assert axes.get_title() == "bowl: loss"
    assert axes.get_xlabel().startswith("principal axis 1: ")
    assert "walks without aim" in figure.get_supxlabel()
    assert "jax " in figure.get_supxlabel()
    assert figure.get_suptitle() == ""


def test_every_seed_has_its_own_line_and_one_entry_in_the_legend():
    runs = {"sgd": [WAY, -WAY], "adam": [BESIDE, -BESIDE]}
    data = landscape.portrait(loss, runs, grid=5)
    axes = plots.contour(data).axes[0]
    drawn = [line for line in axes.get_lines() if len(line.get_xdata()) == 6]
    assert [list(line.get_xdata()) for line in drawn] == data["path_x"].values.reshape(4, 6).tolist()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["sgd", "adam"]


def test_dots_have_the_colour_of_the_true_loss_and_not_of_the_plane(misleading):
    dots = [c for c in plots.contour(misleading).axes[0].collections if type(c).__name__ == "PathCollection"][1]
    adam, scale = misleading.sel(path="adam").isel(seed=0), levels.scale(misleading)
    np.testing.assert_allclose(dots.get_array(), scale.of(adam["path_loss"].values), rtol=1e-6)
    assert np.abs(dots.get_array() - scale.of(adam["path_plane_loss"].values)).max() > 0.1


def test_doubts_are_printed_on_the_figure(misleading):
    for draw in (plots.contour, plots.surface, plots.honesty):
        assert draw(misleading).get_suptitle().startswith("This picture misleads. ")
        assert "adam ends beside the plane" in draw(misleading).get_suptitle().replace("\n", " ")


def test_other_metrics_have_linear_levels(data):
    figure = plots.contour(data, "accuracy")
    assert figure.axes[1].get_ylabel() == "accuracy"
    steps = np.diff(levels.scale(data, "accuracy").levels)
    np.testing.assert_allclose(steps, steps[0])


def test_levels_are_logarithms_above_the_floor():
    data = landscape.plane(lambda w: loss(w) - 3.0, jnp.zeros(3), AXES, grid=5)
    scale = levels.scale(data.assign_attrs(floor=-3.0))
    assert scale.label == "loss above its floor -3"
    ratios = scale.levels[1:] / scale.levels[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    low, high = scale.levels[[0, -1]]
    assert 0 < low < 0.25 / 2  # the centre alone lies below, whose height is 0
    assert high == 2.0
    np.testing.assert_allclose(scale.of(np.array([-3.0, -2.0, 7.0, np.nan])), [low, 1.0, 2.0, np.nan])
    assert type(levels.scale(data).norm).__name__ == "Normalize"  # losses below 0 and no floor known


def test_flat_and_infinite_planes_are_drawn():
    flat = landscape.plane(lambda w: 0.0 * loss(w), jnp.zeros(3), AXES, grid=3)
    infinite = landscape.plane(lambda w: 1 / jnp.maximum(loss(w) - 1.0, 0.0), jnp.zeros(3), AXES, grid=5)
    for data in (flat, infinite):
        figure = plots.contour(data)
        figure.draw_without_rendering()
        assert len(set(np.ravel(levels.scale(data).levels))) > 1
        assert np.isfinite(levels.scale(data).levels).all()
        surface = plots.surface(data)
        surface.draw_without_rendering()
        assert np.isfinite(surface.axes[0].get_zlim()).all()


def test_surfaces_have_the_paths_at_their_true_height(misleading):
    (axes,) = plots.surface(misleading).axes
    drawn = {str(line.get_label()): line for line in axes.get_lines()}
    heights = np.asarray(drawn["adam"].get_data_3d()[2])
    top = np.log10(misleading["loss"].values.max())
    np.testing.assert_allclose(heights, np.minimum(np.log10(misleading["path_loss"].sel(path="adam")[0]), top))


def test_lines_of_losses_and_others():
    w = jnp.ones(3)
    data = landscape.interpolate(loss, w, -w, points=5, metrics={"accuracy": loss, "val_loss": lambda w: 2 * loss(w)})
    left, right = plots.line(data).axes
    np.testing.assert_allclose(lines(left)["val loss"].get_ydata(), 2 * data["loss"])
    np.testing.assert_allclose(lines(right)["accuracy"].get_ydata(), data["accuracy"])


def test_lines_of_several_runs_have_columns_for_their_kinds_and_rows_for_metrics():
    runs = {"sgd": [WAY, BESIDE], "adam": [0.5 * WAY, 0.5 * BESIDE]}
    metrics = {"val_loss": lambda w: 2 * loss(w), "accuracy": lambda w: 1 / (1 + loss(w))}
    data = landscape.lines(loss, runs, points=5, metrics=metrics, units="nat").assign_attrs(problem="bowl")
    figure = plots.lines(data)
    (own, between), (accuracy, _) = np.reshape(figure.axes, (2, 2))
    median = data.sel(line="start", path="sgd").median("seed")
    drawn = [line.get_ydata() for line in own.get_lines() if len(line.get_xdata()) == 5]
    np.testing.assert_allclose(drawn[2], median["loss"])  # after one of each seed
    np.testing.assert_allclose(drawn[3], median["val_loss"])
    assert len(drawn) == 8
    assert (
        len([line for line in between.get_lines() if len(line.get_xdata()) == 5]) == 4
    )  # none from the best to itself
    assert (own.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert (own.get_ylabel(), accuracy.get_ylabel()) == ("loss (nat)", "accuracy")
    said = {text.get_text() for text in own.get_legend().get_texts()}
    assert said == {"sgd", "adam", "training data", "validation data"}
    assert "end of adam (lowest)" in figure.axes[3].get_xlabel()
    assert "5 points a line" in figure.get_supxlabel()
    alone = plots.lines(landscape.lines(loss, {"sgd": WAY}, points=3))
    assert len(alone.axes) == 1


@pytest.mark.parametrize(("low", "azimuth"), [((-1, -1), -122), ((1, -1), -58), ((1, 1), 58), ((-1, 1), 122)])
def test_surfaces_are_seen_from_where_they_are_low(low, azimuth):
    data = landscape.plane(lambda w: 4 - low[0] * w[0] - low[1] * w[1], jnp.zeros(3), AXES, grid=4)
    (axes,) = plots.surface(data).axes
    assert axes.azim == azimuth
    assert plots.surface(data, azimuth=10.0).axes[0].azim == 10


def test_honesty_shows_true_against_seen(misleading):
    left, middle, right = plots.honesty(misleading).axes
    np.testing.assert_allclose(lines(left)["adam"].get_xdata(), misleading["path_loss"].sel(path="adam")[0])
    np.testing.assert_allclose(lines(left)["adam"].get_ydata(), misleading["path_plane_loss"].sel(path="adam")[0])
    far = misleading["path_distance"] / misleading["path_travelled"].isel(snapshot=-1)
    np.testing.assert_allclose(lines(middle)["adam"].get_ydata(), far.sel(path="adam")[0])
    heights = [bar.get_height() for bar in right.patches]
    np.testing.assert_allclose(heights, [*misleading["explained"], *misleading["walk"]])


def test_animations_have_a_frame_for_every_snapshot(data, tmp_path):
    path = plots.animate(data, tmp_path / "paths.gif", dots_per_inch=30)
    with Image.open(path) as image:
        assert image.n_frames == 6
        first = np.asarray(image.convert("RGB"))
        image.seek(5)
        assert (np.asarray(image.convert("RGB")) != first).any()
    with pytest.raises(ValueError, match="needs the paths of runs"):
        plots.animate(data.drop_vars("path_x"), tmp_path / "none.gif")
