"""The benchmarks run, store what they measured, and compare things that compute the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments):
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_sweep_speed(tmp_path):
    path = tmp_path / "deep" / "sweep.json"
    run("benchmarks.sweep_speed", "--json", path, "--lanes", 1, 4, "--steps", 20, "--repetitions", 1)
    stored = json.loads(path.read_text())
    assert [row["lanes"] for row in stored["rows"]] == [1, 4]
    assert stored["environment"]["jax"]
    for row in stored["rows"]:
        assert row["largest_difference_of_losses"] < 1e-4
        assert {"sweep", "train", "plain", "plain_own_process", "loop"} <= set(row["ms_per_run"])
        assert all(milliseconds > 0 for milliseconds in row["ms_per_run"].values())
    assert "| lanes |" in run("benchmarks.table", path)


@pytest.mark.slow
def test_update_speed(tmp_path):
    path = tmp_path / "update.json"
    run("benchmarks.update_speed", "--json", path, "--parameters", 1000, "--leaves", 1, 10, "--repetitions", 2)
    stored = json.loads(path.read_text())
    assert {(row["rule"], row["leaves"]) for row in stored["rows"]} >= {("sgd", 1), ("adamw", 10)}
    assert all(row["ratios"]["optax"] > 0 for row in stored["rows"])
    assert "| rule |" in run("benchmarks.table", path)


@pytest.mark.slow
def test_layouts(tmp_path):
    path = tmp_path / "layouts.json"
    run(
        "benchmarks.layouts",
        "--json",
        path,
        "--problems",
        "tiny",
        "rates-seeds",
        "--lanes",
        16,
        20,
        9000,
        "--repetitions",
        1,
    )
    rows = json.loads(path.read_text())["rows"]
    assert [(row["problem"], row["lanes"], row["seeds"]) for row in rows] == [
        ("tiny", 16, 1),
        ("tiny", 20, 1),
        ("rates-seeds", 16, 8),  # 20 is no multiple
    ]
    for row in rows:
        assert row["planner_over_best"] >= 1
        assert row["ms_per_run"]["planner"] >= min(row["ms_per_run"].values()) > 0
    assert "| problem | lanes |" in run("benchmarks.table", path)


@pytest.mark.slow
def test_memory_of_layouts(tmp_path):
    path = tmp_path / "memory.json"
    run("benchmarks.layouts", "--memory", "--json", path, "--lanes", 10, 200)
    rows = json.loads(path.read_text())["rows"]
    assert [row["lanes"] for row in rows] == [10, 200]
    assert all(row["finished"] <= row["lanes"] and row["peak_mb"] > 0 for row in rows)
    assert "| lanes | peak above import MB |" in run("benchmarks.table", path)


@pytest.mark.slow
def test_compile_time(tmp_path):
    path = tmp_path / "compile.json"
    run("benchmarks.compile_time", "--json", path, "--repetitions", 1)
    first, again, other = json.loads(path.read_text())["rows"]
    assert first["cache_entries"] == again["cache_entries"] == other["cache_entries"] > 0
    assert max(again["compile_s"], other["compile_s"]) < first["compile_s"] / 10
    assert "| study |" in run("benchmarks.table", path)


def test_conformance_of_the_stored_table_is_in_the_docs_and_within_its_bounds():
    path = ROOT / "benchmarks" / "results" / "conformance.json"
    rows = json.loads(path.read_text())["rows"]
    ours = [row for row in rows if row["kind"] == "ours"]
    assert {row["framework"] for row in ours} == {"torch", "keras", "optax"}
    assert all(row["source"] == "installed" and row["difference"] <= row["bound"] == 1e-12 for row in ours)
    assert run("benchmarks.table", path).strip() in (ROOT / "docs" / "conformance.md").read_text()


@pytest.mark.slow
def test_conformance(tmp_path):
    path = tmp_path / "conformance.json"
    run("benchmarks.conformance", "--json", path)  # fails where a row of ours is above its bound
    rows = json.loads(path.read_text())["rows"]
    between = {(row["optimizer"], tuple(row["frameworks"])) for row in rows if row["kind"] == "frameworks"}
    assert {row["framework"] for row in rows if row["kind"] == "ours"} == {"torch", "keras", "optax"}
    assert all("optax" in pair or "torch" in pair for _, pair in between)


@pytest.mark.slow
def test_update_compile(tmp_path):
    path = tmp_path / "compile.json"
    run("benchmarks.update_compile", "--json", path, "--rules", "adam", "lion", "--leaves", 20, "--repetitions", 1)
    rows = json.loads(path.read_text())["rows"]
    assert [row["rule"] for row in rows] == ["adam", "lion"]
    assert all(row["compile_s"]["jaxdl"] > 0 for row in rows)
    assert "| rule | leaves |" in run("benchmarks.table", path)


@pytest.mark.slow
def test_landscape_speed(tmp_path):
    path = tmp_path / "landscape.json"
    run("benchmarks.landscape_speed", "--json", path, "--grid", 5, "--repetitions", 1)
    rows = {row["what"]: row for row in json.loads(path.read_text())["rows"]}
    assert rows["surface"]["largest_relative_difference"] < 1e-4
    assert set(rows["surface"]["ms_per_point"]) >= {"plane", "plain", "torch"}
    assert rows["eigenpairs"]["curves"]["jaxdl"][-1]["residual"] <= rows["eigenpairs"]["residual"]
    assert set(rows["hvp"]["ms"]) == {"jaxdl", "torch"}
    assert abs(rows["edge"]["median_of_sharpness_over_bound"] - 1) < 0.05
    assert "| what | measured |" in run("benchmarks.table", path)
