"""Sharpness along runs: the run itself unchanged, values against dense Hessians, the edge of stability."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxdl
from jaxdl import curvature, losses
from jaxdl.curvature import preconditioners, tracking
from tests.curvature.matrices import dense_hessian, network, parameters, samples

ADAM = {"b1": 0.8, "b2": 0.95, "eps": 1e-3}


def classifier(count=30):
    """The small network on 30 samples, full batches."""
    batch = samples(count)

    def loss(params, batch, key):
        del key
        return losses.cross_entropy(network(params, batch[0]), batch[1])

    def metrics(params, batch):
        return {"loss": loss(params, batch, None)}

    return jaxdl.Problem("small", lambda key: parameters(), loss, metrics, {"train": batch, "val": batch})


PROBLEM = classifier()
LOSS = curvature.training_loss(PROBLEM)


def watched(tx, steps, observe=curvature.OBSERVERS, record_every=1):
    """A jitted run with one snapshot for every record."""
    records = steps // record_every

    def run(key):
        return jaxdl.train(
            PROBLEM, tx, key, steps, record_every=record_every, snapshots=records + 1, observe=observe, evaluated=False
        )

    return jax.jit(run)(jax.random.key(0))


def path(curves):
    """Parameters at every snapshot."""
    count = len(curves.snapshot_steps)
    return [jax.tree.map(lambda x, i=i: x[i], curves.snapshots) for i in range(count)]


# --- the run ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def descent():
    """Gradient descent looked at before every update: the run alone, and the run with its looks."""
    alone = watched(jaxdl.sgd(1.0), 12, observe=())
    return alone, watched(curvature.track(jaxdl.sgd(1.0), LOSS, every=1), 12)


@pytest.fixture(scope="module")
def preconditioned():
    """Adam looked at before every third update, of which the last is one."""
    tx = jaxdl.adam(0.02, **ADAM)
    looks = {"every": 3, "steps": 12, "preconditioner": preconditioners.adam(**ADAM)}
    tracked = watched(curvature.track(tx, LOSS, **looks), 19, observe=curvature.PRECONDITIONED_OBSERVERS)
    return watched(tx, 19, observe=()), tracked


@pytest.mark.parametrize("runs", ["descent", "preconditioned"])
def test_the_run_is_the_same_bit_for_bit(runs, request):
    (plain, curves), (tracked, seen) = request.getfixturevalue(runs)
    jax.tree.map(np.testing.assert_array_equal, tracked.params, plain.params)
    jax.tree.map(np.testing.assert_array_equal, tracked.opt_state.inner, plain.opt_state)
    np.testing.assert_array_equal(seen.metrics["train_loss"], curves.metrics["train_loss"])


def test_sharpness_is_that_of_the_parameters_before_the_update(descent):
    _, (_, curves) = descent
    expected = [np.linalg.eigvalsh(dense_hessian(LOSS, params))[-1] for params in path(curves)[:-1]]
    found, residual = (np.asarray(curves.metrics[name][1:]) for name in curvature.OBSERVERS)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert (np.abs(found - expected) <= residual + 1e-12).all()
    assert np.ptp(expected) > 0.05 * np.max(expected), "the case must move"


def test_between_looks_the_last_value_stays(preconditioned):
    _, (_, curves) = preconditioned
    found = np.asarray(curves.metrics["sharpness"][1:19]).reshape(6, 3)
    assert (found == found[:, :1]).all()
    assert len(np.unique(found[:, 0])) == 6


def test_preconditioned_sharpness_against_the_dense_matrix(preconditioned):
    _, (state, curves) = preconditioned
    params = path(curves)[-2]
    # P from the definition, with the moments after the last update.
    v = np.asarray(ravel_pytree(state.opt_state.inner[0].nu)[0])
    p = (1 - 0.8**19) * (np.sqrt(v / (1 - 0.95**19)) + 1e-3)
    matrix = dense_hessian(LOSS, params) / np.sqrt(np.outer(p, p))
    exact = np.linalg.eigvalsh(matrix)[-1]
    np.testing.assert_allclose(curves.metrics["preconditioned_sharpness"][-1], exact, rtol=1e-6)
    assert abs(exact / curves.metrics["sharpness"][-1] - 1) > 0.5, "the case must tell the two apart"


@pytest.mark.slow
def test_it_is_followed_in_a_sweep_and_another_product():
    def factory(learning_rate):
        product = curvature.in_batches(curvature.hessian, 16)

        def of_batch(params, batch):
            return PROBLEM.loss(params, batch, None)

        data = PROBLEM.data["train"]
        return curvature.track(jaxdl.sgd(learning_rate), of_batch, data, every=2, product=product)

    axes = {"learning_rate": [0.1, 0.2]}
    study = jaxdl.sweep(PROBLEM, factory, axes, seeds=1, steps=6, record_every=2, observe=curvature.OBSERVERS)
    for rate in (0.1, 0.2):
        _, curves = watched(curvature.track(jaxdl.sgd(rate), LOSS, every=2), 6, record_every=2)
        found = study["sharpness"].sel(learning_rate=rate).squeeze()
        np.testing.assert_allclose(found[1:], curves.metrics["sharpness"][1:], rtol=1e-6)


# --- the edge of stability --------------------------------------------------------------------------------------------


def chebyshev():
    """Twenty points of the third Chebyshev polynomial and a tanh network of two hidden layers."""
    x = jnp.linspace(-1, 1, 20)[:, None]
    batch = (x, 4 * x**3 - 3 * x)

    def init(key):
        keys = jax.random.split(key, 3)
        shapes = ((1, 30), (30, 30), (30, 1))
        return [jax.random.normal(k, s) / np.sqrt(s[0]) for k, s in zip(keys, shapes, strict=True)]

    def loss(params, batch, key):
        del key
        first, second, third = params
        return losses.squared_error(jnp.tanh(jnp.tanh(batch[0] @ first) @ second) @ third, batch[1])

    def metrics(params, batch):
        return {"loss": loss(params, batch, None)}

    return jaxdl.Problem("chebyshev", init, loss, metrics, {"train": batch, "val": batch})


@pytest.mark.parametrize(
    ("tx", "preconditioner", "threshold"),
    [
        (jaxdl.sgd(0.2), None, 10.0),
        pytest.param(jaxdl.rmsprop(1e-4, 0.99), preconditioners.rmsprop(0.99), 2e4, marks=pytest.mark.slow),
    ],
    ids=["gradient descent", "rmsprop"],
)
def test_sharpness_rises_to_the_edge_of_stability_and_stays(tx, preconditioner, threshold):
    problem = chebyshev()
    tracked = curvature.track(tx, curvature.training_loss(problem), every=10, preconditioner=preconditioner)
    name = "preconditioned_sharpness" if preconditioner else "sharpness"
    observe = curvature.PRECONDITIONED_OBSERVERS if preconditioner else curvature.OBSERVERS
    run = jax.jit(
        lambda key: jaxdl.train(problem, tracked, key, 4000, record_every=100, observe=observe, evaluated=False)
    )
    _, curves = run(jax.random.key(0))
    relative = np.asarray(curves.metrics[name][1:]) / threshold
    loss = np.asarray(curves.metrics["train_loss"])
    assert abs(np.median(relative[20:]) - 1) < 0.05
    assert relative.max() < 2
    assert loss[-1] < 0.5 * loss[0], "it trains on at the edge"


# --- what cannot be ---------------------------------------------------------------------------------------------------


def test_a_run_that_is_not_tracked():
    with pytest.raises(ValueError, match=r"the state of one curvature.track\(…\), found 0"):
        watched(jaxdl.sgd(0.1), 2)


def test_preconditioned_sharpness_without_a_preconditioner():
    with pytest.raises(ValueError, match=r"needs curvature\.track"):
        watched(curvature.track(jaxdl.sgd(0.1), LOSS), 2, observe=curvature.PRECONDITIONED_OBSERVERS)


def test_a_preconditioner_of_another_rule():
    tx = curvature.track(jaxdl.sgd(0.1), LOSS, preconditioner=preconditioners.adam())
    with pytest.raises(ValueError, match="reads one ScaleByAdamState in the optimizer's state, found 0"):
        watched(tx, 2)


def test_an_update_without_parameters():
    tx = curvature.track(jaxdl.sgd(0.1), lambda x: jnp.sum(x**2))
    with pytest.raises(ValueError, match="give params to update, got None"):
        jax.eval_shape(lambda x: tx.update(x, tx.init(x)), jnp.ones(2))


@pytest.mark.parametrize("option", ["every", "steps", "first_steps"])
def test_numbers_below_one(option):
    with pytest.raises(ValueError, match=f"{option} must be a whole number of at least 1, got 0"):
        curvature.track(jaxdl.sgd(0.1), LOSS, **{option: 0})


def test_sharpness_of_a_matrix_given_by_products():
    found = tracking.sharpness(lambda v: jnp.array([1.0, 5.0]) * v, jnp.array([1.0, 1.0]), 2)
    np.testing.assert_allclose(found.value, 5, rtol=1e-14)
    np.testing.assert_allclose(np.abs(found.vector), [0, 1], atol=1e-14)


def test_runs_that_are_mapped_together_look_only_when_it_is_time():
    """Their counts are the same, so that the branch stays a branch and is not computed at every step."""

    def run(rate):
        tx = curvature.track(jaxdl.sgd(rate), LOSS, every=4)
        return jaxdl.train(PROBLEM, tx, jax.random.key(0), 8, observe=curvature.OBSERVERS)[1].metrics["sharpness"]

    rates = jnp.array([0.1, 0.3])
    assert "cond[" in str(jax.make_jaxpr(jax.vmap(run))(rates)).split("scan[", 1)[1]
