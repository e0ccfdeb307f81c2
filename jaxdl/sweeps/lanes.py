"""What the lanes of a program have in common, and what tells them apart."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import observation, recording, stepping, training
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.sweeps.plan import Layout
from jaxdl.typing import Batch, Key, OptimizerFactory, Params

MAX_CHUNK_STEPS = 1000
"""Most steps of one chunk: its batches are drawn ahead, and progress is seen between chunks."""


class Study(NamedTuple):
    """What all lanes have in common.

    ``steps``: updates of the longest run. ``chunk_records``: records of one chunk; by default the run is cut evenly.
    ``horizons``: whether lanes may end before ``steps``. ``own_batches``: whether every lane draws batches of its own.
    ``make_problem``: builds the problem from the lane's arguments for it, where there are any; ``varying`` then says
    which leaves of ``problem.data`` depend on them. ``observe``: names of observables, or observers by name.
    ``off_beat``: whether lanes may begin at steps that are no multiple of a chunk.
    """

    problem: Problem
    steps: int
    record_every: int
    layout: Layout
    evaluated: bool = True
    divergence_factor: float = training.DIVERGENCE_FACTOR
    chunk_records: int | None = None
    horizons: bool = False
    own_batches: bool = False
    make_problem: Callable[..., Problem] | None = None
    varying: Batch = None
    observe: tuple[str, ...] | Mapping[str, Observer] = ()
    off_beat: bool = False

    @property
    def record_steps(self) -> np.ndarray:
        """Completed updates at each record, shape ``(R + 1,)``."""
        return recording.record_steps(self.steps, self.record_every)

    @property
    def records_per_chunk(self) -> int:
        """Records of one chunk; the last chunk of a run may go past its end, where steps change nothing."""
        if self.chunk_records is not None:
            return self.chunk_records
        records = len(self.record_steps) - 1
        chunks = -(-records * self.record_every // max(MAX_CHUNK_STEPS, self.record_every))
        return -(-records // chunks)

    @property
    def chunk_steps(self) -> int:
        """Steps of one chunk."""
        return self.records_per_chunk * self.record_every

    @property
    def padded(self) -> bool:
        """Whether chunks may go past the end of a run."""
        return self.horizons or self.off_beat or self.steps % self.chunk_steps != 0

    @property
    def own_starts(self) -> bool:
        """Whether initial parameters and first record differ between the lanes of a group."""
        return self.own_batches or self.make_problem is not None


class Lane(NamedTuple):
    """What tells lanes of a group apart. In programs: arrays of shape ``(groups, width)``.

    ``factory`` and ``problem``: float arguments of either by name. ``identity``: uint32, folded into the key of a lane
    that draws its own batches. ``steps``: the lane's horizon, int32, or None.
    """

    factory: Mapping[str, Any]
    problem: Mapping[str, Any]
    identity: Any
    steps: Any = None


def lane_dtype(values: Any) -> np.dtype:
    """The dtype in which lanes receive values: JAX's default for floats, else their own."""
    dtype = np.asarray(values).dtype
    return np.dtype(jnp.result_type(float)) if dtype.kind == "f" else dtype


def lane_problem(study: Study, data: Any, lane: Lane | None) -> Problem:
    """The problem that a lane trains on; ``data`` is that of ``study.problem``, as an argument of the program."""
    if study.make_problem is None or lane is None:
        return study.problem._replace(data=data)
    made = study.make_problem(**lane.problem)
    chosen = jax.tree.map(lambda varies, own, shared: own if varies else shared, study.varying, made.data, data)
    return made._replace(data=chosen)


def start_lane(study: Study, factory: OptimizerFactory, data: Any, params: Params, lane: Lane) -> stepping.TrainState:
    """The state before the first update."""
    return training.start(lane_problem(study, data, lane), factory(**lane.factory), params)


def advance_lane(
    study: Study,
    factory: OptimizerFactory,
    data: Any,
    state: stepping.TrainState,
    indices: jax.Array | None,
    key_loss: Key,
    lane: Lane,
    *,
    records: int,
    padded: bool = False,
) -> tuple[stepping.TrainState, dict[str, jax.Array]]:
    """The state after so many records, and the records: :func:`jaxdl.training.advance` as the study wants it."""
    state, metrics, _ = training.advance(
        lane_problem(study, data, lane),
        factory(**lane.factory),
        state,
        indices,
        key_loss,
        steps=study.steps if lane.steps is None else lane.steps,
        records=records,
        record_every=study.record_every,
        evaluated=study.evaluated,
        divergence_factor=study.divergence_factor,
        padded=padded,
        observe=observation.resolve(study.observe, observation.hyperparameters(factory, lane.factory)),
    )
    return state, metrics
