"""The command ``jaxdl sweep``: what is typed, what is written, what is shown."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tyro
from rich.console import Console

import jaxdl
from jaxdl import memory
from jaxdl.cli import studies
from jaxdl.cli.sweep import Sweep, _account, stored
from jaxdl.sweeps import record

SMALL = ("--problem", "quadratic", "--optimizer", "sgd", "--steps", "20")
RATES = ("--axis", "learning_rate=log:1e-3:1e-1:3")


def command(*arguments):
    return tyro.cli(Sweep, args=[str(argument) for argument in arguments])


def run(*arguments):
    """Exit code and what is printed where there is no terminal."""
    console = Console(file=io.StringIO(), width=100)
    code = command(*arguments).run(console)
    return code, console.file.getvalue()


def process(cache, *arguments):
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "COLUMNS": "80"}
    line = [sys.executable, "-c", "from jaxdl.cli import main; main()", "sweep", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--problem", "quadratik"), "unknown problem 'quadratik'; known are: "),
        (("--optimizers", "sgd", "adma"), "unknown optimizer 'adma'"),
        (("--axis", "b1=0.9"), "optimizer 'sgd' takes no argument 'b1'"),
        (("--axis", "problem.color=red"), "problem 'quadratic' takes"),
        (("--axis", "seed=1,2"), "'seed' is no axis of a grid"),
        (("--seeds", "0"), "--seeds must be a whole number of at least 1, got 0"),
        (("--steps", "0"), "--steps must be a whole number of at least 1, got 0"),
        (("--record-every", "0"), "--record-every must be a whole number of at least 1, got 0"),
        (("--audit", "-1"), "--audit must be a whole number of at least 0, got -1"),
        (("--observe", "grad"), "unknown observable 'grad'"),
        (("--observe", "clip_rate"), "observable 'clip_rate' needs the hyper-parameter 'max_norm'"),
        (("--count", "3"), "--count goes with --verify"),
        (("--memory", "0"), "--memory must be a whole number of at least 1, got 0"),
    ],
)
def test_a_mistake_is_found_before_anything_is_written(tmp_path, arguments, message):
    out = tmp_path / "study"
    with pytest.raises((ValueError, TypeError), match=message):
        run(*SMALL, *RATES, *arguments, "--out", out)
    assert not out.exists()


# --- what is written and shown ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study, made by the command in a process of its own, and that process."""
    folder = tmp_path_factory.mktemp("studies") / "first"
    done = process(tmp_path_factory.mktemp("cache"), *SMALL, *RATES, "--seeds", 2, "--out", folder)
    return folder, done


def test_the_command_trains_and_says_where_the_results_are(study):
    folder, done = study
    assert done.returncode == 0, done.stderr
    assert (folder / "sweep.png").read_bytes().startswith(b"\x89PNG")
    results = record.load(folder)
    assert dict(results.sizes) | {"step": 0} == {"learning_rate": 3, "seed": 2, "step": 0}
    np.testing.assert_allclose(results["learning_rate"], [1e-3, 1e-2, 1e-1], rtol=1e-12)
    assert not results["val_loss"].isnull().any()
    assert f"Results and figure: {folder}/" in done.stdout.splitlines()
    assert "quadratic, sgd: best 3 of 3 points by median final validation loss over seeds" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if line.endswith("0/2")]
    assert [row[0] for row in rows] == ["0.1", "0.01", "0.001"]
    assert float(rows[0][1]) == pytest.approx(float(results["val_loss"][2, :, -1].median()), rel=1e-3)


