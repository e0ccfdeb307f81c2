"""Results on disk. A file or folder appears whole or not at all: it is written beside its place, then renamed."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray


def check_writable(folder: str | os.PathLike[str]) -> Path:
    """Makes ``folder`` and proves that it can be written to, before any work is done.

    Raises:
      OSError: it cannot, with one sentence that names it.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OSError(f"cannot write to the folder {str(path)!r}: {error.strerror or error}.") from error
    return path


def replace(path: str | os.PathLike[str], write: Callable[[Path], Any]) -> Path:
    """Calls ``write(temporary path)`` and moves what it made to ``path``, over what stood there.

    The temporary path has the same suffix. If ``write`` fails, what stood at ``path`` still stands.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        made = Path(scratch) / f"new{path.suffix}"
        write(made)
        if path.is_dir():
            os.replace(path, Path(scratch) / f"old{path.suffix}")  # removed with the scratch folder
        os.replace(made, path)
    return path


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Writes UTF-8 text."""
    return replace(path, lambda made: made.write_text(text, encoding="utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    """Writes JSON; infinities and NaN, which JSON lacks, must have been turned into null."""
    return write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def save(dataset: "xarray.Dataset", path: str | os.PathLike[str]) -> Path:
    """Writes a Dataset as a zarr folder."""
    as_objects = _with_text(dataset, "U", object)  # fixed-width Unicode has no agreed form in zarr 3
    return replace(path, lambda made: as_objects.to_zarr(made, mode="w", consolidated=False))


def load(path: str | os.PathLike[str]) -> "xarray.Dataset":
    """Reads a Dataset that :func:`save` wrote, whole, into memory.

    Raises:
      FileNotFoundError: there is none at ``path``.
    """
    import xarray

    if not (Path(path) / "zarr.json").exists():
        raise FileNotFoundError(f"no stored results at {str(path)!r}; expected a zarr folder written by jaxdl.")
    with xarray.open_zarr(path, consolidated=False) as dataset:
        return _with_text(dataset.load(), "OT", str)


def _with_text(dataset: "xarray.Dataset", kinds: str, dtype: type) -> "xarray.Dataset":
    """Turns the variables whose dtype is of one of ``kinds`` to ``dtype``."""
    found = {name: v for name, v in dataset.variables.items() if v.dtype.kind in kinds}
    return dataset.assign({name: (v.dims, v.values.astype(object).astype(dtype), v.attrs) for name, v in found.items()})
