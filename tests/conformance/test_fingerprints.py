"""A rule is recognised by what it does: ours, optax's, and wrong ones for what they are."""

import functools
import json

import jax.numpy as jnp
import optax
import pytest

import jaxdl
from jaxdl import transforms
from jaxdl.conformance import fingerprint

partial = functools.partial


def coupled(rate):
    return optax.chain(transforms.add_l2_gradient(1e-4), jaxdl.adam(rate))


def decay_last(rate):
    return optax.chain(jaxdl.adam(rate), transforms.add_decayed_weights(0.01))


def _decayed(rate):
    return optax.chain(
        transforms.trace(0.9), transforms.add_decayed_weights(0.012), transforms.scale_by_learning_rate(rate)
    )


# name → factory, family, conventions that must be among those found, decay, place of the rate
OURS = {
    "sgd": (jaxdl.sgd, "sgd", {}, "none"),
    "momentum": (jaxdl.momentum, "momentum", {}, "none"),
    "nesterov": (jaxdl.nesterov, "nesterov", {}, "none"),
    "rmsprop": (jaxdl.rmsprop, "rmsprop", {"eps": "inside", "bias correction": "no"}, "none"),
    "rmsprop, torch": (partial(jaxdl.rmsprop, eps_in_sqrt=False), "rmsprop", {"eps": "outside"}, "none"),
    "centred": (
        partial(jaxdl.rmsprop, centered=True, eps=1e-4, bias_correction=True),
        "rmsprop",
        {"second moment": "centred", "bias correction": "yes"},
        "none",
    ),
    "tensorflow 1": (
        partial(jaxdl.rmsprop, initial_scale=1.0, eps=1e-10),
        "rmsprop",
        {"second moment starts": "above 0"},
        "none",
    ),
    "adam": (jaxdl.adam, "adam", {"eps": "outside", "bias correction": "both"}, "none"),
    "nadam": (partial(jaxdl.adam, nesterov=True), "nadam", {"look-ahead": "constant b1"}, "none"),
    "uncorrected": (partial(jaxdl.adam, bias_correction=False), "adam", {"bias correction": "none"}, "none"),
    "adamw": (jaxdl.adamw, "adam", {}, "times the rate"),
    "coupled": (coupled, "adam", {}, "coupled: joins the gradient"),
}


SLOW_OF_OURS = ("adam", "nadam", "rmsprop, torch")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW_OF_OURS)) for n in OURS])
def test_our_rules_are_recognised(name):
    factory, family, conventions, decay = OURS[name]
    found = fingerprint(factory)
    assert (found.family, found.decay) == (family, decay)
    assert conventions.items() <= found.conventions.items()
    assert found.gain == 1
    assert found.rate == "multiplies the step"
    assert found.residuals[next(iter(found.residuals))] <= 1e-9


def test_what_fits_at_a_constant_rate_alone_is_unknown():
    stuck = lambda rate: jaxdl.sgd((lambda count: rate(0 * count + 3)) if callable(rate) else rate)  # noqa: E731
    found = fingerprint(stuck)
    assert (found.family, found.rate) == ("unknown", "unknown")
    assert any("at other rates not" in remark for remark in found.remarks)


def test_hyper_parameters_are_found():
    found = fingerprint(partial(jaxdl.adam, b1=0.85, b2=0.97, eps=3e-4))
    assert found.hyper == {"b1": 0.85, "b2": 0.97, "eps": 3e-4}
    decayed = fingerprint(_decayed)
    assert decayed.decay_strength == 0.012


# --- the rate ---------------------------------------------------------------------------------------------------------


def test_the_place_of_the_rate_is_seen_where_it_may_change():
    inside = partial(jaxdl.momentum, learning_rate_in_velocity=True)
    assert fingerprint(inside).rate == "inside the velocity"
    bare = fingerprint(inside(0.1))
    assert bare.rate == "undetermined: the rate was constant"
    assert bare.gain == pytest.approx(0.1)
    assert "0.1 × this direction" in str(bare)
    assert any("undetermined" in remark for remark in bare.remarks)


def test_a_subject_that_is_none_is_named():
    for subject in (3, "adam"):
        with pytest.raises(TypeError, match="expected a transformation or a factory of its learning rate, got"):
            fingerprint(subject)
    with pytest.raises(TypeError, match=r"expected a transformation, such as jaxdl\.adam\(0\.1\), got 3"):
        fingerprint(lambda rate: 3)
    with pytest.raises(ValueError, match="a probe is a lone scalar, and on one this transformation ends in: "):
        fingerprint(jaxdl.adamw(0.1, mask={"bias": False, "kernel": True}))


def test_a_direction_without_its_rate_is_one():
    found = fingerprint(jaxdl.scale_by_adam())
    assert (found.family, found.gain) == ("adam", -1)
    assert any("direction without its rate" in remark for remark in found.remarks)


def test_averages_are_told_from_sums():
    averaged = fingerprint(lambda rate: optax.chain(optax.ema(0.9, debias=False), optax.scale_by_learning_rate(rate)))
    assert averaged.conventions["average"] == "weights (1 − mu) mu^k"
    assert averaged.gain == 1
    debiased = fingerprint(lambda rate: optax.chain(optax.ema(0.9), optax.scale_by_learning_rate(rate)))
    assert debiased.conventions["average"] == "debiased"


