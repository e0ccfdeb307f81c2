"""Declarations: what zarr and xarray cannot hold is refused before anything is written."""

import json

import pytest

from jaxdl.tables import Column, Table, check

LOSS = Column((3,), "float32", ("step",), {"units": "nat"})


def test_a_declaration_survives_json():
    table = Table({"loss": LOSS, "n": Column((), "int32")}, 4)
    check("runs", table)
    assert Table.from_json(json.loads(json.dumps(table.to_json()))) == table


@pytest.mark.parametrize(
    ("name", "columns", "block_rows", "message"),
    [
        ("runs", {"loss": LOSS}, 0, "block_rows must be a whole number of at least 1, got 0"),
        ("runs", {}, 4, "table 'runs' needs at least one column"),
        ("a/b", {"loss": LOSS}, 4, "got 'a/b'"),
        ("..", {"loss": LOSS}, 4, "got '..'"),
        ("", {"loss": LOSS}, 4, "got ''"),
        ("runs\n", {"loss": LOSS}, 4, "the name of a table or column is letters"),
        ("runs", {"zarr.json": LOSS}, 4, "got 'zarr.json'"),
        ("runs", {"__loss": LOSS}, 4, "got '__loss'"),
        ("runs", {"loss": LOSS._replace(dtype="bfloat16")}, 4, "unknown dtype of column 'loss' 'bfloat16'; known are"),
        ("runs", {"loss": LOSS._replace(dims=())}, 4, "needs one distinct dim per axis"),
        ("runs", {"loss": Column((2, 2), "bool", ("a", "a"))}, 4, "needs one distinct dim per axis"),
        ("runs", {"loss": LOSS._replace(shape=(0,))}, 4, "size of an axis of column 'loss' must be"),
        ("runs", {"loss": LOSS, "lr": LOSS._replace(shape=(4,))}, 4, "'step' of column 'lr' has size 4, in another"),
        ("runs", {"loss": LOSS, "step": Column()}, 4, "'step' names both an axis and a column"),
        ("runs", {"row": Column()}, 4, "'row' names both"),
        ("runs", {"loss": LOSS._replace(dims=("row",))}, 4, "'row' names both"),
    ],
)
def test_what_cannot_be_held_is_refused(name, columns, block_rows, message):
    with pytest.raises(ValueError, match=r".") as error:
        check(name, Table(columns, block_rows))
    assert message in str(error.value)
