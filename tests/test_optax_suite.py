"""optax's own tests of its named optimizers, pointed at ours: a contract test, which wrong rules would pass too.

They run in a process of their own, from a folder without our ``conftest.py``, on JAX's default settings.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.optax_suite_plugin import SHIPPED

REPOSITORY = Path(__file__).parent.parent
QUICK = "extra_args or inject_hyperparams or explicit_dtype"
RULES = set(SHIPPED)


def run(rules: str, folder: Path, select: str = "") -> dict:
    """The plugin's report of one run."""
    report = folder / f"{rules}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "PYTEST_"))}
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--pyargs", "optax._src.alias_test", "-k", select]
    isolated = ["-p", "no:cacheprovider", "--rootdir", folder, "-c", folder / "pytest.ini"]
    redirected = ["-p", "tests.optax_suite_plugin", f"--rules={rules}", f"--report={report}"]
    done = subprocess.run(
        [*command, *isolated, *redirected],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text())


def assert_all_passed(report: dict) -> None:
    assert report["failed"] == []
    assert report["passed"] + len(report["skipped"]) == report["collected"] > len(report["skipped"])
    assert set(report["calls"]) == RULES


def test_contracts_hold_for_our_rules(tmp_path):
    assert_all_passed(run("ours", tmp_path, QUICK))


@pytest.mark.slow
def test_the_whole_suite_passes_on_our_rules_as_on_stock_optax(tmp_path):
    ours, stock = run("ours", tmp_path), run("stock", tmp_path)
    assert_all_passed(ours)
    assert_all_passed(stock)
    assert ours["skipped"] == stock["skipped"]  # what optax asks of none: sign_sgd on Rosenbrock, complex Adadelta
    assert ours["collected"] == stock["collected"] > 100
    assert ours["calls"] == stock["calls"]


@pytest.mark.slow
def test_a_broken_rule_would_be_seen(tmp_path):
    report = run("broken", tmp_path, QUICK)
    assert report["failed"]
    assert report["passed"] < report["collected"]
