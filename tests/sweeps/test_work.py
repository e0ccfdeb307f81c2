"""The cost of a lane's step, counted in its program, against counts by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl.sweeps import definition, work
from tests.problems_for_tests import bowl, regression

RATES = {"learning_rate": [0.1, 0.2]}


def of(problem, factory=jaxdl.sgd, **options):
    part = definition.define(problem, factory, RATES, 1, 20, 5, **options).parts[0]
    return work.of_lane(part.study, part.factories[part.optimizer], part.lane)


def counted(function, *shapes):
    jaxpr = jax.make_jaxpr(function)(*(jnp.zeros(shape, jnp.float32) for shape in shapes)).jaxpr
    return work.count(jaxpr)


def test_a_matrix_product_multiplies_and_adds():
    assert counted(jnp.matmul, (3, 5), (5, 7)) == (2 * 3 * 5 * 7, 4 * 3 * 7)


def test_a_convolution_sums_over_the_kernel_and_the_channels():
    def convolve(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    assert counted(convolve, (2, 8, 8, 3), (5, 5, 3, 4))[0] == 2 * (2 * 8 * 8 * 4) * (5 * 5 * 3)


def test_a_loop_counts_as_often_as_it_runs_and_a_branch_as_its_dearest():
    def loop(x):
        return jax.lax.scan(lambda carry, _: (carry @ carry, None), x, length=6)[0]

    def branch(x):
        return jax.lax.cond(x[0, 0] > 0, lambda y: y @ y, lambda y: y @ y @ y, x)

    assert counted(loop, (4, 4))[0] == 6 * 2 * 4**3
    assert counted(branch, (4, 4))[0] == 2 * 2 * 4**3


def test_the_step_of_a_regression():
    """Forward X w and backward Xᵀ r, on batches of 4 with 2 features; parameters are two float64."""
    found = of(regression(), evaluated=False)
    assert found.flops == 2 * (2 * 4 * 2)
    assert of(regression(), jaxdl.adam).state - found.state == 2 * 16 + 4  # two moments and a count


def test_evaluation_is_part_of_the_cost():
    splits = 2 * 5 * (2 * 2)  # 5 samples each in val and test
    assert of(regression()).flops == pytest.approx(of(regression(), evaluated=False).flops + splits / 5)


def test_larger_problems_are_guessed_to_be_slower():
    tiny, small, wide = (
        of(jaxdl.problems.get(name, **options)).seconds("cpu")
        for name, options in (("rosenbrock", {}), ("digits-mlp", {}), ("digits-mlp", {"hidden": (256, 256)}))
    )
    assert 10 * tiny < small < wide / 10


def test_the_digest_knows_the_program_and_not_the_values():
    assert of(bowl()).digest == of(bowl()).digest
    assert of(bowl()).digest != of(bowl(), jaxdl.adam).digest
    assert of(regression(4)).digest != of(regression(5)).digest
    other = definition.define(bowl(), jaxdl.sgd, {"learning_rate": np.array([0.3])}, 1, 20, 5)
    assert other.work.digest == of(bowl()).digest
