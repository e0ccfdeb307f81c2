"""The observables of a run: chosen by name, given their hyper-parameters, averaged inside the scan.

A run records of each observable the **mean over the steps since the record before**. The sums are part of what the scan
carries, so that nothing as long as the run is ever held, and no derivative is taken through them.
"""

import inspect
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import checks, observers
from jaxdl.observers import Observer, Step
from jaxdl.typing import Metrics, OptimizerFactory

OBSERVERS: Mapping[str, Observer] = MappingProxyType(
    {
        "grad_norm": observers.grad_norm,
        "update_norm": observers.update_norm,
        "param_norm": observers.param_norm,
        "update_ratio": observers.update_ratio,
        "update_cosine": observers.update_cosine,
        "step_size_q10": observers.step_size_quantile(10),
        "step_size_q50": observers.step_size_quantile(50),
        "step_size_q90": observers.step_size_quantile(90),
    }
)
"""Observables that need no hyper-parameter, by name."""

FACTORIES: Mapping[str, Any] = MappingProxyType(
    {"eps_share": observers.eps_share, "clip_rate": observers.clip_rate, "clip_share": observers.clip_share}
)
"""Observables that do: functions whose arguments are named as the optimizers' and that return an observer."""

NOTHING: Mapping[str, Observer] = MappingProxyType({})
"""No observables: the run is compiled as if there were no such thing."""


def resolve(observe: Iterable[str] | Mapping[str, Observer], hyperparameters: Mapping[str, Any]) -> dict[str, Observer]:
    """The observers behind names.

    Args:
      observe: Names from :data:`OBSERVERS` and :data:`FACTORIES`, or observers by names of your own.
      hyperparameters: What the optimizer was built with, by the names of its factory's arguments, traced or not: see
        :func:`hyperparameters`. Those that an observable does not know are left out; those it could take and is not
        given have the default of the transformation.

    Returns:
      Observers by name.

    Raises:
      ValueError: an unknown name, or a hyper-parameter that an observable needs and is not given.

    >>> sorted(resolve(("grad_norm", "clip_rate"), {"learning_rate": 0.1, "max_norm": 1.0}))
    ['clip_rate', 'grad_norm']
    """
    if isinstance(observe, Mapping):
        return dict(observe)
    if isinstance(observe, str):
        raise ValueError(f"observe must be a list of names, such as ({observe!r},), got {observe!r}.")
    return {name: _by_name(name, hyperparameters) for name in observe}


def _by_name(name: str, hyperparameters: Mapping[str, Any]) -> Observer:
    checks.known("observable", name, (*OBSERVERS, *FACTORIES))
    if name in OBSERVERS:
        return OBSERVERS[name]
    factory = FACTORIES[name]
    parameters = inspect.signature(factory).parameters
    for needed in (p.name for p in parameters.values() if p.default is p.empty):
        if needed not in hyperparameters:
            raise ValueError(
                f"observable {name!r} needs the hyper-parameter {needed!r}, which is not among those given "
                f"({', '.join(hyperparameters) or 'none'}): give {{{name!r}: observers.{name}({needed}=…)}} instead."
            )
    observer: Observer = factory(**{p: hyperparameters[p] for p in parameters if p in hyperparameters})
    return observer


def hyperparameters(factory: OptimizerFactory, given: Mapping[str, Any]) -> dict[str, Any]:
    """What an optimizer is built with: the defaults of its factory, and over them what it is given.

    >>> from jaxdl import optimizers
    >>> built_with = hyperparameters(optimizers.adam, {"learning_rate": 0.1})
    >>> built_with["learning_rate"], built_with["eps"]
    (0.1, 1e-08)
    """
    arguments = inspect.signature(factory).parameters.values()
    return {**{p.name: p.default for p in arguments if p.default is not p.empty}, **given}


def unit(name: str, loss_units: str) -> str | None:
    """The unit of an observable of the registry for a loss in ``loss_units``; None for other names.

    >>> unit("grad_norm", "nat"), unit("step_size_q50", "nat"), unit("update_ratio", "nat")
    ('nat', '1/nat', '1')
    """
    if name not in OBSERVERS and name not in FACTORIES:
        return None
    if name == "grad_norm":
        return loss_units
    return f"1/{loss_units}" if name.startswith("step_size") and loss_units != "1" else "1"


# --- inside the scan --------------------------------------------------------------------------------------------------


def unobserved(observe: Iterable[str]) -> Metrics:
    """The record of a run that has not taken a step: NaN for every name."""
    return {name: jnp.full((), jnp.nan) for name in observe}


def no_sums(observe: Iterable[str]) -> Metrics:
    """Sums over no steps, in the default float dtype, shape ``()`` each."""
    return {name: jnp.zeros(()) for name in observe}


def add(sums: Metrics, observe: Mapping[str, Observer], step: Step, counted: jax.Array) -> Metrics:
    """``sums`` and what the observers see in ``step``, where ``counted`` holds.

    Raises:
      ValueError: an observer returns anything but a real scalar.
    """
    if not observe:
        return sums
    # Without the barrier XLA fuses what is observed with the update, and the run itself is rounded differently.
    step = jax.lax.optimization_barrier(jax.lax.stop_gradient(step))
    seen = {name: _scalar(name, observer(step)).astype(sums[name].dtype) for name, observer in observe.items()}
    return {name: total + jnp.where(counted, seen[name], jnp.zeros((), total.dtype)) for name, total in sums.items()}


def _scalar(name: str, value: Any) -> jax.Array:
    array = jnp.asarray(value)
    if array.shape != () or jnp.iscomplexobj(array):
        raise ValueError(f"observable {name!r} must be a real scalar of shape (), got {array.dtype}{array.shape}.")
    return array


def means(sums: Metrics, steps: jax.Array, beside: Iterable[str]) -> Metrics:
    """Means of sums over ``steps`` steps; 0 of none.

    Raises:
      ValueError: a name is among those of the metrics that they are recorded ``beside``.
    """
    for name in beside:
        if name in sums:
            raise ValueError(f"an observable must not be named as a metric of the run is, got {name!r}.")
    return {name: total / jnp.maximum(steps, 1).astype(total.dtype) for name, total in sums.items()}
