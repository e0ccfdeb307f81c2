"""Blocks of rows on disk: a table is a zarr group, a block is one chunk of every array.

Chunks are uncompressed, one file each in the folder of its array, so that their bytes can be checked and read without
zarr. Rows that a block does not hold are the fill value: NaN, or −1 for integers.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxdl import store
from jaxdl.tables import FILL, Array, Column, Table


def lay_out(folder: Path, table: Table, blocks: int) -> None:
    """Makes the zarr group ``folder``, with arrays of ``blocks`` blocks; what is there and right is not touched."""
    _describe(folder.parent, _GROUP)
    _describe(folder, _GROUP)
    for name, column in table.columns.items():
        _describe(folder / name, _array_metadata(column, table.block_rows, blocks))


def write(folder: Path, table: Table, block: int, arrays: Mapping[str, Array], blocks: int | None) -> dict[str, str]:
    """Writes the files of one block, and returns when they are on the disk.

    Args:
      folder: the table's zarr group.
      table: its declaration.
      block: number of the block; what stood there is replaced.
      arrays: for every column at most ``block_rows`` rows.
      blocks: new length of the arrays in blocks; None if they are long enough. Too long does no harm: readers of zarr
        see fill values at the end.

    Returns:
      For every column the SHA-256 of its file.
    """
    digests = {}
    for name, column in table.columns.items():
        data = _encode(column, arrays[name], table.block_rows)
        digests[name] = hashlib.sha256(data).hexdigest()
        files = {_chunk(column, block): [data]}
        if blocks is not None:
            files["zarr.json"] = [memoryview(_array_metadata(column, table.block_rows, blocks))]
        store.commit(folder / name, files)
    return digests


def problem(folder: Path, table: Table, block: int, digests: Mapping[str, str]) -> str | None:
    """What is wrong with the files of a block; None if they are what :func:`write` wrote."""
    for name, column in table.columns.items():
        path = folder / name / _chunk(column, block)
        try:
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return f"{str(path)!r} is missing"
        except OSError as error:
            return f"{str(path)!r} cannot be read ({error.strerror or error})"
        if found != digests[name]:
            return f"{str(path)!r} does not match its checksum"
    return None


def gather(folder: Path, name: str, column: Column, block_rows: int, places: Array) -> Array:
    """Rows of one array, each needed block read once.

    Args:
      folder: the table's zarr group.
      name: the column's name.
      column: its declaration.
      block_rows: rows of a block.
      places: (n, 2), block and row within it.

    Returns:
      (n, *shape).
    """
    rows = np.empty((len(places), *column.shape), column.dtype)
    order = np.argsort(places[:, 0], kind="stable")
    starts = np.flatnonzero(np.diff(places[order, 0])) + 1
    for where in np.split(order, starts) if len(order) else ():
        block = _decode(folder / name / _chunk(column, places[where[0], 0]), column, block_rows)
        rows[where] = block[places[where, 1]]
    return rows


# --- the format of zarr 3 ---------------------------------------------------------------------------------------------


def _chunk(column: Column, block: int) -> str:
    """The file of a block in its array's folder: all in one folder, whatever the array's rank."""
    return ".".join(["c", str(block), *("0" for _ in column.shape)])


def _encode(column: Column, rows: Array, block_rows: int) -> memoryview:
    """The bytes of a block that holds ``rows`` and, after them, the fill value."""
    block = np.full((block_rows, *column.shape), FILL[column.dtype], np.dtype(column.dtype).newbyteorder("<"))
    block[: len(rows)] = rows
    return block.reshape(-1).view(np.uint8).data


def _decode(path: Path, column: Column, block_rows: int) -> Array:
    """The rows of a block, those that were never written included."""
    block = np.fromfile(path, np.dtype(column.dtype).newbyteorder("<"))
    if block.size != block_rows * math.prod(column.shape):
        raise OSError(f"{str(path)!r} was cut short since the study was opened; open it again.")
    return block.reshape(block_rows, *column.shape).astype(column.dtype, copy=False)


def _describe(folder: Path, metadata: bytes) -> None:
    store.make_folder(folder)
    path = folder / "zarr.json"
    if not path.exists() or path.read_bytes() != metadata:
        store.commit(folder, {"zarr.json": [metadata]})


_GROUP = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}, indent=2).encode()


def _array_metadata(column: Column, block_rows: int, blocks: int) -> bytes:
    """The array's ``zarr.json``."""
    bytes_codec: dict[str, Any] = {"name": "bytes"}
    if np.dtype(column.dtype).itemsize > 1:
        bytes_codec["configuration"] = {"endian": "little"}
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [blocks * block_rows, *column.shape],
        "data_type": column.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [block_rows, *column.shape]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
        "fill_value": "NaN" if "float" in column.dtype else FILL[column.dtype],
        "codecs": [bytes_codec],
        "attributes": dict(column.attrs),
        "dimension_names": ["row", *column.dims],
        "storage_transformers": [],
    }
    return json.dumps(metadata, indent=2).encode()
