"""A small study on disk, as the tests of records ask for it."""

import numpy as np

import jaxdl
from jaxdl.sweeps import definition, engine
from tests.problems_for_tests import bowl, regression

RATES = [0.01, 0.1, 1e30]
ARGUMENTS = {"seeds": 2, "steps": 40, "record_every": 4}
QUICK = {"problem": bowl(), "factory": jaxdl.sgd}
"""For tests that any study will do for: it compiles in a fraction of the time."""


def sweep(folder, rates=RATES, factory=jaxdl.adam, problem=None, **changes):
    axes = {"learning_rate": rates}
    return jaxdl.sweep(problem or regression(), factory, axes, out=folder, **{**ARGUMENTS, **changes})


def defined(rates=RATES, factory=jaxdl.adam, steps=40, **known):
    return definition.define(regression(), factory, {"learning_rate": rates}, 2, steps, **known)


def count_steps(monkeypatch):
    """A list that grows by the updates of every chunk from now on."""
    advanced = []
    original = engine._landed

    def landed(*args):
        border = original(*args)
        advanced.append(border.steps)
        return border

    monkeypatch.setattr(engine, "_landed", landed)
    return advanced


def counts(found):
    return tuple(found.attrs[f"runs_{name}"] for name in ("stored", "continued", "new"))


def assert_same(found, expected):
    assert set(found.data_vars) == set(expected.data_vars)
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=str(name))
        assert found[name].attrs == expected[name].attrs
        assert found[name].dims == expected[name].dims


class Stop(Exception):
    """The end that a test puts to a study."""
