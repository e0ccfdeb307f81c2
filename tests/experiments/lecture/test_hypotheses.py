"""Changes of the protocol are what they say, and the page for teachers quotes what was stored."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.lecture import bands, hypotheses, protocol, tables

STORED = json.loads(hypotheses.STORED.read_text(encoding="utf-8"))["lines"]


def test_two_outputs_are_the_sigmoid_of_their_difference(key):
    problem = hypotheses.with_two_outputs(protocol.problem())
    params, batch = problem.init(key), problem.data["train"]
    w2, b2 = params["w2"], params["b2"]
    assert w2.shape == (32, 2)
    assert jnp.abs(w2).max() <= 32**-0.5
    assert abs(np.corrcoef(np.ravel(params["w1"]), np.ravel(w2))[0, 1]) < 0.5, "drawn with keys of their own"
    one = params | {"w2": w2[:, 1] - w2[:, 0], "b2": b2[1] - b2[0]}
    np.testing.assert_allclose(problem.loss(params, batch, key), protocol.loss(one, batch), rtol=1e-12)


def test_changes_of_the_data_change_only_what_they_say():
    whole = protocol.problem()
    by_text = {of.text: of.problem for of in hypotheses.all_of_them()}
    x, y = by_text["backgrounds first"].data["train"]
    np.testing.assert_array_equal(x[:7], whole.data["train"][0][6:])
    assert y.tolist() == [0] * 7 + [1] * 6
    moved = by_text["“n” digitised 0.005 too far to the left"].data["val"][0] - whole.data["val"][0]
    np.testing.assert_allclose(moved, [[0, 0], [0.005, 0], [0, 0], [0, 0]], atol=1e-15)
    single = by_text["single precision, the same thousand"]
    assert {leaf.dtype.name for leaf in jax.tree.leaves((single.init(jax.random.key(0)), single.data))} == {"float32"}


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 13])
def test_what_is_measured_is_the_best_look_its_epoch_and_that_epochs_loss(every):
    of = hypotheses.Hypothesis("short", protocol.problem(), range(2), every)
    found, finer = hypotheses.measure(of, epochs=6), hypotheses.measure(of._replace(every=1), epochs=6)
    assert (finer.value <= found.value).all()
    assert ((found.epoch >= 1) & (found.epoch <= 6)).all()
    last = hypotheses.measure(of._replace(last=True, every=13), epochs=6)
    assert last.epoch.tolist() == [6, 6]
    np.testing.assert_allclose(last.value, last.train, rtol=1e-12)


def test_every_hypothesis_is_stored_and_the_first_is_the_stored_band():
    assert [line["text"] for line in STORED] == [of.text for of in hypotheses.all_of_them()]
    band = bands.read()["E2 val"]
    np.testing.assert_allclose(STORED[0]["value"], [band.low, band.median, band.high], atol=2e-6)


def test_two_changes_hold_the_printed_value_and_one_of_them_loses_another():
    lines = {line["text"]: line for line in STORED}
    holding = [name for name, line in lines.items() if tables.holds(line["value"][::2], line["printed"], 3)]
    assert holding == ["validation after every update", "two outputs and softmax"]
    every = lines["validation after every update"]
    assert every["epoch"][0] <= 194 <= every["epoch"][2]
    assert every["train"][0] <= 0.259 <= every["train"][2]
