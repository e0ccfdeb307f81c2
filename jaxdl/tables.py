"""Declarations of tables: named arrays that share their first axis, ``row``; and what fits into them."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np

from jaxdl import checks

Array = np.ndarray[Any, np.dtype[Any]]

FILL: dict[str, Any] = {
    "bool": False,
    **dict.fromkeys(("int8", "int16", "int32", "int64"), -1),
    **{name: int(np.iinfo(name).max) for name in ("uint8", "uint16", "uint32", "uint64")},
    **dict.fromkeys(("float16", "float32", "float64"), float("nan")),
}
"""What zarr shows where nothing was written, for every dtype of a column; unsigned integers have no −1."""


class Column(NamedTuple):
    """One array of a table.

    Attributes:
      shape: shape of one row.
      dtype: name of a dtype: bool, int8 … int64, uint8 … uint64, float16 … float64.
      dims: names of the axes after ``row``.
      attrs: attributes (units, long_name, …); anything that JSON can hold.
    """

    shape: tuple[int, ...] = ()
    dtype: str = "float64"
    dims: tuple[str, ...] = ()
    attrs: Mapping[str, Any] = MappingProxyType({})


class Table(NamedTuple):
    """A table's declaration.

    Attributes:
      columns: its arrays by name.
      block_rows: rows of one block.
    """

    columns: dict[str, Column]
    block_rows: int

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON holds it."""
        columns = {
            name: {"shape": [*c.shape], "dtype": c.dtype, "dims": [*c.dims], "attrs": dict(c.attrs)}
            for name, c in self.columns.items()
        }
        return {"columns": columns, "block_rows": self.block_rows}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The declaration that :meth:`to_json` turned into JSON."""
        columns = {
            name: Column(tuple(c["shape"]), c["dtype"], tuple(c["dims"]), c["attrs"])
            for name, c in value["columns"].items()
        }
        return cls(columns, value["block_rows"])


def check_name(what: str, name: str) -> None:
    """Raises ValueError unless ``name`` can be that of a file."""
    if not re.fullmatch(r"(?!__)\w[\w.-]*", name, re.ASCII) or name == "zarr.json":
        raise ValueError(f"the name of {what} is letters, digits, '_', '-' and '.', got {name!r}.")


def check(name: str, table: Table) -> None:
    """Raises ValueError unless zarr and xarray can hold the table."""
    checks.positive_integer(block_rows=table.block_rows)
    if not table.columns:
        raise ValueError(f"table {name!r} needs at least one column.")
    sizes: dict[str, int] = {}
    for path in (name, *table.columns):
        check_name("a table or column", path)
    for label, column in table.columns.items():
        _check_column(label, column)
        for dim, size in zip(column.dims, column.shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise ValueError(f"dim {dim!r} of column {label!r} has size {size}, in another column {sizes[dim]}.")
    if clash := {"row", *sizes} & set(table.columns) or {"row"} & set(sizes):
        raise ValueError(f"{min(clash)!r} names both an axis and a column or axis of table {name!r}; rename one.")


def _check_column(name: str, column: Column) -> None:
    if len(column.dims) != len(column.shape) or len(set(column.dims)) != len(column.dims):
        raise ValueError(f"column {name!r} needs one distinct dim per axis of {column.shape}, got {column.dims}.")
    for size in column.shape:
        checks.positive_integer(**{f"size of an axis of column {name!r}": size})
    checks.known(f"dtype of column {name!r}", column.dtype, FILL)


def checked_keys(keys: Sequence[str]) -> list[str]:
    """``keys`` as a list; ValueError unless they are distinct strings."""
    keys = list(keys)
    if wrong := [key for key in keys if not isinstance(key, str)]:
        raise ValueError(f"keys must be strings, got {wrong[0]!r}.")
    if len(set(keys)) < len(keys):
        raise ValueError("keys must be distinct within one call.")
    return keys


def checked_arrays(table: Table, arrays: Mapping[str, Any], rows: int) -> dict[str, Array]:
    """``arrays`` as NumPy arrays; ValueError unless they are ``rows`` rows of exactly the table's columns."""
    if set(arrays) != set(table.columns):
        raise ValueError(f"expected the columns {sorted(table.columns)}, got {sorted(arrays)}.")
    found = {name: np.asarray(arrays[name]) for name in table.columns}
    for name, column in table.columns.items():
        expected = column.dtype, (rows, *column.shape)
        if (got := (found[name].dtype.name, found[name].shape)) != expected:
            raise ValueError(f"column {name!r} expects {rows} rows as {expected}, got {got}.")
    return found
