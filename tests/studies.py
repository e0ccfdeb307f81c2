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


def grow(folder: Path, count: int) -> None:
    """Commits rows block by block, with a checkpoint after each, until there are ``count``."""
    with Ledger.open(folder, write=True) as ledger:
        for start in range(len(ledger.keys("runs")), count, BLOCK):
            append(ledger, *range(start, start + BLOCK))
            ledger.save_checkpoint({"done": np.array(start + BLOCK)}, {})


# --- operations that may be interrupted anywhere, and repeated --------------------------------------------------------


def create_and_declare(folder: Path) -> None:
    """A new study beside what is there."""
    made = (folder / "new" / "manifest.json").exists()
    with Ledger.open(folder / "new", write=True) if made else Ledger.create(folder / "new", "definition") as ledger:
        ledger.table("runs", COLUMNS, BLOCK)


def append_two_blocks(folder: Path) -> None:
    with Ledger.open(folder, write=True) as ledger:
        append(ledger, *(i for i in range(10, 16) if keys(i)[0] not in ledger.keys("runs")))


def amend(folder: Path) -> None:
    with Ledger.open(folder, write=True) as ledger:
        ledger.amend({"seeds": 20})


def save_checkpoint(folder: Path) -> None:
    with Ledger.open(folder, write=True) as ledger:
        ledger.save_checkpoint({"x": np.arange(3), "y": np.ones(2)}, {"step": 2})


def drop_checkpoint(folder: Path) -> None:
    with Ledger.open(folder, write=True) as ledger:
        ledger.drop_checkpoint()


def mend(folder: Path) -> None:
    """Commits again what a damaged journal or damaged blocks lost."""
    with Ledger.open(folder, write=True) as ledger:
        lost = [i for i in range(10) if keys(i)[0] not in ledger.keys("runs")]
        append(ledger, *lost)


OPERATIONS = {
    operation.__name__: operation
    for operation in (create_and_declare, append_two_blocks, amend, save_checkpoint, drop_checkpoint, mend)
}
