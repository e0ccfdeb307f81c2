"""Which layout a study gets: by experience, or, where the study is long enough to pay for it, by measurement.

A short study takes the first of :func:`jaxdl.sweeps.plan.shapes`, which are ordered by what was measured on other
problems. For a long one the layouts of all shapes are compiled, each runs for two chunks, and the fastest goes on with
the programs that were timed. What was found is kept for the next study of its kind. A layout that the caller gives
always wins. Whatever the layout, its memory is known from the compiled programs before anything runs.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxdl import configuration, memory
from jaxdl.sweeps import decisions, engine, plan, programs
from jaxdl.sweeps.decisions import Decision
from jaxdl.sweeps.definition import Definition, Part
from jaxdl.sweeps.memory import fitted, needed
from jaxdl.sweeps.plan import Layout, Plan, Shape
from jaxdl.sweeps.programs import Programs

PAYS = 60.0
"""Seconds that a study must be expected to last for layouts to be measured. To compile the programs of two further
layouts took 2 to 20 seconds, and the first guess is seldom more than a quarter slower than the best."""


class Built(NamedTuple):
    """A part with the layout that it got, its programs for each team, and the bytes that all teams take."""

    part: Part
    teams: list[Programs]
    bytes: int


class Choice(NamedTuple):
    """What was decided.

    ``definition``: with the layout in every part. ``plan``: in numbers; None where an earlier plan is kept.
    ``ready``: parts that are built, by index. ``allowed``: bytes for all teams.
    """

    definition: Definition
    plan: Plan | None
    ready: dict[int, Built]
    allowed: int

    def describe(self) -> str:
        """The plan in one line, and how to use idle cores; nothing where an earlier plan is kept."""
        sentences = (self.plan and self.plan.describe(), plan.more_devices(configuration.cores()))
        return "" if self.plan is None else "; ".join(filter(None, sentences))

    def build(self, index: int, on_compiled: Callable[[int, int], None] | None = None) -> Built:
        """The programs of a part: those that were timed, or compiled now.

        Args:
          index: Of the part.
          on_compiled: Called with (programs compiled, programs in all).

        Raises:
          ValueError: the memory budget is too small for one lane, or for the layout that the caller gave.
        """
        if index in self.ready:
            return self.ready[index]
        definition, part = self.definition, self.definition.parts[index]
        return _fitting(part, definition.teams, self.allowed, definition.given, on_compiled)


def kept(definition: Definition) -> Choice:
    """The choice of an earlier part of the study, with which ``definition`` was made: nothing is compiled yet."""
    return Choice(definition, None, {}, memory.budget(definition.memory, 1.0))


def choose(definition: Definition, on_compiled: Callable[[int, int], None] | None = None) -> Choice:
    """Decides the layout of a study.

    Args:
      definition: From ``definition.define``; with a layout of the caller's, that layout is kept.
      on_compiled: Called with (programs compiled, programs in all), where no layouts are compared.

    Returns:
      The choice, with the programs of the part that has most cells already compiled.

    Raises:
      ValueError: the memory budget is too small for one lane, or for the layout that the caller gave.

    >>> import jaxdl
    >>> from jaxdl.sweeps.definition import define
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> chosen = choose(define(problem, jaxdl.sgd, {"learning_rate": [0.1, 0.2]}, seeds=1, steps=10))
    >>> chosen.plan.timed
    False
    """
    # What the caller asks for may take all that is free.
    allowed = memory.budget(definition.memory, 1.0 if definition.given else memory.SHARE)
    lead = max(range(len(definition.parts)), key=lambda i: len(definition.parts[i].indices))
    if definition.given or definition.demand.total < PAYS:
        return _choice(definition, lead, allowed, None, on_compiled=on_compiled)
    file = decisions.path(definition.work, definition.demand, definition.room)
    found = decisions.read(file)
    if found is not None:
        layout = plan.cut(found.shape, definition.demand)
        return _choice(definition.laid_out(layout), lead, allowed, found.lane_step, on_compiled=on_compiled)
    return _measured(definition, lead, allowed, file)


def lane_step(built: Built, study_seconds: float) -> float:
    """Seconds per update of one lane, from those of all cells of a part."""
    return study_seconds / float(built.part.cells.steps.sum())


def seconds(built: Built) -> float:
    """How long all cells of a part take, from one chunk of every team, timed after another one.

    The chunks run on real cells, with their bookkeeping; their results are dropped.
    """
    part, teams = built.part, len(built.teams)
    study, layout = part.study, part.study.layout
    # Groups hold lanes of one seed: the first cells of the grid would leave every group nearly empty.
    wanted = np.argsort(part.cells.seeds, kind="stable")[: layout.lanes * teams]
    two_chunks = 2 * study.chunk_steps
    cells = part.cells._replace(steps=np.full(len(part.cells.steps), two_chunks))
    borders = engine.run(study._replace(steps=two_chunks), built.teams, part.optimizer, cells, wanted.tolist())
    ends: list[float] = []
    for _ in borders:
        ends.append(time.perf_counter())
    chunk = ends[-1] - ends[len(ends) // 2 - 1]
    counts = np.unique(part.cells.seeds, return_counts=True)[1].tolist()
    groups = sum(-(-int(count) // layout.width) for count in counts)
    rounds = -(-groups // (layout.groups * teams))
    return chunk * rounds * -(-study.steps // study.chunk_steps)


def _measured(definition: Definition, lead: int, allowed: int, file: Path) -> Choice:
    """The fastest of all shapes, timed in turn; their programs are compiled before."""
    candidates: dict[Layout, Shape] = {}
    for shape in plan.shapes(definition.work.written, definition.demand, definition.room):
        candidates.setdefault(plan.cut(shape, definition.demand), shape)
    found = []
    for layout, shape in candidates.items():
        laid_out = definition.laid_out(layout)
        found.append((shape, laid_out, _fitting(laid_out.parts[lead], laid_out.teams, allowed, given=False)))
    # Twice, and the better time: what disturbs the machine for a moment should not decide.
    times = [min(pair) for pair in zip(*([seconds(built) for *_, built in found] for _ in range(2)), strict=True)]
    best = int(np.argmin(times))
    shape, laid_out, built = found[best]
    cost = lane_step(built, times[best])
    decisions.write(file, Decision(shape, cost))
    return _choice(laid_out, lead, allowed, cost, built)


def _choice(
    definition: Definition,
    lead: int,
    allowed: int,
    cost: float | None,
    built: Built | None = None,
    on_compiled: Callable[[int, int], None] | None = None,
) -> Choice:
    """``cost``: measured seconds per lane-step, or None."""
    built = built or _fitting(definition.parts[lead], definition.teams, allowed, definition.given, on_compiled)
    study = built.part.study
    per_step = definition.demand.seconds / definition.teams if cost is None else cost
    steps = sum(float(part.cells.steps.sum()) for part in definition.parts)
    made = Plan(
        study.layout, definition.teams, study.chunk_steps, built.bytes, per_step, per_step * steps, cost is not None
    )
    return Choice(definition.laid_out(study.layout), made, {lead: built}, allowed)


def _fitting(
    part: Part,
    teams: int,
    allowed: int,
    given: bool,
    on_compiled: Callable[[int, int], None] | None = None,
) -> Built:
    """A part's programs, with fewer lanes where those of its layout do not fit.

    A given layout is kept, unless its lanes run each by itself: then fewer of them are no other program.
    """
    share = allowed // teams

    def with_layout(layout: Layout) -> Part:
        return part._replace(study=part.study._replace(layout=layout))

    def bytes_of(layout: Layout) -> int:
        one = with_layout(layout)
        return _bytes(one, programs.build(one.study, one.factories, one.lane))

    while True:
        built = programs.build(part.study, part.factories, part.lane, teams, on_compiled)
        needed = _bytes(part, built)
        if needed <= share:
            return Built(part, built, needed * teams)
        layout = part.study.layout
        if part.settled or (given and not layout.exact):
            raise ValueError(f"{layout.describe()} must fit into {share} bytes for each, got a need of {needed} bytes.")
        smaller = fitted(layout, bytes_of, allowed, teams)
        if smaller == layout:  # two programs promised what this one does not keep
            smaller = _halved(layout)
        part = with_layout(smaller)


def _halved(layout: Layout) -> Layout:
    if layout.groups > 1:
        return layout._replace(groups=layout.groups // 2)
    return layout._replace(width=max(1, layout.width // 2))


def _bytes(part: Part, built: Iterable[Programs]) -> int:
    """Of the largest team."""
    return max(needed(part.study, one, part.optimizer) for one in built)
