"""Problems by name."""

import subprocess
import sys

import pytest

from jaxdl import problems

DIGITS = ["digits-softmax", "digits-mlp", "digits-cnn", "digits-resmlp"]
DATA = [*DIGITS, "echo-rnn", "parity-rnn", "breast-cancer-logistic"]
FORMULAS = ["quadratic", "noisy-quadratic", "rosenbrock"]
PLANAR = [
    "beale",
    "himmelblau",
    "ackley",
    "rastrigin",
    "booth",
    "matyas",
    "styblinski-tang",
    "goldstein-price",
    "branin",
    "six-hump-camel",
    "mccormick",
    "three-hump-camel",
    "monkey-saddle",
    "saddle",
    "goh-banana",
    "griewank",
    "levy-13",
    "easom",
    "dupont",
]


def test_names_in_their_order():
    assert list(problems.names()) == DATA + FORMULAS + PLANAR


@pytest.mark.parametrize("name", ["quadratic", "noisy-quadratic", "rosenbrock", "beale"])
def test_a_problem_bears_its_name(name):
    assert problems.get(name).name == name


def test_arguments_reach_the_factory(key):
    assert problems.get("quadratic", dimension=7).init(key).shape == (7,)
    assert problems.get("beale", start=(2.0, 3.0)).init(key).tolist() == [2.0, 3.0]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown problem 'rosenbrok'; known are: digits-softmax, .*, dupont\.$"):
        problems.get("rosenbrok")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quadratic", "takes dimension, condition_number, rotated, seed, random_start, dtype; got kappa"),
        ("beale", "takes start, random_start, dtype; got kappa"),
        ("digits-mlp", "takes hidden, batch_size, dropout_rate, label_noise; got kappa"),
    ],
)
def test_an_unknown_argument_lists_the_known_ones(name, message):
    with pytest.raises(TypeError, match=f"^problem '{name}' {message}\\.$"):
        problems.get(name, kappa=10)


def test_listing_the_names_imports_nothing_heavy():
    code = "import sys, jaxdl.problems as p; p.names(); print({'flax', 'sklearn', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
