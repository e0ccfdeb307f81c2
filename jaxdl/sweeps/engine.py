"""Cells become runs: a few compiled programs per study, called until every cell is done.

Two kinds of programs, because random numbers compile slowly and do not depend on the optimizer:
*preparation* (initial parameters, batches, first record), compiled once per problem; and, per optimizer, *lanes* (the
optimizer's initial state, then a chunk of training steps). Hyper-parameter values and data are arguments, never
constants, so that one program and one entry of the compilation cache serve every value.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from numpy.typing import ArrayLike

from jaxdl import configuration, training
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import plan
from jaxdl.sweeps.grid import Points
from jaxdl.training import TrainState
from jaxdl.typing import OptimizerFactory, Params

MAX_CHUNK_STEPS = 1000
"""Most steps of one call: the batches of a chunk are drawn ahead, and progress is seen between chunks."""


class Study(NamedTuple):
    """What all lanes have in common."""

    problem: Problem
    steps: int
    record_every: int
    layout: plan.Layout
    evaluated: bool = True
    divergence_factor: float = training.DIVERGENCE_FACTOR

    @property
    def record_steps(self) -> np.ndarray:
        """Completed updates at each record, shape ``(R + 1,)``."""
        return training.record_steps(self.steps, self.record_every)

    @property
    def chunks(self) -> tuple[int, int]:
        """(number of chunks, records of each); the last chunk may run past the end, where steps change nothing."""
        records = len(self.record_steps) - 1
        chunks = -(-records * self.record_every // max(MAX_CHUNK_STEPS, self.record_every))
        return chunks, -(-records // chunks)


class Prepared(NamedTuple):
    """Compiled functions over groups: ``init(data, seeds) -> (params, keys of data, keys of loss, record 0)`` and
    ``batches(keys of data, first step) -> indices``.
    """

    init: Callable[..., Any]
    batches: Callable[..., Any]


class Lanes(NamedTuple):
    """Compiled functions of one optimizer over groups × lanes: ``start(data, params, point) -> state`` and
    ``advance(data, state, indices, keys of loss, point) -> (state, records)``, which takes over ``state``'s buffers.
    """

    start: Callable[..., Any]
    advance: Callable[..., Any]


class Programs(NamedTuple):
    """All that a study executes, compiled, and its data where the programs want it."""

    prepared: Prepared
    lanes: dict[str, Lanes]
    data: Any


class Results(NamedTuple):
    """Records of cells, in the order they were asked for: ``metrics``: name to ``(cells, R + 1)``;
    ``diverged_at``: ``(cells,)``, −1 where a run stayed healthy.
    """

    metrics: dict[str, np.ndarray]
    diverged_at: np.ndarray


def build(
    study: Study,
    factories: Mapping[str, OptimizerFactory],
    arguments: Sequence[str],
    on_compiled: Callable[[int, int], None] | None = None,
) -> Programs:
    """Traces and compiles every program of the study, several at a time.

    Args:
      study: What all lanes share.
      factories: Optimizers by name; each is called inside the mapped function with traced floats.
      arguments: Names of the hyper-parameters that the lanes set.
      on_compiled: Called with (programs compiled, programs in all).

    Returns:
      The compiled programs.
    """
    place = _Placement(study.layout)
    data = jax.device_put(study.problem.data, place.shared)
    groups, width = study.layout.groups, study.layout.width
    seeds = jax.ShapeDtypeStruct((groups,), jnp.uint32)
    step = jax.ShapeDtypeStruct((), jnp.int32)
    point = {name: jax.ShapeDtypeStruct((groups, width), jnp.result_type(float)) for name in arguments}

    # One list, lowered here (tracing reads thread-local settings) and compiled by threads.
    prepared = _prepared(study, place)
    params, keys_data, keys_loss, _ = jax.eval_shape(prepared.init, data, seeds)
    indices = jax.eval_shape(prepared.batches, keys_data, step)
    jobs: list[tuple[Any, tuple[Any, ...]]] = [
        (prepared.init, (data, seeds)),
        (prepared.batches, (keys_data, step)),
    ]
    for factory in factories.values():
        lanes = _lanes(study, place, factory)
        state = jax.eval_shape(lanes.start, data, params, point)
        jobs += [(lanes.start, (data, params, point)), (lanes.advance, (data, state, indices, keys_loss, point))]
    with ThreadPoolExecutor(max_workers=configuration.cores()) as pool:
        futures = [pool.submit(function.lower(*args).compile) for function, args in jobs]
        for done, _ in enumerate(as_completed(futures), 1):
            if on_compiled is not None:
                on_compiled(done, len(futures))
        init, batches, *rest = (future.result() for future in futures)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return Programs(Prepared(init, batches), dict(zip(factories, (Lanes(*p) for p in pairs), strict=True)), data)


class _Placement(NamedTuple):
    """Where arrays live: divided among the layout's devices along the axis of groups, or whole on each of them."""

    layout: plan.Layout

    @property
    def mesh(self) -> jax.sharding.Mesh:
        devices = jax.devices()[: self.layout.devices]
        return jax.make_mesh((len(devices),), ("group",), axis_types=(AxisType.Auto,), devices=devices)

    @property
    def divided(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec("group"))

    @property
    def shared(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec())

    def jit(self, function: Callable[..., Any], inputs: Any, outputs: Any, donate: tuple[int, ...] = ()) -> Any:
        """Jits ``function``; each device runs its part of the groups without talking to the others."""
        if self.layout.devices > 1:
            specs = jax.tree.map(lambda sharding: sharding.spec, (inputs, outputs))
            function = jax.shard_map(function, mesh=self.mesh, in_specs=specs[0], out_specs=specs[1], check_vma=False)
        return jax.jit(function, in_shardings=inputs, out_shardings=outputs, donate_argnums=donate)


