"""A small study on disk, whose rows are functions of their numbers, for the tests of the ledger."""

from pathlib import Path

import numpy as np

from jaxdl.ledger import Column, Ledger

COLUMNS = {
    "loss": Column((3,), "float32", ("step",), {"units": "nat"}),
    "spectrum": Column((2, 3), "float64", ("direction", "step")),
    "diverged_at": Column((), "int32"),
    "diverged": Column((), "bool"),
}
BLOCK = 4


def rows(*numbers: int) -> dict[str, np.ndarray]:
    """Rows that are functions of their numbers."""
    i = np.array(numbers, np.int64)
    return {
        "loss": (i[:, None] + np.arange(3) / 8).astype(np.float32),
        "spectrum": i[:, None, None] * np.pi + np.arange(6.0).reshape(2, 3),
        "diverged_at": (i * 7).astype(np.int32),
        "diverged": i % 2 == 0,
    }


def keys(*numbers: int) -> list[str]:
    return [f"adam/{number}" for number in numbers]


def append(ledger: Ledger, *numbers: int) -> None:
    ledger.append("runs", keys(*numbers), rows(*numbers))


def assert_holds(ledger: Ledger, *numbers: int) -> None:
    """Exactly these rows, bit for bit."""
    assert sorted(ledger.keys("runs")) == sorted(keys(*numbers))
    read = ledger.read("runs", keys=keys(*numbers))
    for name, expected in rows(*numbers).items():
        assert read[name].dtype == expected.dtype
        np.testing.assert_array_equal(read[name], expected, strict=True)


def create(folder: Path) -> Path:
    """A closed study with ten rows in blocks of 4, 4 and 2."""
    with Ledger.create(folder, {"seeds": 10}) as ledger:
        ledger.table("runs", COLUMNS, BLOCK)
        append(ledger, *range(10))
    return folder


def flip(path: Path, position: int = 2) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def chunk(folder: Path, column: str, block: int) -> Path:
    return folder / "results.zarr" / "runs" / column / ".".join(["c", str(block), *"0" * len(COLUMNS[column].shape)])
