"""The command: what it prints, writes and refuses."""

import json

import pytest

from experiments.lecture import commands
from experiments.lecture.figures import catalogue as figures
from experiments.lecture.laboratory import Laboratory

PICTURES = ("polar", "folding", "xor", "architectures", "balls", "contact", "polynomials", "whitening", "dropout-net")
"""Drawn without training anything."""


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """The suite has set JAX up already."""
    monkeypatch.setattr(commands, "_start", lambda: None)


def test_without_arguments_it_lists_all_rows(capsys):
    assert commands.main([]) == 0
    printed = capsys.readouterr().out
    assert "C01 " in printed
    assert "C106 " in printed
    assert "Momentum" in printed


def test_one_row_prints_its_claims_and_draws_its_figure(capsys, tmp_path):
    assert commands.main(["c78", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "C78" in printed
    assert "4.49" in printed
    assert (tmp_path / "balls.png").stat().st_size > 10_000


def test_check_writes_what_was_measured(capsys, tmp_path):
    assert commands.main(["check", "C25", "C74", "--json", str(tmp_path / "rows.json")]) == 0
    content = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in content["rows"]] == ["C25", "C74"]
    assert all(row["passed"] and row["claims"] for row in content["rows"])
    assert "2 of 2 rows pass" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["C200"], "C01 … C106, got 'C200'"),
        (["check", "C0"], "got 'C0'"),
        (["tables", "--table", "nothing"], "unknown table 'nothing'"),
        (["figures", "nothing"], "unknown figure 'nothing'"),
    ],
)
def test_mistakes_cost_one_sentence_and_exit_code_2(arguments, message, capsys):
    assert commands.main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", PICTURES)
def test_figures_are_drawn_with_labels_and_provenance(name):
    figure = figures.FIGURES[name](Laboratory())
    assert "jaxdl" in figure.get_supxlabel()
    titles = [axes.get_title() for axes in figure.axes if axes.get_subplotspec() is not None]
    assert any(titles)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in figures.FIGURES if name not in PICTURES])
def test_other_figures_are_drawn(name, tmp_path, laboratory):
    assert figures.draw(name, laboratory, tmp_path).stat().st_size > 10_000


@pytest.fixture(scope="module")
def laboratory():
    return Laboratory(4)
