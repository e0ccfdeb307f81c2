"""Every named optimizer of the installed optax is recognised, or is a named exception: a new one fails here."""

import functools
import re

import jax.numpy as jnp
import optax
import pytest

import jaxdl
from jaxdl.conformance import fingerprint
from jaxdl.conformance.demands import NeedsMore, missing
from jaxdl.conformance.probes import ask
from tests import aliases

NAMED = {name: name for name in aliases.NAMES} | {
    "optimistic_gradient_descent": "optimistic gradient",
    "optimistic_adam": "optimistic adam",
    "optimistic_adam_v2": "optimistic adam",
    "lbfgs": "needs a loss",
}
"""What each is called where that is not its name; ``lbfgs`` ends in a line search, which asks for a function."""
QUICK = ("adagrad", "adafactor", "amsgrad", "fromage", "lars", "lbfgs", "lion", "polyak_sgd", "signum")


def test_the_aliases_of_this_optax_are_the_ones_that_are_known():
    known = (
        "adabelief adadelta adafactor adagrad adam adamax adamaxw adamw adan amsgrad fromage lamb lars lbfgs lion "
        "nadam nadamw noisy_sgd novograd optimistic_adam optimistic_adam_v2 optimistic_gradient_descent polyak_sgd "
        "radam rmsprop rprop sgd sign_sgd signum sm3 yogi"
    )
    assert sorted(aliases.NAMES) == sorted(known.split())


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in aliases.NAMES])
def test_optaxs_rules_are_recognised(name):
    found = fingerprint(aliases.factory(name))
    assert found.name == NAMED[name]
    assert found.gain == 1
    assert all(tie.startswith(found.family) for tie in found.ties)  # in conventions, never in the rule


FACTORIES = dict(jaxdl.optimizers.FACTORIES)


@pytest.mark.slow
@pytest.mark.parametrize("name", FACTORIES)
def test_our_rules_are_recognised(name):
    found = fingerprint(FACTORIES[name])
    assert (found.name, found.gain, found.rate) == (name, 1, "multiplies the step")


# --- what has a size of its own ---------------------------------------------------------------------------------------


def test_adafactor_scales_with_the_parameter():
    found = fingerprint(functools.partial(optax.adafactor, decay_rate=0.7))
    assert found.hyper["power"] == 0.7
    assert (found.decay, found.decay_strength) == (
        "parameter scale: steps times |θ|, or a least one",
        pytest.approx(1e-3),
    )
    plain = fingerprint(lambda rate: optax.adafactor(rate, multiply_by_parameter_scale=False, weight_decay_rate=0.01))
    assert (plain.family, plain.decay, plain.decay_strength) == ("adafactor", "fixed, whatever the rate", 0.01)


@pytest.mark.slow
def test_adafactors_eps_joins_the_square():
    found = fingerprint(lambda rate: optax.adafactor(rate, multiply_by_parameter_scale=False, eps=1e-4))
    assert (found.family, found.hyper["eps"]) == ("adafactor", 1e-4)


def test_fromage_keeps_the_norm():
    found = fingerprint(functools.partial(optax.fromage, min_norm=1e-4))
    assert (found.family, found.hyper["eps"], found.decay_strength) == ("fromage", 1e-4, 1e-4)
    assert found.decay.startswith("keeps the norm")


def test_a_normalised_gradient_is_not_fromage():
    found = fingerprint(lambda rate: optax.chain(optax.scale_by_trust_ratio(1e-3), optax.scale_by_learning_rate(rate)))
    assert (found.family, found.decay) == ("normalised", "parameter scale: steps times |θ|, or a least one")


@pytest.mark.slow
def test_a_least_size_above_some_parameters_is_found():
    found = fingerprint(functools.partial(optax.fromage, min_norm=0.7))
    assert (found.family, found.decay_strength) == ("fromage", 0.7)


@pytest.mark.slow
def test_rprop_of_optax_steps_one_update_late():
    found = fingerprint(functools.partial(optax.rprop, eta_minus=0.4, eta_plus=1.3))
    assert found.conventions == {"step": "taken one update late"}
    assert found.hyper == pytest.approx({"eta_minus": 0.4, "eta_plus": 1.3})


@pytest.mark.slow
def test_noise_is_taken_away_and_said():
    velocity = optax.chain(optax.add_noise(0.01, 0.55, 0), optax.add_decayed_weights(0.1), optax.trace(0.8))
    found = fingerprint(lambda rate: optax.chain(velocity, optax.scale_by_learning_rate(rate)))
    assert (found.decay, found.decay_strength) == ("coupled: joins the gradient", pytest.approx(0.1))
    assert (found.family, found.hyper["mu"], found.gain) == ("noisy_momentum", 0.8, 1)
    said = re.search(r"noise of (\S+) times the rate", found.remarks[-1])
    assert said
    assert 0.02 < float(said[1]) < 0.2  # √(0.01 / t^0.55), and what the velocity keeps of it


@pytest.mark.slow
def test_what_fits_without_its_noise_no_better_is_left_as_it_is():
    found = fingerprint(lambda rate: optax.chain(optax.stateless(lambda g, params: jnp.exp(g)), optax.sgd(rate)))
    assert (found.family, found.remarks) == (
        "unknown",
        ("No known rule fits; the residuals say how far the nearest ones are.",),
    )
    assert min(found.residuals.values()) > 1e-6


@pytest.mark.slow
def test_optimism_may_exceed_one():
    found = fingerprint(lambda rate: optax.optimistic_gradient_descent(rate, alpha=1.0, beta=1.5))
    assert (found.family, found.hyper, found.gain) == ("optimistic gradient", {"beta": 1.5}, 1)


# --- what asks for the loss -------------------------------------------------------------------------------------------


def test_polyaks_step_is_seen_at_the_one_loss_that_is_told():
    most = fingerprint(optax.polyak_sgd)
    assert most.conventions["step size"] == "its own, the rate at most"
    scaling = fingerprint(lambda rate: optax.polyak_sgd(scaling=rate))
    assert (scaling.family, scaling.hyper, scaling.rate) == ("polyak_sgd", {"largest": 1.0}, "multiplies the gradient")


@pytest.mark.parametrize("search", [optax.scale_by_backtracking_linesearch(5), optax.scale_by_zoom_linesearch(5)])
def test_a_line_search_is_out_of_sight_and_said_to_be(search):
    found = fingerprint(lambda rate: optax.chain(optax.sgd(rate), search))
    assert (found.family, found.rate, found.decay, dict(found.residuals)) == ("needs a loss", "unknown", "unknown", {})
    assert "Outside what the probes can see: its update needs 'value'" in str(found)
    assert found.to_dict()["name"] == "needs a loss"


def test_what_is_asked_for_later_is_noticed_too():
    with pytest.raises(NeedsMore, match="needs 'grad', 'value_fn'"):
        ask(optax.chain(optax.scale_by_polyak(), optax.scale_by_backtracking_linesearch(5)))


def test_another_type_error_is_not_a_demand():
    assert missing(TypeError("f() takes 2 positional arguments but 3 were given")) == ()
    with pytest.raises(TypeError, match="unsupported operand"):
        fingerprint(lambda rate: optax.stateless(lambda updates, params: updates + "one"))
