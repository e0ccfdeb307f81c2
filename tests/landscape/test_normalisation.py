"""Normalisations: their definition, the invariances they promise, and a port that takes torch's axis is caught."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import landscape, losses
from jaxdl.landscape.normalisation import filter_wise

pytestmark = pytest.mark.usefixtures("quick_compilation")

RNG = np.random.default_rng(0)
INPUTS = jnp.asarray(RNG.standard_normal((12, 3)))
LABELS = jnp.asarray(RNG.integers(0, 4, 12))


def network(params, inputs):
    """A ReLU network without biases: 3 – 5 – 4."""
    return jax.nn.relu(inputs @ params["first"]["kernel"]) @ params["second"]["kernel"]


def loss(params):
    return losses.cross_entropy(network(params, INPUTS), LABELS)


def parameters():
    return {"first": {"kernel": jnp.asarray(RNG.standard_normal((3, 5)))}, "second": {"kernel": kernel()}}


def kernel():
    return jnp.asarray(np.random.default_rng(1).standard_normal((5, 4)) * np.array([0.1, 1.0, 5.0, 20.0]))


def rescaled(params, factors):
    """The same function: hidden units multiplied by ``factors`` and taken back by the next layer."""
    return {
        "first": {"kernel": params["first"]["kernel"] * factors[None]},
        "second": {"kernel": params["second"]["kernel"] / factors[:, None]},
    }


def picture(params, rule, seed=2):
    """A line through the parameters along a seeded direction."""
    rng = np.random.default_rng(seed)
    drawn = jax.tree.map(lambda w: jnp.asarray(rng.standard_normal(w.shape)), params)
    direction = landscape.normalised(drawn, params, rule)
    return landscape.line(loss, params, direction, points=5)["loss"].values


# --- definitions ------------------------------------------------------------------------------------------------------


def test_every_filter_is_as_long_as_the_weights():
    w, d = kernel(), RNG.standard_normal((5, 4))
    found = np.asarray(landscape.normalised({"kernel": jnp.asarray(d)}, {"kernel": w})["kernel"])
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), np.linalg.norm(w, axis=0), rtol=1e-14)
    np.testing.assert_allclose(found / np.linalg.norm(found, axis=0), d / np.linalg.norm(d, axis=0), rtol=1e-13)


def test_convolutions_have_a_filter_for_each_output_channel():
    w, d = (jnp.asarray(RNG.standard_normal((3, 3, 2, 4))) for _ in range(2))
    found = landscape.normalised({"kernel": d}, {"kernel": w})["kernel"]
    np.testing.assert_allclose(
        np.linalg.norm(found.reshape(-1, 4), axis=0), np.linalg.norm(w.reshape(-1, 4), axis=0), rtol=1e-14
    )


def test_the_wrong_axis_would_be_seen():
    w, d = kernel(), jnp.asarray(RNG.standard_normal((5, 4)))
    port = filter_wise(d, w, (0,))
    right = landscape.normalised({"kernel": d}, {"kernel": w})["kernel"]
    np.testing.assert_allclose(np.linalg.norm(port), np.linalg.norm(right), rtol=1e-12)  # what hides it
    assert np.abs(np.linalg.norm(port, axis=0) / np.linalg.norm(w, axis=0) - 1).max() > 0.1


def test_rows_of_embeddings_and_declared_axes():
    params = {
        "Embed_0": {"embedding": jnp.asarray(RNG.standard_normal((7, 3)))},
        "query": {"kernel": jnp.asarray(RNG.standard_normal((6, 2, 3)))},
    }
    ones = jax.tree.map(jnp.ones_like, params)
    found = landscape.normalised(ones, params, filter_axes={"*query/kernel": (-2, -1)})
    rows = [np.linalg.norm(p["Embed_0"]["embedding"], axis=1) for p in (found, params)]
    np.testing.assert_allclose(*rows, rtol=1e-14)
    heads = [np.linalg.norm(p["query"]["kernel"], axis=0) for p in (found, params)]
    np.testing.assert_allclose(*heads, rtol=1e-14)


@pytest.mark.parametrize(("keep", "length"), [(False, 0.0), (True, 2.0)])
def test_biases_stay_or_move(keep, length):
    params = {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(4)}
    found = landscape.normalised(jax.tree.map(lambda w: 3.0 * w, params), params, keep_vectors=keep)
    np.testing.assert_allclose(np.linalg.norm(found["bias"]), length)


def test_dead_filters_do_not_move_and_give_no_nan():
    w = jnp.array([[0.0, 1.0], [0.0, 2.0]])
    found = landscape.normalised({"k": jnp.ones((2, 2))}, {"k": w})["k"]
    np.testing.assert_array_equal(found[:, 0], 0)
    still = landscape.normalised({"k": jnp.zeros((2, 2))}, {"k": w})["k"]
    np.testing.assert_array_equal(still, 0)


# --- invariances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["filter", "layer", "element"])
def test_rescaled_layers_give_the_same_picture(rule):
    params = parameters()
    same = rescaled(params, jnp.full(5, 7.0))
    np.testing.assert_allclose(picture(same, rule), picture(params, rule), rtol=1e-12)


def test_without_normalisation_they_do_not():
    params = parameters()
    same = rescaled(params, jnp.full(5, 7.0))
    assert np.abs(picture(same, "none") / picture(params, "none") - 1).max() > 0.1


def test_rescaled_neurons_give_the_same_picture_to_the_element_wise_rule_alone():
    params = parameters()
    same = rescaled(params, jnp.array([0.1, 1.0, 3.0, 10.0, 30.0]))
    np.testing.assert_allclose(picture(same, "element"), picture(params, "element"), rtol=1e-12)
    assert np.abs(picture(same, "filter") / picture(params, "filter") - 1).max() > 0.01


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_unknown_rules_patterns_and_axes():
    params = {"kernel": jnp.ones((2, 2))}
    with pytest.raises(ValueError, match="unknown rule 'filters'; known are: filter, layer, element, none"):
        landscape.normalised(params, params, "filters")
    with pytest.raises(ValueError, match="no parameter matches 'query'; there are: kernel"):
        landscape.normalised(params, params, filter_axes={"query": (0,)})
    with pytest.raises(ValueError, match=r"filter axes of kernel must lie within its 2, got \(2,\)"):
        landscape.normalised(params, params, filter_axes={"kernel": (2,)})