def test_without_a_terminal_there_is_one_line_about_the_runs(study):
    printed = study[1].stdout
    assert "\x1b" not in printed
    assert "━" not in printed
    assert printed.startswith("6 of 6 runs over, 0 stopped as diverged; 120 lane-steps in ")
    assert max(map(len, printed.splitlines()[2:-1])) <= 80


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path):
    done = process(tmp_path / "cache", *SMALL, "--axis", "learning_rate=log:1", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "--axis learning_rate must be log:low:high:n or lin:low:high:n, got 'log:1'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_runs_that_diverge_are_counted_as_the_figure_counts_them(tmp_path):
    code, printed = run(*SMALL, "--axis", "learning_rate=0.1,2.16,100", "--seeds", 2, "--out", tmp_path / "study")
    assert code == 0
    assert printed.startswith("6 of 6 runs over, 2 stopped as diverged; ")
    assert "4 of 6 runs diverged: 2 were stopped, 2 ended no better than they began." in printed.splitlines()


def test_an_audit_is_counted_and_chaotic_runs_are_listed(tmp_path):
    arguments = (*SMALL, "--axis", "learning_rate=0.1,0.2", "--seeds", 3, "--audit", 4)
    code, printed = run(*arguments, "--out", tmp_path / "study")
    assert code == 0
    assert "Audited alone: 5, none of them takes another course." in printed.splitlines()
    results = record.load(tmp_path / "study")
    where = results["diverged_at"].dims
    chaotic = np.zeros(results["diverged_at"].shape, bool)
    chaotic[0, 2] = chaotic[1, 0] = True
    found = results.assign(chaotic=(where, chaotic, {"audited": 5}))
    assert list(_account(found.assign_attrs(runs_stored=0, runs_continued=0, runs_new=6))) == [
        "Audited alone: 5, of which 2 chaotic, on another course: learning_rate 0.1, seed 2; learning_rate 0.2, seed 0"
    ]


def test_damage_is_told_as_a_sentence_and_what_is_lost_is_run_again(tmp_path):
    out = tmp_path / "study"
    assert run(*SMALL, *RATES, "--seeds", 1, "--out", out)[0] == 0
    (block,) = out.glob("results.zarr/runs-20/val_loss/c.*")
    block.write_bytes(block.read_bytes()[:-1])
    with pytest.raises(
        ValueError, match=r"has no finished run: block 0 of table 'runs-20'.* does not match its checksum"
    ):
        run("--verify", out)
    assert "does not match its checksum" in run("--list", out)[1]
    code, printed = run("--resume", out)
    assert code == 0
    assert printed.splitlines()[0].endswith("rows lost: 3. What is wanted of it is run again.")
    assert run("--verify", out)[0] == 0


def test_more_of_a_study_computes_only_what_is_new_and_resume_knows_the_command(tmp_path):
    out = tmp_path / "study"
    assert run(*SMALL, *RATES, "--seeds", 1, "--out", out)[0] == 0
    code, printed = run(*SMALL, *RATES, "--seeds", 3, "--out", out)
    assert code == 0
    assert "3 of 9 runs were there already, 6 are new." in printed.splitlines()
    before = record.load(out)
    code, printed = run("--resume", out)
    assert code == 0
    assert "9 of 9 runs were there already, 0 are new." in printed.splitlines()
    assert "lane-steps" not in printed
    assert record.load(out).identical(before)
    assert run("--verify", out, "--count", 9) == (0, f"9 runs of {out} repeated: the same bit for bit.\n")


def test_memory_is_in_megabytes_and_a_resumed_study_may_have_another(tmp_path, monkeypatch):
    allowed = []
    budget = memory.budget
    monkeypatch.setattr(memory, "budget", lambda given, *share: allowed.append(given) or budget(given, *share))
    assert run(*SMALL, *RATES, "--seeds", 1, "--memory", 100, "--out", tmp_path)[0] == 0
    assert set(allowed) == {100_000_000}
    allowed.clear()
    assert run("--resume", tmp_path, "--memory", 50)[0] == 0
    assert set(allowed) == {50_000_000}


def test_what_is_run_is_stored_and_nothing_else(tmp_path):
    out = tmp_path / "study"
    options = (*SMALL, "--axis", "problem.condition_number=10,100", "--range", "learning_rate=log:1e-3:1e-1")
    options += (
        "--range",
        "momentum=lin:0:0.5",
        "--draw",
        "halton:3",
        "--seeds",
        1,
        "--observe",
        "grad_norm",
        "--record-every",
        10,
        "--batch",
        "own",
    )
    assert run(*options, "--out", out)[0] == 0
    assert stored(out) == command(*options)
    assert "out" not in json.dumps(record.summary(out).origin)
    results = record.load(out)
    assert results["grad_norm"].dims == ("problem.condition_number", "point", "seed", "step")
    assert results["step"].values.tolist() == [0, 10, 20]
    assert not (out / "sweep.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--steps", "30"), "--resume takes all else from the study, got --steps too"),
        (RATES, "--resume takes all else from the study, got --axis too"),
        (("--list",), "--resume takes all else from the study, got --list too"),
        (("--verify", "x"), "--resume takes all else from the study, got --verify too"),
    ],
)
def test_resume_takes_no_option_that_it_would_not_heed(study, arguments, message):
    with pytest.raises(ValueError, match=message):
        run("--resume", study[0], *arguments)


