"""How many operations one leaf more brings into the program of an update: those of the formula, and no more.

What does not depend on the leaf (bias corrections, 1 − β, the rate's sign, the rectification of RAdam) stands once.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest

from benchmarks.update_compile import RULES
from jaxdl import optimizers
from tests.conftest import peer

MEAN = 3  # m ← b1 m + (1 − b1) g: two products, a sum
MEAN_SQUARE = 4  # v ← b2 v + (1 − b2) g²: three products, a sum
DIVISION = 4  # u / (√(v̂ + eps_root) + eps): a root, two sums, a quotient
CORRECTION = 1  # a quotient
RATE = 1  # the increment is −η u

OPERATIONS = {
    "sgd": RATE,
    "momentum": 2 + RATE,
    "lion": 2 * MEAN + 1 + RATE + 2,  # a sign; and the decay of the weights: a product, a difference
    "adagrad": 2 + 2 + 3 + RATE,  # s ← s + g²; where s is 0; g · rsqrt(s + eps)
    "adamax": MEAN + 4 + CORRECTION + 1 + RATE,  # max(b2 w, |g| + eps); the quotient
    "rmsprop": MEAN_SQUARE + 3 + RATE,  # u · rsqrt(ν + eps)
    "adam": MEAN + MEAN_SQUARE + 2 * CORRECTION + DIVISION + RATE,
    "amsgrad": MEAN + MEAN_SQUARE + 2 * CORRECTION + 1 + DIVISION + RATE,
    "radam": MEAN + MEAN_SQUARE + 2 * CORRECTION + DIVISION + 2 + RATE,  # times r, and the choice
}


def equations(jaxpr: Any) -> Iterator[Any]:
    """Every equation that computes; of a call, those inside it."""
    for equation in jaxpr.eqns:
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
        if inner is not None:
            yield from equations(inner.jaxpr)
        elif equation.primitive.name not in ("broadcast_in_dim", "convert_element_type"):
            yield equation


def size(transform: optax.GradientTransformation, leaves: list[Any]) -> int:
    state = jax.eval_shape(transform.init, leaves)
    return len(list(equations(jax.make_jaxpr(transform.update)(leaves, state, leaves).jaxpr)))


@pytest.mark.parametrize("shapes", [[(3, 2)] * 9, [(n + 1,) for n in range(9)]], ids=["one shape", "nine shapes"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_leaf_more_brings_the_operations_of_the_formula(name, shapes):
    leaves = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    many, one = (size(optimizers.FACTORIES[name](0.1), part) for part in (leaves, leaves[:1]))
    assert many - one == 8 * OPERATIONS[name]


@pytest.mark.parametrize("name", RULES)
def test_a_leaf_more_brings_no_more_operations_than_in_optax(name):
    ours, theirs, keywords = RULES[name]
    leaves = [jax.ShapeDtypeStruct((3, 2), jnp.float32)] * 3

    def per_leaf(factory: Any) -> float:
        transform = factory(1e-3, **keywords)
        return (size(transform, leaves) - size(transform, leaves[:1])) / 2

    with peer():
        assert per_leaf(ours) <= per_leaf(theirs)
