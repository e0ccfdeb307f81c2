"""The three choices for batch statistics, on a network with a Flax batch normalisation."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape, losses, tree
from jaxdl.landscape import batch_statistics
from tests.conftest import peer

pytestmark = pytest.mark.usefixtures("quick_compilation")

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.standard_normal((40, 3)) * np.array([1.0, 5.0, 0.2]) + 2.0)
Y = jnp.asarray(RNG.standard_normal((40, 2)))
WIDE = {"dtype": jnp.float64, "param_dtype": jnp.float64}


class Normalised(nn.Module):
    @nn.compact
    def __call__(self, x, training):
        x = nn.Dense(4, **WIDE)(x)
        x = nn.BatchNorm(use_running_average=not training, momentum=0.0, **WIDE)(x)
        return nn.Dense(2, **WIDE)(jnp.tanh(x))


MODEL = Normalised()


def loss(params, statistics, x, y):
    variables = {"params": params, "batch_stats": statistics}
    return losses.squared_error(MODEL.apply(variables, x, training=False), y)


def compute(params, x):
    variables = {"params": params, "batch_stats": STATISTICS}
    return MODEL.apply(variables, x, training=True, mutable=["batch_stats"])[1]["batch_stats"]


with peer():
    VARIABLES = MODEL.init(jax.random.key(0), X, training=True)
PARAMS, STATISTICS = VARIABLES["params"], VARIABLES["batch_stats"]


def line(loss, centre, direction, *args):
    with peer():
        return landscape.line(loss, centre, direction, *args, points=3)["loss"].values


def at(coordinate, direction):
    return jax.tree.map(lambda p, d: p + coordinate * d, PARAMS, direction)


def test_each_choice_is_what_it_says():
    (direction,) = landscape.random(jax.random.key(1), PARAMS, 1)
    with peer():
        centre = compute(PARAMS, X)
        by_hand = {
            "frozen": [loss(at(a, direction), centre, X[:5], Y[:5]) for a in (-1.0, 0.0, 1.0)],
            "recomputed": [
                loss(at(a, direction), compute(at(a, direction), X), X[:5], Y[:5]) for a in (-1.0, 0.0, 1.0)
            ],
        }
    frozen = line(batch_statistics.frozen(loss, centre), PARAMS, direction, X[:5], Y[:5])
    anew = line(batch_statistics.recomputed(loss, compute, X), PARAMS, direction, X[:5], Y[:5])
    np.testing.assert_allclose(frozen, by_hand["frozen"], rtol=1e-12)
    np.testing.assert_allclose(anew, by_hand["recomputed"], rtol=1e-12)
    np.testing.assert_allclose(anew[1], frozen[1], rtol=1e-12)
    assert np.abs(anew / frozen - 1)[[0, 2]].min() > 1e-3
    still = line(
        batch_statistics.interpolated(loss),
        batch_statistics.Moving(PARAMS, centre),
        batch_statistics.held(direction, centre),
        X[:5],
        Y[:5],
    )
    np.testing.assert_allclose(still, frozen, rtol=1e-12)


def test_statistics_move_from_one_solution_to_the_other():
    other = jax.tree.map(lambda p: 1.5 * p + 0.1, PARAMS)
    with peer():
        ends = [batch_statistics.Moving(p, compute(p, X)) for p in (PARAMS, other)]
        middle = jax.tree.map(lambda a, b: (a + b) / 2, *ends)
        wanted = [loss(m.params, m.statistics, X, Y) for m in (ends[0], middle, ends[1])]
        data = landscape.interpolate(batch_statistics.interpolated(loss), *ends, X, Y, points=3, extent=(0.0, 1.0))
    np.testing.assert_allclose(data["loss"], wanted, rtol=1e-12)
    assert tree.global_norm(landscape.difference(*ends).statistics) > 0.1
