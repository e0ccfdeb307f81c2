"""Networks on the digits: their arguments, and that dropout is noise of training only."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import problems
from jaxdl.data.digits import digits


@pytest.mark.parametrize(
    ("name", "arguments", "parameters"),
    [
        ("digits-mlp", {}, 64 * 32 + 32 + 32 * 10 + 10),
        ("digits-mlp", {"hidden": (5, 4)}, 64 * 5 + 5 + 5 * 4 + 4 + 4 * 10 + 10),
        ("digits-mlp", {"hidden": ()}, 650),
        ("digits-cnn", {}, 9 * 16 + 16 + 9 * 16 * 32 + 32 + 128 * 10 + 10),
        ("digits-cnn", {"channels": (4,)}, 9 * 4 + 4 + 64 * 10 + 10),
        ("digits-resmlp", {}, 64 * 32 + 32 + 4 * (32 * 32 + 32) + 3 * 64 + 32 * 10 + 10),
        ("digits-resmlp", {"width": 8, "blocks": 1}, 64 * 8 + 8 + 2 * (64 + 8) + 2 * 16 + 8 * 10 + 10),
    ],
)
def test_arguments_shape_the_network(name, arguments, parameters, key):
    params = jax.eval_shape(problems.get(name, **arguments).init, key)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == parameters


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-resmlp"])
def test_batch_size_is_passed_on(name):
    assert problems.get(name).batch_size == 128
    assert problems.get(name, batch_size=32).batch_size == 32
    assert problems.get(name, batch_size=None).batch_size is None


def test_dropout_makes_the_loss_noisy_and_leaves_the_metrics_alone(key):
    problem = problems.get("digits-mlp", hidden=(16,), dropout_rate=0.5)
    params = problem.init(key)
    batch = problem.data["val"]
    losses = jax.jit(jax.vmap(lambda k: problem.loss(params, batch, k)))(jax.random.split(key, 3))
    assert len(np.unique(losses)) == 3
    plain = problems.get("digits-mlp", hidden=(16,))
    np.testing.assert_allclose(problem.metrics(params, batch)["loss"], plain.loss(params, batch, key), rtol=1e-6)


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-resmlp", "digits-softmax"])
def test_label_noise_touches_the_training_labels_alone(name):
    clean = digits()
    plain, noisy = problems.get(name).data, problems.get(name, label_noise=0.3).data
    for split, (images, labels) in clean.items():
        for data in (plain, noisy):
            assert data[split][1].dtype == labels.dtype
            np.testing.assert_array_equal(np.reshape(data[split][0], images.shape), images)
        np.testing.assert_array_equal(plain[split][1], labels)
        assert np.sum(noisy[split][1] != labels) == (323 if split == "train" else 0)


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-resmlp", "digits-softmax"])
def test_label_noise_may_be_swept(name):
    rates = [0.0, 0.1, 0.5]
    swept = jax.jit(jax.vmap(lambda p: problems.get(name, label_noise=p).data["train"][1]))(jnp.array(rates))
    for labels, rate in zip(swept, rates, strict=True):
        np.testing.assert_array_equal(labels, problems.get(name, label_noise=rate).data["train"][1])
