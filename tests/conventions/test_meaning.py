"""What is said to compute the same visits the same points, and what does not is told apart."""

import jax.numpy as jnp
import pytest

import jaxdl
from jaxdl import rules, schedules, transforms
from jaxdl.conventions import meaning
from jaxdl.transforms.amsgrad import of_raw
from jaxdl.transforms.denominators import hat, inside, outside
from jaxdl.transforms.momentum import damped
from jaxdl.transforms.shrink import fixed
from tests import cases

FALLING = schedules.cosine(cases.SIZE_OF_RATE, cases.STEPS)


def form(transform):
    return meaning.form_of(rules.rule_of(transform))


def stepped(*members, rate=FALLING):
    return rules.chain(*members, transforms.scale_by_learning_rate(rate))


def shrunk(decay, **keywords):
    return rules.chain(stepped(transforms.scale_by_adam()), transforms.shrink_weights(decay, FALLING, **keywords))


ONE = {
    "no epsilon, no place": (jaxdl.rmsprop(FALLING, eps=0.0), jaxdl.rmsprop(FALLING, eps=0.0, eps_in_sqrt=False)),
    "Adam without epsilon": (jaxdl.adam(FALLING, eps=0.0), jaxdl.adam(FALLING, eps=0.0, divide=hat)),
    "epsilon under Adam's root": (
        jaxdl.adam(FALLING, eps=0.1, divide=inside),
        jaxdl.adam(FALLING, eps=0.0, eps_root=0.1),
    ),
    "no decay": (jaxdl.adamw(FALLING, weight_decay=0), jaxdl.adam(FALLING)),
    "decay beside the step": (jaxdl.adamw(FALLING, weight_decay=0.3), shrunk(0.3)),
    "no momentum": (jaxdl.momentum(FALLING, 0.0), jaxdl.sgd(FALLING)),
    "no dampening": (jaxdl.sgd(FALLING, 0.9, dampening=0.0), jaxdl.sgd(FALLING, 0.9)),
    "heavy ball looks nowhere": (
        stepped(transforms.trace(0.9, True, dampening=0.0, look_ahead=damped)),
        jaxdl.nesterov(FALLING),
    ),
    "both moments": (
        jaxdl.adam(FALLING, bias_correction=False),
        jaxdl.adam(FALLING, bias_correction_mu=False, bias_correction_nu=False),
    ),
    "the maximum of what is not corrected": (
        jaxdl.amsgrad(FALLING, bias_correction_nu=False, maximum=of_raw),
        jaxdl.amsgrad(FALLING, bias_correction_nu=False),
    ),
    "a start that is replaced": (
        jaxdl.rmsprop(FALLING, eps=0.1, centered=True, bias_correction=True, initial_scale=1.0),
        jaxdl.rmsprop(FALLING, eps=0.1, centered=True, bias_correction=True),
    ),
    "hat of what is not corrected": (
        jaxdl.rmsprop(FALLING, centered=True, eps=0.1, bias_correction=True, divide=hat),
        jaxdl.rmsprop(FALLING, centered=True, eps=0.1, bias_correction=True, divide=outside),
    ),
    "a number in an array": (jaxdl.sgd(FALLING, jnp.asarray(0.5)), jaxdl.sgd(FALLING, 0.5)),
}
TWO = {
    "place of epsilon": (jaxdl.rmsprop(FALLING, eps=0.1), jaxdl.rmsprop(FALLING, eps=0.1, eps_in_sqrt=False)),
    "decay before and after": (
        stepped(transforms.add_decayed_weights(0.3), transforms.scale_by_adam()),
        jaxdl.adamw(FALLING, weight_decay=0.3),
    ),
    "decay of another form": (shrunk(0.3), shrunk(0.3, by=fixed)),
    "place of a falling rate": (
        jaxdl.momentum(FALLING),
        jaxdl.momentum(FALLING, learning_rate_in_velocity=True),
    ),
    "first step undampened": (
        jaxdl.sgd(FALLING, 0.9, dampening=0.5),
        jaxdl.sgd(FALLING, 0.9, dampening=0.5, dampen_first=False),
    ),
    "maximum": (jaxdl.amsgrad(FALLING, maximum=of_raw), jaxdl.amsgrad(FALLING)),
}


def apart(pair):
    return cases.deviation(*(cases.path(transform, *cases.feed("float64")) for transform in pair))


@pytest.mark.parametrize("name", ONE)
def test_what_is_alike_goes_the_same_way(name):
    assert meaning.alike(*map(form, ONE[name]))
    assert apart(ONE[name]) <= 1e-11


@pytest.mark.parametrize("name", TWO)
def test_what_parts_is_not_alike(name):
    assert apart(TWO[name]) > 1e-6
    assert not meaning.alike(*map(form, TWO[name]))


def test_an_unknown_rate_of_decay_is_not_joined():
    other = rules.chain(jaxdl.adam(0.1), transforms.shrink_weights(0.3, 0.2))
    assert form(other)[-1].name == "shrink_weights"
