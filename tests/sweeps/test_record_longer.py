"""Studies on disk that are given other lengths and further values: which runs go on, and which are begun anew."""

import functools

import numpy as np
import pytest

import jaxdl
from jaxdl.sweeps import plan
from tests.problems_for_tests import bowl
from tests.sweeps.recorded import assert_same, counts, sweep

pytestmark = pytest.mark.usefixtures("short_chunks")


def test_a_run_that_knows_its_length_is_begun_anew(tmp_path):
    def scheduled(learning_rate, steps):
        return jaxdl.sgd(jaxdl.schedules.cosine(learning_rate, steps))

    def asked(steps):
        axes = {"learning_rate": [0.1], "steps": [steps]}
        return jaxdl.sweep(bowl(), scheduled, axes, seeds=1, record_every=4, out=tmp_path / "study")

    assert counts(asked(40)) == (0, 0, 1)
    assert counts(asked(80)) == (0, 0, 1)


def test_a_run_that_is_told_its_length_from_outside_is_begun_anew(tmp_path):
    """Of the same program, although the length is a constant in it."""

    def scheduled(learning_rate, steps):
        return jaxdl.sgd(jaxdl.schedules.cosine(learning_rate, steps))

    def asked(steps, bound):
        made, axes = functools.partial(scheduled, steps=bound), {"learning_rate": [0.1]}
        return jaxdl.sweep(bowl(), made, axes, seeds=1, steps=steps, record_every=4, out=tmp_path / "study")

    assert counts(asked(8, 8)) == (0, 0, 1)
    assert counts(asked(16, 16)) == (0, 0, 1)
    assert counts(asked(16, 16)) == (1, 0, 0)
    with pytest.raises(ValueError, match="'scheduled' had another program"):
        asked(16, 12)  # not told its own length, but another


def test_a_run_that_ended_between_two_records_is_begun_anew(tmp_path):
    """Continued, its records would be of other steps than the coordinate says."""

    def asked(folder, steps):
        return sweep(folder, [0.1, 0.2], jaxdl.sgd, bowl(), steps=steps)  # a record every 4 steps

    assert asked(tmp_path / "study", 10)["step"].values.tolist() == [0, 4, 8, 10]
    longer = asked(tmp_path / "study", 16)
    assert counts(longer) == (0, 0, 4)
    assert_same(longer, asked(None, 16))
    assert counts(asked(tmp_path / "study", 20)) == (0, 4, 0)  # from 16, not from 10


def test_chunks_that_go_past_the_end_leave_the_state_as_it_was(tmp_path, monkeypatch):
    """Runs of 16 steps in chunks of 12: what goes on from there is the run of 24 steps."""

    def asked(folder, steps):
        return sweep(folder, [0.1, 0.2], jaxdl.sgd, bowl(), steps=steps)

    monkeypatch.setattr(plan, "chunk_records", lambda *_: 3)
    asked(tmp_path / "study", 16)
    longer = asked(tmp_path / "study", 24)
    assert counts(longer) == (0, 4, 0)
    np.testing.assert_allclose(longer["val_loss"], asked(None, 24)["val_loss"], rtol=1e-13)


@pytest.mark.parametrize("batch", ["shared", "own"])
def test_whole_numbers_are_the_same_beside_others(tmp_path, batch):
    def asked(rates):
        return sweep(tmp_path / "study", rates, jaxdl.sgd, bowl(), batch=batch, steps=8)

    first = asked([1, 2])
    more = asked([0.5, 1, 2])
    assert counts(more) == (4, 0, 2)
    assert_same(more.sel(learning_rate=[1.0, 2.0]), first)
