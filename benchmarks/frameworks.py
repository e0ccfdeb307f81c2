"""The real optimizers of torch, Keras and optax, and ours, along one path: identical gradients, float64 throughout.

A configuration is a framework's own name and arguments. Because ``jaxdl.conventions`` spells them alike, the same
arguments drive both sides.
"""

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import conventions

STEPS, SIZE = 60, 12
RATE = 0.02


class Configuration(NamedTuple):
    """``framework``, ``name`` of the optimizer there, and its ``arguments`` by keyword, without the learning rate."""

    framework: str
    name: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name}({given})"


class Feed(NamedTuple):
    """``theta`` of shape (12,), ``gradients`` (60, 12) and ``rates`` (60,) by name."""

    theta: np.ndarray
    gradients: np.ndarray
    rates: Mapping[str, np.ndarray]


def feed() -> Feed:
    """Random signs, magnitudes over four decades; one coordinate at rest for five steps, one steady, one tiny."""
    rng = np.random.default_rng(7)
    gradients = 10.0 ** rng.uniform(-3, 1, (STEPS, SIZE)) * rng.choice([-1.0, 1.0], (STEPS, SIZE))
    gradients[:5, 0] = 0.0
    gradients[:, 1] = 0.1
    gradients[:, 2] *= 1e-8
    cosine = RATE * np.cos(np.pi / 2 * np.arange(STEPS) / STEPS) ** 2
    return Feed(rng.normal(size=SIZE), gradients, {"constant": np.full(STEPS, RATE), "decaying": cosine})


def _listed(framework: str, table: Mapping[str, tuple[dict[str, Any], ...]]) -> Iterator[Configuration]:
    for name, variants in table.items():
        for arguments in variants:
            yield Configuration(framework, name, arguments)


TORCH: dict[str, tuple[dict[str, Any], ...]] = {
    "SGD": (
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "dampening": 0.4, "weight_decay": 0.3},
    ),
    "Adagrad": ({}, {"lr_decay": 0.1, "weight_decay": 0.3, "initial_accumulator_value": 0.5, "eps": 0.01}),
    "Adadelta": ({"eps": 0.01}, {"rho": 0.95, "eps": 0.01, "weight_decay": 0.3}),
    "RMSprop": (
        {},
        {"momentum": 0.9},
        {"centered": True},
        {"centered": True, "momentum": 0.9, "eps": 0.01, "weight_decay": 0.3},
    ),
    "Adam": ({}, {"eps": 0.01, "weight_decay": 0.3}, {"amsgrad": True}),
    "AdamW": ({"weight_decay": 0.3}, {"weight_decay": 0.3, "amsgrad": True, "eps": 0.01}),
    "NAdam": ({}, {"eps": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "RAdam": ({}, {"eps": 0.01, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    "Adamax": ({}, {"eps": 0.01, "weight_decay": 0.3}),
}
KERAS: dict[str, tuple[dict[str, Any], ...]] = {
    "SGD": ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "weight_decay": 0.3}),
    "Adagrad": ({}, {"initial_accumulator_value": 0.5, "epsilon": 0.01, "weight_decay": 0.3}),
    "Adadelta": ({"epsilon": 0.01},),
    "RMSprop": (
        {},
        {"momentum": 0.9},
        {"centered": True},
        {"centered": True, "momentum": 0.9, "epsilon": 0.01, "weight_decay": 0.3},
    ),
    "Adam": ({}, {"epsilon": 0.01, "weight_decay": 0.3}, {"amsgrad": True}),
    "AdamW": ({"weight_decay": 0.3, "amsgrad": True, "epsilon": 0.01},),
    "Nadam": ({}, {"epsilon": 0.01, "weight_decay": 0.3}),
    "Adamax": ({}, {"epsilon": 0.01, "weight_decay": 0.3}),
    "Lion": ({}, {"weight_decay": 0.3}),
}
OPTAX: dict[str, tuple[dict[str, Any], ...]] = {
    "sgd": ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}),
    "adagrad": ({}, {"initial_accumulator_value": 0.5, "eps": 0.01}),
    "adadelta": ({"eps": 0.01}, {"rho": 0.95, "eps": 0.01, "weight_decay": 0.3}),
    "rmsprop": ({}, {"momentum": 0.9}, {"centered": True}, {"eps_in_sqrt": False, "eps": 0.01, "nesterov": True}),
    "adam": ({}, {"eps": 0.01, "eps_root": 0.01}),
    "adamw": ({"weight_decay": 0.3},),
    "amsgrad": ({}, {"bias_correction_mu": False, "bias_correction_nu": False, "eps": 0.01}),
    "adamax": ({}, {"eps": 0.01}),
    "adamaxw": ({"weight_decay": 0.3},),
    "nadam": ({}, {"eps": 0.01}),
    "nadamw": ({"weight_decay": 0.3},),
    "radam": ({}, {"eps": 0.01, "nesterov": True}),
    "lion": ({}, {"weight_decay": 0.3}),
    "sign_sgd": ({},),
    "signum": ({},),
}
CONFIGURATIONS = (*_listed("torch", TORCH), *_listed("keras", KERAS), *_listed("optax", OPTAX))
"""What is compared with ours, configuration by configuration."""


