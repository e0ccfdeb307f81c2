"""``preview``: how every parameter will be optimized, before anything is compiled."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from jaxdl.groups.grouping import Group, assign, path_of
from jaxdl.rules import Rule, rule_of
from jaxdl.typing import Params


class Row(NamedTuple):
    """One parameter of a :class:`Preview`.

    Attributes:
      path: Its path.
      shape: Its shape.
      group: Its group's label; empty without groups.
      learning_rate: Its rate as text; ``?`` where the optimizer carries no rule.
      weight_decay: Its decay as text; empty for none.
      state_bytes: Bytes of state that belong to it alone.
    """

    path: str
    shape: tuple[int, ...]
    group: str
    learning_rate: str
    weight_decay: str
    state_bytes: int


@dataclass(frozen=True)
class Preview:
    """What :func:`preview` found.

    Attributes:
      rows: One for each parameter, in the tree's order.
      shared_bytes: Bytes of state that belong to no single parameter: counts.
    """

    rows: tuple[Row, ...]
    shared_bytes: int

    @property
    def state_bytes(self) -> int:
        """Bytes of the whole state."""
        return sum(row.state_bytes for row in self.rows) + self.shared_bytes

    def __str__(self) -> str:
        head = ("path", "shape", "group", "lr", "decay", "state bytes")
        body = [(r.path, "×".join(map(str, r.shape)), *r[2:5], f"{r.state_bytes:,}") for r in self.rows]
        table = [head, *body, ("in all", "", "", "", "", f"{self.state_bytes:,}")]
        kept = [i for i in range(len(head)) if i in (0, 5) or any(row[i] for row in body)]
        widths = {i: max(len(row[i]) for row in table) for i in kept}
        return "\n".join("  ".join(f"{row[i]:<{widths[i]}}" for i in kept).rstrip() for row in table)


def preview(transform: optax.GradientTransformation, params: Params) -> Preview:
    """How every parameter will be optimized, before anything is compiled.

    Args:
      transform: Any transformation; rates, decays and groups are known where it carries a rule.
      params: Parameters, or their shapes (``jax.eval_shape`` of an initialiser).

    Returns:
      A table: ``print`` it, or read its rows.

    Raises:
      ValueError: As :func:`grouped` does at ``init``.

    >>> import jax.numpy as jnp, jaxdl
    >>> tx = jaxdl.grouped(jaxdl.adam(0.1), Group("b", 2.0), Group("*"))
    >>> print(preview(tx, {"w": jnp.ones((3, 2)), "b": jnp.ones(2)}))
    path    shape  group  lr... state bytes
    b       2      b      ...  16
    w       3×2    *      ...  48
    in all                ...  72
    """
    rule = rule_of(transform)
    groups: tuple[Group, ...] = rule.arguments["groups"] if rule is not None and rule.name == "grouped" else ()
    chosen = assign(groups, params) if groups else {}
    sizes, shared = _state_bytes(transform, params)
    rows = []
    for keys, leaf in jax.tree.leaves_with_path(params):
        path = path_of(keys)
        group = groups[chosen[path]] if groups else None
        made_by = _made_by(rule, group)
        rate = _rate_text(made_by, group)
        decay = _decay_text(made_by, group)
        rows.append(Row(path, tuple(leaf.shape), group.label if group else "", rate, decay, sizes[path]))
    return Preview(tuple(rows), shared)


def _made_by(rule: Rule | None, group: Group | None) -> Rule | None:
    """The rule of the optimizer that a group uses."""
    if group is None or rule is None:
        return rule
    return rule_of(rule.arguments["optimizer"] if group.optimizer is None else group.optimizer)


def _written(value: Any) -> str:
    return "schedule" if callable(value) else f"{value:.4g}" if isinstance(value, int | float) else "traced"


def _rate_text(rule: Rule | None, group: Group | None) -> str:
    factor = 1.0 if group is None else group.learning_rate
    rate = None if rule is None else rule.arguments.get("learning_rate")
    if isinstance(rate, int | float) and isinstance(factor, int | float):
        return _written(rate * factor)
    plain = isinstance(factor, int | float) and factor == 1
    return ("?" if rate is None else _written(rate)) + ("" if plain else f" × {_written(factor)}")


def _decay_text(rule: Rule | None, group: Group | None) -> str:
    own = None if rule is None else rule.arguments.get("weight_decay")
    found = [value for value in (own, None if group is None else group.weight_decay) if value is not None]
    return " + ".join(_written(value) for value in found)


def _state_bytes(transform: optax.GradientTransformation, params: Params) -> tuple[dict[str, int], int]:
    """Bytes of the state's leaves by the parameter at whose path they end, and of the others."""
    sizes = {path_of(keys): 0 for keys, _ in jax.tree.leaves_with_path(params)}
    shared = 0
    for keys, leaf in jax.tree.leaves_with_path(jax.eval_shape(transform.init, params)):
        size = int(np.prod(leaf.shape)) * leaf.dtype.itemsize
        owner = next((p for p in (path_of(keys[i:]) for i in range(len(keys))) if p in sizes), None)
        if owner is None:
            shared += size
        else:
            sizes[owner] += size
    return sizes, shared
