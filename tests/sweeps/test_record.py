"""Studies on disk: killed, resumed, extended, damaged, refused."""

import functools
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxdl
from jaxdl.ledger import Ledger
from jaxdl.sweeps import planner, record
from tests.problems_for_tests import regression
from tests.sweeps.recorded import QUICK, RATES, Stop, assert_same, count_steps, counts, defined, sweep

pytestmark = pytest.mark.usefixtures("short_chunks")


def test_a_record_is_the_sweep_in_memory(folder):
    found, expected = record.load(folder), sweep(None)
    assert_same(found, expected)
    for name in expected.coords:
        np.testing.assert_array_equal(found[name], expected[name])
    assert dict(found.sizes) == dict(expected.sizes)
    assert (found["diverged_at"].sel(learning_rate=1e30) >= 0).all()


def test_kill_nine_at_three_moments(tmp_path):
    """Killed three times, the study ends as if nothing had happened, and does only what is missing."""
    moments = random.Random(0)
    where = tmp_path / "study"
    command = [sys.executable, "-m", "tests.sweeps.killed", str(where)]
    # Only to save time: the processes differ in their moment, not in their programs.
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    process = {"cwd": Path(__file__).parents[2], "env": {**os.environ, **cache}}
    for _ in range(3):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **process)
        assert child.stdout is not None
        running = (line for line in child.stdout if line.startswith("running"))
        for _ in range(moments.randrange(3, 14)):
            next(running)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
    finished = record.load(where)
    assert 0 < finished.attrs["runs_missing"] <= 36
    done = subprocess.run(command, capture_output=True, text=True, check=True, **process)
    steps = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("running")]
    assert steps[1] > 4 * 36  # it did not begin at the beginning
    assert steps[-1] == 36 * 400
    command[-1] = str(tmp_path / "whole")
    subprocess.run(command, capture_output=True, check=True, **process)
    assert_same(record.load(where), record.load(tmp_path / "whole"))
    assert not (where / "checkpoint.bin").exists()


def test_lanes_in_flight_go_on_from_the_checkpoint(tmp_path, monkeypatch):
    """A study that stops in the middle does not begin its lanes again."""
    chunks = []

    def stop(progress):
        chunks.append(progress.phase)
        if chunks.count("running") == 4:  # what is stored, then three chunks
            raise Stop

    with pytest.raises(Stop):
        sweep(tmp_path / "study", rates=[0.01, 0.1], on_progress=stop)
    assert record.load(tmp_path / "study").attrs["runs_missing"] == 4
    advanced = count_steps(monkeypatch)
    found = sweep(tmp_path / "study", rates=[0.01, 0.1])
    assert sum(advanced) <= 160 - 3 * 4  # three chunks of four steps were not done again
    assert_same(found, sweep(None, rates=[0.01, 0.1]))


@pytest.mark.parametrize("steps", [72, pytest.param(20, marks=pytest.mark.slow)])
def test_an_interrupted_study_may_be_given_another_length(tmp_path, steps):
    """Lanes in flight are of the old length, and so are their records."""
    what = {"rates": [0.01, 0.1], **QUICK}

    def stop(progress):
        if progress.phase == "running" and progress.done:
            raise Stop

    with pytest.raises(Stop):
        sweep(tmp_path / "study", on_progress=stop, **what)
    assert (tmp_path / "study" / "checkpoint.bin").exists()
    found = sweep(tmp_path / "study", steps=steps, **what)
    assert counts(found) == (0, 0, 4)
    assert_same(found, sweep(None, steps=steps, **what))


def test_on_another_number_of_devices_a_study_goes_on_as_wide_as_it_began(tmp_path, monkeypatch):
    arguments = {"rates": np.geomspace(0.01, 0.1, 40), "seeds": 1, "steps": 12}
    chunks = []

    def stop(progress):
        chunks.append(progress.phase)
        if chunks.count("running") == 2:  # with all lanes in flight
            raise Stop

    with pytest.raises(Stop):
        sweep(tmp_path / "study", on_progress=stop, **arguments)
    expected = sweep(None, **arguments)
    monkeypatch.setattr(jax, "local_device_count", lambda: 1)
    advanced = count_steps(monkeypatch)
    found = sweep(tmp_path / "study", **arguments)
    assert 0 < sum(advanced) < 40 * 12
    assert_same(found, expected)
    assert found.attrs["layout"] == expected.attrs["layout"] == "1 groups x 20 lanes on 1 device(s)"
    assert sweep(None, **arguments).attrs["layout"] == "1 groups x 40 lanes on 1 device(s)"


