"""Every way to call a framework's constructors, with slots for the numbers: the conventions read backwards.

A constructor of ``jaxdl/conventions/{torch,keras,optax,tensorflow1}.py`` is called with a :class:`Slot` for every
number, once for each combination of its structural choices. Where a slot comes to stand in the resulting form says
which argument of which transform a keyword is.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_args

from jaxdl.conventions.binding import absent
from jaxdl.conventions.meaning import Form, form_of
from jaxdl.rules import rule_of
from jaxdl.typing import Schedule, Transform

RATES = ("lr", "learning_rate")
LEFT_OUT = inspect.Parameter.empty


class Slot(float):
    """A number that knows which keyword it was given as, and at which place of a pair."""

    keyword: str
    place: int | None

    @classmethod
    def of(cls, keyword: str, default: Any = None, place: int | None = None) -> "Slot":
        """A slot whose value is valid wherever the default is."""
        usable = isinstance(default, int | float) and default > 0
        slot = cls(default if usable else 0.5)
        slot.keyword, slot.place = keyword, place
        return slot


@dataclass(frozen=True)
class Spelling:
    """One way to call a constructor.

    Attributes:
      name: The constructor's.
      factory: Our convention of it.
      keywords: What it is given: slots, pairs of slots, and structural constants.
      departures: How many structural choices are not the constructor's default.
      form: What the call computes.
    """

    name: str
    factory: Callable[..., Transform]
    keywords: Mapping[str, Any]
    departures: int
    form: Form

    def takes_schedule(self, keyword: str) -> bool:
        """Whether a schedule may stand there."""
        return Schedule in get_args(inspect.signature(self.factory).parameters[keyword].annotation)

    def default(self, keyword: str) -> Any:
        """What the constructor takes where the keyword is left out."""
        return inspect.signature(self.factory).parameters[keyword].default

    def filled(self, found: Mapping[tuple[str, int | None], Any]) -> dict[str, Any]:
        """The keywords with values for their slots; a slot without one is left out, or is any number if it must be."""
        keywords = {name: self._value(name, value, found) for name, value in self.keywords.items()}
        return {name: value for name, value in keywords.items() if value is not LEFT_OUT}

    def _value(self, name: str, given: Any, found: Mapping[tuple[str, int | None], Any]) -> Any:
        if isinstance(given, tuple):
            return tuple(_fitting(found.get((name, i)), float(slot)) for i, slot in enumerate(given))
        if not isinstance(given, Slot):
            return given
        default = self.default(name)
        value = found.get((name, None))
        if value is None:
            return float(given) if default is LEFT_OUT else LEFT_OUT
        structured = default is None and not isinstance(value, int | float)  # a mask, a dtype
        return value if self.takes_schedule(name) or structured else _fitting(value, float(given))

    def made(self, keywords: Mapping[str, Any]) -> Form | None:
        """What a call computes; None where the constructor refuses it."""
        try:
            return form_of(rule_of(self.factory(**keywords)))
        except ValueError:
            return None


def _fitting(value: Any, otherwise: float) -> Any:
    """``value`` where it can stand for a number: neither a schedule nor nothing."""
    return otherwise if value is None or callable(value) else value


@functools.cache
def spellings(module: ModuleType) -> tuple[Spelling, ...]:
    """All ways to call a framework's constructors, those with the fewest departures first, then in its order."""
    public = [f for name, f in vars(module).items() if _is_constructor(module, name, f)]
    return tuple(sorted((s for f in public for s in _of(f)), key=lambda spelling: spelling.departures))


def _is_constructor(module: ModuleType, name: str, value: Any) -> bool:
    return inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")


def _of(factory: Callable[..., Transform]) -> Iterator[Spelling]:
    parameters = inspect.signature(factory).parameters
    choices = [_choices(parameter) for parameter in parameters.values()]
    for picked in itertools.product(*(range(len(choice)) for choice in choices)):
        values = [choice[i] for choice, i in zip(choices, picked, strict=True)]
        keywords = {n: value for n, value in zip(parameters, values, strict=True) if value is not LEFT_OUT}
        spelling = Spelling(factory.__name__, factory, keywords, sum(picked), ())
        form = spelling.made(keywords)
        if form is not None:
            yield Spelling(factory.__name__, factory, keywords, sum(picked), form)


def _choices(parameter: inspect.Parameter) -> list[Any]:
    """What to give an argument, its usual choice first: what is absent by default may stay so, a decay may be none."""
    name, default = parameter.name, parameter.default
    if isinstance(default, bool):
        return [LEFT_OUT, not default]
    if isinstance(default, tuple):
        return [tuple(Slot.of(name, value, place) for place, value in enumerate(default))]
    slot = Slot.of(name, default)
    if default is LEFT_OUT or name in RATES:
        return [slot]
    if absent(default):
        return [LEFT_OUT, slot]
    return [slot, 0.0] if name == "weight_decay" else [slot]


def slots_of(form: Form, other: Form) -> dict[tuple[str, int | None], Any]:
    """The values in ``other`` at the places of ``form``'s slots; the first where a slot stands in several."""
    found: dict[tuple[str, int | None], Any] = {}
    for there, here in zip(form, other, strict=True):
        for name, slot in there.arguments.items():
            if isinstance(slot, Slot):
                found.setdefault((slot.keyword, slot.place), here.arguments.get(name))
    return found
