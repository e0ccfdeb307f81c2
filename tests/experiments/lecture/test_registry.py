"""The catalogue is whole, and a row cannot pass by accident."""

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

import experiments.lecture
from experiments.lecture import check, registry
from experiments.lecture.chapters import CHAPTERS
from experiments.lecture.figures import catalogue as figures
from experiments.lecture.laboratory import Laboratory

FOLDER = Path(experiments.lecture.__file__).parent
ROOT = FOLDER.parents[1]


def test_all_106_rows_are_there_in_order():
    assert tuple(registry.catalogue()) == registry.IDS
    assert registry.IDS[0] == "C01"
    assert registry.IDS[-1] == "C106"


def test_chapters_hold_their_rows_and_all_of_them():
    rows = registry.catalogue()
    ends = [(first, last) for _, first, last in CHAPTERS.values()]
    assert [first for first, _ in ends] == [1, *(last + 1 for _, last in ends[:-1])]
    for name, (_, first, last) in CHAPTERS.items():
        ids = [id for id, row in rows.items() if row.check.__module__.endswith(f".{name}")]
        assert ids == list(registry.IDS[first - 1 : last])


def test_rows_name_figures_that_exist_and_every_figure_is_named():
    named = {name for row in registry.catalogue().values() for name in row.figures}
    assert named == set(figures.FIGURES)


def test_a_row_is_entered_once_and_only_if_it_is_in_the_catalogue():
    registry.catalogue()
    for id in ("C41", "C107"):
        with pytest.raises(ValueError, match="each once"):
            registry.row(id, "1", "title", "statement")


def _row(*claims):
    return registry.Row("C00", "1", "title", "statement", lambda lab: claims)


@pytest.mark.parametrize(
    ("claims", "passed", "reason"),
    [
        ([registry.near("a", 1.0, 1.0)], True, ""),
        ([registry.near("a", 1.0, 1.0), registry.below("b", 2.0, 1.0)], False, "b: 2, expected ≤ 1"),
        ([registry.near("a", float("nan"), 1.0)], False, "a: nan, expected 1 ± 1e-12"),
        ([registry.within("a", 3, 1, 2)], False, "a: 3, expected [1, 2]"),
        ([registry.ascending("a", 1, 1)], False, "a: 1 < 1, expected each below the next"),
        ([], False, "nothing was measured"),
    ],
)
def test_a_row_passes_if_all_its_claims_do(claims, passed, reason):
    outcome = check.check(_row(*claims), Laboratory())
    assert (outcome.passed, outcome.reason) == (passed, reason)


def test_an_error_inside_a_check_is_a_failure_with_its_text():
    def broken(lab):
        yield registry.holds("fine", True)
        raise RuntimeError("no such thing")

    outcome = check.check(_row()._replace(check=broken), Laboratory())
    assert not outcome.passed
    assert outcome.reason == "RuntimeError: no such thing"
    assert len(outcome.claims) == 1


def test_rows_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="C01 … C106, got 'C107'"):
        check.check_all(Laboratory(), ["C107"])


def test_the_folder_imports_only_public_names_and_nothing_imports_it():
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("jaxdl"):
                parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                assert not [part for part in parts if part.startswith("_")], file
    for file in (*(ROOT / "jaxdl").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")):
        assert "experiments" not in file.read_text(encoding="utf-8").split("import "), file


@pytest.mark.parametrize("module", ["measures", "tables", "check", "claims", "boundary"])
def test_examples_in_docstrings(module):
    found = doctest.testmod(importlib.import_module(f"experiments.lecture.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_page_for_teachers_names_rows_that_exist():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"C\d{2,3}", page)) <= set(registry.IDS)
