"""What a rule computes, in one form: chains opened, and choices that compute the same written the same.

A decay of 0 is none, without an ε its place is irrelevant, a default is what it stands for, and a decay by times_rate
directly after its rate is one directly before it. What is the same only under a condition is a :class:`Relaxation`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from jaxdl import transforms
from jaxdl.conventions.binding import absent
from jaxdl.rules import Rule
from jaxdl.transforms.adamax import eps_in_maximum
from jaxdl.transforms.amsgrad import of_corrected
from jaxdl.transforms.denominators import bare, clamped, hat, inside, outside
from jaxdl.transforms.momentum import damped, undamped
from jaxdl.transforms.shrink import READS_PEAK, corrected, fixed, palm, times_rate, times_schedule

RATE, VELOCITY, DECAY, SHRINKAGE = "scale_by_learning_rate", "trace", "add_decayed_weights", "shrink_weights"


class Opaque(Exception):
    """A part of a chain carries no rule."""


class Step(NamedTuple):
    """One transform of an optimizer, its arguments resolved."""

    name: str
    arguments: Mapping[str, Any]


Form: TypeAlias = tuple[Step, ...]
Arguments: TypeAlias = dict[str, Any]


def same(a: Any, b: Any) -> bool:
    """Whether two arguments are one: the same object, or equal numbers."""
    return a is b or (isinstance(a, int | float) and isinstance(b, int | float) and a == b)


def different(a: Step, b: Step) -> list[str]:
    """The arguments in which two steps of one name differ."""
    names = dict.fromkeys([*a.arguments, *b.arguments])
    return [name for name in names if not same(a.arguments.get(name), b.arguments.get(name))]


def alike(a: Form, b: Form) -> bool:
    """Whether two forms compute the same."""
    names = [step.name for step in a] == [step.name for step in b]
    return names and not any(different(x, y) for x, y in zip(a, b, strict=True))


def form_of(rule: Rule | None) -> Form:
    """The steps of a rule in order.

    Raises:
      Opaque: A part of it carries no rule.
    """
    return _joined(step for leaf in _leaves(rule) if (step := _step(leaf)) is not None)


def _leaves(rule: Rule | None) -> Iterator[Rule]:
    if rule is None:
        raise Opaque
    if not rule.parts and rule.factory is not None:
        yield rule
    for part in rule.parts:
        yield from _leaves(part)


def _joined(steps: Iterator[Step]) -> Form:
    """The steps, with a decay by times_rate that directly follows its rate put before it."""
    form: list[Step] = []
    for step in steps:
        arguments, before = step.arguments, form[-1] if form else None
        is_its_rate = before is not None and before.name == RATE and step.name == SHRINKAGE
        if before and is_its_rate and arguments["by"] is times_rate and _rates_agree(before, step):
            decay = {name: arguments[name] for name in ("weight_decay", "mask")}
            form[-1:] = [Step(DECAY, decay), before]
        else:
            form.append(step)
    return tuple(form)


def _rates_agree(*steps: Step) -> bool:
    return same(*(step.arguments["learning_rate"] for step in steps))


# --- one transform ----------------------------------------------------------------------------------------------------


def _step(rule: Rule) -> Step | None:
    """The step that a transform makes; None where it changes nothing."""
    ours = getattr(transforms, rule.name, None)
    arguments = {name: _number(value) for name, value in rule.arguments.items()}
    if ours is None:
        return Step(rule.name, arguments)
    known = inspect.signature(ours).parameters
    own = inspect.signature(rule.factory).parameters if rule.factory else known
    unknown = {name for name in arguments if name not in known and same(arguments[name], own[name].default)}
    defaults = {name: p.default for name, p in known.items() if p.default is not p.empty}
    resolved = {**defaults, **{name: value for name, value in arguments.items() if name not in unknown}}
    resolve = _RESOLVED.get(rule.name)
    if resolve is None or not set(known) <= set(resolved):
        return Step(rule.name, resolved)
    left = resolve(resolved)
    return None if left is None else Step(DECAY if rule.name == "add_l2_gradient" else rule.name, left)


def _number(value: Any) -> Any:
    """An array that holds one known number, as that number."""
    known = isinstance(value, jax.Array | np.ndarray | np.generic) and not isinstance(value, jax.core.Tracer)
    return value.item() if known and value.ndim == 0 else value


def _decay(a: Arguments) -> Arguments | None:
    return None if absent(a["weight_decay"]) else a


def _shrinkage(a: Arguments) -> Arguments | None:
    by = a["by"] or times_rate
    peak = a["learning_rate"] if by in READS_PEAK and a["peak_rate"] is None else a["peak_rate"]
    return _decay(a | {"by": by, "peak_rate": peak})


def _velocity(a: Arguments) -> Arguments | None:
    undampened = absent(a["dampening"])
    if undampened and absent(a["decay"]):
        return None
    dampening = {"dampening": None, "dampen_first": True} if undampened else {}
    look_ahead = a["look_ahead"] or undamped
    if look_ahead is damped and undampened:
        look_ahead = undamped
    return a | dampening | {"look_ahead": look_ahead if a["nesterov"] else None}


_NEED_EPSILON = (outside, inside, hat, clamped)
"""The places of ε that are one where there is none."""


def _mean_square(a: Arguments) -> Arguments:
    """RMSProp's and Adagrad's ε: under the root or not, or elsewhere."""
    elsewhere = a.get("divide")
    place = elsewhere or (inside if a["eps_in_sqrt"] else outside)
    if absent(a["eps"]) and place in _NEED_EPSILON:
        return a | {"eps_in_sqrt": None, "divide": None}
    return a | {
        "eps_in_sqrt": {inside: True, outside: False}.get(place),
        "divide": None if place in (inside, outside) else place,
    }


def _deviation(a: Arguments) -> Arguments:
    """The centred form: its weights sum to one or not, and a start that the first gradient replaces is none."""
    start = 0.0 if a["bias_correction"] else a["initial_scale"]
    return _mean_square(a | {"initial_scale": start, "divide": outside if a["divide"] is hat else a["divide"]})


def _root(a: Arguments) -> Arguments:
    """The ε of Adam and its kin."""
    place = a["divide"] or outside
    if place is inside and absent(a["eps_root"]):
        a = a | {"eps": 0.0, "eps_root": a["eps"]}
    return a | {"divide": None if absent(a["eps"]) and place in _NEED_EPSILON else place}


def _adam(a: Arguments) -> Arguments:
    both = a.pop("bias_correction")
    corrections = ("bias_correction_mu", "bias_correction_nu")
    return _root(a | {name: both if a[name] is None else a[name] for name in corrections})


def _amsgrad(a: Arguments) -> Arguments:
    return _root(a | {"maximum": (a["maximum"] or of_corrected) if a["bias_correction_nu"] else None})


def _adamax(a: Arguments) -> Arguments:
    return a | {"norm": None if absent(a["eps"]) else a["norm"] or eps_in_maximum}


def _radam(a: Arguments) -> Arguments:
    return _root(a | {"reaches": a["reaches"] or jax.numpy.greater_equal})


_RESOLVED: Mapping[str, Callable[[Arguments], Arguments | None]] = MappingProxyType(
    {
        "add_decayed_weights": _decay,
        "add_l2_gradient": _decay,
        "shrink_weights": _shrinkage,
        "trace": _velocity,
        "scale_by_rms": _mean_square,
        "scale_by_stddev": _deviation,
        "scale_by_rss": _mean_square,
        "scale_by_adam": _adam,
        "scale_by_amsgrad": _amsgrad,
        "scale_by_adamax": _adamax,
        "scale_by_radam": _radam,
    }
)
"""The transforms whose arguments can say one thing in two ways."""


# --- what is the same under a condition -------------------------------------------------------------------------------


class Relaxation(NamedTuple):
    """``apply`` brings forms together that are one where ``condition`` holds: a sentence's beginning."""

    condition: str
    apply: Callable[[Form], Form]


