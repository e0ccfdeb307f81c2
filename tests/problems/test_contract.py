"""What every problem owes: pure functions that jit and vmap, a floor that holds, a loss that can be trained."""

import functools
import inspect
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import optimizers, problems, training
from jaxdl.problems.problem import SPLITS, Problem


class Tuned(NamedTuple):
    optimizer: str
    learning_rate: float


TUNED = {
    "digits-softmax": Tuned("momentum", 0.43),
    "digits-mlp": Tuned("adam", 3.5e-3),
    "digits-cnn": Tuned("adam", 3.5e-3),
    "digits-resmlp": Tuned("sgd", 0.15),
    "echo-rnn": Tuned("adam", 0.02),
    "parity-rnn": Tuned("adam", 0.05),
    "breast-cancer-logistic": Tuned("nesterov", 0.08),
    "quadratic": Tuned("nesterov", 1.0),
    "noisy-quadratic": Tuned("adam", 0.018),
    "rosenbrock": Tuned("momentum", 3.16e-3),
    "beale": Tuned("adam", 0.1),
    "himmelblau": Tuned("sgd", 0.0143),
    "ackley": Tuned("adam", 1.0),
    "rastrigin": Tuned("adam", 1.0),
    "booth": Tuned("nesterov", 0.01),
    "matyas": Tuned("sgd", 1.33),
    "styblinski-tang": Tuned("adam", 0.3),
    "goldstein-price": Tuned("rmsprop", 0.32),
    "branin": Tuned("momentum", 1e-3),
    "six-hump-camel": Tuned("nesterov", 1e-3),
    "mccormick": Tuned("adamw", 0.1),
    "three-hump-camel": Tuned("sgd", 0.29),
    "monkey-saddle": Tuned("sgd", 0.1),
    "saddle": Tuned("rmsprop", 0.018),
    "goh-banana": Tuned("momentum", 3.16e-3),
    "griewank": Tuned("adam", 0.1),
    "levy-13": Tuned("momentum", 3.16e-3),
    "easom": Tuned("adam", 0.56),
    "dupont": Tuned("momentum", 5.6e-3),
}
"""An optimizer that does well on each problem, found by a grid of learning rates."""


NOISY = ("noisy-quadratic",)
"""Problems whose loss takes noise from its key."""

QUICK = {"xla_backend_optimization_level": 0}
"""Compiler options: these programs run for less time than they take to compile."""


@functools.cache
def get(name: str) -> Problem:
    return problems.get(name)


def few(split):
    """A batch that is cheap to evaluate."""
    return jax.tree.map(lambda array: array[:32], split)


def test_the_table_holds_every_problem():
    assert tuple(TUNED) == problems.names()


@pytest.mark.parametrize("name", problems.names())
def test_fields_are_well_formed(name):
    problem = get(name)
    assert set(problem.data) == set(SPLITS)
    assert problem.floor is None or np.isfinite(problem.floor)
    assert problem.batch_size is None or 1 <= problem.batch_size <= len(problem.data["train"][1])


@pytest.mark.parametrize("name", problems.names())
def test_init_loss_gradient_and_metrics_under_jit_and_vmap_with_data_as_an_argument(name, key):
    problem = get(name)

    @functools.partial(jax.jit, compiler_options=QUICK)
    def everything(data, keys):
        given = problem._replace(data=data)
        params = jax.vmap(given.init)(keys)
        batch = few(given.data["train"])
        losses, grads = jax.vmap(jax.value_and_grad(given.loss), (0, None, 0))(params, batch, keys)
        metrics = jax.vmap(given.metrics, (0, None))(params, batch)
        repeated = given.loss(jax.tree.map(lambda p: p[0], params), batch, keys[1])
        return params, losses, grads, metrics, repeated

    keys = jax.random.split(key, 2)
    params, losses, grads, metrics, repeated = everything(problem.data, keys)
    assert losses.shape == (2,)
    assert "loss" in metrics
    assert all(value.shape == (2,) for value in metrics.values())
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((params, losses, grads, metrics)))
    assert {leaf.dtype for leaf in jax.tree.leaves((params, losses, grads, metrics))} == {jnp.dtype("float32")}
    assert jax.tree.map(jnp.shape, grads) == jax.tree.map(jnp.shape, params)
    assert problem.target is None or (metrics["loss"] > problem.target).all(), "solved before it starts"
    assert np.allclose(losses[0], repeated, rtol=1e-5) == (name not in NOISY), "does the loss depend on its key?"
    lane = jax.tree.map(lambda p: p[0], params)
    np.testing.assert_allclose(problem.loss(lane, few(problem.data["train"]), keys[0]), losses[0], rtol=1e-4, atol=1e-5)


def trained(name: str, steps: int, seeds: int, compiler_options=None):
    """Final parameters of the tuned optimizer, and its validation losses of shape ``(seeds, records)``."""
    problem, (optimizer, rate) = get(name), TUNED[name]

    @functools.partial(jax.jit, compiler_options=compiler_options)
    def run(data, keys):
        tx = optimizers.FACTORIES[optimizer](rate)
        given = problem._replace(data=data)
        state, curves = jax.vmap(lambda key: training.train(given, tx, key, steps, record_every=10))(keys)
        return state.params, curves.metrics["val_loss"]

    params, losses = run(problem.data, jax.random.split(jax.random.key(0), seeds))
    return params, np.asarray(losses)


def objective(problem: Problem, params, key) -> jax.Array:
    """The noiseless training loss, which the floor bounds; the metric of a formula is its loss without noise."""
    train = problem.data["train"]
    return problem.loss(params, train, key) if train else problem.metrics(params, train)["loss"]


@pytest.mark.parametrize("name", problems.names())
def test_thirty_steps_of_a_tuned_optimizer_lower_the_loss_and_respect_the_floor(name, key):
    problem = get(name)
    lanes, losses = trained(name, 30, 1, QUICK)
    assert np.isfinite(losses).all()
    assert losses[0, -1] < losses[0, 0]
    if problem.floor is not None:
        end = objective(problem, jax.tree.map(lambda p: p[0], lanes), key)
        assert problem.floor - 1e-6 * max(1, abs(problem.floor)) <= end < objective(problem, problem.init(key), key)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in problems.names() if get(name).target is not None])
def test_the_target_is_within_reach_of_500_steps(name):
    reached = np.nanmin(trained(name, 500, 3)[1], axis=1)
    assert np.median(reached) <= get(name).target


ANALYTIC = [name for name in problems.names() if problems.get(name).data["train"] == ()]


@pytest.mark.parametrize("name", ANALYTIC)
def test_formulas_work_in_every_dtype_asked_for(name, key):
    for dtype in ("bfloat16", "float32", "float64"):
        problem = problems.get(name, dtype=dtype)
        params = jax.eval_shape(problem.init, key)
        loss, grads = jax.eval_shape(jax.value_and_grad(problem.loss), params, (), key)
        assert (params.dtype, loss.dtype, grads.dtype) == (dtype, dtype, dtype)


@pytest.mark.parametrize("name", ANALYTIC)
def test_all_seeds_start_alike_unless_a_random_start_is_asked_for(name, key):
    other = jax.random.key(1)
    fixed, drawn = problems.get(name), problems.get(name, random_start=True)
    np.testing.assert_array_equal(fixed.init(key), fixed.init(other))
    assert not np.array_equal(drawn.init(key), drawn.init(other))
    np.testing.assert_array_equal(drawn.init(key), drawn.init(key))


def test_a_factory_documents_every_argument():
    from jaxdl.problems import registry

    for name in problems.names():
        factory = registry._factory(name)
        parameters = [p for p in inspect.signature(factory).parameters if p != "name"]
        documentation = getattr(factory, "func", factory).__doc__
        assert all(f"{parameter}: " in documentation for parameter in parameters), name
