"""The frame that optimizers are put into to be said elsewhere: penalty, scaling, velocity, decay, rate.

It is read from rules; what carries none is opaque, and an argument whose meaning is not known here must be at its
default.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jaxdl.rules import Rule


class Untranslatable(Exception):
    """One sentence that says why."""


@dataclass(frozen=True)
class Frame:
    """What every supported optimizer is an instance of.

    Attributes:
      penalty: λ of λθ joining the gradient, 0 for none.
      scaling: ``scale_by_adam``, ``scale_by_rms``, ``scale_by_stddev`` or None, with its arguments.
      velocity: Arguments of the trace, or None.
      decay: λ of λθ joining the direction directly before the rate, 0 for none.
      rate: η, a number or a schedule.
      inside: Whether the rate comes before the velocity.
    """

    rate: Any
    penalty: Any = 0.0
    scaling: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    velocity: Mapping[str, Any] | None = None
    decay: Any = 0.0
    inside: bool = False


READ: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "add_decayed_weights": ("weight_decay", "mask"),
        "add_l2_gradient": ("weight_decay", "mask"),
        "scale_by_adam": ("b1", "b2", "eps", "eps_root", "mu_dtype", "nesterov", "bias_correction"),
        "scale_by_rms": ("decay", "eps", "initial_scale", "eps_in_sqrt", "bias_correction"),
        "scale_by_stddev": ("decay", "eps", "initial_scale", "eps_in_sqrt", "bias_correction"),
        "trace": ("decay", "nesterov", "accumulator_dtype"),
        "scale_by_learning_rate": ("learning_rate",),
    }
)
"""The transforms that a frame is made of, and their arguments whose meaning is known here."""

UNTRANSLATED = ("mask", "mu_dtype", "accumulator_dtype")
SCALINGS = ("scale_by_adam", "scale_by_rms", "scale_by_stddev")


def _members(rule: Rule | None) -> Iterator[Rule]:
    """The transforms of a chain in order, inner chains opened."""
    if rule is None:
        raise Untranslatable("a part of it is opaque: it carries no rule.")
    if not rule.parts:
        yield rule
    for part in rule.parts:
        yield from _members(part)


def _understood(rule: Rule) -> dict[str, Any]:
    """The arguments whose meaning is known; every other one must be at its default."""
    if rule.name not in READ:
        raise Untranslatable(f"{rule.name} has no counterpart there.")
    defaults = {} if rule.factory is None else inspect.signature(rule.factory).parameters
    for name, value in rule.arguments.items():
        default = defaults[name].default if name in defaults else None
        if name not in READ[rule.name] and value is not default and value != default:
            raise Untranslatable(f"{rule.name}({name}={value!r}) has no counterpart there.")
        if name in UNTRANSLATED and value is not None:
            raise Untranslatable(f"{rule.name}({name}=…) cannot be said in a constructor call.")
    return {name: rule.arguments[name] for name in READ[rule.name] if name in rule.arguments}


def frame_of(rule: Rule | None) -> Frame:
    """The frame of a rule.

    Raises:
      Untranslatable: A part is opaque, unknown, or at a place where no framework has it.
    """
    members = [(member.name, _understood(member)) for member in _members(rule)]
    found: dict[str, Any] = {}
    for name, arguments in members:
        place = _place(name, found)
        if place in found:
            raise Untranslatable(f"{name} stands where no framework has it.")
        found[place] = (name, arguments)
    if "rate" not in found:
        raise Untranslatable("it has no learning rate: it is a part of an optimizer.")
    order = [*found]
    scaling = found.get("scaling", (None, {}))
    return Frame(
        rate=found["rate"][1]["learning_rate"],
        penalty=found["penalty"][1]["weight_decay"] if "penalty" in found else 0.0,
        scaling=scaling[0],
        arguments=scaling[1],
        velocity=found["velocity"][1] if "velocity" in found else None,
        decay=found["decay"][1]["weight_decay"] if "decay" in found else 0.0,
        inside="velocity" in found and order.index("rate") < order.index("velocity"),
    )


def _place(name: str, before: Mapping[str, Any]) -> str:
    """Which part of the frame a member is, given those before it."""
    if name in SCALINGS:
        if {"velocity", "rate", "decay"} & set(before):
            raise Untranslatable(f"{name} stands where no framework has it.")
        return "scaling"
    if name == "trace":
        if "decay" in before:
            raise Untranslatable("its weight decay passes through the velocity: no framework there has it so.")
        return "velocity"
    if name == "scale_by_learning_rate":
        return "rate"
    if "rate" in before:
        raise Untranslatable("its weight decay comes after the rate: no framework there has it so.")
    return "decay" if {"scaling", "velocity"} & set(before) else "penalty"
