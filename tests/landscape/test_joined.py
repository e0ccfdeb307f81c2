"""Lines from starts to ends and between ends: losses at their marks, the best end, folders of their own."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape

pytestmark = pytest.mark.usefixtures("quick_compilation")


def loss(w):
    return jnp.sum(w**2)


def run(start, end):
    """Three points, of which the middle one is nowhere near the line."""
    return jnp.array([start, [50.0, 50.0], end])


# Of seed 0 the end of b is the best, of seed 1 that of a.
PATHS = {
    "a": [run([2.0, 0.0], [1.0, 0.0]), run([0.0, 4.0], [0.0, 0.5])],
    "b": [run([2.0, 0.0], [0.0, 0.0]), run([0.0, 4.0], [3.0, 0.0])],
}


@pytest.fixture(scope="module")
def data():
    return landscape.lines(loss, PATHS, points=5, extent=(-0.5, 1.5), metrics={"first": lambda w: w[0]}, units="nat")


def test_lines_go_from_starts_and_from_the_best_end_to_ends(data):
    def expected(start, end):
        w = np.asarray(start) + data["x"].values[:, None] * (np.asarray(end) - np.asarray(start))
        return np.sum(w**2, axis=1), w[:, 0]

    assert data["x"].values.tolist() == [-0.5, 0, 0.5, 1, 1.5]
    assert data["best"].values.tolist() == ["b", "a"]
    ends = {"a": ([1.0, 0.0], [0.0, 0.5]), "b": ([0.0, 0.0], [3.0, 0.0])}
    starts = ([2.0, 0.0], [0.0, 4.0])
    for name, by_seed in ends.items():
        for seed, end in enumerate(by_seed):
            mine = data.sel(path=name).isel(seed=seed)
            values, first = expected(starts[seed], end)
            np.testing.assert_allclose(mine["loss"].sel(line="start"), values, rtol=1e-6)
            np.testing.assert_allclose(mine["first"].sel(line="start"), first, atol=1e-6)
            length = np.linalg.norm(np.subtract(end, starts[seed]))
            np.testing.assert_allclose(mine["length"].sel(line="start"), length, rtol=1e-6)
    between = data.sel(line="best end")
    np.testing.assert_allclose(between["loss"].sel(path="a")[0], expected([0.0, 0.0], [1.0, 0.0])[0], atol=1e-6)
    np.testing.assert_allclose(between["loss"].sel(path="b")[1], expected([0.0, 0.5], [3.0, 0.0])[0], rtol=1e-6)
    assert np.isnan(between["loss"].sel(path="b")[0]).all()
    assert np.isnan(between["length"].sel(path="a")[1])
    assert data.attrs["loss_units"] == "nat"


def test_an_end_without_a_number_is_not_the_best():
    lost = {"a": run([1.0, 0.0], [np.nan, 0.0]), "b": run([1.0, 0.0], [0.5, 0.0])}
    assert landscape.lines(loss, lost, points=3)["best"].values.tolist() == ["b"]


def test_finished_lines_are_kept_and_progress_is_that_of_all(tmp_path, data):
    told = []

    def tell(done, total):
        told.append((done, total))
        if done > 10:
            raise KeyboardInterrupt

    options = {"points": 5, "metrics": {"first": lambda w: w[0]}, "units": "nat", "out": tmp_path / "lines"}
    with pytest.raises(KeyboardInterrupt):
        landscape.lines(loss, PATHS, on_progress=tell, **options)
    assert told[0] == (0, 30)
    assert sorted(path.name for path in (tmp_path / "lines").iterdir()) == ["0", "1", "2"]
    seen = []
    again = landscape.lines(loss, PATHS, on_progress=lambda done, total: seen.append((done, total)), **options)
    assert seen[:2] == [(5, 30), (10, 30)]
    assert seen[-1] == (30, 30)
    assert again.equals(data)
