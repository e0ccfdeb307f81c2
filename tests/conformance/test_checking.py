"""``check`` passes what is right and says what is wrong, in words and as JSON."""

import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rich.console import Console

import jaxdl
from jaxdl import optimizers
from jaxdl.conformance import check
from jaxdl.conformance.contracts import CONTRACTS, Broken, subject


def stateless(update):
    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)


# --- every contract can be broken -------------------------------------------------------------------------------------


def _wide(updates, state, params=None, **extra):
    return jax.tree.map(lambda u: u.astype(jnp.float32)[None], updates), state


def _counter(dtype):
    return lambda params: jnp.zeros((), dtype)


def _growing(updates, state, params=None, **extra):
    return updates, state.astype(jnp.float32) + 1


def _told_by_the_host(updates, state, params=None, **extra):
    return jax.tree.map(lambda u: u * (2.0 if isinstance(u, jax.core.Tracer) else 1.0), updates), state


def _across_lanes(updates, state, params=None, **extra):
    traced = [isinstance(u, jax.core.Tracer) for u in jax.tree.leaves(updates)]
    return jax.tree.map(lambda u: u + 1.0 * any(traced), updates), state


def _no_none(updates, state, params=None, **extra):
    return jax.tree.map(lambda u: jnp.zeros(1) if u is None else u, updates, is_leaf=lambda leaf: leaf is None), state


def _with_value(updates, state, params=None, something_else=0.0, **extra):
    return jax.tree.map(lambda u: u + something_else, updates), state


def _normalised(updates, state, params=None, **extra):
    return jax.tree.map(lambda u: u / jnp.abs(u), updates), state


BREAKERS = {
    "protocol": stateless(_wide),
    "stable state": optax.GradientTransformationExtraArgs(_counter(jnp.int32), _growing),
    "one trace": optax.GradientTransformationExtraArgs(_counter(jnp.int32), _growing),
    "compiled = eager": stateless(_told_by_the_host),
    "vmap = loop": stateless(_across_lanes),
    "None leaves": stateless(_no_none),
    "extra arguments": stateless(_with_value),
    "zero gradients": stateless(_normalised),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_a_broken_contract_is_seen(name):
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"), pytest.raises(Broken):
        CONTRACTS[name](subject(BREAKERS[name]))


def test_remarks_are_not_failures():
    reversed_ = stateless(lambda u, s, p=None, **e: (jax.tree.map(lambda x: jnp.cumsum(x, axis=-1), u), s))
    findings = {finding.name: finding for finding in check(reversed_).findings}
    assert findings["permutation"].holds
    assert "the order of the elements matters" in findings["permutation"].said
    assert "in proportion" in findings["scale"].said


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in ("sgd", "adam") else pytest.mark.slow) for name in optimizers.FACTORIES],
)
def test_ours_keep_every_contract(name):
    report = check(optimizers.FACTORIES[name](0.1))
    assert report.failures == ()
    assert len(report.findings) == len(CONTRACTS)


def test_what_somebodys_code_raises_is_the_finding():
    report = check(stateless(lambda u, s, p=None, **e: 1 / 0))
    assert not report.passed
    assert "ZeroDivisionError" in report.failures[0].said


# --- like what --------------------------------------------------------------------------------------------------------


def _half_rate(learning_rate):
    halved = (lambda count: 0.5 * learning_rate(count)) if callable(learning_rate) else 0.5 * learning_rate
    return jaxdl.adam(halved)


@pytest.mark.slow
def test_another_libraries_adam_is_adam_whatever_its_hyper_parameters():
    report = check(lambda learning_rate: optax.adam(learning_rate, b1=0.8, eps=1e-5), like="adam")
    # Parameters in bfloat16 with gradients in float32 change the dtypes of optax's state, but it is Adam.
    assert {finding.name for finding in report.failures} == {"stable state"}
    assert report.fingerprint.hyper == {"b1": 0.8, "b2": 0.999, "eps": 1e-5}


@pytest.mark.parametrize(
    ("factory", "topic", "said"),
    [
        (_half_rate, "steps", "is 0.5 × the rate, should be 1 × the rate"),
        (lambda rate: jaxdl.adam(rate, bias_correction=False), "bias correction", "is none, should be both"),
        (lambda rate: jaxdl.adamw(rate, weight_decay=0.1), "rule", "is adamw, should be adam"),
        (jaxdl.rmsprop, "rule", "is rmsprop, should be adam"),
    ],
)
def test_what_is_not_adam_fails_where_it_parts(factory, topic, said):
    findings = {finding.name: finding for finding in check(factory, like="adam").failures}
    assert findings[topic].said == said


def test_like_a_transformation_compares_every_step():
    report = check(optax.sgd(0.1, momentum=0.9), like=jaxdl.momentum(0.1))
    assert [finding.holds for finding in report.findings if finding.name == "steps"] == [True]
    report = check(jaxdl.momentum(0.1, 0.8), like=jaxdl.momentum(0.1))
    assert [finding.name for finding in report.failures] == ["steps"]


def test_what_is_no_transformation():
    for given, got in ((3, "a factory of its learning rate, got 3"), (lambda rate: 3, "got 3")):
        with pytest.raises(TypeError, match=f"expected a transformation.* {got}"):
            check(given)


def test_unknown_name():
    with pytest.raises(ValueError, match="unknown optimizer 'adamm'; known are: sgd"):
        check(jaxdl.sgd, like="adamm")


# --- the report -------------------------------------------------------------------------------------------------------


def test_the_report_prints_and_is_json():
    report = check(_half_rate, like="adam")
    text = str(report)
    assert "FAIL  steps" in text
    assert "0.5 × the rate" in text
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(report)
    assert "FAIL" in console.export_text()
    again = json.loads(json.dumps(report.to_dict()))
    assert again["passed"] is False
    assert again["fingerprint"]["gain"] == 0.5
    assert {f["name"] for f in again["findings"] if not f["holds"]} == {"steps"}
    assert np.isfinite(again["fingerprint"]["residuals"]["adam (eps outside; bias correction both; count 1, 2, 3, …)"])
