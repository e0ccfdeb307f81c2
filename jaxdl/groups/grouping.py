"""Parameter groups by path: other rates, decays or optimizers for some parameters, and no parameter by accident.

A path is the keys to a leaf joined by slashes: ``dense/kernel``, ``layers/0/bias``. A group names its parameters by a
pattern or a predicate, and every parameter belongs to exactly one group; what is named twice or not at all is an error
that lists the paths.
"""

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.rules import Rule, rule_of, with_rule
from jaxdl.transforms.decay import add_decayed_weights
from jaxdl.typing import OptState, Params, PyTree, Scalar, ScalarOrSchedule, Transform, Updates

Predicate = Callable[[str, Any], bool]
REST = "*"
"""The pattern that takes what no other group has taken."""


@dataclass(frozen=True)
class Group:
    """Some parameters and what is different for them.

    Attributes:
      pattern: A glob (``*/bias``; ``*`` also crosses slashes), a compiled regular expression that must match the whole
        path, or a predicate of path and leaf. The glob ``*`` alone takes what no other group has taken.
      learning_rate: Factor ≥ 0 on the learning rate: on every step of these parameters, decay included. May be traced.
      weight_decay: λ ≥ 0 of a decoupled decay of these parameters, times the learning rate, or None for what the
        optimizer has. Needs ``rate`` in :func:`grouped`.
      optimizer: A transformation in place of the common one.
      name: What :func:`preview` calls it; the pattern by default.
    """

    pattern: str | re.Pattern[str] | Predicate
    learning_rate: Scalar = 1.0
    weight_decay: ScalarOrSchedule | None = None
    optimizer: optax.GradientTransformation | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        checks.given(learning_rate=self.learning_rate)
        checks.nonnegative(learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        if not isinstance(self.pattern, str | re.Pattern) and not callable(self.pattern):
            raise ValueError(f"pattern must be a glob, a regular expression or a predicate, got {self.pattern!r}.")
        if self.optimizer is not None:
            checks.transformation(self.optimizer)

    @property
    def label(self) -> str:
        """Its name, or its pattern."""
        if self.name is not None:
            return self.name
        if isinstance(self.pattern, str):
            return self.pattern
        return self.pattern.pattern if isinstance(self.pattern, re.Pattern) else self.pattern.__name__

    def takes(self, path: str, leaf: Any) -> bool:
        """Whether its pattern names this parameter."""
        if isinstance(self.pattern, str):
            return fnmatch.fnmatchcase(path, self.pattern)
        if isinstance(self.pattern, re.Pattern):
            return self.pattern.fullmatch(path) is not None
        return bool(self.pattern(path, leaf))


def path_of(keys: tuple[Any, ...]) -> str:
    """The keys to a leaf joined by slashes."""
    return jax.tree_util.keystr(keys, simple=True, separator="/")


def _claims(groups: tuple[Group, ...], leaves: Mapping[str, Any]) -> dict[str, list[int]]:
    """The groups that take each path; the rest's where no other does."""
    rest = [i for i, group in enumerate(groups) if group.pattern == REST]
    named = [i for i in range(len(groups)) if i not in rest]
    return {path: [i for i in named if groups[i].takes(path, leaf)] or rest for path, leaf in leaves.items()}


def assign(groups: tuple[Group, ...], params: Params) -> dict[str, int]:
    """The index of every parameter's group, by path.

    Raises:
      ValueError: A parameter is in two groups or in none, or a group has no parameter; the paths are listed.
    """
    leaves = {path_of(keys): leaf for keys, leaf in jax.tree.leaves_with_path(params)}
    claims = _claims(groups, leaves)
    twice = [f"{path} ({', '.join(groups[i].label for i in c)})" for path, c in claims.items() if len(c) > 1]
    if twice:
        raise ValueError(f"every parameter must be in one group; in several: {', '.join(twice)}.")
    missing = [path for path, claimed in claims.items() if not claimed]
    if missing:
        raise ValueError(f"every parameter must be in one group; in none: {', '.join(missing)}.")
    chosen = {path: claimed[0] for path, claimed in claims.items()}
    empty = [group.label for i, group in enumerate(groups) if i not in chosen.values()]
    if empty:
        raise ValueError(f"no parameter is in {', '.join(map(repr, empty))}; paths are: {', '.join(leaves)}.")
    return chosen


class GroupedState(NamedTuple):
    """The state of each group's optimizer, in the groups' order, on a tree with None for the others' parameters."""

    inner: tuple[OptState, ...]


def grouped(optimizer: optax.GradientTransformation, *groups: Group, rate: ScalarOrSchedule | None = None) -> Transform:
    """One optimizer, and what is different for some parameters.

    Args:
      optimizer: What every group uses that has none of its own.
      *groups: Each parameter must be in exactly one of them; ``Group("*")`` takes the rest.
      rate: η of the decays that groups ask for; by default the one that the optimizer's rule says it was made with.

    Returns:
      A transformation whose state is :class:`GroupedState`: each group's optimizer has a state for its own parameters
      alone.

    Raises:
      ValueError: No groups; a decay without a rate. At ``init``: a parameter in two groups or in none, or a group
        without parameters.

    >>> import jax.numpy as jnp, jaxdl
    >>> params = {"dense": {"kernel": jnp.ones(2), "bias": jnp.ones(2)}, "head": jnp.ones(2)}
    >>> tx = grouped(jaxdl.sgd(0.1), Group("*/bias", learning_rate=2.0), Group("head", learning_rate=0.0), Group("*"))
    >>> updates, _ = tx.update(params, tx.init(params), params)
    >>> print(updates["dense"]["kernel"], updates["dense"]["bias"], updates["head"])
    [-0.1 -0.1] [-0.2 -0.2] [-0. -0.]
    """
    if not groups:
        raise ValueError("grouped needs at least one group.")
    rate = _rate_of(optimizer) if rate is None else rate
    members = tuple(_member(optimizer, group, rate) for group in groups)

    def init(params: Params) -> OptState:
        assign(groups, params)
        return GroupedState(inner=tuple(m.init(_share(groups, i, params)) for i, m in enumerate(members)))

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        done = [
            member.update(_share(groups, i, updates), inner, _share(groups, i, params), **extra_args)
            for i, (member, inner) in enumerate(zip(members, state.inner, strict=True))
        ]
        merged = jax.tree.map(
            lambda *of_groups: next((leaf for leaf in of_groups if leaf is not None), None),
            *(new for new, _ in done),
            is_leaf=lambda leaf: leaf is None,
        )
        return merged, GroupedState(inner=tuple(inner for _, inner in done))

    rule = Rule("grouped", {"optimizer": optimizer, "groups": groups, "rate": rate}, _equation(optimizer, groups))
    return with_rule(optax.GradientTransformationExtraArgs(init, update), rule)


def _rate_of(optimizer: optax.GradientTransformation) -> ScalarOrSchedule | None:
    rule = rule_of(optimizer)
    return None if rule is None else rule.arguments.get("learning_rate")


def _share(groups: tuple[Group, ...], index: int, values: PyTree) -> PyTree:
    """The tree with None in place of the other groups' leaves."""
    if values is None:
        return None
    paths: list[Any]
    treedef: Any
    paths, treedef = jax.tree.flatten_with_path(values, is_leaf=lambda leaf: leaf is None)
    claims = _claims(groups, {path_of(keys): leaf for keys, leaf in paths if leaf is not None})
    return treedef.unflatten([leaf if claims.get(path_of(keys)) == [index] else None for keys, leaf in paths])


def _shrinkage(rate: ScalarOrSchedule, strength: ScalarOrSchedule) -> Callable[[jax.Array], jax.Array]:
    """−ηλ as a schedule: what joins the finished step."""

    def at(value: ScalarOrSchedule, count: jax.Array) -> jax.Array:
        return jnp.asarray(value(count) if callable(value) else value, float)

    return lambda count: -at(rate, count) * at(strength, count)


def _equation(optimizer: optax.GradientTransformation, groups: tuple[Group, ...]) -> str:
    """The common optimizer's equation, then what every group makes of its Δθ, or of its own optimizer's."""
    rows = [_of(optimizer)] if any(group.optimizer is None for group in groups) else []
    for group in groups:
        own = "" if group.optimizer is None else _of(group.optimizer).replace("\n", "; ") + "; "
        step = "Δθ"
        if group.weight_decay is not None:
            step = f"Δθ − rate · {_number(group.weight_decay, 'weight_decay')} θ"
        if not (isinstance(group.learning_rate, int | float) and group.learning_rate == 1):
            step = f"{_number(group.learning_rate, 'learning_rate')} ({step})"
        rows.append(f"{group.label}: {own}Δθ ← {step}")
    return "\n".join(rows)


def _of(optimizer: optax.GradientTransformation) -> str:
    rule = rule_of(optimizer)
    return rule.equation if rule else "(opaque)"


def _number(value: Any, name: str) -> str:
    return f"{value:g}" if isinstance(value, int | float) else name


def _member(common: optax.GradientTransformation, group: Group, rate: ScalarOrSchedule | None) -> Transform:
    """A group's optimizer, its decay joined and its steps scaled."""
    inner = optax.with_extra_args_support(common if group.optimizer is None else group.optimizer)
    if group.weight_decay is not None:
        own = None if group.optimizer is None else _rate_of(group.optimizer)
        rate = rate if own is None else own
        if rate is None:
            raise ValueError(f"{group.label}: a weight decay is multiplied by the rate; give it to grouped(rate=…).")
        inner = optax.chain(inner, add_decayed_weights(_shrinkage(rate, group.weight_decay)))
    if isinstance(group.learning_rate, int | float) and group.learning_rate == 1:
        return inner

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        updates, state = inner.update(updates, state, params, **extra_args)
        (updates,) = tree.elementwise(lambda u, *, factor: (factor * u,), updates, factor=group.learning_rate)
        return updates, state

    return optax.GradientTransformationExtraArgs(inner.init, update)
