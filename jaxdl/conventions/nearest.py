"""What comes nearest to an optimizer in a framework that cannot say it, and how the two differ, in sentences."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence

from jaxdl.conventions.decimals import beside
from jaxdl.conventions.meaning import DECAY, RATE, SHRINKAGE, VELOCITY, Form, Step, different
from jaxdl.conventions.spellings import Spelling, slots_of

WORDS = {RATE: "the rate", VELOCITY: "the velocity"}
DIRECTION, ADDITION, ORDER, ARGUMENT = 10.0, 4.0, 3.0, 1.0
"""How far apart a missing direction, a missing velocity or decay, another order and another argument are."""


def nearest(home: str, spellings: Sequence[Spelling], form: Form) -> tuple[str, ...]:
    """The nearest call and how it differs.

    Args:
      home: How the constructors' names begin.
      spellings: Every way to call them, the preferred ones first.
      form: What none of them computes.

    Returns:
      A sentence for each difference.
    """
    candidates = [(spelling, _as_near(spelling, form)) for spelling in spellings]
    distances = [_distance(there, form) for _, there in candidates]
    spelling, there = candidates[distances.index(min(distances))]
    first, *others = _differences(there, form)
    return (f"The nearest is {home}.{spelling.name}: {first}", *others)


def _as_near(spelling: Spelling, form: Form) -> Form:
    """What the constructor computes with the arguments of the steps that both have."""
    pairs = [(there, here) for there, here in _pairs(spelling.form, form) if there and here]
    found = slots_of(*(tuple(pair[side] for pair in pairs) for side in (0, 1)))
    return spelling.made(spelling.filled(found)) or spelling.form


def _pairs(there: Form, here: Form) -> Iterator[tuple[Step | None, Step | None]]:
    """Steps beside their counterparts, None where there is none: by name alone where both have the same steps."""
    names, others = [step.name for step in there], [step.name for step in here]
    if Counter(names) == Counter(others):
        ordered = sorted(range(len(here)), key=lambda i: others[i])
        places = dict(zip(sorted(range(len(there)), key=lambda i: names[i]), ordered, strict=True))
        yield from ((step, here[places[i]]) for i, step in enumerate(there))
        return
    for kind, i, i_end, j, j_end in difflib.SequenceMatcher(None, names, others, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from zip(there[i:i_end], here[j:j_end], strict=True)
        else:
            yield from ((step, None) for step in there[i:i_end])
            yield from ((None, step) for step in here[j:j_end])


def _distance(there: Form, here: Form) -> float:
    in_order = [step.name for step in there] == [step.name for step in here]
    same_steps = Counter(step.name for step in there) == Counter(step.name for step in here)
    distance = ORDER if same_steps and not in_order else 0.0
    for a, b in _pairs(there, here):
        if a and b:
            distance += ARGUMENT * len(different(a, b))
        else:
            (alone,) = (step for step in (a, b) if step)
            distance += ADDITION if alone.name in (RATE, VELOCITY, DECAY, SHRINKAGE) else DIRECTION
    return distance


def _differences(there: Form, here: Form) -> list[str]:
    pairs = list(_pairs(there, here))
    sentences = [_order(there, here)] if all(a and b for a, b in pairs) else []
    for a, b in pairs:
        if a and b:
            sentences += [_argument(a, b, name) for name in different(a, b)]
        elif b:
            sentences.append(f"{_placed(b, here)} has no counterpart there.")
        elif a:
            sentences.append(f"{_placed(a, there)} there has no counterpart here.")
    return [sentence for sentence in sentences if sentence]


def _order(there: Form, here: Form) -> str:
    """How the order of the same steps differs; nothing where it does not."""
    names, others = ([step.name for step in form] for form in (there, here))
    if names == others:
        return ""
    if VELOCITY in names and [n for n in names if n != RATE] == [n for n in others if n != RATE]:
        inside = others.index(RATE) < others.index(VELOCITY)
        places = "is inside the velocity", "multiplies the velocity"
        rate = next(step.arguments["learning_rate"] for step in here if step.name == RATE)
        called = "the rate, a schedule," if callable(rate) else "the rate, which matters where it changes,"
        return f"{called} {places[not inside]}, and there it {places[inside]}."
    return f"there the order is {_listed(there)}; here it is {_listed(here)}."


def _listed(form: Form) -> str:
    return ", ".join(_called(step) for step in form)


def _called(step: Step) -> str:
    return WORDS.get(step.name, step.name)


def _placed(step: Step, form: Form) -> str:
    """The step and its neighbour."""
    i = next(i for i, other in enumerate(form) if other is step)
    if i > 0:
        return f"{_called(step)} after {_called(form[i - 1])}"
    return f"{_called(step)} before {_called(form[1])}" if len(form) > 1 else _called(step)


def _argument(there: Step, here: Step, name: str) -> str:
    a, b = there.arguments.get(name), here.arguments.get(name)
    if callable(b) and isinstance(a, int | float):
        return f"{name} of {_called(here)} is a schedule, and there it is a number."
    theirs, ours = beside(a, b, unnamed="a schedule")
    if name not in there.arguments:
        return f"{_called(there)} there has no {name}, here {name}={ours}."
    return f"{_called(there)} there has {name}={theirs}, here {ours}."
