"""Studies on disk that are another study, of other versions, in the wrong place, or wrong: refused or found out."""

import functools
import json

import jax
import pytest

import jaxdl
from jaxdl import provenance, store
from jaxdl.ledger import Ledger
from jaxdl.sweeps import record
from tests.problems_for_tests import bowl, regression
from tests.sweeps.recorded import QUICK, Stop, counts, defined, sweep

pytestmark = pytest.mark.usefixtures("short_chunks")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"problem": bowl()}, "was made with problem 'regression', now it is 'bowl'"),
        ({"record_every": 5}, "was made with record_every 4, now it is 5"),
        ({"batch": "own"}, "was made with batch 'shared', now it is 'own'"),
        ({"evaluated": False}, "was made with evaluated True, now it is False"),
        ({"observe": ("grad_norm",)}, r"was made with observe \[\], now it is \['grad_norm'\]"),
        ({"factory": functools.partial(jaxdl.adam, eps=1e-3)}, "'adam' had another program"),
        (
            {"problem": regression()._replace(data=jax.tree.map(lambda x: x + 1, regression().data))},
            "'adam' had other data",
        ),
    ],
)
def test_another_study_is_refused(folder, changes, message):
    before = store.read_sealed(folder / "manifest.json")
    with pytest.raises(ValueError, match=message):
        sweep(folder, **changes)
    assert store.read_sealed(folder / "manifest.json") == before
    assert counts(sweep(folder)) == (6, 0, 0)


def test_other_versions_are_refused_unless_told_otherwise(folder, monkeypatch):
    environment = provenance.environment() | {"jax": "9.9"}
    monkeypatch.setattr(provenance, "environment", lambda: environment)
    with pytest.raises(ValueError, match=r"was made elsewhere: jax .*, here 9\.9"):
        sweep(folder, seeds=3)
    found = sweep(folder, seeds=3, anyway=True)
    assert counts(found) == (6, 0, 3)
    assert [made["jax"] for made in json.loads(found.attrs["environments"])] == [jax.__version__, "9.9"]
    with Ledger.open(folder) as ledger:
        assert [e["jax"] for e in ledger.manifest["environments"]][1:] == ["9.9"]


def test_bad_input_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="steps must be a whole number"):
        sweep(tmp_path / "study", steps=0)
    assert not (tmp_path / "study").exists()


def test_a_name_that_no_file_can_have_leaves_nothing(tmp_path):
    """Of an observable, or of a metric of the problem."""
    with pytest.raises(ValueError, match=r"name of what a study records is letters, .* got 'a/b'"):
        sweep(tmp_path / "study", observe={"a/b": lambda step: step.params.sum()}, problem=bowl(), factory=jaxdl.sgd)
    assert not (tmp_path / "study").exists()


def test_too_little_memory_leaves_nothing(tmp_path):
    """Known only when programs are compiled, and still before the folder is made, or any above it."""
    with pytest.raises(ValueError, match="memory budget must hold at least one lane"):
        sweep(tmp_path / "deep" / "study", memory=1, **QUICK)
    assert not (tmp_path / "deep").exists()


def test_two_processes_on_one_study(folder):
    with Ledger.open(folder, write=True), pytest.raises(store.LockedError, match="study"):
        sweep(folder, seeds=3)
    assert counts(sweep(folder)) == (6, 0, 0)


def test_an_unwritable_folder():
    with pytest.raises(OSError, match="/proc/study"):
        sweep("/proc/study")


def test_verification_is_bitwise(folder):
    found = record.verify(folder, defined, count=4)
    assert len(set(found.names)) == 4
    assert found.identical
    assert found.difference == 0


def test_nothing_finished_is_nothing_to_verify(tmp_path):
    def stop(progress):
        if progress.phase == "running":
            raise Stop

    with pytest.raises(Stop):
        sweep(tmp_path / "study", on_progress=stop, **QUICK)
    with pytest.raises(ValueError, match=r"study' has no finished run yet, so there is nothing to repeat\.$"):
        record.verify(tmp_path / "study", defined)


def test_verification_sees_a_wrong_number(folder):
    """A row that was committed wrong has a right checksum; only doing it again shows it."""
    with Ledger.open(folder, write=True) as ledger:
        key = ledger.keys("runs-40")[0]
        row = ledger.read("runs-40", keys=[key])
        row["val_loss"] = row["val_loss"] * 1.001
        ledger.append("runs-40", [key], row)
    found = record.verify(folder, defined, count=6)
    assert not found.identical
    assert 1e-5 < found.difference < 1e-2
