"""What tables read off curves, on made curves; and the stored run of 200 seeds."""

import io
import json
import types

import numpy as np
import pytest
import xarray
from rich.console import Console

from experiments.lecture import bands, claims, commands, measures, tables
from experiments.lecture.laboratory import Laboratory
from experiments.lecture.studies import Studies


def study(points, seeds=3, epochs=4, **curves):
    """A Dataset like those of the studies: ``train_loss`` of point p, seed s, epoch e is 100 p + 10 s + e."""
    p, s, e = np.meshgrid(np.arange(points), np.arange(seeds), np.arange(epochs + 1), indexing="ij")
    made = {"train_loss": 100.0 * p + 10 * s + e}
    made |= {name: np.zeros((points, seeds, epochs + 1)) for name in ("end_loss", "end_wrong", "val_loss", "val_wrong")}
    made |= {name: np.broadcast_to(values, made[name].shape) for name, values in curves.items()}
    data = {name: (("point", "seed", "step"), values) for name, values in made.items()}
    return xarray.Dataset(
        data, coords={"steps": ("point", np.full(points, 13 * epochs)), "step": 13 * np.arange(epochs + 1)}
    )


@pytest.fixture
def made():
    val = np.array([9.0, 5.0, 2.0, 3.0, 4.0])
    return Studies(study(5), study(4, val_loss=val, end_wrong=2.0**12), study(4), 1.0)


def test_the_record_before_the_first_epoch_is_left_out(made):
    np.testing.assert_array_equal(measures.run(made, "S2").loss[1], [111, 112, 113, 114])


def test_final_is_the_last_epoch(made):
    np.testing.assert_array_equal(measures.run(made, "R1").final, [104, 114, 124])


def test_shorter_runs_end_where_they_end(made):
    short = made.descent.assign_coords(steps=("point", [26, 52, 52, 52, 52]))
    np.testing.assert_array_equal(measures.run(made._replace(descent=short), "S1").final, [2, 12, 22])


def test_the_best_epoch_is_that_of_the_smallest_validation_loss(made):
    stop = measures.stop(measures.run(made, "R0"))
    np.testing.assert_array_equal(stop.epoch, [2, 2, 2])
    np.testing.assert_array_equal(stop.val, [2, 2, 2])
    np.testing.assert_array_equal(stop.train, [2, 12, 22])


def test_a_line_has_median_band_and_misclassified_points(made):
    line = tables.line(made, tables.SETTINGS["R1"])
    assert line.median == 114
    np.testing.assert_allclose(line.band, [105, 123])
    assert not line.inside
    assert (line.errors, line.wrong) == (1, "b7 (100 %)")


@pytest.mark.parametrize("name", tables.TABLES)
def test_tables_are_whole_on_80_columns(name, made):
    lab = Laboratory()
    lab.__dict__["studies"] = made
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(commands._table(lab, name))
    text = console.export_text()
    assert "…" not in text
    words = {word for setting in tables.TABLES[name][1] for word in (setting.row, *setting.text.split())}
    assert words <= set(text.split())


def test_orderings_are_judged_on_medians(made):
    by_text = {o.text: o for o in tables.orderings(made)}
    assert by_text["the loss rises with λ"].true
    assert by_text["the loss rises with λ"].values == (14, 114, 214, 314)
    assert not by_text["five times the epochs lower the loss of η = 0.01"].true


@pytest.mark.parametrize(
    ("band", "value", "digits", "inside"),
    [
        ((0.04, 0.1), 0.04, 3, True),
        ((0.0404, 0.1), 0.04, 3, True),
        ((0.0406, 0.1), 0.04, 3, False),
        ((3, 9), 9, 0, True),
    ],
)
def test_bands_hold_values_at_their_printed_precision(band, value, digits, inside):
    assert tables.holds(band, value, digits) is inside


def test_shares_of_seeds():
    assert not claims.share_of_seeds("half", np.array([True, False]), 0.6).passed
    assert claims.share_of_seeds("half", np.array([True, False]), 0.5).passed


def test_a_median_outside_its_band_fails_with_numbers(made):
    lab = Laboratory()
    lab.__dict__["studies"] = made
    lab.__dict__["bands"] = {"R1": bands.Band(0.0, 0.01, 0.02)}
    found = list(claims.of_line(lab, "R1"))
    assert [claim.passed for claim in found] == [False, False, True]
    assert found[0].measured == 114
    lab.__dict__["bands"] = {"R1": bands.Band(0.013, 114, 120)}
    assert [claim.passed for claim in claims.of_line(lab, "R1")] == [True, False, False]


# --- the stored run ---------------------------------------------------------------------------------------------------

STORED = json.loads(bands.STORED.read_text(encoding="utf-8"))


def test_the_stored_run_has_200_seeds_its_environment_and_every_line():
    assert STORED["seeds"] == 200
    assert {"jaxdl", "jax", "python", "device_kind"} <= set(STORED["environment"])
    assert [line["id"] for line in STORED["lines"]] == list(tables.SETTINGS)
    assert all(line["band"][0] <= line["median"] <= line["band"][1] for line in STORED["lines"])


def test_stored_bands_hold_every_printed_value_but_one():
    outside = [line["id"] for line in STORED["lines"] if not line["printed_inside"]]
    assert outside == ["E2 val"]
    for line in STORED["lines"]:
        setting = tables.SETTINGS[line["id"]]
        assert tables.holds(line["band"], setting.printed, setting.digits) is line["printed_inside"]


def test_stored_orderings_hold():
    assert all(ordering["true"] for ordering in STORED["orderings"])


def test_bands_are_read_as_they_are_written(tmp_path, made):
    described = bands.describe(made)
    bands.write(described, tmp_path / "folder" / "made.json")
    read = bands.read(tmp_path / "folder" / "made.json")
    assert read["R1"] == bands.Band(105, 114, 123)
    assert types.SimpleNamespace(**described).seeds == 3


@pytest.mark.slow
def test_tables_of_20_seeds_hold_against_the_stored_bands():
    lab = Laboratory(20)
    for id in tables.SETTINGS:
        assert all(claim.passed for claim in claims.of_line(lab, id) if "median" in claim.text), id
    assert all(ordering.true for ordering in tables.orderings(lab.studies))
