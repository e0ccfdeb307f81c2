"""A study on disk: what is committed comes back, to us and to other readers; who may write."""

import io
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

from jaxdl import journal, store
from jaxdl.ledger import Column, Ledger
from tests.studies import BLOCK, COLUMNS, append, assert_holds, create, keys, rows


@pytest.fixture
def folder(tmp_path) -> Path:
    """A closed study with ten rows in blocks of 4, 4 and 2."""
    return create(tmp_path / "study")


# --- what is written comes back ---------------------------------------------------------------------------------------


def test_rows_come_back_bit_for_bit(folder):
    with Ledger.open(folder) as ledger:
        assert ledger.manifest == {"seeds": 10}
        assert ledger.tables["runs"].columns == COLUMNS
        assert ledger.keys("runs") == keys(*range(10))
        assert ledger.damaged == []
        assert_holds(ledger, *range(10))


def test_rows_come_in_the_order_asked_for(folder):
    ledger = Ledger.open(folder)
    read = ledger.read("runs", ["loss"], keys(9, 0, 5, 0))
    assert list(read) == ["loss"]
    np.testing.assert_array_equal(read["loss"], rows(9, 0, 5, 0)["loss"], strict=True)
    assert ledger.read("runs", ["loss"], [])["loss"].shape == (0, 3)


def test_xarray_reads_the_same_numbers_and_padding_is_fill(folder):
    with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
        dataset.load()
    for name, expected in rows(*range(10)).items():
        assert dataset[name].dims == ("row", *COLUMNS[name].dims)
        np.testing.assert_array_equal(dataset[name].values[:10], expected, strict=True)
    assert dataset["loss"].attrs == {"units": "nat"}
    assert dataset.sizes == {"row": 12, "step": 3, "direction": 2}
    assert np.isnan(dataset["loss"].values[10:]).all()
    assert (dataset["diverged_at"].values[10:] == -1).all()


def test_padding_never_exists_and_is_not_filled_later(folder):
    with Ledger.open(folder, write=True) as ledger:
        append(ledger, 10, 11, 12)
        assert_holds(ledger, *range(13))
    assert_holds(Ledger.open(folder), *range(13))
    with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
        assert dataset.sizes["row"] == 16
        np.testing.assert_array_equal(dataset["diverged_at"][8:], [56, 63, -1, -1, 70, 77, 84, -1])


def test_a_key_committed_twice_is_read_from_its_last_block(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.append("runs", keys(3), rows(33))
        np.testing.assert_array_equal(ledger.read("runs", keys=keys(3))["loss"], rows(33)["loss"])
    ledger = Ledger.open(folder)
    assert len(ledger.keys("runs")) == 10
    np.testing.assert_array_equal(ledger.read("runs", keys=keys(3))["loss"], rows(33)["loss"])


def test_two_tables_do_not_mix(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.table("audit", {"error": Column(dtype="float64")}, 2)
        ledger.append("audit", keys(0, 1, 2), {"error": jnp.arange(3.0)})
    ledger = Ledger.open(folder)
    assert_holds(ledger, *range(10))
    np.testing.assert_array_equal(ledger.read("audit")["error"], [0.0, 1.0, 2.0])


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "uint32", "float16", "float32", "float64"])
def test_dtypes(tmp_path, dtype):
    values = np.array([0, 1, 1]).astype(dtype)
    with Ledger.create(tmp_path, None) as ledger:
        ledger.table("t", {"x": Column(dtype=dtype)}, 2)
        ledger.append("t", ["a", "b", "c"], {"x": values})
    np.testing.assert_array_equal(Ledger.open(tmp_path).read("t")["x"], values, strict=True)
    with xarray.open_zarr(tmp_path / "results.zarr", group="t", consolidated=False) as dataset:
        np.testing.assert_array_equal(dataset["x"].values[:3], values, strict=True)


