"""Which leaves of a problem's data depend on what lanes set."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl.problems.problem import Problem
from jaxdl.sweeps.dependence import lane_data
from tests.problems_for_tests import bowl

FLOAT = np.dtype("float32")


def depends(data, *arguments):
    """``data``: a function of the arguments, all of them named."""
    base = bowl()
    return lane_data(lambda **given: base._replace(data=data(**given)), dict.fromkeys(arguments, FLOAT))


@pytest.mark.parametrize("name", ["digits-mlp", "digits-softmax"])
def test_label_noise_reaches_the_training_labels_alone(name):
    problem = partial(jaxdl.problems.get, name)
    assert lane_data(problem, {"label_noise": FLOAT}) == {
        "train": (False, True),
        "val": (False, False),
        "test": (False, False),
    }


def test_a_problem_without_data():
    assert lane_data(partial(jaxdl.problems.get, "quadratic"), {"condition_number": FLOAT}) == {
        "train": (),
        "val": (),
        "test": (),
    }


def test_arguments_of_the_loss_do_not_reach_the_data():
    data = lane_data(partial(jaxdl.problems.get, "digits-softmax"), {"l2": FLOAT})
    assert not any(jax.tree.leaves(data))


def test_dependence_goes_on_from_one_operation_to_the_next():
    def data(a, b):
        first = a * 2
        second = jnp.sin(first)
        apart = jnp.arange(3) + 1
        return {"train": (first, second, apart), "val": (b, a + b), "test": np.ones(3)}

    assert depends(data, "a", "b") == {"train": (True, True, False), "val": (True, True), "test": False}


def test_an_argument_handed_through_and_one_that_is_ignored():
    assert depends(lambda a, b: {"train": (a, 1.0)}, "a", "b") == {"train": (True, False)}


def test_a_jitted_function_or_a_loop_is_one_operation():
    @jax.jit
    def both(a, x):
        return a * 2, x + 1

    def looped(a):
        return jax.lax.scan(lambda carry, _: (carry * a, carry), jnp.float32(1), length=3)

    assert depends(lambda a: {"train": both(a, jnp.float32(1)), "val": both(1.0, 2.0)}, "a") == {
        "train": (True, True),
        "val": (False, False),
    }
    assert depends(lambda a: {"train": looped(a), "val": looped(2.0)}, "a") == {
        "train": (True, True),
        "val": (False, False),
    }


def test_the_shared_leaves_can_be_taken_from_one_problem_for_all_lanes():
    """What the answer is for: leaves that do not depend are arguments of the program, and the rest is its own."""
    make = partial(jaxdl.problems.get, "digits-mlp", hidden=())
    mine = lane_data(make, {"label_noise": FLOAT})
    shared = make().data

    def lane(data, rate):
        problem: Problem = make(label_noise=rate)
        return jax.tree.map(lambda own, a, b: a if own else b, mine, problem.data, data)

    mapped = jax.jit(jax.vmap(lane, (None, 0)))
    text = mapped.lower(shared, jnp.array([0.0, 0.3], jnp.float32)).as_text()
    images = [line for line in text.splitlines() if "tensor<1077x8x8" in line]
    assert images
    assert not [line for line in images if "constant" in line]
    data = mapped(shared, jnp.array([0.0, 0.3], jnp.float32))
    np.testing.assert_array_equal(data["train"][1][1], make(label_noise=0.3).data["train"][1])
    np.testing.assert_array_equal(data["train"][1][0], shared["train"][1])
