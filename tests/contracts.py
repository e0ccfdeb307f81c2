"""The table of how transformations are called: every factory with a value for each of its floats.

``tests/test_contracts.py`` holds the contracts that each row must keep. What the rules compute is ``tests/cases.py``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import optimizers, schedules, transforms
from jaxdl.transforms import amsgrad, denominators, momentum, shrink


class Contract(NamedTuple):
    """A factory, a value for each of its floats, and what else it is called with."""

    name: str
    factory: Callable[..., optax.GradientTransformationExtraArgs]
    floats: Mapping[str, float]
    structure: Mapping[str, Any] = MappingProxyType({})

    def make(self, **floats: Any) -> optax.GradientTransformationExtraArgs:
        return self.factory(**{**self.floats, **floats}, **self.structure)

    def arrays(self, dtype: Any = float) -> dict[str, jax.Array]:
        """The floats as arrays, to be traced."""
        return {name: jnp.asarray(value, dtype) for name, value in self.floats.items()}


ADAM = {"b1": 0.9, "b2": 0.99, "eps": 1e-3, "eps_root": 1e-4}
RMS = {"decay": 0.9, "eps": 1e-3, "initial_scale": 0.5}
VARIANCE = {"eps_in_sqrt": False, "bias_correction": True}


def _adam_with_warmup(peak: Any, warmup: Any, **floats: Any) -> optax.GradientTransformationExtraArgs:
    return optimizers.adam(schedules.warmup_cosine(0.01, peak, warmup, 6.0), **floats)


def _scheduled_adamw(final_decay: Any, **floats: Any) -> optax.GradientTransformationExtraArgs:
    return optimizers.adamw(weight_decay=schedules.linear(0.5, final_decay, 4), **floats)


CONTRACTS = (
    Contract("sgd", optimizers.sgd, {"learning_rate": 0.1}),
    Contract("sgd, momentum", optimizers.sgd, {"learning_rate": 0.1, "momentum": 0.9}),
    Contract("momentum", optimizers.momentum, {"learning_rate": 0.1, "momentum": 0.9}),
    Contract("nesterov", optimizers.nesterov, {"learning_rate": 0.1, "momentum": 0.9}),
    Contract(
        "nesterov, rate inside",
        optimizers.nesterov,
        {"learning_rate": 0.1, "momentum": 0.9},
        {"learning_rate_in_velocity": True},
    ),
    Contract("rmsprop", optimizers.rmsprop, {"learning_rate": 0.1, **RMS}),
    Contract(
        "rmsprop, centred, momentum",
        optimizers.rmsprop,
        {"learning_rate": 0.1, **RMS, "momentum": 0.9},
        {"centered": True, "nesterov": True, **VARIANCE},
    ),
    Contract("adam", optimizers.adam, {"learning_rate": 0.1, **ADAM}),
    Contract("nadam, warm-up", _adam_with_warmup, {"peak": 0.1, "warmup": 2.5, **ADAM}, {"nesterov": True}),
    Contract("adamw", optimizers.adamw, {"learning_rate": 0.1, **ADAM, "weight_decay": 0.1}),
    Contract(
        "adamw, prefix mask",
        optimizers.adamw,
        {"learning_rate": 0.1, **ADAM, "weight_decay": 0.1},
        {"mask": {"bias": False, "dense": True}},
    ),
    Contract("adamw, scheduled decay", _scheduled_adamw, {"learning_rate": 0.1, **ADAM, "final_decay": 0.1}),
    Contract("trace", transforms.trace, {"decay": 0.9}),
    Contract("trace, nesterov", transforms.trace, {"decay": 0.9}, {"nesterov": True}),
    Contract("scale_by_rms", transforms.scale_by_rms, RMS),
    Contract("scale_by_rms, corrected", transforms.scale_by_rms, RMS, VARIANCE),
    Contract("scale_by_stddev", transforms.scale_by_stddev, RMS),
    Contract("scale_by_stddev, corrected", transforms.scale_by_stddev, RMS, VARIANCE),
    Contract("scale_by_adam", transforms.scale_by_adam, ADAM),
    Contract("scale_by_adam, uncorrected", transforms.scale_by_adam, ADAM, {"bias_correction": False}),
    Contract("scale_by_learning_rate", transforms.scale_by_learning_rate, {"learning_rate": 0.1}),
    Contract("add_decayed_weights", transforms.add_decayed_weights, {"weight_decay": 0.1}),
    Contract(
        "add_l2_gradient", transforms.add_l2_gradient, {"weight_decay": 0.1}, {"mask": {"bias": True, "dense": False}}
    ),
    Contract("clip", transforms.clip, {"max_delta": 0.3}),
    Contract("clip_by_global_norm", transforms.clip_by_global_norm, {"max_norm": 2.0}),
)

NADAM = {"b1": 0.9, "b2": 0.99, "eps": 1e-3, "eps_root": 1e-4, "momentum_decay": 0.5}
RADAM = {"b1": 0.9, "b2": 0.99, "eps": 1e-3, "eps_root": 1e-4, "threshold": 4.5}
DECAYED = {"weight_decay": 0.1, "peak_rate": 0.2}
BY_PEAK = {"decay_by": shrink.corrected}

RULES = (
    Contract("trace, dampened", transforms.trace, {"decay": 0.9, "dampening": 0.3}),
    Contract(
        "trace, dampened but not at first",
        transforms.trace,
        {"decay": 0.9, "dampening": 0.3},
        {"dampen_first": False, "nesterov": True, "look_ahead": momentum.damped},
    ),
    Contract("scale_by_rss", transforms.scale_by_rss, {"initial_accumulator_value": 0.1, "eps": 1e-3}),
    Contract("scale_by_adadelta", transforms.scale_by_adadelta, {"rho": 0.9, "eps": 1e-3}),
    Contract("scale_by_adam, hat", transforms.scale_by_adam, ADAM, {"divide": denominators.hat}),
    Contract(
        "scale_by_amsgrad", transforms.scale_by_amsgrad, ADAM, {"maximum": amsgrad.of_raw, "divide": denominators.hat}
    ),
    Contract("scale_by_adamax", transforms.scale_by_adamax, {"b1": 0.9, "b2": 0.99, "eps": 1e-3}),
    Contract("scale_by_nadam", transforms.scale_by_nadam, NADAM),
    Contract("scale_by_radam", transforms.scale_by_radam, RADAM),
    Contract("scale_by_lion", transforms.scale_by_lion, {"b1": 0.9, "b2": 0.99}),
    Contract("scale_by_sign", transforms.scale_by_sign, {}),
    Contract(
        "shrink_weights",
        transforms.shrink_weights,
        {"weight_decay": 0.1, "learning_rate": 0.1, "peak_rate": 0.2},
        {"by": shrink.corrected},
    ),
    Contract("round_stochastically", transforms.round_stochastically, {}, {"key": jax.random.key(0)}),
)

RECIPES = (
    Contract("sgd, dampened", optimizers.sgd, {"learning_rate": 0.1, "momentum": 0.9, "dampening": 0.3}),
    Contract("adagrad", optimizers.adagrad, {"learning_rate": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-3}),
    Contract("adadelta", optimizers.adadelta, {"learning_rate": 0.1, "rho": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    Contract(
        "adamw, decay by the peak",
        optimizers.adamw,
        {"learning_rate": 0.1, **ADAM, **DECAYED},
        BY_PEAK,
    ),
    Contract("amsgrad", optimizers.amsgrad, {"learning_rate": 0.1, **ADAM}),
    Contract("adamax", optimizers.adamax, {"learning_rate": 0.1, "b1": 0.9, "b2": 0.99, "eps": 1e-3}),
    Contract(
        "adamaxw", optimizers.adamaxw, {"learning_rate": 0.1, "b1": 0.9, "b2": 0.99, "eps": 1e-3, **DECAYED}, BY_PEAK
    ),
    Contract("nadam", optimizers.nadam, {"learning_rate": 0.1, **NADAM}),
    Contract("nadamw", optimizers.nadamw, {"learning_rate": 0.1, **NADAM, **DECAYED}, BY_PEAK),
    Contract("radam", optimizers.radam, {"learning_rate": 0.1, **RADAM}),
    Contract("sign_sgd", optimizers.sign_sgd, {"learning_rate": 0.1}),
    Contract("signum", optimizers.signum, {"learning_rate": 0.1, "beta": 0.9}),
    Contract("lion", optimizers.lion, {"learning_rate": 0.1, "b1": 0.9, "b2": 0.99, **DECAYED}, BY_PEAK),
)
"""Chains of the rules above: what is compiled for a minute is tested on the rules."""

CONTRACTS = (*CONTRACTS, *RULES, *RECIPES)

CONTRACT = {contract.name: contract for contract in CONTRACTS}
