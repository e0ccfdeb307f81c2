"""Linear classifiers: the floor against scipy, and the JAX loss against plain NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import scipy.special

from jaxdl.data.breast_cancer import breast_cancer
from jaxdl.data.digits import digits
from jaxdl.problems.convex import breast_cancer_logistic, digits_softmax, softmax_floor


def softmax_objective(flat, x, labels, l2):
    """Value and gradient at weights of shape (k, d + 1), the bias last, written from the definition."""
    x = np.column_stack([x, np.ones(len(x))])
    w = flat.reshape(-1, x.shape[1])
    logits = x @ w.T
    value = np.mean(scipy.special.logsumexp(logits, axis=1) - logits[np.arange(len(x)), labels])
    residual = scipy.special.softmax(logits, axis=1)
    residual[np.arange(len(x)), labels] -= 1
    return value + 0.5 * l2 * np.sum(w**2), (residual.T @ x / len(x) + l2 * w).ravel()


def sigmoid_objective(w, x, labels, l2):
    """The same for two classes, with one column of weights."""
    x = np.column_stack([x, np.ones(len(x))])
    z = np.where(labels == 1, 1, -1) * (x @ w)
    slope = -np.where(labels == 1, 1, -1) * scipy.special.expit(-z)
    return np.mean(np.logaddexp(0, -z)) + 0.5 * l2 * np.sum(w**2), x.T @ slope / len(x) + l2 * w


CASES = {
    "digits-softmax": (digits_softmax, digits, softmax_objective, 650),
    "breast-cancer-logistic": (breast_cancer_logistic, breast_cancer, sigmoid_objective, 31),
}


def minimise(objective, size, x, labels, l2):
    """scipy's minimum, and how far above the true one strong convexity allows it to be."""
    x = x.reshape(len(x), -1).astype(np.float64)
    options = {"maxiter": 5000, "maxfun": 10_000, "maxcor": 30, "ftol": 0, "gtol": 1e-9}
    arguments = {"args": (x, labels, l2), "method": "L-BFGS-B", "jac": True, "options": options}
    found = scipy.optimize.minimize(objective, np.zeros(size), **arguments)
    return found, np.sum(objective(found.x, x, labels, l2)[1] ** 2) / (2 * l2)


@functools.cache
def least(name, l2):
    _, load, objective, size = CASES[name]
    return minimise(objective, size, *load()["train"], l2)


@pytest.mark.parametrize("l2", [1e-3, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_the_floor_is_scipys_minimum_of_the_penalised_objective(name, l2):
    factory = CASES[name][0]
    found, slack = least(name, l2)
    assert slack < 1e-12
    assert found.fun - slack - 1e-13 <= factory(l2=l2).floor <= found.fun + 1e-13


@pytest.mark.parametrize("name", CASES)
def test_the_jax_loss_touches_the_floor_at_the_minimum(name, key):
    problem = CASES[name][0]()
    flat = least(name, 1e-3)[0].x
    columns = flat.reshape(10, -1) if flat.size == 650 else flat
    shapes = jax.tree.map(jnp.shape, problem.init(key))
    params = {
        "weights": jnp.asarray(columns[..., :-1].T.reshape(shapes["weights"]), jnp.float32),
        "bias": jnp.asarray(columns[..., -1].reshape(shapes["bias"]), jnp.float32),
    }
    value, gradient = jax.jit(jax.value_and_grad(problem.loss))(params, problem.data["train"], key)
    np.testing.assert_allclose(value, problem.floor, rtol=1e-6)
    assert max(jnp.abs(g).max() for g in jax.tree.leaves(gradient)) < 1e-6


def test_newton_is_damped_where_full_steps_diverge():
    """Ten points with two far outliers: undamped, the value climbs from 0.01 to a million."""
    rng = np.random.default_rng(116)
    x = rng.standard_cauchy((10, 2))
    labels = (x[:, 0] + rng.normal(size=10) > 0).astype(int)
    found, slack = minimise(softmax_objective, 6, x, labels, 1e-3)
    assert slack < 1e-14
    np.testing.assert_allclose(softmax_floor(x, labels, 1e-3), found.fun, rtol=1e-12)


@pytest.mark.parametrize(("name", "entropy"), [("digits-softmax", np.log(10)), ("breast-cancer-logistic", np.log(2))])
def test_runs_start_at_zero_with_the_loss_of_a_blind_guess(name, entropy, key):
    problem = CASES[name][0]()
    params = problem.init(key)
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(params))
    np.testing.assert_allclose(problem.loss(params, problem.data["train"], key), entropy, rtol=1e-6)
    assert problem.floor < entropy


@pytest.mark.parametrize("name", CASES)
def test_metrics_leave_the_penalty_out(name, key, rng):
    problem = CASES[name][0](l2=0.5)
    params = jax.tree.map(lambda p: jnp.asarray(0.1 * rng.normal(size=p.shape), jnp.float32), problem.init(key))
    batch = problem.data["val"]
    metrics = problem.metrics(params, batch)
    squares = sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(params))
    np.testing.assert_allclose(problem.loss(params, batch, key) - metrics["loss"], 0.25 * squares, rtol=1e-3)
    logits = np.asarray(batch[0]) @ np.asarray(params["weights"]) + np.asarray(params["bias"])
    guess = logits.argmax(axis=1) if logits.ndim == 2 else logits > 0
    np.testing.assert_allclose(metrics["accuracy"], np.mean(guess == np.asarray(batch[1])), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_penalty_may_be_swept(name, key):
    factory = CASES[name][0]
    params = jax.tree.map(jnp.ones_like, factory().init(key))

    def loss(l2):
        problem = factory(l2=l2)
        assert problem.floor is None, "it is not known while l2 is traced"
        return problem.loss(params, problem.data["val"], key)

    swept = jax.jit(jax.vmap(loss))(jnp.array([1e-3, 1.0]))
    squares = sum(leaf.size for leaf in jax.tree.leaves(params))
    np.testing.assert_allclose(swept[1] - swept[0], 0.999 * squares / 2, rtol=1e-4)


def test_the_floor_is_that_of_the_noisy_labels():
    problem = digits_softmax(label_noise=0.2)
    found, slack = minimise(softmax_objective, 650, *map(np.asarray, problem.data["train"]), 1e-3)
    assert slack < 1e-12
    assert found.fun - slack - 1e-13 <= problem.floor <= found.fun + 1e-13
    assert problem.floor > digits_softmax().floor + 0.3


def test_label_noise_leaves_no_floor_where_it_is_traced_and_keeps_it_where_it_is_not():
    floors = []
    jax.eval_shape(lambda p: floors.append(digits_softmax(label_noise=p).floor), 0.1)
    jax.eval_shape(lambda: floors.append(digits_softmax(label_noise=0.1).floor))
    assert floors == [None, digits_softmax(label_noise=0.1).floor]
    assert floors[1] is not None


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("l2", [0.0, -1.0])
def test_a_penalty_that_is_not_positive_is_refused(name, l2):
    with pytest.raises(ValueError, match="l2 must be positive"):
        CASES[name][0](l2=l2)
