"""``diff``: where two transformations part, and under which conditions they are one."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import optax

from jaxdl.conformance.probes import Answers, Factory, ask, gradients
from jaxdl.conformance.recurrences import Array
from jaxdl.conventions.decimals import beside, literal
from jaxdl.conventions.explanation import Explanation, explain
from jaxdl.rules import Rule, rule_of

SAME = 1e-9
"""Relative difference of steps below which two transformations agree: rounding and nothing else."""

Where = Callable[[int, int, int], bool]

LARGE = 1e-2
STARTS_LARGE = np.sqrt(np.mean(gradients()[:5] ** 2, axis=0)) > LARGE / 2
"""The probes whose gradients start at that size: second moments remember it."""

CONDITIONS: Mapping[str, Where] = {
    "while the rate is constant": lambda run, step, lane: run in (0, 1),
    "where parameters are zero": lambda run, step, lane: run in (0, 2),
    "at the first update": lambda run, step, lane: step == 0,
    "after the first update": lambda run, step, lane: step > 0,
    f"for gradients of size {LARGE:g} or more": lambda run, step, lane: bool(STARTS_LARGE[lane]),
}
"""What part of the probes a condition keeps: run (constant, constant with θ ≠ 0, falling, falling with θ ≠ 0), step,
lane."""


@dataclass(frozen=True)
class Difference:
    """What ``diff`` found.

    Attributes:
      names: What the two are called.
      largest: Largest difference of their steps on the probes, relative to the largest step of the same probe.
      by_condition: The same where a condition holds, for each of :data:`CONDITIONS`.
      equal: The fewest conditions under which they agree to rounding, each a tuple of conditions that hold together;
        ``((),)`` where they always do, empty where none of these suffices.
      arguments: What the two calls of one factory were given differently: name → the two values.
      explanations: The two recurrences; None where one cannot be traced.
      rate_free: Whether the rate could be varied; if not, nothing is said about changing rates.
    """

    names: tuple[str, str]
    largest: float
    by_condition: Mapping[str, float]
    equal: tuple[tuple[str, ...], ...]
    arguments: Mapping[str, tuple[Any, Any]]
    explanations: tuple[Explanation, Explanation] | None
    rate_free: bool

    @property
    def verdict(self) -> str:
        """One sentence."""
        scope = "" if self.rate_free else " at the rates that they were made with"
        if self.equal == ((),):
            return f"equal on every probe{scope}"
        if not self.equal:
            return f"different under every condition that was tried{scope}"
        return "equal " + ", or ".join(" and ".join(conditions) for conditions in self.equal) + scope

    def __str__(self) -> str:
        rows = [f"{self.names[0]} and {self.names[1]}: {self.verdict}.", f"  {self.largest:.1e}  everywhere"]
        rows += [f"  {distance:.1e}  {condition}" for condition, distance in self.by_condition.items()]
        rows += [f"{name}: {' | '.join(beside(a, b))}" for name, (a, b) in self.arguments.items()]
        if self.explanations and self.equal != ((),):
            rows += [f"\n{explanation}" for explanation in self.explanations]
        return "\n".join(rows)

    def to_dict(self) -> dict[str, Any]:
        """The numbers and conditions as JSON holds them."""
        return {
            "names": [*self.names],
            "verdict": self.verdict,
            "largest": self.largest,
            "by_condition": dict(self.by_condition),
            "equal": [[*conditions] for conditions in self.equal],
        }


Subject: TypeAlias = optax.GradientTransformation | Factory


def diff(a: Subject, b: Subject) -> Difference:
    """Says where two transformations differ and under which conditions they coincide.

    Both answer the same probes (``jaxdl/conformance/probes.py``); the difference of their steps is measured
    everywhere and where each condition holds. A factory, or a transformation whose rule says how it was made, is also
    made with rates that change.

    Args:
      a: A transformation, or a factory that is called with a learning rate (a number or a schedule).
      b: Another.

    Returns:
      The difference: ``print`` it, or take ``.verdict``, ``.equal`` or ``.to_dict()``.

    >>> import functools, jaxdl
    >>> inside = functools.partial(jaxdl.momentum, learning_rate_in_velocity=True)
    >>> print(diff(jaxdl.momentum, inside).verdict)
    equal while the rate is constant, or at the first update
    """
    free = [_with_free_rate(subject) for subject in (a, b)]
    rate_free = all(subject is not None for subject in free)
    subjects = [f if rate_free and f is not None else subject for f, subject in zip(free, (a, b), strict=True)]
    distances = _distances(*(ask(subject) for subject in subjects))
    kept = {name: _kept(where, distances.shape) for name, where in CONDITIONS.items()}
    if not rate_free:
        del kept["while the rate is constant"]
    return Difference(
        names=(_name(a), _name(b)),
        largest=float(distances.max()),
        by_condition={name: float(distances[mask].max()) for name, mask in kept.items()},
        equal=_fewest(distances, kept),
        arguments=_arguments(_rule(a), _rule(b)),
        explanations=_explanations(a, b),
        rate_free=rate_free,
    )


def _rule(subject: Subject) -> Rule | None:
    return rule_of(subject) if hasattr(subject, "update") else None


def _name(subject: Subject) -> str:
    rule = _rule(subject)
    if rule is not None:
        return rule.name
    inner = getattr(subject, "func", subject)
    name = getattr(inner, "__name__", None) or type(subject).__name__
    framework = getattr(inner, "__module__", "").partition("jaxdl.conventions.")[2]
    name = f"{framework}.{name}" if framework else name
    given = ", ".join(f"{argument}={literal(value)}" for argument, value in getattr(subject, "keywords", {}).items())
    return f"{name}({given})" if given else name


def _with_free_rate(subject: Subject) -> Factory | None:
    """The factory behind a transformation whose rule has a learning rate; a factory itself; None for a closed pair."""
    if not hasattr(subject, "update"):
        return subject
    rule = _rule(subject)
    if rule is None or rule.factory is None or "learning_rate" not in rule.arguments:
        return None
    return lambda learning_rate: rule.remade(learning_rate=learning_rate)


def _distances(a: Answers, b: Answers) -> Array:
    """|difference| of the steps relative to the probe's largest one, shape (run, step, lane); inf where one is not
    finite and the other is."""
    pairs = [(x, y) for x, y in zip(a[:4], b[:4], strict=True) if x is not None and y is not None]
    blocks = []
    for x, y in pairs:
        size = np.max(np.abs(np.nan_to_num(np.stack([x, y]), posinf=0, neginf=0)), axis=(0, 1))
        both = ~np.isfinite(x) & ~np.isfinite(y)
        difference = np.abs(np.where(both, 0, x - np.where(both, 0, y)))
        difference = np.where(both, 0, difference) / np.where(size > 0, size, 1)
        blocks.append(np.where(np.isfinite(difference), difference, np.inf))
    return np.stack(blocks)


def _kept(where: Where, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([where(*index) for index in np.ndindex(shape)]).reshape(shape)


def _fewest(distances: Array, kept: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The smallest sets of conditions that leave no difference, all of that size; at most two conditions."""
    for size in range(3):
        found = []
        for names in itertools.combinations(kept, size):
            mask = np.logical_and.reduce([np.ones(distances.shape, bool), *(kept[name] for name in names)])
            if mask.any() and distances[mask].max() <= SAME:
                found.append(names)
        if found:
            return tuple(found)
    return ()


def _arguments(a: Rule | None, b: Rule | None) -> dict[str, tuple[Any, Any]]:
    if a is None or b is None or a.name != b.name:
        return {}
    pairs = {name: (value, b.arguments.get(name)) for name, value in a.arguments.items()}
    return {name: (x, y) for name, (x, y) in pairs.items() if x is not y and repr(x) != repr(y)}


def _explanations(a: Subject, b: Subject) -> tuple[Explanation, Explanation] | None:
    shown = []
    for subject in (a, b):
        try:
            made = subject if hasattr(subject, "update") else subject(0.001)
            shown.append(explain(made))
        except (TypeError, ValueError):
            return None
    return shown[0], shown[1]
