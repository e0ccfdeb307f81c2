"""The command as a user types it, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

import jaxdl

COLUMNS = {
    "optimizer",
    "best_learning_rate",
    "val_loss_median",
    "val_loss_q25",
    "val_loss_q75",
    "val_accuracy_median",
    "test_loss_median",
    "test_loss_low",
    "test_loss_high",
    "test_accuracy_median",
    "steps_to_target",
    "basin_decades",
    "diverged_fraction",
    "optimum_at_edge",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def run(cache, *arguments):
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "COLUMNS": "80"}
    command = [sys.executable, "-c", "from jaxdl.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


SMALL = ("--learning-rates", 4, "--seeds", 2, "--fresh-seeds", 3, "--steps", 40)


@pytest.mark.slow
def test_compare_writes_its_results_and_says_where(cache, tmp_path):
    out = tmp_path / "deep" / "out"
    done = run(cache, "compare", "--optimizers", "sgd", "adam", *SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    written = {"results.zarr", "table.json", "table.md", "convergence.png", "sensitivity.png"}
    assert {path.name for path in out.iterdir()} == written
    table = json.loads((out / "table.json").read_text())
    assert {row["optimizer"] for row in table} == {"sgd", "adam"}
    assert all(set(row) >= COLUMNS for row in table)
    results = jaxdl.load(out / "results.zarr")
    assert {"optimizer", "trial", "seed", "step"} <= set(results.sizes)
    assert results["learning_rate"].dims == ("optimizer", "trial")
    assert str(out) in done.stdout.replace("\n", "")
    assert "best first" in done.stdout
    assert max(map(len, done.stdout.splitlines()[-12:-3])) <= 80
    assert (out / "table.md").read_text().startswith("# digits-mlp")
    assert any(cache.rglob("*-cache")), "compiled programs are kept for the next run"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--problem", "digit"], "unknown problem 'digit'; known are: "),
        (
            ["--optimizers", "adma"],
            "unknown optimizer 'adma'; known are: sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, adamw",
        ),
        (["--steps", "0"], "--steps must be a whole number of at least 1, got 0"),
        (["--seeds", "-1"], "--seeds must be a whole number of at least 1, got -1"),
        (["--learning-rates", "2"], "at least 3 different positive learning rates"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(cache, tmp_path, arguments, message):
    out = tmp_path / "out"
    done = run(cache, "compare", *arguments, "--out", out)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists() or not list(out.iterdir())


def test_an_unwritable_folder_is_said_before_any_work(cache, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(cache, "compare", "--out", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "cannot write to the folder" in done.stderr
    assert "compiling" not in done.stdout


def test_an_unknown_option_is_exit_code_2(cache):
    assert run(cache, "compare", "--stepz", "5").returncode == 2
    assert run(cache, "compere").returncode == 2


def test_help_lists_the_options(cache):
    done = run(cache, "compare", "--help")
    assert done.returncode == 0
    for option in ("--problem", "--optimizers", "--learning-rates", "--seeds", "--steps", "--out", "--quick"):
        assert option in done.stdout
