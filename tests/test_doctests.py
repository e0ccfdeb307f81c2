"""Every example in a docstring of jaxdl runs and prints what it says, under the settings that a user has."""

import doctest
import importlib
import pkgutil

import jax
import pytest

import jaxdl

MODULES = ["jaxdl", *(module.name for module in pkgutil.walk_packages(jaxdl.__path__, "jaxdl."))]


def examples(name: str) -> list[doctest.DocTest]:
    """The docstrings of a module that hold examples."""
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name), name)
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    printed: list[str] = []
    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        for test in examples(name):
            runner.run(test, out=printed.append)
    assert not runner.failures, "".join(printed)


@pytest.mark.parametrize("name", ["jaxdl.transforms.adam", "jaxdl.schedules", "jaxdl.losses"])
def test_examples_are_found(name):
    assert examples(name)


def test_a_wrong_example_would_be_seen():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    runner = doctest.DocTestRunner()
    runner.run(wrong, out=lambda text: None)
    assert runner.failures == 1