def _rate_behind_velocity(form: Form) -> Form:
    """A constant rate commutes with the velocity: it is put behind."""
    steps = list(form)
    for i in reversed(range(len(steps))):
        while i + 1 < len(steps) and steps[i].name == RATE and steps[i + 1].name == VELOCITY and _is_constant(steps[i]):
            steps[i], steps[i + 1] = steps[i + 1], steps[i]
            i += 1
    return _joined(iter(steps))


def _is_constant(rate: Step) -> bool:
    return not callable(rate.arguments["learning_rate"])


_PER_RATE: Mapping[Any, Callable[[float, float, float], float]] = MappingProxyType(
    {
        fixed: lambda decay, rate, peak: decay / rate,
        times_schedule: lambda decay, rate, peak: decay / peak,
        corrected: lambda decay, rate, peak: decay * rate / peak,
        palm: lambda decay, rate, peak: decay * rate,
    }
)
"""λ of times_rate that shrinks θ as much at a constant rate, by convention."""


def _decay_times_rate(form: Form) -> Form:
    """At a constant rate, decay of every form is some decay times the rate."""
    return _joined(iter([_times_rate(step) if step.name == SHRINKAGE else step for step in form]))


def _times_rate(step: Step) -> Step:
    a = step.arguments
    rate, decay, peak = a["learning_rate"], a["weight_decay"], a["peak_rate"]
    numbers = isinstance(rate, int | float) and isinstance(decay, int | float) and rate > 0
    if a["by"] not in _PER_RATE or not numbers or callable(peak):
        return step
    scaled = _PER_RATE[a["by"]](decay, rate, peak or rate)
    return Step(step.name, {**a, "by": times_rate, "peak_rate": None, "weight_decay": scaled})


def _unguarded(form: Form) -> Form:
    """Where nothing is divided by 0, no guard is needed: ``bare`` divides as all do that have no ε."""
    return tuple(
        Step(step.name, {**step.arguments, "divide": None}) if step.arguments.get("divide") is bare else step
        for step in form
    )


RATE_COMMUTES = Relaxation("while the rate is constant", _rate_behind_velocity)
DECAY_COMMUTES = Relaxation("while the rate is constant", _decay_times_rate)
NO_ZERO = Relaxation("once no mean square is 0", _unguarded)
