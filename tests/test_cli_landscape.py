"""``jaxdl landscape`` and ``jaxdl compare --landscape``: what they write and what they say."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

import jaxdl
from jaxdl.cli.landscape import Landscape

FIGURES = {"landscape.zarr", "contour.png", "surface.png", "honesty.png", "paths.gif"}


def run(command):
    said = io.StringIO()
    code = command.run(Console(file=said, width=200))
    return code, said.getvalue()


def test_a_function_of_two_variables_with_its_basins(tmp_path):
    out = tmp_path / "deep" / "out"
    code, said = run(Landscape("himmelblau", ("sgd", "adam"), learning_rates=(0.01, 0.1), steps=12, grid=5, out=out))
    assert code == 0
    assert {path.name for path in out.iterdir()} == FIGURES | {"basins.zarr", "basins.png"}
    data = jaxdl.load(out / "landscape.zarr")
    assert data["path"].values.tolist() == ["sgd, η = 0.01", "adam, η = 0.1"]
    assert data.sizes["snapshot"] == 13
    assert str(out) in said.replace("\n", "")
    assert jaxdl.load(out / "basins.zarr")["area"].sum("label").values.tolist() == pytest.approx([1, 1])


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
    environment = {**__import__("os").environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
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
def test_a_comparison_adds_the_plane(tmp_path):
    small = ("--learning-rates", 3, "--seeds", 1, "--fresh-seeds", 2, "--steps", 30, "--optimizers", "sgd", "adam")
    done = typed(tmp_path, "compare", "--landscape", *small, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {"landscape.zarr", "landscape.png", "honesty.png", "results.zarr", "table.md"}
    data = jaxdl.load(tmp_path / "out" / "landscape.zarr")
    assert data.attrs["run"] == "30 updates, seed 1"  # the first fresh one
