"""What other programs read is what the Dataset holds, rows and columns in their places."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape

pytestmark = pytest.mark.usefixtures("quick_compilation")

AXES = (jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0]))
WAY = jnp.array([[2.0, 1.0], [1.0, 0.5], [0.0, 0.0]])


@pytest.fixture(scope="module")
def data():
    """On an oblong grid, higher along y than along x."""
    plane = landscape.Plane(jnp.zeros(2), AXES, ((-1.0, 3.0), (-1.0, 2.0)))
    metrics = {"accuracy": lambda w: 1 / (1 + w[0] ** 2)}
    paths = {"sgd": WAY, "adam": 0.5 * WAY}
    return landscape.portrait(
        lambda w: 1 + w[0] ** 2 + 10 * w[1] ** 2, paths, plane=plane, grid=(5, 4), metrics=metrics
    )


def test_npz(data, tmp_path):
    with np.load(landscape.export(data, tmp_path / "a.npz")) as file:
        assert set(file) == set(map(str, data.variables))
        np.testing.assert_array_equal(file["loss"], data["loss"])


def test_netcdf(data, tmp_path):
    import xarray

    path = landscape.export(data, tmp_path / "a.nc")
    with xarray.open_dataset(path, engine="scipy") as read:
        np.testing.assert_array_equal(read["loss"], data["loss"])
        assert read["path"].values.tolist() == ["sgd", "adam"]
        assert read.attrs["plane"] == data.attrs["plane"]


def test_the_keys_of_li_et_al(data, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(landscape.export(data, tmp_path / "a.h5")) as file:
        x, y = file["xcoordinates"][:], file["ycoordinates"][:]
        np.testing.assert_allclose(file["train_loss"], 1 + x[None] ** 2 + 10 * y[:, None] ** 2, rtol=1e-12)
        np.testing.assert_allclose(file["train_acc"][0], 100 / (1 + x**2), rtol=1e-12)
        np.testing.assert_allclose(file["proj_xcoord"], WAY[:, 0])
        np.testing.assert_allclose(file["adam"]["proj_ycoord"], 0.5 * WAY[:, 1])


@pytest.mark.parametrize("suffix", [".vtu", ".vtk"])
def test_vtk_has_a_quadrilateral_for_every_cell(data, tmp_path, suffix):
    meshio = pytest.importorskip("meshio")
    mesh = meshio.read(landscape.export(data, tmp_path / f"a{suffix}"))
    assert mesh.points.shape == (20, 3)
    (cells,) = mesh.cells
    assert cells.data.shape == (12, 4)
    corners = mesh.points[cells.data][:, :, :2]
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=-1)
    np.testing.assert_allclose(sides, np.broadcast_to([1 / 4, 1 / 3, 1 / 4, 1 / 3], (12, 4)))
    np.testing.assert_allclose(mesh.point_data["loss"], data["loss"].values.ravel())
    order = np.argsort(mesh.point_data["loss"], kind="stable")
    assert (np.diff(mesh.points[order, 2]) >= 0).all()


def test_what_cannot_be_written(data, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"unknown format '.csv'; known are: .npz, .nc, .h5, .vtu, .vtk"):
        landscape.export(data, tmp_path / "a.csv")
    with pytest.raises(ValueError, match="hold planes with axes x and y"):
        landscape.export(data.isel(y=0), tmp_path / "a.h5")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match=r"needs h5py: pip install 'jaxdl\[export\]'"):
        landscape.export(data, tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []
