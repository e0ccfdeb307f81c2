"""TensorFlow 1, the papers and the lecture against the NumPy twins; and what the spellings refuse."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import conventions, schedules
from tests import cases, oracles, oracles_adaptive

keras, lecture, paper, tf1, torch = (
    getattr(conventions, name) for name in ("keras", "lecture", "paper", "tensorflow1", "torch")
)


class Spelling(NamedTuple):
    """``ours`` of a rate, and the twin with its hyper-parameters."""

    name: str
    ours: Callable[[Any], Any]
    twin: Callable[..., np.ndarray]
    hyper: Mapping[str, Any]


INSIDE = {"learning_rate_in_velocity": True}
HAT = {"division": "hat"}
SPELLINGS = (
    Spelling("tf1 gradient descent", tf1.GradientDescentOptimizer, oracles.sgd, {}),
    Spelling("tf1 momentum", lambda rate: tf1.MomentumOptimizer(rate, 0.9), oracles.sgd, {"momentum": 0.9}),
    Spelling(
        "tf1 nesterov",
        lambda rate: tf1.MomentumOptimizer(rate, 0.9, use_nesterov=True),
        oracles.sgd,
        {"momentum": 0.9, "nesterov": True},
    ),
    Spelling("tf1 adagrad", tf1.AdagradOptimizer, oracles_adaptive.adagrad, {"eps": 0.0}),
    Spelling("tf1 adadelta", tf1.AdadeltaOptimizer, oracles_adaptive.adadelta, {"rho": 0.95, "eps": 1e-8}),
    Spelling("tf1 rmsprop", tf1.RMSPropOptimizer, oracles.rmsprop, {"eps": 1e-10, "initial_scale": 1.0}),
    Spelling(
        "tf1 centred rmsprop with momentum",
        lambda rate: tf1.RMSPropOptimizer(rate, momentum=0.9, epsilon=0.1, centered=True),
        oracles.rmsprop,
        {"eps": 0.1, "initial_scale": 1.0, "centered": True, "momentum": 0.9},
    ),
    Spelling("tf1 adam", lambda rate: tf1.AdamOptimizer(rate, epsilon=0.1), oracles.adam, {"eps": 0.1, **HAT}),
    Spelling("paper heavy ball", lambda rate: paper.heavy_ball(rate, 0.9), oracles.sgd, {"momentum": 0.9, **INSIDE}),
    Spelling(
        "paper nesterov",
        lambda rate: paper.nesterov(rate, 0.9),
        oracles.sgd,
        {"momentum": 0.9, "nesterov": True, **INSIDE},
    ),
    Spelling(
        "paper adagrad",
        lambda rate: paper.adagrad(rate, 0.1),
        oracles_adaptive.adagrad,
        {"initial_accumulator_value": 0.0, "eps": 0.1, "eps_in_sqrt": False},
    ),
    Spelling("paper rmsprop", paper.rmsprop, oracles.rmsprop, {"eps": 0.0}),
    Spelling("paper adam", paper.adam, oracles.adam, {}),
    Spelling("paper adamax", paper.adamax, oracles_adaptive.adamax, {"eps": 0.0}),
    Spelling(
        "paper amsgrad",
        paper.amsgrad,
        oracles_adaptive.amsgrad,
        {"eps": 0.0, "bias_correction_mu": False, "bias_correction_nu": False},
    ),
    Spelling("paper nadam", paper.nadam, oracles_adaptive.nadam, {"b1": 0.99, "momentum_decay": 0.004}),
    Spelling("paper radam", paper.radam, oracles_adaptive.radam, {"eps": 0.0, "threshold": 4.0}),
    Spelling("paper lion", lambda rate: paper.lion(rate, lambda_=0.3), oracles_adaptive.lion, {"weight_decay": 0.3}),
    Spelling("lecture sgd", lecture.sgd, oracles.sgd, {}),
    Spelling("lecture momentum", lecture.momentum, oracles.sgd, {"momentum": 0.9, **INSIDE}),
    Spelling("lecture rmsprop", lecture.rmsprop, oracles.rmsprop, {"eps": 0.0}),
    Spelling("lecture adam", lecture.adam, oracles.adam, {}),
    Spelling(
        "lecture weight decay",
        lambda rate: lecture.sgd_with_weight_decay(rate, 0.01),
        oracles_adaptive.shrunk,
        {"weight_decay": 0.01, "form": "fixed"},
    ),
    Spelling(
        "lecture demo rmsprop",
        lecture.demo_rmsprop,
        oracles.rmsprop,
        {"decay": 0.99, "eps": 1e-6, "eps_in_sqrt": False},
    ),
    Spelling("lecture demo adam", lecture.demo_adam, oracles.adam, {"b1": 0.7, "eps": 1e-6, "bias_correction": False}),
)


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.name)
def test_path_under_a_decaying_rate_is_the_twins(spelling):
    rate = cases.RATES["cosine"]
    path = cases.path(spelling.ours(rate.ours(cases.SIZE_OF_RATE)), *cases.feed("float64"))
    twin = spelling.twin(*cases.feed("float64"), rate.values(cases.SIZE_OF_RATE), **spelling.hyper)
    assert cases.deviation(path, twin) <= 1e-12


def test_paper_adadelta_has_no_rate():
    path = cases.path(paper.adadelta(), *cases.feed("float64"))
    twin = oracles_adaptive.adadelta(*cases.feed("float64"), np.ones(cases.STEPS), rho=0.95)
    assert cases.deviation(path, twin) <= 1e-12


def test_decay_of_loshchilov_and_hutter_is_times_the_schedule_and_not_times_the_rate():
    multiplier = oracles.cosine(cases.COUNTS, 1.0, cases.STEPS)
    tx = paper.adamw(0.02, lambda_=0.01, eta=schedules.cosine(1.0, cases.STEPS))
    theta, gradients = cases.feed("float64")
    # λθ is multiplied by η alone: the twin's decay, which it multiplies by αη, is λ/α.
    twin = oracles.adam(theta, gradients, 0.02 * multiplier, weight_decay=0.01 / 0.02)
    assert cases.deviation(cases.path(tx, theta, gradients), twin) <= 1e-12


def test_as_printed_without_epsilon_a_weight_at_rest_stays():
    for tx in (lecture.rmsprop(0.1), paper.amsgrad(0.1), paper.adamax(0.1), paper.adagrad(0.1, 0.0)):
        updates, _ = tx.update(jnp.array([0.0, 1.0]), tx.init(jnp.zeros(2)))
        assert updates[0] == 0
        assert updates[1] < 0


# --- what zeros mean, what is traced, what is refused -----------------------------------------------------------------


def test_zero_momentum_and_zero_decay_are_none_as_in_torch():
    tx = torch.SGD(0.1, momentum=0.0, dampening=0.5, weight_decay=0)
    updates, _ = tx.update(jnp.ones(2), tx.init(jnp.ones(2)))  # needs no params
    assert updates.tolist() == [-0.1, -0.1]


def test_every_float_may_be_traced():
    theta, gradients = cases.feed("float64")

    @jax.jit
    def last(momentum, dampening, decay):
        tx = torch.SGD(0.02, momentum, dampening, decay)
        params, state = jnp.asarray(theta), tx.init(jnp.asarray(theta))
        for gradient in gradients[:3]:
            updates, state = tx.update(jnp.asarray(gradient), state, params)
            params = params + updates
        return params

    constant = cases.path(torch.SGD(0.02, 0.9, 0.4, 0.3), theta, gradients[:3])[-1]
    np.testing.assert_allclose(last(0.9, 0.4, 0.3), constant, rtol=1e-14)


@pytest.mark.parametrize("keywords", [{"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}])
def test_torch_refuses_nesterov_without_momentum_or_with_dampening(keywords):
    with pytest.raises(ValueError, match=r"^Nesterov momentum needs a momentum and no dampening in torch\.$"):
        torch.SGD(0.1, **keywords)


def test_adadelta_of_optax_is_refused_without_its_rate():
    with pytest.raises(ValueError, match=r"^learning_rate must be given: without one, optax's adadelta .* ascends\.$"):
        conventions.optax.adadelta()


def test_keras_decay_does_not_enter_the_velocity():
    tx = keras.SGD(0.1, momentum=0.9, weight_decay=0.5)
    theta, state = jnp.ones(1), tx.init(jnp.ones(1))
    for _ in range(3):
        updates, state = tx.update(jnp.zeros(1), state, theta)
        theta = theta + updates
    np.testing.assert_allclose(theta, 0.95**3, rtol=1e-14)
