"""What a transformation is, said beside what it does.

A transformation is a pair of closures: nothing can be read from it. A :class:`Rule` is its name, its arguments and its
equation, attached to its ``update`` function; the pair, its state and optax's protocol stay as they are. The decorator
:func:`equation` attaches one to whatever a factory returns, :func:`chain` composes them, :func:`rule_of` reads them.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ParamSpec

import optax

from jaxdl.typing import OptState, Params, Transform, Updates

Arguments = ParamSpec("Arguments")

ATTRIBUTE = "__jaxdl_rule__"
"""Where ``update`` keeps its rule."""


@dataclass(frozen=True, eq=False)
class Rule:
    """What one call of a factory made. Compared by identity, because arguments may be traced arrays.

    Attributes:
      name: The factory's name.
      arguments: Every argument by name, defaults too, as the factory got them: numbers, traced values, schedules.
      equation: The recurrence in plain text, in the arguments' letters; for a chain, its parts' equations in order.
      parts: The rules of a chain's members in order; None for a member that has none.
      factory: What made it, to be called again with other arguments; None for a chain.
    """

    name: str
    arguments: Mapping[str, Any]
    equation: str
    parts: tuple["Rule | None", ...] = ()
    factory: Callable[..., Transform] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", MappingProxyType(dict(self.arguments)))

    @property
    def opaque(self) -> bool:
        """Whether some member, at any depth, has no rule."""
        return any(part is None or part.opaque for part in self.parts)

    def remade(self, **changes: Any) -> Transform:
        """The transformation that the same factory makes with some arguments changed.

        Raises:
          ValueError: The rule has no factory, or its factory no such argument.
        """
        if self.factory is None:
            raise ValueError(f"{self.name} was not made by a factory and cannot be made again.")
        unknown = [name for name in changes if name not in self.arguments]
        if unknown:
            raise ValueError(f"{self.name} has no argument {unknown[0]!r}; it has: {', '.join(self.arguments)}.")
        return _called(self.factory, {**self.arguments, **changes})


def _called(factory: Callable[..., Transform], arguments: Mapping[str, Any]) -> Transform:
    """The call, with starred parameters unpacked again."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, parameter in inspect.signature(factory).parameters.items():
        value = arguments[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords.update(value)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords[name] = value
        else:
            positional.append(value)
    return factory(*positional, **keywords)


def with_rule(transform: optax.GradientTransformation, rule: Rule) -> Transform:
    """The same transformation with ``rule`` attached to its ``update``; the one given stays as it is.

    Args:
      transform: Any optax transformation. One that knows no extra arguments is given none.
      rule: What to attach.

    Returns:
      A transformation with the same ``init``, state and updates.
    """
    inner = optax.with_extra_args_support(transform)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        new_updates, new_state = inner.update(updates, state, params, **extra_args)
        return new_updates, new_state

    setattr(update, ATTRIBUTE, rule)
    return optax.GradientTransformationExtraArgs(inner.init, update)


def rule_of(transform: optax.GradientTransformation) -> Rule | None:
    """The rule attached to a transformation, or None: then it is opaque.

    A rule survives whatever hands ``update`` on (``optax.with_extra_args_support``, ``functools.wraps``, a tuple's
    ``_replace(init=…)``). What puts a closure of its own around it, as ``optax.chain`` does, hides it: use
    :func:`chain`.

    >>> @equation("u ← s u")
    ... def stretch(factor, offset=0.0):
    ...     return optax.GradientTransformation(
    ...         lambda params: optax.EmptyState(), lambda updates, state, params=None: (factor * updates, state)
    ...     )
    >>> rule_of(stretch(2.0)).arguments
    mappingproxy({'factor': 2.0, 'offset': 0.0})
    >>> print(rule_of(chain(stretch(2.0), stretch(3.0))).equation)
    u ← s u
    u ← s u
    """
    rule = getattr(transform.update, ATTRIBUTE, None)
    return rule if isinstance(rule, Rule) else None


def equation(
    text: str | Callable[..., str],
) -> Callable[[Callable[Arguments, Transform]], Callable[Arguments, Transform]]:
    """A decorator of factories: what they return carries a :class:`Rule` with the arguments of the call.

    Args:
      text: The recurrence, in the letters of the factory's arguments, or a function of the call's arguments (by
        keyword) that writes it, where choices change the formula. The empty string takes over the equation of what
        the factory returns: right for a factory whose body is one :func:`chain`.

    Returns:
      The decorator. The factory keeps its signature, name and docstring.
    """

    def decorate(factory: Callable[Arguments, Transform]) -> Callable[Arguments, Transform]:
        signature = inspect.signature(factory)

        @functools.wraps(factory)
        def made(*args: Arguments.args, **keywords: Arguments.kwargs) -> Transform:
            transform = factory(*args, **keywords)
            bound = signature.bind(*args, **keywords)
            bound.apply_defaults()
            inner = rule_of(transform)
            written = text(**bound.arguments) if callable(text) else text
            rule = Rule(
                name=factory.__name__,
                arguments=bound.arguments,
                equation=written or (inner.equation if inner else ""),
                parts=inner.parts if inner else (),
                factory=made,
            )
            return with_rule(transform, rule)

        return made

    return decorate


def chain(*transforms: optax.GradientTransformation) -> Transform:
    """``optax.chain``: same states, same updates; its rule is the sequence of its members' rules.

    Args:
      *transforms: Any optax transformations, with or without a rule.

    Returns:
      A transformation whose rule has ``parts``, one for each member, None for a member that has no rule.
    """
    parts = tuple(rule_of(transform) for transform in transforms)
    written = "\n".join("(opaque)" if part is None else part.equation for part in parts)
    return with_rule(optax.chain(*transforms), Rule("chain", {}, written, parts))
