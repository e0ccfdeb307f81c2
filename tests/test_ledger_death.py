"""A study on disk survives kill -9, a full disk and a loss of power at every step of every write."""

import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxdl import store
from jaxdl.ledger import Ledger
from tests import faults
from tests.studies import BLOCK, COLUMNS, OPERATIONS, append, assert_holds, chunk, create, flip, grow, keys

pytestmark = pytest.mark.slow  # minutes: every step of every operation is made to fail

ROOT = Path(__file__).parent.parent


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def python(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=ROOT, stderr=subprocess.PIPE)


@pytest.fixture
def template(tmp_path, monkeypatch) -> Path:
    """A closed study of ten rows with a checkpoint; nothing in this test waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    folder = create(tmp_path / "template")
    with Ledger.open(folder, write=True) as ledger:
        ledger.save_checkpoint({"x": np.zeros(3)}, {"step": 1})
    return folder


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def test_killed_at_random_moments_a_study_ends_the_same(tmp_path):
    moments = random.Random(0)
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    for study in (folder, whole):
        with Ledger.create(study, {}) as ledger:
            ledger.table("runs", COLUMNS, BLOCK)
    found = 0
    for _ in range(3):
        child = python("-c", "import sys; from tests import studies; studies.grow(sys.argv[1], 100_000)", folder)
        while len(Ledger.open(folder).keys("runs")) < found + BLOCK * moments.randint(1, 4):  # a reader beside a writer
            assert child.poll() is None, child.stderr.read().decode()
        time.sleep(moments.uniform(0, 0.05))
        child.kill()
        child.communicate()
        with Ledger.open(folder, write=True) as ledger:
            assert ledger.damaged == []
            found = len(ledger.keys("runs"))
            assert ledger.keys("runs") == keys(*range(found))
            assert_holds(ledger, *range(found))
            assert ledger.load_checkpoint()[0]["done"] in (found, found - BLOCK)
    for study in (folder, whole):
        grow(study, found + BLOCK)
    assert contents(folder) == contents(whole)
    assert_holds(Ledger.open(folder), *range(found + BLOCK))


# --- a fault at every step --------------------------------------------------------------------------------------------


def damage_for(operation: str, folder: Path) -> None:
    """What an operation finds: a torn line to append after; to mend also a damaged line and a damaged block."""
    if operation == "mend":
        flip(folder / "journal.jsonl", 30)
        flip(chunk(folder, "loss", 1))
    if operation in ("mend", "append_two_blocks"):
        with open(folder / "journal.jsonl", "ab") as file:
            file.write(b'{"content":')


def check_survivor(folder: Path, operation: str) -> None:
    """What a reader may find after a fault, wherever it struck."""
    ledger = Ledger.open(folder)
    found = len(ledger.keys("runs"))
    if operation == "mend":
        assert set(keys(8, 9)) <= set(ledger.keys("runs"))
        assert_holds(ledger, *(i for i in range(10) if keys(i)[0] in ledger.keys("runs")))
    else:
        assert ledger.damaged == []
        assert found in ((10, 14, 16) if operation == "append_two_blocks" else (10,))
        assert_holds(ledger, *range(found))
    assert ledger.manifest in (({"seeds": 10}, {"seeds": 20}) if operation == "amend" else ({"seeds": 10},))
    checkpoint = ledger.load_checkpoint()
    if operation == "drop_checkpoint":
        assert checkpoint is None or checkpoint[1] == {"step": 1}
    else:
        assert checkpoint[1] in (({"step": 1}, {"step": 2}) if operation == "save_checkpoint" else ({"step": 1},))


def assert_same(folder: Path, other: Path, operation: str) -> None:
    """Byte for byte; but where a block's old files were half mended before the death, it may exist by its old line."""
    found, expected = contents(folder), contents(other)
    if operation == "mend":
        assert_holds(Ledger.open(folder), *range(10))
        found = {name: data for name, data in found.items() if not name.endswith((".new", "journal.jsonl"))}
        expected.pop("journal.jsonl")
    assert found == expected


