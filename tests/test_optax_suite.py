"""optax's own tests of its named optimizers, pointed at ours: a contract test, which wrong rules would pass too.

They run in a process of their own, from a folder without our ``conftest.py``, on JAX's default settings.
"""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from optax import contrib

import jaxdl
from tests import aliases
from tests.optax_suite_plugin import IN_DOUBLE_ALONE, SHIPPED

REPOSITORY = Path(__file__).parent.parent
ALIASES = ("optax._src.alias_test",)
CONTRIB = tuple(f"optax.contrib.{path.stem}" for path in sorted(Path(contrib.__file__).parent.glob("*_test.py")))
QUICK = "extra_args or inject_hyperparams or explicit_dtype"
RULES = set(SHIPPED)
WRAPPED = {"sgd", "adam", "adamw", "amsgrad", "adamax", "adamaxw", "rmsprop", "radam", "lion"}
"""The rules of ours around which optax's contrib suites put their wrappers."""


def run(rules: str, folder: Path, select: str = "", suites: tuple[str, ...] = ALIASES, **settings: str) -> dict:
    """The plugin's report of one run; ``settings`` are variables of its environment."""
    report = folder / f"{rules}.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "PYTEST_"))}
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--pyargs", *suites, "-k", select]
    isolated = ["-p", "no:cacheprovider", "--rootdir", folder, "-c", folder / "pytest.ini"]
    redirected = ["-p", "tests.optax_suite_plugin", f"--rules={rules}", f"--report={report}"]
    done = subprocess.run(
        [*command, *isolated, *redirected],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(REPOSITORY), **settings},
        capture_output=True,
        text=True,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text())


def assert_all_passed(report: dict, rules: set[str] = RULES) -> None:
    assert report["failed"] == []
    assert report["passed"] + len(report["skipped"]) == report["collected"] > len(report["skipped"])
    assert set(report["calls"]) == rules


def public_functions(package) -> set[str]:
    """The names under which a package gives functions."""
    values = vars(package).items()
    return {name for name, value in values if callable(value) and not inspect.isclass(value) and name[0] != "_"}


def test_every_rule_that_has_optaxs_name_is_put_to_its_tests():
    theirs = {*aliases.NAMES, *public_functions(contrib)}
    ours = {*jaxdl.optimizers.FACTORIES, *public_functions(jaxdl.transforms), *public_functions(jaxdl)}
    assert ours & theirs == RULES
    assert RULES.isdisjoint(public_functions(contrib))  # none of contrib's so far: a first one needs its own row here


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
def test_the_contrib_suites_pass_with_our_rules_inside_their_wrappers(tmp_path):
    ours, stock = (run(rules, tmp_path, suites=CONTRIB) for rules in ("ours", "stock"))
    assert_all_passed(ours, WRAPPED)
    assert_all_passed(stock, WRAPPED)
    # What optax asks of none: wrappers that inject_hyperparams or a schedule cannot reach, complex beside real states.
    excepted = {test: reason for test, reason in ours["skipped"].items() if test not in stock["skipped"]}
    assert [test.rpartition("::")[2] for test in excepted] == [*IN_DOUBLE_ALONE]
    assert ours["collected"] == stock["collected"] > 100


@pytest.mark.slow
def test_what_the_contrib_suites_ask_in_too_few_digits_holds_in_double_precision(tmp_path):
    report = run("ours", tmp_path, " or ".join(IN_DOUBLE_ALONE), CONTRIB, JAX_ENABLE_X64="1")
    assert report["failed"] == []
    assert report["passed"] == report["collected"] == len(IN_DOUBLE_ALONE)


@pytest.mark.slow
def test_a_broken_rule_would_be_seen(tmp_path):
    report = run("broken", tmp_path, QUICK)
    assert report["failed"]
    assert report["passed"] < report["collected"]
