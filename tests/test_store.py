"""Results on disk: whole or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray

from jaxdl import store


@pytest.fixture
def dataset() -> xarray.Dataset:
    values = np.array([[1.0, np.nan], [np.inf, -2.5]], np.float32)
    return xarray.Dataset(
        {"loss": (("name", "step"), values, {"units": "nat"}), "count": ("name", np.array([-1, 3], np.int32))},
        coords={"name": ["adam", "νesterov"], "step": [0, 5]},
        attrs={"problem": "p", "target": 0.5, "environment": json.dumps({"jax": "1"})},
    )


def test_a_dataset_comes_back_as_it_was(tmp_path, dataset):
    path = store.save(dataset, tmp_path / "results.zarr")
    loaded = store.load(path)
    xarray.testing.assert_identical(loaded, dataset)
    assert loaded["loss"].dtype == np.float32
    assert loaded["count"].dtype == np.int32
    assert loaded["name"].dtype == dataset["name"].dtype


def test_saving_again_replaces(tmp_path, dataset):
    store.save(dataset, tmp_path / "r.zarr")
    store.save(dataset.isel(step=[0]), tmp_path / "r.zarr")
    assert store.load(tmp_path / "r.zarr").sizes["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["r.zarr"]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    store.write_text(tmp_path / "table.md", "old")

    def fail(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.replace(tmp_path / "table.md", fail)
    assert (tmp_path / "table.md").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.md"]


def test_json_has_no_infinity(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write_json(tmp_path / "table.json", [float("inf")])
    assert list(tmp_path.iterdir()) == []


def test_loading_nothing_names_the_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no stored results at .*nothing\.zarr"):
        store.load(tmp_path / "nothing.zarr")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write to the folder .*file/out"):
        store.check_writable(tmp_path / "file" / "out")


def test_committed_files_replace_and_a_failure_leaves_what_was_there(tmp_path):
    store.commit(tmp_path, {"a": [b"1", b"2"], "b": [b""]})
    with pytest.raises(OSError, match=r"cannot write .*/d'"):
        store.commit(tmp_path, {"a": [b"new"], "d": _failing()})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"12", "b": b""}
    store.commit(tmp_path, {"a": [b"new"]})
    assert (tmp_path / "a").read_bytes() == b"new"


def _failing():
    yield b"half"
    raise OSError("disk full")


def test_a_seal_holds_in_any_layout_and_breaks_with_any_change():
    value = {"b": [1, 2.5, None, "µ"], "a": {"2": True, "10": -0.1}}
    sealed = store.seal({10: 1, **value})
    assert sealed["content"] == {"10": 1, **value}
    for layout in ({}, {"indent": 2}, {"sort_keys": True, "ensure_ascii": False}):
        assert store.unseal(json.dumps(sealed, **layout)) == sealed["content"]
    text = json.dumps(sealed, separators=(",", ":"))
    for position in range(len(text)):
        with pytest.raises(ValueError, match=r"."):
            store.unseal(text[:position] + chr(ord(text[position]) ^ 1) + text[position + 1 :])


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"content": 1}'])
def test_what_was_never_sealed_is_refused(text):
    with pytest.raises(ValueError, match=r"Expecting value|expected"):
        store.unseal(text)


def test_a_sealed_file_that_is_damaged_is_named(tmp_path):
    store.write_sealed(tmp_path / "m.json", [1])
    assert store.read_sealed(tmp_path / "m.json") == [1]
    (tmp_path / "m.json").write_text('{"content": [2], "sha256": "0"}')
    with pytest.raises(ValueError, match=r"m.json' is damaged: the content does not match its checksum"):
        store.read_sealed(tmp_path / "m.json")


def test_one_lock_at_a_time(tmp_path):
    with store.lock(tmp_path), pytest.raises(store.LockedError, match="is being written to"):
        store.lock(tmp_path)
    store.lock(tmp_path).close()


def test_a_folder_that_can_be_made_is_not_made_by_asking(tmp_path):
    store.check_makable(tmp_path / "a" / "b")
    store.check_makable(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_known_before_it_is_tried(tmp_path):
    (tmp_path / "file").write_text("")
    for where in (tmp_path / "file", tmp_path / "file" / "study", Path("/proc/study")):
        with pytest.raises(OSError, match=f"cannot write {str(where)!r}: "):
            store.check_makable(where)