# --- paths -----------------------------------------------------------------------------------------------------------


Make: TypeAlias = Callable[[Any], Any]
"""``make(parameters)``: an optimizer."""


def _rate(rates: np.ndarray) -> Any:
    """A float where the rate is constant, else a schedule that looks it up."""
    return float(rates[0]) if (rates == rates[0]).all() else lambda count: jnp.asarray(rates)[count]


def jax_path(tx: optax.GradientTransformation, theta: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Every point that a transformation visits, shape (60, 12)."""

    def step(carry: Any, gradient: jax.Array) -> Any:
        params, state = carry
        updates, state = tx.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), params

    start = jnp.asarray(theta)
    run = jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), jnp.asarray(gradients))[1])
    return np.asarray(run())


def ours(configuration: Configuration, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Our path, by the framework's spelling."""
    factory = getattr(getattr(conventions, configuration.framework), configuration.name)
    return jax_path(factory(_rate(rates), **configuration.arguments), theta, gradients)


def _of_optax(make: Make, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray | None) -> np.ndarray:
    del rates  # stands in the transformation
    with jax.numpy_dtype_promotion("standard"):
        return jax_path(make(None), theta, gradients)


def _of_torch(make: Make, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray | None) -> np.ndarray:
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # counts and products are kept in the default dtype
    try:
        parameter = torch.nn.Parameter(torch.tensor(theta))
        optimizer, path = make([parameter]), []
        for step, gradient in enumerate(gradients):
            if rates is not None:
                optimizer.param_groups[0]["lr"] = float(rates[step])
            parameter.grad = torch.tensor(gradient)
            optimizer.step()
            path.append(parameter.detach().numpy().copy())
        return np.array(path)
    finally:
        torch.set_default_dtype(before)


def _of_keras(make: Make, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray | None) -> np.ndarray:
    keras = _imported("keras")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            variable = keras.Variable(theta, dtype="float64")
            optimizer, path = make([variable]), []
            for step, gradient in enumerate(gradients):
                if rates is not None:
                    optimizer.learning_rate = float(rates[step])
                optimizer.apply([jnp.asarray(gradient)], [variable])
                path.append(np.asarray(variable.value))
        return np.array(path)
    finally:
        keras.config.set_floatx(before)


def _imported(module: str) -> Any:
    """A framework's module; Keras on its JAX backend."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module(module)


_PATHS: Mapping[str, Callable[..., np.ndarray]] = {"torch": _of_torch, "keras": _of_keras, "optax": _of_optax}


def followed(
    framework: str, make: Make, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray | None = None
) -> np.ndarray:
    """The path of one of a framework's own optimizers in float64, shape (60, 12).

    Args:
      framework: torch, keras or optax.
      make: Makes the optimizer of the framework's list of parameters; of optax, whose transformations hold none, of
        None.
      theta: The starting point.
      gradients: One a step.
      rates: Assigned before every step in torch and Keras; None leaves the optimizer's own rate. Not read for optax.
    """
    return _PATHS[framework](make, theta, gradients, rates)


def theirs(configuration: Configuration, theta: np.ndarray, gradients: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The framework's own path, its rate set before every step."""
    home, given = {
        "torch": ("torch.optim", {"lr": 1.0, "foreach": False}),
        "keras": ("keras.optimizers", {"learning_rate": 1.0}),
        "optax": ("optax", {"learning_rate": _rate(rates)}),
    }[configuration.framework]

    def make(parameters: Any) -> Any:
        constructor = getattr(_imported(home), configuration.name)
        first = (parameters,) if configuration.framework == "torch" else ()
        return constructor(*first, **given, **configuration.arguments)

    return followed(configuration.framework, make, theta, gradients, rates)


def installed(framework: str) -> str | None:
    """The framework's version, or None where it is not installed."""
    return metadata.version(framework) if importlib.util.find_spec(framework) else None


def difference(path: np.ndarray, other: np.ndarray) -> float:
    """Largest |path − other| relative to max(1, ‖θ‖∞) of each point; infinite where anything is not finite."""
    if not (np.isfinite(path).all() and np.isfinite(other).all()):
        return float("inf")
    size = np.maximum(1.0, np.abs(other).max(axis=-1, keepdims=True))
    return float(np.max(np.abs(path - other) / size))
