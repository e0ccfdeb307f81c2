"""The named optimizers compute what the papers say: whole trajectories against NumPy twins and against optax."""

import inspect

import numpy as np
import optax
import pytest

from jaxdl import optimizers
from tests import cases
from tests.cases import TRAJECTORIES
from tests.cases_adaptive import ADAPTIVE
from tests.conftest import peer


@pytest.mark.parametrize("case", TRAJECTORIES, ids=lambda case: case.name)
@pytest.mark.parametrize(("rate", "dtype"), [("constant", "float64"), ("cosine", "float64"), ("cosine", "float32")])
def test_path_is_the_twins(case, rate, dtype):
    deviation = cases.deviation(cases.actual(case, rate, dtype), cases.expected(case, rate, dtype))
    assert deviation <= cases.TOLERANCE[dtype]


@pytest.mark.parametrize("case", ADAPTIVE, ids=lambda case: case.name)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_path_of_a_convention_under_a_decaying_rate_is_the_twins(case, dtype):
    deviation = cases.deviation(cases.actual(case, "cosine", dtype), cases.expected(case, "cosine", dtype))
    assert deviation <= cases.TOLERANCE[dtype]


@pytest.mark.parametrize("case", [case for case in TRAJECTORIES if case.peer], ids=lambda case: case.name)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_path_of_the_same_rule_in_optax_is_the_twins(case, dtype):
    with peer():
        path = cases.path(case.peer(cases.RATES["cosine"].peer(cases.SIZE_OF_RATE)), *cases.feed(dtype))
    assert cases.deviation(path, cases.expected(case, "cosine", dtype)) <= case.peer_tolerance[dtype]


# --- errors -----------------------------------------------------------------------------------------------------------

IN_UNIT_INTERVAL = {"decay", "b1", "b2", "rho", "beta"}
SENTENCES = {
    **dict.fromkeys(IN_UNIT_INTERVAL, r"lie in \[0, 1\)"),
    "dampening": r"lie in \[0, 1\]",
    "peak_rate": "be positive",
    "threshold": "be at least 4",
}


def _float_names(factory):
    parameters = inspect.signature(factory).parameters.values()
    return [p.name for p in parameters if "float" in str(p.annotation)]


FLOATS = [(rule, name) for rule, factory in optimizers.FACTORIES.items() for name in _float_names(factory)]


@pytest.mark.parametrize(("rule", "name"), FLOATS)
@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_float_out_of_range_is_refused_under_the_name_the_user_wrote(rule, name, value):
    expected = SENTENCES.get(name, "be non-negative")
    with pytest.raises(ValueError, match=rf"^{name} must {expected}, got {value:g}\.$"):
        optimizers.FACTORIES[rule](**{"learning_rate": 0.1, name: value})


@pytest.mark.parametrize(("rule", "name"), [(rule, name) for rule, name in FLOATS if name in IN_UNIT_INTERVAL])
def test_average_that_never_forgets_is_refused(rule, name):
    with pytest.raises(ValueError, match=rf"^{name} must lie in \[0, 1\), got 1\.$"):
        optimizers.FACTORIES[rule](0.1, **{name: 1.0})


# --- the two dictionaries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", optimizers.FACTORIES)
def test_keywords_and_defaults_are_optaxs(rule):
    peer_rule = {"momentum": "sgd", "nesterov": "sgd"}.get(rule, rule)
    ours = inspect.signature(optimizers.FACTORIES[rule]).parameters
    theirs = inspect.signature(getattr(optax, peer_rule)).parameters
    looks_ahead = {"nesterov"}
    # optax's Adadelta without a rate ascends; ours has the rate of the paper.
    set_by_the_name = {
        "momentum": {"momentum"},
        "nesterov": {"momentum", "nesterov"},
        "nadam": looks_ahead,
        "nadamw": looks_ahead,
        "adadelta": {"learning_rate"},
    }.get(rule, set())
    assert {name: ours[name].default for name in theirs if name not in set_by_the_name} == {
        name: theirs[name].default for name in theirs if name not in set_by_the_name
    }
    assert all(ours[name].kind is inspect.Parameter.KEYWORD_ONLY for name in ours if name not in theirs)


def test_every_factory_has_a_default_range_of_four_decades():
    assert set(optimizers.LEARNING_RATE_RANGES) == set(optimizers.FACTORIES)
    for low, high in optimizers.LEARNING_RATE_RANGES.values():
        assert np.log10(high / low) == pytest.approx(4)
