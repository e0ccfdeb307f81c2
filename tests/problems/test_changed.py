"""Problems made from problems: penalties and augmentation enter the training loss, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from jaxdl import losses, problems
from jaxdl.data import augmentation


def test_penalty_joins_the_loss_and_not_the_metrics(key):
    plain = problems.get("breast-cancer-logistic")
    penalised = problems.penalised(plain, losses.l1_penalty, 0.1)
    params, batch = jax.tree.map(lambda x: x + 0.5, plain.init(key)), plain.data["train"]
    expected = plain.loss(params, batch, key) + 0.1 * losses.l1_penalty(params)
    np.testing.assert_allclose(penalised.loss(params, batch, key), expected, rtol=1e-6)
    np.testing.assert_array_equal(penalised.metrics(params, batch)["loss"], plain.metrics(params, batch)["loss"])
    assert (plain.floor is not None, penalised.floor) == (True, None)


def test_an_l2_penalty_of_a_problem_is_the_l2_gradient_of_a_chain(key):
    plain = problems.get("rosenbrock")
    chain = jaxdl.chain(jaxdl.add_l2_gradient(0.3), jaxdl.sgd(1e-3))
    by_chain, _ = jaxdl.train(plain, chain, key, 20)
    by_loss, _ = jaxdl.train(problems.penalised(plain, losses.l2_penalty, 0.3), jaxdl.sgd(1e-3), key, 20)
    np.testing.assert_allclose(by_loss.params, by_chain.params, rtol=1e-5)


def test_weights_of_a_penalty_may_be_mapped_and_not_negative(key):
    plain = problems.get("booth")
    weights = jnp.array([0.0, 2.0])
    value = jax.vmap(lambda w: problems.penalised(plain, losses.l2_penalty, w).loss(jnp.array([1.0, 3.0]), (), key))
    np.testing.assert_allclose(value(weights), [0, 10], atol=1e-12)
    with pytest.raises(ValueError, match="weight must be non-negative, got -1"):
        problems.penalised(plain, losses.l2_penalty, -1.0)


def test_augmentation_changes_inputs_in_training_alone_and_anew_at_every_key(key):
    plain = problems.get("digits-mlp", hidden=(4,))
    noisy = problems.augmented(plain, augmentation.random_noise(0.5))
    params, batch = plain.init(key), jax.tree.map(lambda x: x[:20], plain.data["val"])
    keys = jax.random.split(key, 2)
    values = [float(noisy.loss(params, batch, k)) for k in keys]
    key_augment, _ = jax.random.split(keys[0])
    by_hand = (augmentation.batch(augmentation.random_noise(0.5), key_augment, batch[0]), batch[1])
    np.testing.assert_allclose(values[0], plain.loss(params, by_hand, key), rtol=1e-6)
    assert values[0] != values[1]
    np.testing.assert_array_equal(noisy.metrics(params, batch)["loss"], plain.metrics(params, batch)["loss"])
    assert noisy.data is plain.data


@pytest.mark.slow
def test_random_shifts_lower_the_error_on_shifted_images():
    """Augmentation by shifts of up to one pixel, a test set shifted by one: over 3 seeds, no seed excepted."""
    plain = problems.get("digits-cnn", channels=(8, 16))
    images, labels = plain.data["test"]
    shifts = ((1, 0), (-1, 0), (0, 1), (0, -1))
    moved = [jax.vmap(lambda x, s=s: augmentation.warp(x, down=s[0], right=s[1]))(images) for s in shifts]
    shifted = jnp.concatenate(moved), jnp.tile(labels, len(shifts))
    keys = jax.random.split(jax.random.key(0), 3)

    def accuracy(problem):
        def run(key):
            state, _ = jaxdl.train(problem, jaxdl.adam(0.01), key, 300, evaluated=False)
            return problem.metrics(state.params, shifted)["accuracy"]

        return np.asarray(jax.jit(lambda keys: jax.lax.map(run, keys))(keys))

    without, with_shifts = accuracy(plain), accuracy(problems.augmented(plain, augmentation.random_shift(1)))
    assert (1 - with_shifts < 0.6 * (1 - without)).all(), (without, with_shifts)