def _prepared(study: Study, place: _Placement) -> Prepared:
    """Programs that depend on the problem alone, jitted."""
    problem, (_, records) = study.problem, study.chunks

    def init(data: Any, seed: jax.Array) -> tuple[Params, jax.Array, jax.Array, dict[str, jax.Array]]:
        keys = training.split_key(jax.random.key(seed))
        params = problem.init(keys.init)
        indices = training.draw_batches(problem, keys.data, 0, 1)
        record = training.first_record(problem._replace(data=data), params, indices, keys.loss)
        return params, keys.data, keys.loss, record if study.evaluated else {"train_loss": record["train_loss"]}

    def batches(key_data: jax.Array, first_step: jax.Array) -> jax.Array | None:
        return training.draw_batches(problem, key_data, first_step, records * study.record_every)

    group, whole = place.divided, place.shared
    return Prepared(
        init=place.jit(jax.vmap(init, (None, 0)), (whole, group), group),
        batches=place.jit(jax.vmap(batches, (0, None)), (group, whole), group),
    )


def _lanes(study: Study, place: _Placement, factory: OptimizerFactory) -> Lanes:
    """Programs of one optimizer, jitted: mapped over the lanes of a group, then over groups."""
    problem, (_, records) = study.problem, study.chunks

    def start(data: Any, params: Params, point: dict[str, jax.Array]) -> TrainState:
        return training.start(problem._replace(data=data), factory(**point), params)

    def advance(
        data: Any, state: TrainState, indices: jax.Array | None, key_loss: jax.Array, point: dict[str, jax.Array]
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        state, metrics, _ = training.advance(
            problem._replace(data=data),
            factory(**point),
            state,
            indices,
            key_loss,
            steps=study.steps,
            records=records,
            record_every=study.record_every,
            evaluated=study.evaluated,
            divergence_factor=study.divergence_factor,
        )
        return state, metrics

    def states_of(lane: Any, step: Any) -> Any:
        """What holds for the parts of a state that differ between lanes, and for the step count, which does not."""
        return TrainState(params=lane, opt_state=lane, step=step, initial_loss=lane, diverged_at=lane)

    group, whole = place.divided, place.shared
    axes, states = states_of(0, None), states_of(group, whole)
    start = jax.vmap(jax.vmap(start, (None, None, 0), axes), (None, 0, 0), axes)
    lanes = jax.vmap(advance, (None, axes, None, None, 0), (axes, 0))
    in_turn = study.layout.width > 1 and jax.default_backend() == "cpu"
    advance = _in_turn(lanes) if in_turn else jax.vmap(lanes, (None, axes, 0, 0, 0), (axes, 0))
    return Lanes(
        start=place.jit(start, (whole, group, group), states),
        advance=place.jit(advance, (whole, states, group, group, group), (states, group), donate=(1,)),
    )


def _in_turn(lanes: Callable[..., tuple[TrainState, Any]]) -> Callable[..., tuple[TrainState, Any]]:
    """``lanes``, which advances one group, over all groups of a device one after another.

    What a group works on stays in cache then, and its first layer stays one wide matrix product: on CPU two groups of
    64 lanes of a small network take longer when they are mapped together.
    """

    def advance(data: Any, state: TrainState, *rest: Any) -> tuple[TrainState, Any]:
        states = state._replace(step=jnp.broadcast_to(state.step, state.initial_loss.shape[:1]))
        states, records = jax.lax.map(lambda group: lanes(data, *group), (states, *rest))
        return states._replace(step=states.step[0]), records

    return advance


def execute(
    study: Study,
    programs: Programs,
    optimizer: str,
    points: Points,
    seeds: ArrayLike,
    cells: list[tuple[int, int]],
    on_runs: Callable[[int], None] | None = None,
) -> Results:
    """Runs ``cells``, pairs of indices into ``points`` and ``seeds``.

    Args:
      study: What all lanes share.
      programs: From :func:`build` of the same study.
      optimizer: Name of one of its factories.
      points: Columns of hyper-parameters.
      seeds: Numbers that make the keys: a seed's initial parameters and batches are the same for every optimizer.
      cells: What to run.
      on_runs: Called after every chunk with the number of runs that it completed, in units of whole runs.

    Returns:
      The records, in the order of ``cells``.
    """
    position = {cell: i for i, cell in enumerate(cells)}
    rows = len(study.record_steps)
    metrics: dict[str, np.ndarray] = {}
    diverged_at = np.full(len(cells), -1, np.int32)
    for call in plan.calls(study.layout, cells):
        state, records = _run_call(study, programs, optimizer, points, np.asarray(seeds)[call.seeds], call, on_runs)
        groups, members = np.nonzero(call.used)
        where = [position[call.points[g, w], call.seeds[g]] for g, w in zip(groups, members, strict=True)]
        for name, values in records.items():
            column = metrics.setdefault(name, np.full((len(cells), rows), np.nan, values.dtype))
            column[where] = values[groups, members, :rows]
        diverged_at[where] = np.asarray(state.diverged_at)[groups, members]
    return Results(metrics, diverged_at)


def _run_call(
    study: Study,
    programs: Programs,
    optimizer: str,
    points: Points,
    seeds: np.ndarray,
    call: plan.Call,
    on_runs: Callable[[int], None] | None,
) -> tuple[TrainState, dict[str, np.ndarray]]:
    """One call of the layout: its final state and its records, ``(groups, width, rows)``."""
    prepared, lanes, data = programs.prepared, programs.lanes[optimizer], programs.data
    chunks, records = study.chunks
    # NumPy arguments: compiled programs put them where they are wanted; a JAX operation here costs a millisecond.
    point = {name: np.asarray(column[call.points], jnp.result_type(float)) for name, column in points.items()}
    params, keys_data, keys_loss, first = prepared.init(data, seeds.astype(np.uint32))
    state = lanes.start(data, params, point)
    parts = [{n: np.repeat(np.asarray(v)[:, None, None], call.used.shape[1], 1) for n, v in first.items()}]
    for chunk in range(chunks):
        indices = prepared.batches(keys_data, np.int32(chunk * records * study.record_every))
        state, metrics = lanes.advance(data, state, indices, keys_loss, point)
        parts.append({name: np.asarray(values) for name, values in metrics.items()})
        if on_runs is not None:
            done = int(call.used.sum())
            on_runs(done * (chunk + 1) // chunks - done * chunk // chunks)
    return state, {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
