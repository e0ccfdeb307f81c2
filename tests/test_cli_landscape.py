"""``jaxdl landscape`` and ``jaxdl compare --landscape``: what they write and what they say."""

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from rich.console import Console

import jaxdl
from jaxdl import store
from jaxdl.cli import definition
from jaxdl.cli.landscape import Bar, Landscape

WRITTEN = {
    *("definition.json", "runs", "points", "lines"),
    *("landscape.zarr", "contour.png", "surface.png", "honesty.png", "lines.zarr", "lines.png", "paths.gif"),
}
SMALL = {"optimizers": ("sgd", "adam"), "learning_rates": (0.01, 0.1), "steps": 12, "grid": 5}


def run(command):
    said = io.StringIO()
    code = command.run(Console(file=said, width=200))
    return code, said.getvalue()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a command that ran through, and what it said."""
    out = tmp_path_factory.mktemp("landscape") / "deep" / "out"
    code, said = run(Landscape("himmelblau", **SMALL, out=out))
    assert code == 0
    return out, said


def test_a_function_of_two_variables_with_its_basins(whole):
    out, said = whole
    assert {path.name for path in out.iterdir()} == WRITTEN | {"basins.zarr", "basins.png"}
    data = jaxdl.load(out / "landscape.zarr")
    assert data["path"].values.tolist() == ["sgd, η = 0.01", "adam, η = 0.1"]
    assert data.sizes["snapshot"] == 13
    assert str(out) in said.replace("\n", "")
    assert jaxdl.load(out / "basins.zarr")["area"].sum("label").values.tolist() == pytest.approx([1, 1])
    lines = jaxdl.load(out / "lines.zarr")
    assert (lines["x"].values[0], lines["x"].values[-1], lines.sizes["path"]) == (-0.5, 1.5, 2)
    ends = data["path_loss"].isel(snapshot=-1)
    np.testing.assert_allclose(lines["loss"].sel(line="start").interp(x=1.0), ends, rtol=1e-4, atol=1e-6)


def test_an_interrupted_command_goes_on_and_ends_with_the_same_bits(whole, tmp_path, monkeypatch):
    command, shown = Landscape("himmelblau", **SMALL, out=tmp_path / "out"), Bar.__dict__["_show"]

    def interrupting(self, what, done, total):
        if what == "landscape" and done > 10:
            raise KeyboardInterrupt
        shown(self, what, done, total)

    monkeypatch.setattr(Bar, "_show", interrupting)
    with pytest.raises(KeyboardInterrupt):
        run(command)
    assert {path.name for path in command.out.iterdir()} == {"definition.json", "runs", "points"}
    seen = []
    monkeypatch.setattr(Bar, "_show", lambda self, *told: seen.append(told))
    assert run(command)[0] == 0
    assert next(told for told in seen if told[0] == "landscape")[1] > 10
    for name in ("landscape.zarr", "lines.zarr", "basins.zarr"):
        assert jaxdl.load(command.out / name).identical(jaxdl.load(whole[0] / name))
    for name in ("contour.png", "lines.png", "surface.png", "honesty.png"):
        assert (command.out / name).read_bytes() == (whole[0] / name).read_bytes()


def test_a_folder_of_another_command_is_refused_and_left_alone(whole):
    out, _ = whole
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    message = "holds a landscape made with --optimizers sgd adam, here adam sgd; --grid 5, here 7; choose another --out"
    with pytest.raises(ValueError, match=message):
        run(Landscape("himmelblau", **{**SMALL, "optimizers": ("adam", "sgd"), "grid": 7}, out=out))
    with pytest.raises(ValueError, match=r"--learning-rates 0\.01 0\.1, here selected;"):
        run(Landscape("himmelblau", **{**SMALL, "learning_rates": ()}, out=out))
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_selected_rates_are_kept_and_other_versions_refused(tmp_path):
    assert definition.begin(tmp_path, {"steps": 3}) is None
    definition.keep(tmp_path, {"steps": 3}, {"sgd": 0.1 + 0.2})
    assert definition.begin(tmp_path, {"steps": 3}) == {"sgd": 0.1 + 0.2}
    stored = store.read_sealed(tmp_path / definition.FILE)
    store.write_sealed(tmp_path / definition.FILE, {**stored, "environment": {**stored["environment"], "jax": "0.1"}})
    with pytest.raises(ValueError, match=r"made with jax 0\.1, here .*; choose another --out, or remove that folder"):
        definition.begin(tmp_path, {"steps": 3})


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (Landscape("digit"), "unknown problem 'digit'; known are: "),
        (Landscape(optimizers=("adma",)), "unknown optimizer 'adma'; known are: "),
        (Landscape(steps=0), "--steps must be a whole number of at least 1, got 0"),
        (Landscape(seeds=0), "--seeds must be a whole number of at least 1, got 0"),
        (Landscape(grid=1), "--grid must be at least 2, got 1"),
        (Landscape(learning_rates=(0.1,)), "--learning-rates needs one for each of 4 optimizers, got 1"),
    ],
)
def test_mistakes_are_said_before_any_work(command, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        run(command)
    assert not list(tmp_path.iterdir())


def typed(tmp_path, *arguments):
    command = [sys.executable, "-c", "from jaxdl.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


@pytest.mark.slow
def test_rates_are_selected_and_seeds_are_others(tmp_path):
    small = ("--optimizers", "sgd", "adam", "--steps", 30, "--grid", 7, "--seeds", 2, "--plane", "random")
    done = typed(tmp_path, "landscape", *small, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    data = jaxdl.load(tmp_path / "out" / "landscape.zarr")
    assert (data.sizes["path"], data.sizes["seed"], data.sizes["snapshot"]) == (2, 2, 31)
    assert data.attrs["run"] == "30 updates, seeds 2, 3"
    assert "of the paths' variance" in done.stdout
    assert "of walks without aim a plane holds" in done.stdout


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path):
    small = ("landscape", "--optimizers", "sgd", "adam", "--steps", 30, "--grid", 25)
    assert typed(tmp_path, *small, "--out", tmp_path / "whole").returncode == 0
    command = [sys.executable, "-c", "from jaxdl.cli import main; main()", *map(str, small), "--out", tmp_path / "out"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / "out" / "points" / "journal.jsonl"
    deadline = time.monotonic() + 200
    while process.poll() is None and time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= 3:
            process.kill()
        time.sleep(0.002)
    assert process.wait() == -9
    selected = store.read_sealed(tmp_path / "out" / definition.FILE)["rates"]
    assert set(selected) == {"sgd", "adam"}
    done = typed(tmp_path, *small, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for name in ("landscape.zarr", "lines.zarr"):
        assert jaxdl.load(tmp_path / "out" / name).identical(jaxdl.load(tmp_path / "whole" / name))


@pytest.mark.slow
def test_a_comparison_adds_the_plane(tmp_path):
    small = ("--learning-rates", 3, "--seeds", 1, "--fresh-seeds", 2, "--steps", 30, "--optimizers", "sgd", "adam")
    done = typed(tmp_path, "compare", "--landscape", *small, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"landscape.zarr", "landscape.png", "honesty.png", "results.zarr", "table.md"}
    data = jaxdl.load(tmp_path / "out" / "landscape.zarr")
    assert data.attrs["run"] == "30 updates, seed 1"  # the first fresh one
