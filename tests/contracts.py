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

CONTRACT = {contract.name: contract for contract in CONTRACTS}