def test_a_study_that_the_command_did_not_make_is_not_resumed(tmp_path):
    with pytest.raises(FileNotFoundError):
        run("--resume", tmp_path)
    problem = jaxdl.problems.get("quadratic", dimension=2)
    jaxdl.sweep(problem, jaxdl.sgd, {"learning_rate": [0.1]}, seeds=1, steps=2, out=tmp_path / "a")
    with pytest.raises(ValueError, match="was not made by this version's `jaxdl sweep`"):
        run("--resume", tmp_path / "a")


def test_studies_are_listed_with_what_they_hold(study, tmp_path):
    folder = study[0]
    code, printed = run("--list", folder.parent)
    assert code == 0
    (line,) = [line for line in printed.splitlines() if "6/6" in line]
    assert line.split()[-4:] == ["jaxdl", jaxdl_version(), "jax", jax_version()]
    assert "quadratic" in line
    assert run("--list", tmp_path) == (0, f"No studies below {tmp_path}.\n")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        run("--list", tmp_path / "nowhere")


def jaxdl_version():
    return jaxdl.provenance.versions()["jaxdl"]


def jax_version():
    return jaxdl.provenance.versions()["jax"]


def test_a_damaged_study_is_named_and_the_others_are_listed(tmp_path):
    problem = jaxdl.problems.get("quadratic", dimension=2)
    for name in ("good", "bad"):
        jaxdl.sweep(problem, jaxdl.sgd, {"learning_rate": [0.1]}, seeds=1, steps=2, out=tmp_path / name)
    (tmp_path / "bad" / "manifest.json").write_text("{}")
    code, printed = run("--list", tmp_path)
    assert code == 0
    assert "1/1" in printed
    assert "bad" in printed
    assert "damaged" in printed


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (record.Verification(["a"] * 4, 0.0), 0, "the same bit for bit"),
        (
            record.Verification(["a"] * 4, 0.0, ["block 0 is lost."]),
            1,
            "block 0 is lost.\nWhat is lost is run again by",
        ),
        (record.Verification(["a"] * 4, 2e-6), 0, "within 1e-05 of what is stored, the largest difference"),
        (record.Verification(["a"] * 4, 0.3), 1, "beyond 1e-05 of what is stored, the largest difference is 0.3"),
    ],
)
def test_verify_says_how_runs_compare(monkeypatch, tmp_path, found, code, words):
    monkeypatch.setattr(record, "verify", lambda folder, define, count: found)
    console = Console(file=io.StringIO(), width=80)
    assert studies.verify(tmp_path, {}, 4, console) == code
    printed = console.file.getvalue()
    assert printed.startswith(f"4 runs of {tmp_path} repeated: ")
    assert words in printed


def test_help_shows_commands_to_copy_and_options_in_words(capsys):
    with pytest.raises(SystemExit) as ended:
        command("--help")
    assert ended.value.code == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "$ jaxdl sweep --verify runs/first" in lines
    assert not [line for line in lines if "None" in line]
