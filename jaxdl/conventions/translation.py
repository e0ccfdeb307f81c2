"""``translate``: the constructor call that makes the same optimizer in another framework, or why there is none.

Nothing about a framework is known here but how its names begin: the conventions are read backwards. The form of a
rule (``meaning.py``) is laid beside the form of every spelling (``spellings.py``); the values that come to stand in its
slots are its keywords, and the call stands if our convention of it, made with them, computes the same.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

import jax
import optax

from jaxdl import checks
from jaxdl.conventions import keras, tensorflow1, torch
from jaxdl.conventions import optax as optax_
from jaxdl.conventions.decimals import literal
from jaxdl.conventions.meaning import DECAY_COMMUTES, NO_ZERO, RATE, RATE_COMMUTES, Form, Opaque, alike, form_of
from jaxdl.conventions.nearest import nearest
from jaxdl.conventions.spellings import RATES, Spelling, slots_of, spellings
from jaxdl.rules import Rule, rule_of


@dataclass(frozen=True)
class Translation:
    """How another framework spells an optimizer.

    Attributes:
      framework: torch, keras, optax or tensorflow1.
      constructor: Dotted name of what to call; None where nothing there does the same.
      keywords: Its arguments.
      remarks: What must hold besides, one sentence each; or what comes nearest and how it differs.
    """

    framework: str
    constructor: str | None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether there is one."""
        return self.constructor is not None

    def __str__(self) -> str:
        notes = [f"# {remark}" for remark in self.remarks]
        if self.constructor is None:
            return "\n".join([f"# nothing in {self.framework} does the same", *notes])
        first = ["params"] if self.framework == "torch" else []
        arguments = ", ".join([*first, *(f"{name}={_typed(name, value)}" for name, value in self.keywords.items())])
        return "\n".join([f"{self.constructor}({arguments})", *notes])


def _typed(name: str, value: Any) -> str:
    """A value as one types it; a traced one by the name of its argument."""
    if type(value) is tuple and any(isinstance(item, jax.core.Tracer) for item in value):
        return f"({', '.join(_typed(f'{name}[{i}]', item) for i, item in enumerate(value))})"
    return name if isinstance(value, jax.core.Tracer) else literal(value)


class Framework(NamedTuple):
    """What of a framework its convention does not say.

    Attributes:
      module: Our convention of it.
      home: How its constructors' names begin.
      called: Its name in a sentence.
      scheduled: How a rate that is a schedule is given there; None where it is given as ours is.
      rate_is_number: Whether the constructor itself takes only a number for a rate.
    """

    module: ModuleType
    home: str
    called: str
    scheduled: str | None = None
    rate_is_number: bool = False


_LAMBDA_LR = "lr: LambdaLR(optimizer, schedule) with lr=1.0, stepped after every update."
_OF_KERAS = "learning_rate: a LearningRateSchedule whose __call__(step) returns schedule(jnp.asarray(step))."
_OF_TENSORFLOW = "learning_rate: a tensor, this schedule of a global step that counts completed updates."

FRAMEWORKS: Mapping[str, Framework] = MappingProxyType(
    {
        "torch": Framework(torch, "torch.optim", "torch", _LAMBDA_LR, rate_is_number=True),
        "keras": Framework(keras, "keras.optimizers", "Keras", _OF_KERAS),
        "optax": Framework(optax_, "optax", "optax"),
        "tensorflow1": Framework(tensorflow1, "tf.compat.v1.train", "TensorFlow 1", _OF_TENSORFLOW),
    }
)
"""Where an optimizer can be translated to."""

RELAXATIONS = {
    RATE_COMMUTES: "the rate stands on the other side of the velocity there.",
    DECAY_COMMUTES: "there, decay is times the rate.",
    NO_ZERO: "where one is, this optimizer rests and the other divides 0 by 0.",
}


def translate(transform: optax.GradientTransformation, to: str) -> Translation:
    """The constructor call that reproduces an optimizer in another framework, or the reason why none does.

    Args:
      transform: An optimizer that carries a rule: made by a factory of jaxdl, or by :func:`jaxdl.chain` of such.
      to: torch, keras, optax or tensorflow1.

    Returns:
      The translation: ``print`` it, or take ``.constructor`` and ``.keywords``. Of several calls it is the one with
      the fewest structural arguments away from their defaults. Where none reproduces the optimizer, its constructor is
      None and its remarks name the nearest call and how that differs. An opaque transformation has none.

    Raises:
      ValueError: An unknown framework.
      TypeError: ``transform`` is no transformation.

    >>> import jaxdl
    >>> print(translate(jaxdl.nadamw(0.1, momentum_decay=0.01), to="torch"))  # doctest: +NORMALIZE_WHITESPACE
    torch.optim.NAdam(params, lr=0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0001, momentum_decay=0.01,
                      decoupled_weight_decay=True)
    """
    checks.known("framework", to, FRAMEWORKS)
    checks.transformation(transform)
    framework = FRAMEWORKS[to]
    if _grouped(rule_of(transform)):
        return Translation(to, None, remarks=("It has groups of parameters: translate the optimizer of each.",))
    try:
        form = form_of(rule_of(transform))
    except Opaque:
        return Translation(to, None, remarks=("A part of it is opaque: it carries no rule.",))
    if all(step.name != RATE for step in form):
        return Translation(to, None, remarks=("It has no learning rate: it is a part of an optimizer.",))
    for spelling, keywords, remarks in _matches(framework, form):
        return _said(to, framework, spelling, keywords, remarks)
    return Translation(to, None, remarks=nearest(framework.home, spellings(framework.module), form))


def _grouped(rule: Rule | None) -> bool:
    return rule is not None and (rule.name == "grouped" or any(map(_grouped, rule.parts)))


def _matches(framework: Framework, form: Form) -> Iterator[tuple[Spelling, dict[str, Any], tuple[str, ...]]]:
    """The calls that compute ``form``: first those that always do, then under one condition, under two, …"""
    for size in range(len(RELAXATIONS) + 1):
        for relaxations in itertools.combinations(RELAXATIONS, size):

            def relaxed(exact: Form, by: Any = relaxations) -> Form:
                for relaxation in by:
                    exact = relaxation.apply(exact)
                return exact

            remarks = tuple(f"Equal {r.condition}: {RELAXATIONS[r]}" for r in relaxations)
            wanted = relaxed(form)
            for spelling in spellings(framework.module):
                there = relaxed(spelling.form)
                if [step.name for step in there] != [step.name for step in wanted]:
                    continue
                keywords = spelling.filled(slots_of(there, wanted))
                made = spelling.made(keywords)
                if made is not None and alike(relaxed(made), wanted):
                    yield spelling, keywords, remarks


def _said(
    to: str, framework: Framework, spelling: Spelling, keywords: dict[str, Any], remarks: tuple[str, ...]
) -> Translation:
    """The call, in which a schedule is given as the framework takes it."""
    scheduled = [name for name in keywords if name in RATES and callable(keywords[name])]
    if scheduled and framework.scheduled:
        remarks = (framework.scheduled, *remarks)
    if framework.rate_is_number:
        keywords |= dict.fromkeys(scheduled, 1.0)
    return Translation(to, f"{framework.home}.{spelling.name}", keywords, remarks)
