"""A landscape for other programs: NumPy, NetCDF, the HDF5 files of Li et al.'s code, and ParaView.

The suffix decides. ``.npz`` and ``.nc`` hold every variable; ``.h5`` and ``.vtu``, ``.vtk`` need the extra
``jaxdl[export]`` (h5py, meshio).

**HDF5.** The keys are those that ``plot_2D.py`` and ``plot_trajectory.py`` of Li et al. read: ``xcoordinates``,
``ycoordinates``, ``train_loss`` (rows are y) and ``train_acc`` (per cent) of a surface, ``proj_xcoord`` and
``proj_ycoord`` of a trajectory. That code has one trajectory a file; of several, each is in the group of its name too,
and the first on top.

**VTK.** One quadrilateral a cell of the grid, the height as the third coordinate, every metric at the points; for a
surface that is to be seen, logarithms of losses and coordinates of a common size (``scaled``).

Source of the keys: Li et al., github.com/tomgoldstein/loss-landscape, ``plot_surface.py`` and ``projection.py``.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxdl import checks, store

if TYPE_CHECKING:
    import xarray


def export(data: "xarray.Dataset", path: str | os.PathLike[str]) -> Path:
    """Writes a Dataset of this room in the format that the suffix of ``path`` says, whole or not at all.

    Args:
      data: From ``plane``, ``line`` or ``portrait``; of ``.h5`` and VTK a plane.
      path: Where to: ``.npz``, ``.nc``, ``.h5``, ``.vtu`` or ``.vtk``.

    Returns:
      The path.

    Raises:
      ValueError: an unknown suffix, or a format of planes for something else.
      ImportError: what the format needs is not installed.
    """
    suffix = Path(path).suffix
    checks.known("format", suffix, FORMATS)
    if suffix in PLANES_ONLY and not {"x", "y"} <= set(data.sizes):
        raise ValueError(f"{suffix} files hold planes with axes x and y, got {', '.join(map(str, data.sizes))}.")
    return store.replace(path, lambda made: FORMATS[suffix](data, made))


def _npz(data: "xarray.Dataset", path: Path) -> None:
    arrays: dict[str, Any] = {str(name): values.values for name, values in data.variables.items()}
    np.savez_compressed(path, **arrays)


def _netcdf(data: "xarray.Dataset", path: Path) -> None:
    data.to_netcdf(path, engine="scipy")


def _li(data: "xarray.Dataset", path: Path) -> None:
    h5py = _needed("h5py")
    with h5py.File(path, "w") as file:
        file["xcoordinates"], file["ycoordinates"] = data["x"].values, data["y"].values
        file["train_loss"] = data["loss"].transpose("y", "x").values
        if "accuracy" in data:
            file["train_acc"] = 100 * data["accuracy"].transpose("y", "x").values
        for i, name in enumerate(data["path"].values if "path_x" in data else ()):
            own = file.create_group(str(name).replace("/", "_"))
            for place in (file, own) if i == 0 else (own,):
                for axis in ("x", "y"):
                    place[f"proj_{axis}coord"] = data[f"path_{axis}"].values[i, 0]


def _vtk(data: "xarray.Dataset", path: Path) -> None:
    meshio = _needed("meshio")
    planes = {str(name): values for name, values in data.data_vars.items() if set(values.dims) == {"x", "y"}}
    metrics = {name: values.transpose("y", "x").values.ravel() for name, values in planes.items()}
    x, y = np.meshgrid(*(_unit(data[axis].values) for axis in ("x", "y")))
    height = scaled(metrics["loss"], data.attrs.get("floor"))
    rows, columns = x.shape
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    cells = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1)
    points = np.stack([x.ravel(), y.ravel(), height], axis=1)
    meshio.Mesh(points, [("quad", cells)], point_data=metrics).write(path)


def scaled(losses: np.ndarray, floor: float | None = None) -> np.ndarray:
    """Heights from 0 to 1 for the eye: of logarithms above the floor where all losses are above it, else of losses.

    What is not finite is put on top.

    >>> scaled(np.array([1.0, 10.0, 100.0, np.inf])).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    above = losses - (floor or 0.0)
    finite = np.isfinite(above)
    if not finite.any():
        return np.ones(losses.shape)
    known = above[finite].astype(float)
    values = np.ones(losses.shape)
    values[finite] = _unit(np.log(known) if known.min() > 0 else known)
    return values


def _unit(values: np.ndarray) -> np.ndarray:
    """From the smallest to the largest as from 0 to 1."""
    span = np.ptp(values)
    result: np.ndarray = (values - values.min()) / (span if span > 0 else 1.0)
    return result


def _needed(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this format needs {module}: pip install 'jaxdl[export]'.") from error


FORMATS: Mapping[str, Callable[["xarray.Dataset", Path], None]] = MappingProxyType(
    {".npz": _npz, ".nc": _netcdf, ".h5": _li, ".vtu": _vtk, ".vtk": _vtk}
)
"""Suffix to what writes it."""
PLANES_ONLY = (".h5", ".vtu", ".vtk")
