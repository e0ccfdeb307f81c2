"""Numbers are printed as short as they can be, and no shorter: a printed call makes the same optimizer."""

import math

import numpy as np
import pytest

import jaxdl
from jaxdl import conventions
from jaxdl.conventions.decimals import beside, literal, shortest
from jaxdl.conventions.translation import translate


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.01 / 0.1, "0.1"),
        (0.3 / 3, "0.1"),
        (0.1 + 0.2, "0.3"),
        (0.1, "0.1"),
        (1e-8, "1e-08"),
        (-0.7 * 3, "-2.1"),
        (1 / 3, "0.3333333333333333"),
        (0.1 + 1e-14, "0.10000000000001"),
        (0.0, "0.0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_the_shortest_decimal(value, written):
    assert shortest(value) == written


def test_the_written_number_is_the_value_to_two_units_in_the_last_place():
    rng = np.random.default_rng(0)
    values = 10.0 ** rng.uniform(-12, 3, 2000) * rng.choice([-1, 1], 2000)
    lost = [abs(float(shortest(value)) - value) / abs(value) for value in values.tolist()]
    assert max(lost) <= 4.5e-16
    assert all(len(shortest(value)) <= len(repr(value)) for value in values.tolist())


def test_round_numbers_survive_arithmetic():
    products = [(i / 1000) * (1 / 7) * 7 for i in range(1, 1000)]
    assert any(repr(product) != repr(i / 1000) for i, product in enumerate(products, 1))
    assert [shortest(product) for product in products] == [repr(i / 1000) for i in range(1, 1000)]


def test_pairs_functions_and_whole_numbers_are_written_as_typed():
    assert literal((0.3 / 3, 0.999)) == "(0.1, 0.999)"
    assert literal((0.5,)) == "(0.5,)"
    assert (literal(True), literal(3), literal(None), literal("float32")) == ("True", "3", "None", "'float32'")
    assert literal(jaxdl.schedules.cosine) == "cosine"


def test_what_differs_is_not_written_alike():
    assert beside(0.1, 0.3 / 3) == ("0.1", "0.09999999999999999")
    assert beside(0.1, 0.2) == ("0.1", "0.2")


def test_a_rescaled_decay_is_printed_short_and_read_back_whole():
    fixed = conventions.lecture.sgd_with_weight_decay(0.3, 0.03)
    translation = translate(fixed, to="torch")
    exact = translation.keywords["weight_decay"]
    assert exact == 0.03 / 0.3
    printed = str(translation).splitlines()[0].partition("weight_decay=")[2].split(",")[0].rstrip(")")
    assert printed == "0.1"
    assert abs(float(printed) - exact) <= 1e-15 * exact
