"""Damage to a study on disk is found, told, and mended by committing the lost rows again."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray

from jaxdl import blocks
from jaxdl.ledger import Ledger
from tests.studies import COLUMNS, append, assert_holds, chunk, create, flip, keys, rows


@pytest.fixture
def folder(tmp_path) -> Path:
    """A closed study with ten rows in blocks of 4, 4 and 2."""
    return create(tmp_path / "study")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], None]] = {"flipped": flip, "truncated": cut, "deleted": Path.unlink}


def check_damage(folder: Path, damage: Callable[[Path], None], column: str) -> None:
    """A damaged block loses its rows, which can be committed again; every reader then sees whole arrays."""
    damage(chunk(folder, column, 1))
    with Ledger.open(folder, write=True) as ledger:
        assert_holds(ledger, 0, 1, 2, 3, 8, 9)
        assert len(ledger.damaged) == 1
        assert "block 1 of table 'runs'" in ledger.damaged[0]
        assert "rows lost: 4" in ledger.damaged[0]
        append(ledger, 4, 5, 6)
        assert len(ledger.damaged) == 1
        with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
            assert dataset.sizes["row"] == 12
        append(ledger, 7)
        assert ledger.damaged == []
    ledger = Ledger.open(folder)
    assert ledger.damaged == []
    assert_holds(ledger, *range(10))
    with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
        np.testing.assert_array_equal(
            dataset["diverged_at"], [0, 7, 14, 21, 28, 35, 42, -1, 56, 63, -1, -1, 49, *[-1] * 3]
        )


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_damaged_block_is_found_told_and_replaced(folder, damage, column):
    check_damage(folder, DAMAGES[damage], column)


def test_without_checksums_the_damage_would_pass(folder, monkeypatch):
    monkeypatch.setattr(blocks, "problem", lambda *_: None)
    with pytest.raises(AssertionError):
        check_damage(folder, flip, "loss")


def test_a_block_that_is_cut_after_opening_is_named(folder):
    ledger = Ledger.open(folder)
    cut(chunk(folder, "spectrum", 1))
    with pytest.raises(OSError, match=r"spectrum/c\.1\.0\.0' was cut short"):
        ledger.read("runs")


def test_of_a_key_committed_twice_the_last_intact_row_counts_and_the_loss_is_told(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.append("runs", keys(3), rows(33))
    flip(chunk(folder, "loss", 3))
    ledger = Ledger.open(folder)
    assert_holds(ledger, *range(10))
    assert len(ledger.damaged) == 1


def test_the_later_commit_counts_also_in_an_earlier_block(folder):
    flip(chunk(folder, "loss", 0))
    with Ledger.open(folder, write=True) as ledger:
        ledger.append("runs", keys(4), rows(44))
    ledger = Ledger.open(folder)
    np.testing.assert_array_equal(ledger.read("runs", keys=keys(4, 5))["loss"], rows(44, 5)["loss"])
    assert set(ledger.keys("runs")) == set(keys(*range(4, 10)))


def test_a_torn_last_line_is_cut_off(folder):
    whole = (folder / "journal.jsonl").read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in (last + 1, len(whole) - 30, len(whole) - 1):
        (folder / "journal.jsonl").write_bytes(whole[:end])
        reader = Ledger.open(folder)
        assert_holds(reader, *range(8))
        assert reader.damaged == []
    with Ledger.open(folder, write=True) as ledger:
        append(ledger, 8, 9)
        assert_holds(ledger, *range(10))
    assert (folder / "journal.jsonl").read_bytes() == whole
    assert_holds(Ledger.open(folder), *range(10))


@pytest.mark.parametrize("position", [0, 40, 150, -1], ids=["start", "keys", "checksums", "newline"])
def test_a_damaged_middle_line_is_told_and_its_rows_are_missing(folder, position):
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    flip(folder / "journal.jsonl", len(lines[0]) + position % len(lines[1]))
    expected = [0, 1, 2, 3] if position == -1 else [0, 1, 2, 3, 8, 9]  # without its newline it swallows the next line
    reader = Ledger.open(folder)
    assert_holds(reader, *expected)
    assert [sentence[:6] for sentence in reader.damaged] == ["line 2"]
    with Ledger.open(folder, write=True) as ledger:
        assert ledger.damaged == reader.damaged
        append(ledger, *sorted({*range(10)} - {*expected}))
    ledger = Ledger.open(folder)
    assert ledger.damaged == []
    assert_holds(ledger, *range(10))


def test_rows_without_a_journal_line_do_not_exist(folder):
    (folder / "journal.jsonl").unlink()
    with Ledger.open(folder, write=True) as ledger:
        assert ledger.keys("runs") == []
        append(ledger, 1)
        assert_holds(ledger, 1)
    with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
        assert dataset.sizes["row"] == 4


def test_every_flipped_byte_of_the_manifest_is_refused(folder):
    whole = (folder / "manifest.json").read_bytes()
    wanted = Ledger.open(folder)
    for position in range(len(whole)):
        flip(folder / "manifest.json", position)
        try:
            found = Ledger.open(folder)
        except ValueError as error:
            assert "manifest.json' is damaged" in str(error)  # noqa: PT017
        else:  # a space between two words of JSON
            assert (found.manifest, found.tables) == (wanted.manifest, wanted.tables)
        (folder / "manifest.json").write_bytes(whole)


def test_metadata_of_zarr_is_mended_by_the_next_writer(folder):
    for path in (folder / "results.zarr").rglob("zarr.json"):
        flip(path)
    Ledger.open(folder, write=True).close()
    with xarray.open_zarr(folder / "results.zarr", group="runs", consolidated=False) as dataset:
        np.testing.assert_array_equal(dataset["spectrum"][:10], rows(*range(10))["spectrum"])


def test_a_damaged_checkpoint_is_none_and_is_told(folder):
    with Ledger.open(folder, write=True) as ledger:
        ledger.save_checkpoint({"x": np.arange(5)}, {"step": 1})
    flip(folder / "checkpoint.bin", -3)
    ledger = Ledger.open(folder)
    assert ledger.load_checkpoint() is None
    assert ledger.load_checkpoint() is None
    assert [sentence for sentence in ledger.damaged if "checkpoint.bin" in sentence] == ledger.damaged
    assert len(ledger.damaged) == 1