# --- decays -----------------------------------------------------------------------------------------------------------


def rate_at(rate, count):
    return rate(count) if callable(rate) else rate


DECAYS = {
    "fixed, whatever the rate": lambda rate: lambda count: -0.01,
    "times the rate": lambda rate: lambda count: -0.1 * rate_at(rate, count),
    "times the rate squared": lambda rate: lambda count: -5.0 * rate_at(rate, count) ** 2,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DECAYS)
def test_kinds_of_decoupled_decay_are_told_apart(kind):
    found = fingerprint(lambda rate: optax.chain(jaxdl.adam(rate), optax.add_decayed_weights(DECAYS[kind](rate))))
    assert found.decay == kind
    assert found.ties == ()


def test_decay_joining_the_velocity():
    found = fingerprint(
        lambda rate: optax.chain(
            transforms.scale_by_rms(),
            transforms.add_decayed_weights(0.1),
            transforms.trace(0.9),
            transforms.scale_by_learning_rate(rate),
        )
    )
    assert found.decay == "joins the direction before the velocity"
    assert found.decay_strength == 0.1


def test_for_plain_gradient_descent_two_decays_are_one():
    found = fingerprint(lambda rate: optax.chain(transforms.add_l2_gradient(0.1), jaxdl.sgd(rate)))
    assert {found.decay, *(tie.split(": ", 1)[1].split(", λ")[0] for tie in found.ties)} == {
        "times the rate",
        "coupled: joins the gradient",
    }


# --- mutants, named for what they are ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_half_rate():
    halved = lambda rate: jaxdl.adam((lambda count: 0.5 * rate(count)) if callable(rate) else 0.5 * rate)  # noqa: E731
    found = fingerprint(halved)
    assert (found.family, found.gain) == ("adam", 0.5)
    assert "Its steps are 0.5 times what the given rate says." in found.remarks


def test_decay_on_the_wrong_side_and_sign():
    found = fingerprint(decay_last)
    assert found.decay == "fixed, whatever the rate"
    assert found.decay_strength == -0.01
    assert any("makes parameters grow" in remark for remark in found.remarks)


@pytest.mark.slow
def test_no_bias_correction():
    def forgetful(rate, b1=0.9, b2=0.999, eps=1e-8):
        def init(params):
            return jnp.zeros((), jnp.int32), jnp.zeros_like(params), jnp.zeros_like(params)

        def update(g, state, params=None, **extra):
            t, m, v = state
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            return -rate_at(rate, t) * m / (jnp.sqrt(v) + eps), (t + 1, m, v)

        return optax.GradientTransformationExtraArgs(init, update)

    found = fingerprint(forgetful)
    assert (found.family, found.conventions["bias correction"]) == ("adam", "none")


@pytest.mark.slow
def test_eps_inside():
    inside = lambda rate: optax.chain(  # noqa: E731
        transforms.scale_by_adam(eps=0.0, eps_root=1e-8), transforms.scale_by_learning_rate(rate)
    )
    assert fingerprint(inside).conventions["eps"] == "inside"


def test_eps_hat_as_in_keras():
    def keras(rate, b1=0.9, b2=0.999, eps=1e-7):
        def init(params):
            return jnp.zeros((), jnp.int32), jnp.zeros_like(params), jnp.zeros_like(params)

        def update(g, state, params=None, **extra):
            t, m, v = state
            eta, t = rate_at(rate, t), t + 1
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            alpha = eta * jnp.sqrt(1 - b2**t) / (1 - b1**t)
            return -alpha * m / (jnp.sqrt(v) + eps), (t, m, v)

        return optax.GradientTransformationExtraArgs(init, update)

    found = fingerprint(keras)
    assert (found.family, found.conventions["eps"], found.hyper["eps"]) == ("adam", "hat", 1e-7)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (lambda t: 2 * t - 1, "1, 3, 5, … (skips every other)"),
        pytest.param(lambda t: t - 1, "0, 1, 2, … (starts one late)", marks=pytest.mark.slow),
        pytest.param(lambda t: t + 1, "2, 3, 4, … (starts one early)", marks=pytest.mark.slow),
        (lambda t: 1 + 0 * t, "1, 1, 1, … (never advances)"),
    ],
)
def test_miscounted_updates(count, said):
    def miscounted(rate):
        inner = transforms.scale_by_adam()

        def update(updates, state, params=None, **extra):
            t = count(state.count + 1)
            direction, new = inner.update(updates, state._replace(count=t - 1), params)
            return direction, new._replace(count=state.count + 1)

        return optax.chain(
            optax.GradientTransformationExtraArgs(inner.init, update), transforms.scale_by_learning_rate(rate)
        )

    found = fingerprint(miscounted)
    assert (found.family, found.conventions["count"]) == ("adam", said)


def test_a_schedule_read_one_step_ahead():
    ahead = lambda rate: jaxdl.sgd((lambda count: rate(count + 1)) if callable(rate) else rate)  # noqa: E731
    assert fingerprint(ahead).rate == "read one step ahead of the count"


def test_the_finding_is_json_and_prints():
    found = fingerprint(_decayed)
    assert found.remarks == ()
    again = json.loads(json.dumps(found.to_dict()))
    assert (again["name"], again["hyper"]["mu"]) == ("momentum", 0.9)
    assert "momentum" in str(found)
    assert "times the rate, λ = 0.012" in str(found)
