"""Parameter groups: each parameter in exactly one, each group its own rate, decay and optimizer."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxdl
from jaxdl import rules, schedules
from jaxdl.groups import Group, grouped, preview

PARAMS = {"dense": {"bias": jnp.ones(3), "kernel": jnp.full((4, 3), 2.0)}, "head": jnp.ones(2)}
GRADIENTS = jax.tree.map(lambda leaf: 0.5 * jnp.ones_like(leaf), PARAMS)


def steps(transform, count=3, params=PARAMS, gradients=GRADIENTS):
    state, found = transform.init(params), []
    for _ in range(count):
        updates, state = transform.update(gradients, state, params)
        found.append(updates)
    return found


def assert_equal(a, b, tolerance=1e-12):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance)


# --- what is different for a group ------------------------------------------------------------------------------------


def test_one_group_is_the_optimizer_itself():
    assert_equal(steps(grouped(jaxdl.adamw(0.1), Group("*"))), steps(jaxdl.adamw(0.1)))


def test_a_factor_scales_every_step_of_the_group():
    found = steps(grouped(jaxdl.adam(0.1), Group("*/bias", learning_rate=3.0), Group("*")))
    plain = steps(jaxdl.adam(0.1))
    for a, b in zip(found, plain, strict=True):
        assert_equal(a["dense"]["bias"], 3 * b["dense"]["bias"])
        assert_equal(a["head"], b["head"])


def test_a_group_has_an_optimizer_of_its_own():
    found = steps(grouped(jaxdl.adam(0.1), Group("head", optimizer=jaxdl.momentum(0.2)), Group("*")))
    for t, step in enumerate(found):
        assert_equal(step["head"], steps(jaxdl.momentum(0.2))[t]["head"])
        assert_equal(step["dense"], steps(jaxdl.adam(0.1))[t]["dense"])


def test_a_decay_is_decoupled_and_multiplied_by_the_rate():
    rate = schedules.linear(0.1, 0.0, 4)
    found = steps(grouped(jaxdl.adam(rate), Group("*kernel", weight_decay=0.3), Group("*"), rate=rate))
    expected = steps(jaxdl.adamw(rate, weight_decay=0.3))
    for a, b, plain in zip(found, expected, steps(jaxdl.adam(rate)), strict=True):
        assert_equal(a["dense"]["kernel"], b["dense"]["kernel"])
        assert_equal(a["dense"]["bias"], plain["dense"]["bias"])


def test_the_rate_of_a_decay_is_read_from_the_rule():
    ruled = rules.equation("")(jaxdl.adam)
    found = steps(grouped(ruled(0.1), Group("*kernel", weight_decay=0.3), Group("*")))
    assert_equal(found[0]["dense"]["kernel"], steps(jaxdl.adamw(0.1, weight_decay=0.3))[0]["dense"]["kernel"])


def test_factors_may_be_traced_and_swept():
    def head(factor):
        tx = grouped(jaxdl.sgd(0.1), Group("head", learning_rate=factor), Group("*"))
        return steps(tx, 1)[0]["head"][0]

    np.testing.assert_allclose(jax.vmap(head)(jnp.array([1.0, 2.0])), [-0.05, -0.1])


def test_patterns_are_globs_expressions_or_predicates():
    def matrices(path, leaf):
        return leaf.ndim == 2

    tx = grouped(
        jaxdl.sgd(1.0),
        Group(matrices, learning_rate=2.0),
        Group(re.compile(r"he.d"), learning_rate=3.0),
        Group("dense/b*", learning_rate=5.0),
    )
    (found,) = steps(tx, 1)
    assert [float(leaf.ravel()[0]) for leaf in jax.tree.leaves(found)] == [-2.5, -1.0, -1.5]


# --- protocol ---------------------------------------------------------------------------------------------------------


def test_each_group_keeps_state_for_its_own_parameters_alone():
    tx = grouped(jaxdl.adam(0.1), Group("head", optimizer=jaxdl.sgd(0.1)), Group("*"))
    shapes = [leaf.shape for leaf in jax.tree.leaves(tx.init(PARAMS))]
    assert sorted(shapes) == sorted([(), (3,), (4, 3), (3,), (4, 3)])


def test_it_scans_and_keeps_its_state():
    tx = grouped(jaxdl.adamw(0.1), Group("*bias", weight_decay=0.1), Group("*"), rate=0.1)

    def step(carry, _):
        params, state = carry
        updates, state = tx.update(GRADIENTS, state, params)
        return (optax.apply_updates(params, updates), state), None

    (params, _), _ = jax.jit(lambda: jax.lax.scan(step, (PARAMS, tx.init(PARAMS)), length=3))()
    assert jax.tree.structure(params) == jax.tree.structure(PARAMS)


def test_a_leaf_without_a_gradient_stays_none():
    tx = grouped(jaxdl.adam(0.1), Group("head", 2.0), Group("*"))
    updates, _ = tx.update({**GRADIENTS, "head": None}, tx.init(PARAMS), PARAMS)
    assert updates["head"] is None
    assert updates["dense"]["bias"] is not None


def test_parameters_that_are_none_stay_none():
    params, gradients = {**PARAMS, "head": None}, {**GRADIENTS, "head": None}
    tx = grouped(jaxdl.adam(0.1), Group("*bias", 2.0), Group("*"))
    (found,) = steps(tx, 1, params, gradients)
    assert jax.tree.structure(found) == jax.tree.structure(params)


def test_extra_arguments_reach_the_optimizers():
    def update(updates, state, params=None, *, value, **extra_args):
        return jax.tree.map(lambda u: value * u, updates), state

    scaled = optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
    tx = grouped(scaled, Group("head", 2.0), Group("*"))
    updates, _ = tx.update(GRADIENTS, tx.init(PARAMS), PARAMS, value=4.0)
    assert (float(updates["head"][0]), float(updates["dense"]["bias"][0])) == (4.0, 2.0)


# --- errors list the paths --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ((Group("dense/*"), Group("*/bias"), Group("head")), r"in several: dense/bias \(dense/\*, \*/bias\)\."),
        ((Group("dense/*"),), r"in none: head\."),
        ((Group("*/bais"), Group("*")), r"no parameter is in '\*/bais'; paths are: dense/bias, dense/kernel, head\."),
        ((Group("*"), Group("*")), "in several: dense/bias"),
    ],
)
def test_overlapping_and_unmatched_patterns_list_the_paths(groups, message):
    with pytest.raises(ValueError, match=message):
        grouped(jaxdl.sgd(0.1), *groups).init(PARAMS)


def test_no_groups_and_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="at least one group"):
        grouped(jaxdl.sgd(0.1))
    with pytest.raises(ValueError, match="learning_rate must be non-negative, got -1"):
        Group("*", learning_rate=-1.0)
    with pytest.raises(ValueError, match="pattern must be a glob, a regular expression or a predicate, got 3"):
        Group(3)
    with pytest.raises(TypeError, match=r"expected a transformation, such as jaxdl\.adam\(0\.1\), got adam"):
        Group("*", optimizer=jaxdl.adam)
    with pytest.raises(ValueError, match=r"give it to grouped\(rate=…\)"):
        grouped(optax.sgd(0.1), Group("*", weight_decay=0.1))


def test_the_equation_says_what_every_group_gets():
    tx = grouped(
        jaxdl.sgd(0.1),
        Group("a", learning_rate=2.0, weight_decay=0.5),
        Group("b", optimizer=jaxdl.sign_sgd(0.1)),
        Group("*", optimizer=optax.sgd(0.1)),
    )
    assert rules.rule_of(tx).equation == (
        "u ← −learning_rate · u\na: Δθ ← 2 (Δθ − rate · 0.5 θ)\n"
        "b: u ← sign(g); u ← −learning_rate · u; Δθ ← Δθ\n*: (opaque); Δθ ← Δθ"
    )


# --- the preview ------------------------------------------------------------------------------------------------------


def test_the_preview_tables_every_parameter():
    ruled = rules.equation("")(jaxdl.adamw)
    tx = grouped(
        ruled(0.1, weight_decay=0.01),
        Group("*/bias", 2.0, name="biases"),
        Group("head", optimizer=optax.sgd(1.0)),
        Group("*"),
    )
    table = preview(tx, jax.eval_shape(lambda: PARAMS))
    assert [row[:5] for row in table.rows] == [
        ("dense/bias", (3,), "biases", "0.2", "0.01"),
        ("dense/kernel", (4, 3), "*", "0.1", "0.01"),
        ("head", (2,), "head", "?", ""),
    ]
    sizes = [row.state_bytes for row in table.rows]
    assert sizes == [2 * 3 * 8, 2 * 12 * 8, 0]
    assert table.shared_bytes == 2 * 4
    lines = str(table).splitlines()
    assert lines[0].split() == ["path", "shape", "group", "lr", "decay", "state", "bytes"]
    assert lines[-1].split() == ["in", "all", "248"]


def test_the_preview_counts_the_real_state():
    tx = jaxdl.adam(0.1)
    real = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tx.init(PARAMS)))
    assert preview(tx, PARAMS).state_bytes == real


def test_the_preview_refuses_what_the_optimizer_would():
    with pytest.raises(ValueError, match="in none: head"):
        preview(grouped(jaxdl.sgd(0.1), Group("dense/*")), PARAMS)
