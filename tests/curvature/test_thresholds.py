"""Stability thresholds against training itself: just below them runs converge, just above they diverge."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import curvature
from jaxdl.curvature import preconditioners

pytestmark = pytest.mark.usefixtures("quick_compilation")

RATE = 0.1
RULES = {
    "gd": (jaxdl.sgd, "sgd", {}),
    "heavy ball": (jaxdl.momentum, "momentum", {"momentum": 0.8}),
    "heavy ball, rate inside": (jaxdl.momentum, "momentum", {"learning_rate_in_velocity": True}),
    "nesterov": (jaxdl.nesterov, "nesterov", {"momentum": 0.7}),
    "rmsprop": (jaxdl.rmsprop, "rmsprop", {"decay": 1 - 1e-12, "initial_scale": 4.0}),
    "rmsprop, eps inside": (jaxdl.rmsprop, "rmsprop", {"eps": 4.0}),
    "rmsprop, eps outside": (jaxdl.rmsprop, "rmsprop", {"eps": 2.0, "eps_in_sqrt": False}),
    "rmsprop, centred": (jaxdl.rmsprop, "rmsprop", {"eps": 4.0, "centered": True}),
    "rmsprop, momentum": (jaxdl.rmsprop, "rmsprop", {"eps": 4.0, "momentum": 0.9}),
    "rmsprop, nesterov": (jaxdl.rmsprop, "rmsprop", {"eps": 4.0, "momentum": 0.9, "nesterov": True}),
    "adam": (jaxdl.adam, "adam", {"eps": 2.0}),
    "adam, eps inside": (jaxdl.adam, "adam", {"eps_root": 4.0, "b1": 0.5, "b2": 0.9}),
    "adam, uncorrected": (jaxdl.adam, "adam", {"eps": 2.0, "bias_correction": False}),
    "nadam": (jaxdl.adam, "adam", {"eps": 2.0, "nesterov": True}),
    "adamw": (jaxdl.adamw, "adamw", {"eps": 2.0, "weight_decay": 3.0}),
}


def growth(tx, curvature_of_loss):
    """How much a start, so tiny that it leaves the preconditioner alone, grows on ½hx² in 40 steps, after 100."""

    def step(carry, _):
        x, state = carry
        updates, state = tx.update(curvature_of_loss * x, state, x)
        return (x + updates, state), jnp.abs(x[0])

    start = jnp.full((1,), 1e-30)
    _, sizes = jax.lax.scan(step, (start, tx.init(start)), length=160)
    return jnp.max(sizes[140:]) / jnp.max(sizes[100:120])


QUICK = ("gd", "heavy ball", "nesterov", "rmsprop", "adam", "adamw")
"""One of each kind; the other ways to build them are slow only because there are many."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in RULES]
)
def test_runs_diverge_above_and_converge_below(name):
    factory, threshold, arguments = RULES[name]
    tx = factory(RATE, **arguments)
    denominator = 2.0 if "rmsprop" in name or "ada" in name else 1.0
    critical = denominator * curvature.THRESHOLDS[threshold](learning_rate=RATE, **arguments)
    below, above = jax.jit(jax.vmap(lambda h: growth(tx, h)))(jnp.array([0.98, 1.02]) * critical)
    assert below < 0.9
    assert above > 1.1


@pytest.mark.parametrize("name", ["rmsprop", "rmsprop, centred", "adam", "adam, eps inside"])
def test_the_preconditioner_is_what_the_rule_divides_by(name):
    factory, threshold, arguments = RULES[name]
    known = {"adam": ("b1", "b2", "eps", "eps_root", "bias_correction"), "rmsprop": ("decay", "eps", "eps_in_sqrt")}
    kind = "rmsprop" if threshold == "rmsprop" else "adam"
    given = {key: value for key, value in arguments.items() if key in known[kind]}
    tx = factory(RATE, **arguments)
    state = tx.init(jnp.zeros(2))
    for _ in range(400):
        _, state = tx.update(jnp.full(2, 1e-9), state, jnp.zeros(2))
    found = getattr(preconditioners, kind)(**given)(state)
    np.testing.assert_allclose(found, 2.0, rtol=1e-6)


def test_values_of_the_papers():
    of = curvature.THRESHOLDS
    np.testing.assert_allclose(of["sgd"](learning_rate=0.5), 4)
    np.testing.assert_allclose(of["momentum"](learning_rate=0.1), 38)
    np.testing.assert_allclose(of["nesterov"](learning_rate=0.1), 38 / 2.8)
    np.testing.assert_allclose(of["adam"](learning_rate=0.1), 380)
    np.testing.assert_allclose(of["adamw"](learning_rate=1.0, weight_decay=1.0), 19)


def test_every_classic_optimizer_has_one():
    assert set(curvature.THRESHOLDS) == set(jaxdl.optimizers.CLASSICS)


def test_rates_may_be_traced_and_arrays():
    rates = jnp.array([0.1, 0.2])
    np.testing.assert_allclose(jax.jit(curvature.stability_threshold)(rates), [20, 10])


@pytest.mark.parametrize("options", [{"learning_rate": 0.0}, {"momentum": 1.0}, {"weight_decay": -1.0}])
def test_bad_numbers(options):
    with pytest.raises(ValueError, match="must"):
        curvature.stability_threshold(**{"learning_rate": 0.1, **options})
