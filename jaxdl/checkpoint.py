"""Named arrays and a note in one file, with checksums: the state of work in flight.

One file, because a file can be replaced atomically and a folder cannot. Line 1 is JSON (the note; of every array its
dtype, shape and SHA-256; a checksum of the line), then follow the arrays' bytes. Not ``.npz``: that has no name for
bfloat16 and its like.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from jaxdl import store


def save(path: Path, arrays: Mapping[str, Any], note: Any) -> None:
    """Writes arrays and a note over what stood at ``path``, and returns when they are on the disk.

    Args:
      path: the file; its folder exists.
      arrays: NumPy or JAX arrays of any numeric dtype, bfloat16 and its like included; a random key of JAX as its
        ``jax.random.key_data``.
      note: anything that JSON can hold.

    Raises:
      TypeError: an array is not numeric.
      OSError: the file cannot be written; what stood there still stands.
    """
    flat = {name: _numeric(name, array) for name, array in arrays.items()}
    header = {
        name: {"dtype": array.dtype.name, "shape": array.shape, "sha256": hashlib.sha256(_bytes(array)).hexdigest()}
        for name, array in flat.items()
    }
    line = json.dumps(store.seal({"note": note, "arrays": header})).encode() + b"\n"
    store.commit(path.parent, {path.name: [line, *map(_bytes, flat.values())]})


def load(path: Path) -> tuple[dict[str, np.ndarray[Any, Any]], Any]:
    """Reads what :func:`save` wrote.

    Returns:
      The arrays, writable, and the note.

    Raises:
      FileNotFoundError: there is no file.
      ValueError: it is damaged.
    """
    with open(path, "rb") as file:
        header = store.unseal(file.readline())
        arrays = {name: _read(file, name, **entry) for name, entry in header["arrays"].items()}
        if file.read(1):
            raise ValueError("bytes follow the last array.")
    return arrays, header["note"]


def _numeric(name: str, value: Any) -> np.ndarray[Any, Any]:
    """``value`` as a C-ordered array in the machine's byte order, of a dtype that its name tells."""
    array = np.asarray(value, order="C")
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind not in "biufc" and not hasattr(ml_dtypes, array.dtype.name):
        raise TypeError(f"a checkpoint holds numeric arrays; {name!r} has dtype {array.dtype}.")
    return array


def _bytes(array: np.ndarray[Any, Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data  # bfloat16 has no buffer of its own


def _read(file: io.BufferedReader, name: str, dtype: str, shape: list[int], sha256: str) -> np.ndarray[Any, Any]:
    array = np.empty(shape, np.dtype(getattr(ml_dtypes, dtype, dtype)))
    data = _bytes(array)
    whole = file.readinto(data) == data.nbytes  # else empty memory may hold the old bytes
    if not whole or hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"array {name!r} does not match its checksum.")
    return array