def test_the_definition_can_be_amended(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.amend({"seeds": 20, "note": "µ"})
    ledger = Ledger.open(folder)
    assert ledger.manifest == {"seeds": 20, "note": "µ"}
    assert_holds(ledger, *range(10))


# --- checkpoints ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back_until_it_is_dropped(folder):
    arrays = {"params": jnp.array([1.5, -2], jnp.bfloat16), "key": jax.random.key_data(jax.random.key(3))}
    with Ledger.open(folder, write=True) as ledger:
        assert ledger.load_checkpoint() is None
        ledger.save_checkpoint(arrays, {"step": 1})
        ledger.save_checkpoint(arrays, {"step": 2})
    with Ledger.open(folder, write=True) as ledger:
        loaded, note = ledger.load_checkpoint()
        assert note == {"step": 2}
        for name, array in arrays.items():
            assert loaded[name].dtype == array.dtype
            np.testing.assert_array_equal(loaded[name], array)
        ledger.drop_checkpoint()
        ledger.drop_checkpoint()
        assert ledger.load_checkpoint() is None


# --- who may do what --------------------------------------------------------------------------------------------------


def test_one_writer_and_readers_that_see_a_prefix(folder):
    with Ledger.open(folder, write=True) as writer:
        with pytest.raises(store.LockedError, match=r"study' is being written to by another process"):
            Ledger.open(folder, write=True)
        before = Ledger.open(folder)
        append(writer, 10, 11)
        assert_holds(before, *range(10))
        assert_holds(Ledger.open(folder), *range(12))
    Ledger.open(folder, write=True).close()


def test_a_failed_opening_lets_go_of_the_lock(folder):
    whole = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(b"{}")
    with pytest.raises(ValueError, match="damaged"):
        Ledger.open(folder, write=True)
    (folder / "manifest.json").write_bytes(whole)
    Ledger.open(folder, write=True).close()


def test_a_study_is_not_made_twice_nor_opened_from_nothing(folder, tmp_path):
    with pytest.raises(FileExistsError, match="already holds a study"):
        Ledger.create(folder, {})
    with pytest.raises(FileNotFoundError, match=r"no study at .*nothing"):
        Ledger.open(tmp_path / "nothing")
    with Ledger.open(folder, write=True) as ledger:
        assert_holds(ledger, *range(10))


@pytest.mark.parametrize(
    "write",
    [
        lambda ledger: append(ledger, 11),
        lambda ledger: ledger.amend({}),
        lambda ledger: ledger.table("new", COLUMNS, BLOCK),
        lambda ledger: ledger.save_checkpoint({}, {}),
        lambda ledger: ledger.drop_checkpoint(),
    ],
    ids=["append", "amend", "table", "save", "drop"],
)
def test_a_reader_writes_nothing(folder, write):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    closed = Ledger.open(folder, write=True)
    closed.close()
    for ledger in (Ledger.open(folder), closed):
        with pytest.raises(io.UnsupportedOperation, match="not open for writing"):
            write(ledger)
        ledger.table("runs", COLUMNS, BLOCK)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_table_is_declared_once(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.table("runs", COLUMNS, BLOCK)
        for columns, block_rows in ((COLUMNS, 5), ({**COLUMNS, "loss": Column((3,), "float64", ("step",))}, BLOCK)):
            with pytest.raises(ValueError, match="table 'runs' is declared as"):
                ledger.table("runs", columns, block_rows)
        assert_holds(ledger, *range(10))


def test_a_journal_of_another_study_is_refused(folder, tmp_path):
    Ledger.create(tmp_path / "other", {}).close()
    (tmp_path / "other" / "journal.jsonl").write_bytes((folder / "journal.jsonl").read_bytes())
    with pytest.raises(ValueError, match="names the table 'runs', its manifest does not"):
        Ledger.open(tmp_path / "other")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda l: l.append("rums", [], {}), ValueError, "unknown table 'rums'; known are: runs"),
        (lambda l: l.keys("rums"), ValueError, "unknown table"),
        (lambda l: l.append("runs", keys(10, 10), rows(10, 10)), ValueError, "distinct"),
        (lambda l: l.append("runs", [3], rows(10)), ValueError, "keys must be strings, got 3"),
        (lambda l: l.append("runs", keys(10), rows(10, 11)), ValueError, r"expects 1 rows as .*got .*\(2, 3\)"),
        (lambda l: l.append("runs", keys(10), {"loss": rows(10)["loss"]}), ValueError, "expected the columns"),
        (
            lambda l: l.append("runs", keys(10), {**rows(10), "loss": np.zeros((1, 3))}),
            ValueError,
            r"column 'loss' expects 1 rows as \('float32', \(1, 3\)\), got \('float64', \(1, 3\)\)",
        ),
        (lambda l: l.read("runs", keys=keys(3, 77)), KeyError, r"no row 'adam/77' \(1 of 2 are missing\)"),
        (lambda l: l.read("runs", columns=["los"]), ValueError, "unknown column 'los'"),
        (lambda l: l.amend({"rate": float("nan")}), ValueError, "JSON compliant"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(folder, call, error, message):
    with Ledger.open(folder, write=True) as ledger:
        with pytest.raises(error, match=message):
            call(ledger)
        assert_holds(ledger, *range(10))
    assert_holds(Ledger.open(folder), *range(10))


def test_the_journal_can_be_read_without_jaxdl(folder):
    line = json.loads((folder / "journal.jsonl").read_text().splitlines()[1])
    assert line["content"]["keys"] == keys(4, 5, 6, 7)
    assert line["content"]["block"] == 1
    assert set(line["content"]["files"]) == set(COLUMNS)
    assert len(journal.read(folder / "journal.jsonl").entries) == 3
