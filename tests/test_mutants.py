"""Wrong optimizers that the trajectory tests must reject: a suite that passes them would prove nothing.

A mutant is one of our own source files with one line broken. It is compiled beside the original, put in its place
wherever jaxdl uses it, and judged by the comparison of ``tests/test_optimizers.py``. Where a mutant's line is no longer
in the source, its test says so: break the new line in the same way.
"""

import importlib
import types
from pathlib import Path
from typing import NamedTuple

import pytest

from jaxdl import optimizers, transforms
from tests import cases

ROOMS = [transforms, optimizers] + [
    importlib.import_module(f"jaxdl.transforms.{name}")
    for name in ("adam", "clip", "decay", "learning_rate", "momentum", "rms", "scheduled")
]


class Mutant(NamedTuple):
    """``line`` of ``module`` replaced by ``broken``; the row of the trajectory table that must reject it."""

    name: str
    module: str
    line: str
    broken: str
    case: str


MUTANTS = (
    # Adam
    Mutant("no bias correction", "transforms.adam", "if bias_correction:", "if False:", "adam"),
    Mutant("mean not corrected", "transforms.adam", "else m / correction", "else m", "adam"),
    Mutant("square not corrected", "transforms.adam", "v_hat = v / (1 - b2**t)", "v_hat = v", "adam"),
    Mutant(
        "eps inside the root",
        "transforms.adam",
        'v_hat + eps["eps_root"]) + eps["eps"]',
        'v_hat + eps["eps_root"] + eps["eps"])',
        "adam, large eps",
    ),
    Mutant(
        "eps_root outside",
        "transforms.adam",
        '(v_hat + eps["eps_root"])',
        '(v_hat) + eps["eps_root"]',
        "adam, eps inside too",
    ),
    Mutant("betas swapped", "transforms.adam", "b1=b1, b2=b2, t=t", "b1=b2, b2=b1, t=t", "adam"),
    Mutant("count starts at zero", "transforms.adam", "t = tree.increment(state.count)", "t = state.count", "adam"),
    Mutant("count never advances", "transforms.adam", "(count=t, mu=mu", "(count=state.count, mu=mu", "adam"),
    Mutant("count skips one", "transforms.adam", "(count=t, mu=mu", "(count=tree.increment(t), mu=mu", "adam"),
    Mutant("nadam corrects with today's power", "transforms.adam", "b1 ** (t + 1)", "b1**t", "nadam"),
    Mutant(
        "nadam without look-ahead",
        "transforms.adam",
        "m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g",
        "m_hat = m",
        "nadam",
    ),
    # RMSProp
    Mutant(
        "eps moved inside",
        "transforms.rms",
        "(tree.root(squared) + eps)",
        "tree.root(squared + eps)",
        "rmsprop, large eps outside",
    ),
    Mutant(
        "eps moved outside",
        "transforms.rms",
        "jax.lax.rsqrt(squared + eps)",
        "(1 / (jnp.sqrt(squared) + eps))",
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
        "nu / (1 - alpha**t) if bias_correction",
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
    Mutant("nesterov without look-ahead", "transforms.momentum", "(g + mu * b if nesterov else b)", "b", "nesterov"),
    Mutant("averaged momentum", "transforms.momentum", "b = mu * b + g", "b = mu * b + (1 - mu) * g", "heavy ball"),
    Mutant(
        "rate inside the velocity",
        "optimizers",
        "return optax.chain(rate, velocity) if learning_rate_in_velocity",
        "return optax.chain(rate, velocity) if not learning_rate_in_velocity",
        "heavy ball",
    ),
    Mutant(
        "rmsprop's rate outside the velocity",
        "optimizers",
        "return optax.chain(scale, rate, velocity) if learning_rate_in_velocity",
        "return optax.chain(scale, rate, velocity) if not learning_rate_in_velocity",
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
        "decay before the scaling",
        "optimizers",
        "optax.chain(direction, add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))",
        "optax.chain(add_decayed_weights(weight_decay, mask), direction, scale_by_learning_rate(learning_rate))",
        "adamw",
    ),
    Mutant(
        "decay after the rate",
        "optimizers",
        "optax.chain(direction, add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))",
        "optax.chain(direction, scale_by_learning_rate(learning_rate), add_decayed_weights(weight_decay, mask))",
        "adamw",
    ),
    Mutant(
        "mask inverted", "transforms.decay", "new if chosen else old", "old if chosen else new", "adamw, prefix mask"
    ),
    Mutant(
        "mask ignored",
        "transforms.decay",
        "everywhere if mask is None else _where(mask, everywhere)",
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


def _mutated(mutant: Mutant) -> tuple[types.ModuleType, types.ModuleType]:
    """The original module, and a second one compiled from its source with the line broken."""
    original = importlib.import_module(f"jaxdl.{mutant.module}")
    source = Path(original.__file__).read_text(encoding="utf-8")
    assert source.count(mutant.line) == 1, f"{mutant.line!r} is no longer one line of {original.__file__}"
    module = types.ModuleType(original.__name__)
    exec(compile(source.replace(mutant.line, mutant.broken), f"<{mutant.name}>", "exec"), vars(module))
    return original, module


def _install(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the mutant's functions wherever a room holds the original's."""
    original, module = _mutated(mutant)
    for name, function in vars(original).items():
        if getattr(function, "__module__", None) == original.__name__:
            for room in ROOMS:
                if vars(room).get(name) is function:
                    monkeypatch.setattr(room, name, getattr(module, name))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_rejected(mutant, monkeypatch):
    _install(mutant, monkeypatch)
    assert not cases.accepts(cases.TRAJECTORY[mutant.case])


CONTROLS = {mutant.module: mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", CONTROLS.values(), ids=lambda mutant: mutant.module)
def test_the_same_transplant_without_the_break_is_accepted(mutant, monkeypatch):
    _install(mutant._replace(broken=mutant.line), monkeypatch)
    assert cases.accepts(cases.TRAJECTORY[mutant.case])


@pytest.mark.parametrize("name", ["rate inside the velocity", "schedule one step ahead", "schedule stands still"])
def test_a_constant_rate_would_have_hidden_it(name, monkeypatch):
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    _install(mutant, monkeypatch)
    assert cases.accepts(cases.TRAJECTORY[mutant.case], rate="constant")
