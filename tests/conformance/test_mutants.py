"""``check`` kills the mutants that the trajectory tests kill, with optax's rule of that name as the yardstick."""

import pytest

from jaxdl.conformance import check
from tests.cases_adaptive import TRAJECTORY
from tests.conftest import peer
from tests.test_mutants import MUTANTS, install

ASKED = [
    mutant
    for mutant in MUTANTS
    if TRAJECTORY[mutant.case].peer is not None and "mask" not in mutant.case and "centred" not in mutant.case
]
"""Masks need a tree, and a probe is a lone scalar; optax's centred variance cancels."""

CASES = sorted({mutant.case for mutant in ASKED})


def failures(case):
    with peer():
        report = check(TRAJECTORY[case].ours, like=TRAJECTORY[case].peer)
    return [finding.name for finding in report.failures]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_ours_pass(case):
    assert failures(case) == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ASKED, ids=lambda mutant: mutant.name)
def test_mutants_are_killed(mutant, monkeypatch):
    install(mutant, monkeypatch)
    assert "steps" in failures(mutant.case)
