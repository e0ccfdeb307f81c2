"""The protocol against plain NumPy: initial parameters, order of the samples, what the loss of an epoch is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxdl
from experiments.lecture import measures, protocol, studies
from experiments.lecture.data import TRAINING, VALIDATION


def twin(params, rate, epochs):
    """SGD one sample at a time in NumPy, by hand: losses of every epoch, and after it, and the last parameters."""
    w1, b1, w2, b2 = (np.array(params[name]) for name in ("w1", "b1", "w2", "b2"))
    x, y = TRAINING.features, TRAINING.labels
    means, ends = [], []

    def cross_entropy(z, y):
        return np.logaddexp(0, z) - y * z

    for _ in range(epochs):
        losses = []
        for sample, label in zip(x, y, strict=True):
            a = w1 @ sample + b1
            h = np.maximum(a, 0)
            z = w2 @ h + b2
            losses.append(cross_entropy(z, label))
            dz = 1 / (1 + np.exp(-z)) - label
            da = dz * w2 * (a > 0)
            w2, b2 = w2 - rate * dz * h, b2 - rate * dz
            w1, b1 = w1 - rate * np.outer(da, sample), b1 - rate * da
        means.append(np.mean(losses))
        ends.append(np.mean(cross_entropy(np.maximum(x @ w1.T + b1, 0) @ w2 + b2, y)))
    return np.array(means), np.array(ends), w1


@pytest.fixture(scope="module")
def run():
    """Five epochs of the protocol as a problem."""
    train = jax.jit(
        lambda key: jaxdl.train(protocol.problem(), protocol.staged_sgd(0.3, 0.3, 0.3), key, 65, record_every=13)
    )
    return train(jax.random.key(3))


def test_a_run_is_the_loop_by_hand(run):
    state, curves = run
    start = protocol.init(jax.random.split(jax.random.key(3), 3)[0])
    means, ends, w1 = twin(start, 0.3, 5)
    np.testing.assert_allclose(curves.metrics["train_loss"][1:], means, rtol=1e-12)
    np.testing.assert_allclose(curves.metrics["end_loss"][1:], ends, rtol=1e-12)
    np.testing.assert_allclose(state.params["w1"], w1, rtol=1e-11)


def test_the_two_losses_differ(run):
    curves = run[1]
    assert np.abs(curves.metrics["train_loss"] - curves.metrics["end_loss"])[1:].min() > 1e-3


def test_parameters_are_uniform_by_fan_in(key):
    params = jax.vmap(protocol.init)(jax.random.split(key, 300))
    for name, bound in (("w1", 2**-0.5), ("b1", 2**-0.5), ("w2", 32**-0.5), ("b2", 32**-0.5)):
        drawn = np.asarray(params[name])
        assert drawn.dtype == np.float64
        assert np.abs(drawn).max() <= bound
        np.testing.assert_allclose(drawn.var(), bound**2 / 3, rtol=4 * (0.8 / drawn.size) ** 0.5)


def test_points_are_those_of_the_lecture():
    assert TRAINING.names[0] == "c1"
    assert TRAINING.labels.tolist() == [1] * 6 + [0] * 7
    np.testing.assert_array_equal(TRAINING.features[12], [0.1227, 1.281])
    assert VALIDATION.labels.tolist() == [1, 1, 0, 0]


def test_stages_end_after_epochs_500_and_900():
    tx = protocol.staged_sgd(0.3, 0.05, 0.01)
    update = jax.jit(lambda count: tx.update(jnp.ones(()), jax.tree.map(lambda _: count, tx.init(jnp.ones(()))))[0])
    rates = [-float(update(jnp.int32(13 * epoch))) for epoch in (0, 499, 500, 899, 900)]
    np.testing.assert_allclose(rates, [0.3, 0.3, 0.05, 0.05, 0.01], rtol=1e-12)
    assert -float(update(jnp.int32(13 * 500 - 1))) == pytest.approx(0.3)


def test_the_penalty_is_half_lambda_theta_squared(key):
    params, data = protocol.init(key), protocol.arrays(TRAINING)
    tx = protocol.penalised_adam(0.1, 0.3)
    one = jax.grad(protocol.loss)(params, data)
    whole = jax.tree.map(lambda g, p: g + 0.3 * p, one, params)
    ours, _ = tx.update(one, tx.init(params), params)
    theirs, _ = jaxdl.adam(0.1).update(whole, jaxdl.adam(0.1).init(params), params)
    np.testing.assert_allclose(ours["w1"], theirs["w1"], rtol=1e-12)


def test_misclassified_points_come_as_bits(key):
    params = {"w1": jnp.zeros((32, 2)), "b1": jnp.zeros(32), "w2": jnp.zeros(32), "b2": jnp.ones(())}
    bits = float(protocol.metrics(params, protocol.arrays(TRAINING))["wrong"])
    assert measures.names(bits) == TRAINING.names[6:]
    assert measures.errors(np.array([bits])) == [7]


def test_single_precision_is_refused():
    with jax.enable_x64(False), pytest.raises(ValueError, match="needs float64"):
        protocol.problem()


@pytest.fixture(scope="module")
def short():
    """All three studies, two seeds, eight epochs."""
    return studies.run(2, epochs=8)


def test_studies_hold_every_setting_with_its_length(short):
    for id in measures.POINTS:
        run = measures.run(short, id)
        assert run.loss.shape == (2, 40 if id == "S4" else 8)
        assert np.isfinite(run.loss).all()
        assert np.isfinite(run.val).all()


def test_more_epochs_begin_as_fewer_do(short):
    np.testing.assert_array_equal(measures.run(short, "S4").loss[:, :8], measures.run(short, "S3").loss)


def test_settings_differ_as_they_should(short):
    losses = {id: measures.run(short, id).loss for id in measures.POINTS}
    np.testing.assert_array_equal(losses["S1"], losses["S5"])  # the first stage
    np.testing.assert_allclose(losses["R0"], losses["D0"], rtol=1e-6)  # no penalty, no dropout
    for one, other in (("S1", "S2"), ("S2", "S3"), ("R0", "R1"), ("R2", "R3"), ("D0", "D1"), ("D2", "D3")):
        assert np.abs(losses[one] - losses[other]).max() > 1e-6


def test_a_seed_of_a_study_is_the_run_of_its_key(short):
    train = jax.jit(
        lambda key: jaxdl.train(protocol.problem(), protocol.penalised_adam(0.03), key, 26, record_every=13)[1]
    )
    alone = train(jax.random.key(1)).metrics["train_loss"][1:]
    np.testing.assert_allclose(measures.run(short, "R0").loss[1, :2], alone, rtol=1e-9)