def check_deaths(template: Path, operation: str, *mutant: str) -> None:
    """A process that dies at any step leaves a study that can be read and, after the same operation, is the same."""
    damage_for(operation, template)
    out = template.parent / "died"
    child = python("-W", "ignore", "-m", "tests.faults", operation, template, out, *mutant)
    assert (child.communicate()[1], child.returncode) == (b"", 0)
    *survivors, finished = sorted(out.iterdir(), key=lambda path: int(path.name))
    assert len(survivors) > 10
    OPERATIONS[operation](template)
    for survivor in survivors:
        check_survivor(survivor, operation)
        OPERATIONS[operation](survivor)
        assert_same(survivor, template, operation)
    assert_same(finished, template, operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_death_at_every_step(template, operation):
    check_deaths(template, operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_full_disk_at_every_step(template, operation):
    """As death, and the reason is told in a sentence that names the file."""
    damage_for(operation, template)
    finished = shutil.copytree(template, template.parent / "finished")
    with faults.fault(None, faults.full_disk) as steps:
        OPERATIONS[operation](finished)
    harmless = {at for at, step in enumerate(steps) if step == "mkdir"} if operation != "create_and_declare" else set()
    for at in range(len(steps)):
        survivor = shutil.copytree(template, template.parent / str(at))
        with faults.fault(at, faults.full_disk), contextlib.ExitStack() as told:
            if at not in harmless:
                told.enter_context(pytest.raises(OSError, match=r"^cannot write '.*': No space left"))
            OPERATIONS[operation](survivor)
        check_survivor(survivor, operation)
        OPERATIONS[operation](survivor)
        assert_same(survivor, finished, operation)


def test_the_same_ledger_goes_on_after_a_full_disk(template):
    """No reopening: rows, places and the end of the journal are what they were before the failed append."""
    with (
        Ledger.open(shutil.copytree(template, template.parent / "f"), write=True) as l,
        faults.fault(None, id) as steps,
    ):
        append(l, *range(10, 16))
    for at in range(len(steps)):
        with Ledger.open(shutil.copytree(template, template.parent / str(at)), write=True) as ledger:
            with faults.fault(at, faults.full_disk), pytest.raises(OSError, match="No space left"):
                append(ledger, *range(10, 16))
            found = len(ledger.keys("runs"))
            assert_holds(ledger, *range(found))
            append(ledger, *range(found, 16))
        assert_holds(Ledger.open(template.parent / str(at)), *range(16))
        assert contents(template.parent / str(at)) == contents(template.parent / "f")


MUTANTS = {
    "written in place": ("jaxdl.store", 'made = {folder / f".{name}.new"', "made = {folder / name", "amend"),
    "no journal": ("jaxdl.ledger", "self._end = journal.append(", "(", "append_two_blocks"),
    "torn lines stay": (
        "jaxdl.journal",
        "file.truncate(end)\n        file.seek(end)",
        "file.seek(0, 2)",
        "append_two_blocks",
    ),
    "checksums unread": ("jaxdl.blocks", "if found != digests[name]", "if False", "mend"),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_careless_ledger_would_not_survive(template, mutant):
    module, line, broken, operation = MUTANTS[mutant]
    assert line in Path(str(sys.modules[module].__file__)).read_text(), "break the new line in the same way"
    with pytest.raises((AssertionError, ValueError)):
        check_deaths(template, operation, module, line, broken)


# --- loss of power ----------------------------------------------------------------------------------------------------


def check_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is renamed before it is on the disk; no line is journalled before all that it speaks of is."""
    on_disk, names_pending, journalled = set(), set(), []
    replace, mkdir = os.replace, os.mkdir

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor).st_ino
        if (folder / "journal.jsonl").exists() and found == (folder / "journal.jsonl").stat().st_ino:
            assert names_pending == set()
            journalled.append(found)
        on_disk.add(found)
        names_pending.discard(found)

    def replacing(source: Path, target: Path) -> None:
        assert source.stat().st_ino in on_disk
        replace(source, target)
        names_pending.add(target.parent.stat().st_ino)

    def making(path: Path, *mode: int) -> None:
        mkdir(path, *mode)
        names_pending.add(Path(path).parent.stat().st_ino)

    for name, call in (("fsync", fsync), ("replace", replacing), ("mkdir", making)):
        monkeypatch.setattr(os, name, call)
    create(folder)
    assert names_pending == set()
    assert len(journalled) == 3


def test_what_is_journalled_is_on_the_disk(tmp_path, monkeypatch):
    check_order(tmp_path / "study", monkeypatch)


@pytest.mark.parametrize(
    ("name", "careless"), [("sync_folder", lambda folder: None), ("flush", lambda file: file.flush())]
)
def test_a_disk_that_is_not_waited_for_is_seen(tmp_path, monkeypatch, name, careless):
    monkeypatch.setattr(store, name, careless)
    with pytest.raises(AssertionError):
        check_order(tmp_path / "study", monkeypatch)


# --- limits of the system ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "file"), [(40, r"loss/c\.3\.0"), (None, r"journal\.jsonl")])
def test_a_file_that_may_not_grow(template, limit, file):
    """The system itself refuses, in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger.open(template, write=True) as ledger:
        size = (template / "journal.jsonl").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit or size + 20, hard))
        try:
            with pytest.raises(OSError, match=rf"cannot write '.*{file}': File too large"):
                append(ledger, *range(10, 14))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert_holds(ledger, *range(10))
        assert_holds(Ledger.open(template), *range(10))
        append(ledger, *range(10, 14))
    assert_holds(Ledger.open(template), *range(14))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write '.*file.*': Not a directory"):
        Ledger.create(tmp_path / "file" / "study", {})
