"""``diff`` finds the known disagreements, and the conditions under which they vanish."""

import functools

import optax
import pytest

import jaxdl
from jaxdl import conventions, rules, transforms
from jaxdl.conventions.difference import diff

INSIDE = functools.partial(jaxdl.momentum, learning_rate_in_velocity=True)


def test_the_place_of_the_rate_matters_only_while_it_changes():
    found = diff(jaxdl.momentum, INSIDE)
    assert ("while the rate is constant",) in found.equal
    assert found.largest > 0.01
    assert found.by_condition["while the rate is constant"] <= 1e-12
    assert "equal while the rate is constant" in str(found)


def test_decoupled_decay_matters_only_where_there_is_something_to_decay():
    found = diff(jaxdl.adam, functools.partial(jaxdl.adamw, weight_decay=0.1))
    assert found.equal == (("where parameters are zero",),)


def test_ours_is_optaxs_everywhere():
    found = diff(jaxdl.adamw, optax.adamw)
    assert found.equal == ((),)
    assert found.verdict == "equal on every probe"


def test_conditions_are_joined_where_one_is_not_enough():
    decayed_inside = lambda rate: optax.chain(INSIDE(rate), optax.identity())  # noqa: E731
    found = diff(lambda rate: optax.chain(transforms.add_decayed_weights(0.5), jaxdl.momentum(rate)), decayed_inside)
    assert found.equal == (
        ("while the rate is constant", "where parameters are zero"),
        ("where parameters are zero", "at the first update"),
    )


def test_different_everywhere_is_said():
    found = diff(jaxdl.sgd, jaxdl.adam)
    assert found.equal == ()
    assert found.verdict == "different under every condition that was tried"


def test_two_places_of_epsilon_agree_for_large_gradients_only_nearly():
    found = diff(jaxdl.rmsprop, functools.partial(jaxdl.rmsprop, eps_in_sqrt=False))
    condition = "for gradients of size 0.01 or more"
    assert found.by_condition[condition] < 1e-2 < found.largest


def test_closed_pairs_are_compared_at_their_rates():
    found = diff(jaxdl.momentum(0.1), INSIDE(0.1)) if rules.rule_of(INSIDE(0.1)) is None else None
    if found is not None:
        assert not found.rate_free
        assert found.verdict == "equal on every probe at the rates that they were made with"
    hidden = diff(optax.chain(jaxdl.momentum(0.1)), optax.chain(INSIDE(0.1)))
    assert not hidden.rate_free


def test_names_say_whose_and_what_a_partial_is_given():
    found = diff(functools.partial(conventions.torch.SGD, momentum=0.5), conventions.keras.SGD)
    assert found.names == ("torch.SGD(momentum=0.5)", "keras.SGD")


def test_a_rule_lets_the_rate_vary_and_names_the_argument():
    momentum = rules.equation("")(jaxdl.momentum)
    found = diff(momentum(0.1), momentum(0.1, learning_rate_in_velocity=True))
    assert found.rate_free
    assert dict(found.arguments) == {"learning_rate_in_velocity": (False, True)}
    assert ("while the rate is constant",) in found.equal
    assert "learning_rate_in_velocity: False | True" in str(found)


@pytest.mark.parametrize("pair", [(jaxdl.momentum, INSIDE), (jaxdl.sgd, jaxdl.adam)])
def test_order_does_not_matter(pair):
    a, b = diff(*pair), diff(*reversed(pair))
    assert a.equal == b.equal
    assert a.largest == pytest.approx(b.largest)
