"""Rules say what a transformation is and change nothing about what it does."""

import dataclasses
import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import optimizers, rules, transforms


@rules.equation("b ← μ b + g")
def heavy_ball(decay, nesterov=False, *, dtype=None):
    """A documented factory."""
    return transforms.trace(decay, nesterov, dtype)


@rules.equation(lambda decay, **_: f"g ← g + {decay} θ")
def penalty(decay=0.5):
    return transforms.add_l2_gradient(decay)


@rules.equation("")
def recipe(learning_rate, decay=0.9):
    return rules.chain(heavy_ball(decay), transforms.scale_by_learning_rate(learning_rate))


PARAMS = {"w": jnp.ones(3), "b": jnp.zeros(())}


# --- what a rule holds ------------------------------------------------------------------------------------------------


def test_a_rule_holds_every_argument_of_the_call_by_name():
    rule = rules.rule_of(heavy_ball(0.9, dtype="float32"))
    assert rule.name == "heavy_ball"
    assert dict(rule.arguments) == {"decay": 0.9, "nesterov": False, "dtype": "float32"}
    assert rule.equation == "b ← μ b + g"
    assert rule.parts == ()
    assert not rule.opaque


def test_an_equation_may_depend_on_the_arguments():
    assert rules.rule_of(penalty(0.25)).equation == "g ← g + 0.25 θ"


def test_a_rule_cannot_be_changed():
    arguments = {"decay": 0.9}
    rule = rules.Rule("mine", arguments, "u ← g")
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.name = "other"
    with pytest.raises(TypeError):
        rule.arguments["decay"] = 0.1
    arguments["decay"] = 0.1
    assert rule.arguments["decay"] == 0.9


def test_a_factory_keeps_its_signature_name_and_docstring():
    assert [*inspect.signature(heavy_ball).parameters] == ["decay", "nesterov", "dtype"]
    assert (heavy_ball.__name__, heavy_ball.__doc__) == ("heavy_ball", "A documented factory.")


def test_traced_arguments_are_kept_as_they_are():
    seen = []

    @jax.jit
    def make(decay):
        seen.append(rules.rule_of(heavy_ball(decay)).arguments["decay"] is decay)
        return decay

    make(jnp.asarray(0.9))
    assert seen == [True]


# --- made again -------------------------------------------------------------------------------------------------------


def test_a_rule_makes_its_transformation_again_with_other_arguments():
    tx = rules.rule_of(recipe(0.1)).remade(learning_rate=0.5, decay=0.0)
    updates, _ = tx.update(PARAMS, tx.init(PARAMS))
    np.testing.assert_array_equal(updates["w"], -0.5 * PARAMS["w"])
    assert rules.rule_of(tx).arguments == {"learning_rate": 0.5, "decay": 0.0}


def test_starred_arguments_are_unpacked_again():
    @rules.equation("Σ")
    def both(*decays, **keywords):
        return rules.chain(*(heavy_ball(decay, **keywords) for decay in decays))

    again = rules.rule_of(rules.rule_of(both(0.1, 0.2, nesterov=True)).remade())
    assert again.arguments == {"decays": (0.1, 0.2), "keywords": {"nesterov": True}}
    assert [part.arguments["decay"] for part in again.parts] == [0.1, 0.2]


def test_what_cannot_be_made_again_says_so():
    with pytest.raises(ValueError, match="chain was not made by a factory"):
        rules.rule_of(rules.chain(heavy_ball(0.9))).remade()
    with pytest.raises(ValueError, match=r"recipe has no argument 'decai'; it has: learning_rate, decay\."):
        rules.rule_of(recipe(0.1)).remade(decai=0.5)


# --- chains -----------------------------------------------------------------------------------------------------------


def test_a_chain_composes_the_rules_of_its_members():
    rule = rules.rule_of(rules.chain(penalty(), optax.identity(), recipe(0.1)))
    assert [part and part.name for part in rule.parts] == ["penalty", None, "recipe"]
    assert rule.equation.splitlines()[:2] == ["g ← g + 0.5 θ", "(opaque)"]
    assert rule.opaque
    assert not rules.rule_of(rules.chain(penalty(), heavy_ball(0.9))).opaque
    assert rules.rule_of(rules.chain(rules.chain(optax.identity()))).opaque


def test_a_recipe_takes_over_the_parts_of_its_chain():
    rule = rules.rule_of(recipe(0.1))
    assert (rule.name, rule.parts[0].name, rule.parts[0].arguments["decay"]) == ("recipe", "heavy_ball", 0.9)
    assert rule.equation.startswith("b ← μ b + g\n")


def test_a_chain_is_optaxs_chain():
    members = (transforms.trace(0.9), transforms.scale_by_adam(), optax.scale_by_learning_rate(0.1))
    ours, theirs = rules.chain(*members), optax.chain(*members)
    a, b = ours.init(PARAMS), theirs.init(PARAMS)
    assert isinstance(ours, optax.GradientTransformationExtraArgs)
    for _ in range(2):
        assert jax.tree.structure(a) == jax.tree.structure(b)
        (u, a), (v, b) = ours.update(PARAMS, a, PARAMS), theirs.update(PARAMS, b, PARAMS)
        for x, y in zip(jax.tree.leaves((u, a)), jax.tree.leaves((v, b)), strict=True):
            np.testing.assert_array_equal(x, y)


def test_extra_arguments_reach_the_members_that_take_them():
    def update(updates, state, params=None, *, value, **extra_args):
        return jax.tree.map(lambda u: value * u, updates), state

    scaled = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
    tx = rules.chain(optax.identity(), rules.with_rule(scaled, rules.Rule("scaled", {}, "u ← v u")))
    updates, _ = tx.update(PARAMS, tx.init(PARAMS), PARAMS, value=3.0)
    np.testing.assert_array_equal(updates["w"], 3 * PARAMS["w"])


# --- who keeps a rule and who loses it -------------------------------------------------------------------------------


def test_a_transformation_that_is_given_a_rule_stays_as_it_was():
    plain = transforms.trace(0.9)
    before = rules.rule_of(plain)
    rule = rules.Rule("mine", {}, "b ← 0.9 b + g")
    assert rules.rule_of(rules.with_rule(plain, rule)) is rule
    assert rules.rule_of(plain) is before


def test_a_rule_outlives_what_hands_update_on():
    tx = recipe(0.1)
    rule = rules.rule_of(tx)
    assert rules.rule_of(optax.with_extra_args_support(tx)) is rule
    assert rules.rule_of(tx._replace(init=lambda params: tx.init(params))) is rule
    wrapped = functools.wraps(tx.update)(lambda *args, **keywords: tx.update(*args, **keywords))
    assert rules.rule_of(optax.GradientTransformation(tx.init, wrapped)) is rule


@pytest.mark.parametrize(
    "opaque", [optax.identity(), optax.chain(heavy_ball(0.9)), optax.adam(0.1)], ids=["optax", "hidden", "closure"]
)
def test_what_has_no_rule_is_opaque(opaque):
    assert rules.rule_of(opaque) is None


def test_named_optimizers_are_what_they_were(rng):
    tx = rules.equation("")(optimizers.adam)(0.1, b1=0.8)
    plain = optimizers.adam(0.1, b1=0.8)
    gradient = {"w": jnp.asarray(rng.normal(size=3)), "b": jnp.asarray(rng.normal())}
    a, b = (t.update(gradient, t.init(PARAMS), PARAMS) for t in (tx, plain))
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)
