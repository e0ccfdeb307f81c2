"""Wrong optimizers that the trajectory tests must reject: a suite that passes them would prove nothing.

Each is judged by the comparison of ``tests/test_optimizers.py``.
"""

from typing import NamedTuple

import pytest

from jaxdl import optimizers, transforms
from tests import cases, mutants
from tests.cases_adaptive import TRAJECTORY

ROOMS = [*mutants.room(transforms), *mutants.room(optimizers)]


class Mutant(NamedTuple):
    """``line`` of ``module`` replaced by ``broken``; the row of the trajectory table that must reject it."""

    name: str
    module: str
    line: str
    broken: str
    case: str


MUTANTS = (
    # Adam
    Mutant("mean not corrected", "transforms.adam", "return m / (1 - b1**t)", "return m", "adam"),
    Mutant("square not corrected", "transforms.adam", "v_hat = v / c if correct_nu else v", "v_hat = v", "adam"),
    Mutant(
        "neither corrected when only one is",
        "transforms.adam",
        "bias_correction if bias_correction_mu is None else bias_correction_mu",
        "bias_correction if bias_correction_nu is None else bias_correction_nu",
        "adam, only the square corrected",
    ),
    Mutant(
        "eps inside the root",
        "transforms.denominators",
        "return u / (tree.root(v_hat) + eps)\n",
        "return u / tree.root(v_hat + eps)\n",
        "adam, large eps",
    ),
    Mutant(
        "eps_root outside",
        "transforms.adam",
        'v_hat + eps["eps_root"], eps["eps"], c',
        'v_hat, eps["eps"] + eps["eps_root"], c',
        "adam, eps inside too",
    ),
    Mutant("hat is plain eps", "transforms.denominators", "eps / jnp.sqrt(c)", "eps", "adam, hat"),
    Mutant(
        "floor added",
        "transforms.denominators",
        "jnp.maximum(tree.root(v_hat), eps)",
        "(tree.root(v_hat) + eps)",
        "adam, clamped",
    ),
    # the kin of Adam
    Mutant("amsgrad forgets", "transforms.amsgrad", "w = jnp.maximum(w, v / c)", "w = v / c", "amsgrad"),
    Mutant(
        "maximum corrected twice",
        "transforms.amsgrad",
        "w = jnp.maximum(w, v)\n",
        "w = jnp.maximum(w, v / c)\n",
        "amsgrad of raw squares",
    ),
    Mutant(
        "adamax corrects its maximum",
        "transforms.adamax",
        "(1 - b1**t) / divisor, m, w",
        "(1 - b1**t) / divisor * (1 - b2**t), m, w",
        "adamax",
    ),
    Mutant(
        "eps beside the maximum",
        "transforms.adamax",
        "jnp.maximum(forgotten, magnitude + eps)",
        "jnp.maximum(forgotten, magnitude) + eps",
        "adamax, large eps",
    ),
    Mutant(
        "constant momentum", "transforms.nadam", "(1 - 0.5 * 0.96 **", "(1 - 0.0 * 0.96 **", "nadam, rising momentum"
    ),
    Mutant(
        "momentum of today for tomorrow",
        "transforms.nadam",
        "momentum(tree.increment(t), dtype)",
        "momentum(t, dtype)",
        "nadam, rising momentum",
    ),
    Mutant(
        "product not kept",
        "transforms.nadam",
        "product = now * state.product",
        "product = now",
        "nadam, rising momentum",
    ),
    Mutant("never rectified", "transforms.radam", "r * divide_by(", "divide_by(", "radam"),
    Mutant("rectified one step early", "transforms.radam", "2 * age / mass - 1", "2 * age / mass", "radam"),
    Mutant("always divided", "transforms.radam", ", m_hat), m, v", ", m_hat / tree.root(v / c)), m, v", "radam"),
    # sums of squares
    Mutant(
        "adagrad starts from nothing",
        "transforms.adagrad",
        "full_like_real(params, initial_accumulator_value)",
        "full_like_real(params, 0.0)",
        "adagrad, large eps",
    ),
    Mutant("adagrad averages", "transforms.adagrad", "s = s + tree", "s = 0.9 * s + 0.1 * tree", "adagrad"),
    Mutant(
        "adadelta keeps the gradient's square twice",
        "transforms.adadelta",
        "* tree.square(u)",
        "* tree.square(g)",
        "adadelta",
    ),
    # signs
    Mutant("lion's betas swapped", "transforms.lion", "state.mu, b1=b1, b2=b2)", "state.mu, b1=b2, b2=b1)", "lion"),
    Mutant("no sign", "transforms.sign", "(jnp.sign(g),)", "(g,)", "sign_sgd"),
    Mutant("betas swapped", "transforms.adam", "b1=b1, b2=b2, t=t", "b1=b2, b2=b1, t=t", "adam"),
    Mutant("count starts at zero", "transforms.adam", "t = tree.increment(state.count)", "t = state.count", "adam"),
    Mutant("count never advances", "transforms.adam", "(count=t, mu=mu", "(count=state.count, mu=mu", "adam"),
    Mutant("count skips one", "transforms.adam", "(count=t, mu=mu", "(count=tree.increment(t), mu=mu", "adam"),
    Mutant("nadam corrects with today's power", "transforms.adam", "b1 ** (t + 1)", "b1**t", "nadam"),
    Mutant(
        "nadam without look-ahead",
        "transforms.adam",
        "return b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / (1 - b1**t)",
        "return m / (1 - b1**t)",
        "nadam",
    ),
    # RMSProp
    Mutant(
        "eps moved inside",
        "transforms.rms",
        "inside if eps_in_sqrt else outside",
        "inside",
        "rmsprop, large eps outside",
    ),
    Mutant(
        "eps moved outside",
        "transforms.rms",
        "inside if eps_in_sqrt else outside",
        "outside",
        "rmsprop, large eps inside",
    ),
    Mutant("centred without centring", "transforms.rms", "delta = g - mu", "delta = g", "centred rmsprop"),
    Mutant(
        "variance without its (1 - a)",
        "transforms.rms",
        "var = (1 - a) * (var + a",
        "var = ((1 - a) * var + a",
        "centred rmsprop",
    ),
    Mutant("variance of the old mean", "transforms.rms", "mu + a * delta, var", "mu, var", "centred rmsprop"),
    Mutant(
        "rms not corrected",
        "transforms.rms",
        "nu / c if bias_correction",
        "nu if bias_correction",
        "rmsprop, bias correction",
    ),
    Mutant(
        "start forgotten",
        "transforms.rms",
        "nu=tree.full_like_real(params, initial_scale)",
        "nu=tree.full_like_real(params, 0.0)",
        "rmsprop, defaults of tensorflow 1",
    ),
    # momentum and the rate
    Mutant(
        "nesterov without look-ahead",
        "transforms.momentum",
        "(direction(g, b, mu, 1 - d) if nesterov else b)",
        "b",
        "nesterov",
    ),
    Mutant(
        "averaged momentum",
        "transforms.momentum",
        "(g if dampening is None",
        "((1 - mu) * g if dampening is None",
        "heavy ball",
    ),
    Mutant(
        "first step dampened",
        "transforms.momentum",
        "state.count == 0",
        "state.count < 0",
        "dampened: but not at first",
    ),
    Mutant(
        "always the first step",
        "transforms.momentum",
        "(count=tree.increment(state.count)",
        "(count=state.count",
        "dampened: but not at first",
    ),
    Mutant(
        "muon's gradient whole",
        "transforms.momentum",
        "return kept * g + mu * b",
        "return g + mu * b",
        "dampened: nesterov of muon",
    ),
    Mutant(
        "rate inside the velocity",
        "optimizers.descent",
        "return chain(rate, velocity) if learning_rate_in_velocity",
        "return chain(rate, velocity) if not learning_rate_in_velocity",
        "heavy ball",
    ),
    Mutant(
        "rmsprop's rate outside the velocity",
        "optimizers.adaptive",
        "return chain(scale, rate, velocity) if learning_rate_in_velocity",
        "return chain(scale, rate, velocity) if not learning_rate_in_velocity",
        "rmsprop, momentum",
    ),
    Mutant("half rate", "transforms.learning_rate", "-c * u", "-0.5 * c * u", "sgd"),
    Mutant("sign flipped", "transforms.learning_rate", "-c * u", "c * u", "sgd"),
    Mutant(
        "schedule one step ahead",
        "transforms.scheduled",
        "coefficient(state.count)",
        "coefficient(state.count + 1)",
        "sgd",
    ),
    Mutant(
        "schedule stands still", "transforms.scheduled", "count=tree.increment(state.count)", "count=state.count", "sgd"
    ),
    # weight decay
    Mutant("decay of the gradient", "transforms.decay", "u + c * theta", "u + c * u", "adamw"),
    Mutant("decay reversed", "transforms.decay", "u + c * theta", "u - c * theta", "adamw"),
    Mutant(
        "decay after the rate",
        "optimizers.decayed",
        "return add_decayed_weights(weight_decay, mask), rate",
        "return rate, add_decayed_weights(weight_decay, mask)",
        "adamw",
    ),
    Mutant(
        "decay forgotten",
        "optimizers.decayed",
        "return add_decayed_weights(weight_decay, mask), rate",
        "return add_decayed_weights(0.0, mask), rate",
        "lion",
    ),
    Mutant(
        "schedule-scaled by the rate",
        "transforms.shrink",
        "u - eta / peak * decay",
        "u - eta * decay",
        "decay, times schedule",
    ),
    Mutant("corrected only once", "transforms.shrink", "eta * eta / peak", "eta / peak", "decay, corrected"),
    Mutant("palm with its rate once", "transforms.shrink", "eta * eta * decay", "eta * decay", "decay, palm"),
    Mutant("explicit for implicit", "transforms.shrink", ") / (1 + eta * decay)", ")", "decay, proximal"),
    Mutant(
        "shrinks one step ahead",
        "transforms.shrink",
        "value(state.count) if",
        "value(state.count + 1) if",
        "decay, times rate",
    ),
    Mutant(
        "mask inverted", "transforms.decay", "new if chosen else old", "old if chosen else new", "adamw, prefix mask"
    ),
    Mutant(
        "mask ignored",
        "transforms.decay",
        "everywhere if mask is None else where(mask, everywhere)",
        "everywhere",
        "adamw, callable mask",
    ),
    # clipping
    Mutant(
        "short gradients stretched", "transforms.clip", "jnp.maximum(c, norm)", "norm", "sgd, clipped by global norm"
    ),
    Mutant(
        "clipped on one side", "transforms.clip", "jnp.clip(u, -delta, delta)", "jnp.minimum(u, delta)", "sgd, clipped"
    ),
)


def install(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the mutant wherever jaxdl holds the original."""
    mutants.install(mutant.module, mutant.line, mutant.broken, ROOMS, monkeypatch)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_rejected(mutant, monkeypatch):
    install(mutant, monkeypatch)
    assert not cases.accepts(TRAJECTORY[mutant.case])


CONTROLS = {mutant.module: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", CONTROLS.values(), ids=lambda mutant: mutant.module)
def test_the_same_transplant_without_the_break_is_accepted(mutant, monkeypatch):
    install(mutant._replace(broken=mutant.line), monkeypatch)
    assert cases.accepts(TRAJECTORY[mutant.case])


@pytest.mark.parametrize("name", ["rate inside the velocity", "schedule one step ahead", "schedule stands still"])
def test_a_constant_rate_would_have_hidden_it(name, monkeypatch):
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    install(mutant, monkeypatch)
    assert cases.accepts(TRAJECTORY[mutant.case], rate="constant")