@pytest.mark.slow
def test_a_part_that_memory_made_narrow_stays_so_when_memory_is_free_again(tmp_path, monkeypatch):
    """Adam's program gets one lane, SGD's thirteen; the interrupted study is the uninterrupted one bit for bit."""
    several = {"sgd": jaxdl.sgd, "adam": jaxdl.adam}
    arguments = {"rates": np.geomspace(0.01, 0.1, 13), "factory": several, "steps": 12}

    def scarce(study, programs, optimizer):
        return 2**60 if optimizer == "adam" and study.layout.width > 1 else 10

    def stop(progress):
        if progress.runs > 26:  # some of Adam's
            raise Stop

    monkeypatch.setattr(planner, "needed", scarce)
    expected = sweep(None, **arguments)
    folder = tmp_path / "study"
    with pytest.raises(Stop):
        sweep(folder, on_progress=stop, **arguments)
    monkeypatch.setattr(planner, "needed", lambda *_: 10)
    assert_same(sweep(folder, **arguments), expected)
    with Ledger.open(folder) as ledger:
        widths = {name: found["layout"][1] for name, found in ledger.manifest["programs"].items()}
    assert widths == {"sgd": 13, "adam": 1}
    assert record.verify(folder, functools.partial(defined, **arguments), count=8).identical


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (6, 0, 0)),
        pytest.param({"seeds": 3}, (6, 0, 3), marks=pytest.mark.slow),
        pytest.param({"seeds": [1, 5]}, (3, 0, 3), marks=pytest.mark.slow),
        ({"rates": [0.01, 0.03, 0.1, 1e30]}, (6, 0, 2)),
        pytest.param({"rates": [0.1]}, (2, 0, 0), marks=pytest.mark.slow),
        ({"steps": 72}, (0, 6, 0)),
        pytest.param({"steps": 20}, (0, 0, 6), marks=pytest.mark.slow),
        pytest.param({"factory": {"adam": jaxdl.adam, "sgd": jaxdl.sgd}}, (6, 0, 6), marks=pytest.mark.slow),
    ],
)
def test_an_extension_runs_only_what_is_new(folder, monkeypatch, changes, expected):
    advanced = count_steps(monkeypatch)
    found = sweep(folder, **changes)
    made = sum(advanced)
    assert counts(found) == expected
    steps = changes.get("steps", 40)
    continued, new = expected[1:]
    assert made == new * steps + continued * (steps - 40)
    whole = sweep(None, **changes)
    if set(changes) <= {"steps"}:
        assert_same(found, whole)  # the same width
    else:
        for name in whole.data_vars:
            np.testing.assert_allclose(found[name], whole[name], rtol=1e-10, err_msg=str(name))


def test_old_rows_are_untouched_by_an_extension(folder):
    before = record.load(folder)
    after = sweep(folder, rates=[0.01, 0.02, 0.1, 1e30], seeds=4)
    same = after.sel(learning_rate=RATES, seed=[0, 1])
    for name in before.data_vars:
        np.testing.assert_array_equal(same[name], before[name])


def test_without_states_longer_runs_are_new(tmp_path):
    sweep(tmp_path / "study", keep_states=False, **QUICK)
    assert counts(sweep(tmp_path / "study", steps=72, **QUICK)) == (0, 0, 6)


@pytest.mark.slow
def test_horizons_on_disk(tmp_path):
    def asked(folder, lengths):
        axes = {"learning_rate": [0.01, 0.1], "steps": lengths}
        return jaxdl.sweep(regression(), jaxdl.adam, axes, seeds=1, record_every=4, out=folder)

    first = asked(tmp_path / "study", [20, 40])
    assert_same(first, asked(None, [20, 40]))
    longer = asked(tmp_path / "study", [20, 40, 60])
    assert counts(longer) == (4, 2, 0)
    np.testing.assert_array_equal(longer["val_loss"].sel(steps=[20, 40]).values[..., :11], first["val_loss"].values)
    alone = sweep(None, rates=[0.01, 0.1], steps=60, seeds=1)
    np.testing.assert_allclose(longer["val_loss"].sel(steps=60), alone["val_loss"], rtol=1e-10)


def test_a_damaged_block_is_run_again(folder):
    before = record.load(folder)
    chunk = next(path for path in sorted(folder.rglob("c.*")) if "val_loss" in str(path))
    content = bytearray(chunk.read_bytes())
    content[10] ^= 1
    chunk.write_bytes(content)
    assert record.load(folder).attrs["runs_missing"] > 0
    assert "does not match its checksum" in record.summary(folder).damaged[0]
    with pytest.warns(
        UserWarning, match="does not match its checksum; rows lost: .* What is wanted of it is run again"
    ):
        after = sweep(folder)
    assert counts(after)[2] > 0
    assert_same(after, before)
    assert counts(sweep(folder)) == (6, 0, 0)  # and no word of it


def test_summary(folder):
    found = record.summary(folder)
    assert (found.problem, found.optimizers, found.done, found.total) == ("regression", "adam", 6, 6)
    assert found.bytes == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert found.origin is None


def test_the_origin_is_kept(tmp_path):
    sweep(tmp_path / "study", origin={"command": ["a"]}, **QUICK)
    assert record.summary(tmp_path / "study").origin == {"command": ["a"]}
    sweep(tmp_path / "study", **QUICK)
    assert record.summary(tmp_path / "study").origin == {"command": ["a"]}


def test_plain_xarray_reads_the_rows(folder):
    import xarray

    table = xarray.open_zarr(folder / "results.zarr", group="runs-40", consolidated=False)
    assert table["val_loss"].dims == ("row", "step")
    assert json.loads((folder / "journal.jsonl").read_text().splitlines()[0])
    assert os.path.exists(folder / "manifest.json")
