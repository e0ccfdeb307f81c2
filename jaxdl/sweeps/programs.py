"""The compiled programs of a study.

Two kinds, because random numbers compile slowly and do not depend on the optimizer: *preparation* (initial parameters,
first record, batches), compiled once per problem; and, per optimizer, *lanes* (the optimizer's initial state, then a
chunk of training steps). Hyper-parameter values, seeds and data are arguments, never constants, so that one program and
one entry of the compilation cache serve every value.

A program maps over the lanes of a group, then over groups, then over devices. Lanes of a group share what does not
depend on the lane: batches, noise, and initial parameters.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import configuration, training
from jaxdl.stepping import TrainState
from jaxdl.sweeps import replicas
from jaxdl.sweeps.lanes import Lane, Study, advance_lane, lane_dtype, lane_problem, start_lane
from jaxdl.sweeps.placement import Placement
from jaxdl.typing import OptimizerFactory, Params

Advanced: TypeAlias = tuple[TrainState, dict[str, jax.Array]]
"""States after a chunk, and its records."""


class Prepared(NamedTuple):
    """Compiled functions over groups: ``init(data, seeds, lane) -> (params, record 0)`` and
    ``batches(seeds, first steps, lane) -> indices``.
    """

    init: Callable[..., Any]
    batches: Callable[..., Any]


class Lanes(NamedTuple):
    """Compiled functions of one optimizer over groups × lanes: ``start(data, params, lane) -> state``, ``advance(data,
    state, indices, seeds, first steps, lane, active) -> (state, records)``, which takes over ``state``'s buffers and
    skips groups that are not active where groups run in turn, and ``move(state, new, source) -> state``, which takes
    every lane from slot ``source`` of ``state``, or, where that is −1, from its own slot of ``new``; it compiles when
    it is first needed.
    """

    start: Callable[..., Any]
    advance: Callable[..., Any]
    move: Callable[..., Any]


class Programs(NamedTuple):
    """All that a study executes, compiled, and its data where the programs want it."""

    prepared: Prepared
    lanes: dict[str, Lanes]
    data: Any


def build(
    study: Study,
    factories: Mapping[str, OptimizerFactory],
    lane: Lane,
    teams: int = 1,
    on_compiled: Callable[[int, int], None] | None = None,
) -> list[Programs]:
    """Traces and compiles every program of the study, several at a time, once for all teams of one device each.

    Args:
      study: What all lanes share.
      factories: Optimizers by name; each is called inside the mapped function with traced floats.
      lane: What lanes set: values do not matter, only names and what is None.
      teams: For how many teams, each of as many devices as the layout says, which no other team has. Programs for one
        device each are the same to the bit; one program for several devices is another program.
      on_compiled: Called with (programs compiled, programs in all).

    Returns:
      The compiled programs of each team.
    """
    size = study.layout.devices
    places = [Placement(study.layout, tuple(jax.devices()[i * size : (i + 1) * size])) for i in range(teams)]
    data = [jax.device_put(study.problem.data, place.shared) for place in places]
    jobs = [_jobs(study, place, factories, lane, given) for place, given in zip(places, data, strict=True)]
    if replicas.possible(size):
        first = _compiled(jobs[0], on_compiled)
        built_for = [first, *(_copied(first, more, place) for more, place in zip(jobs[1:], places[1:], strict=True))]
    else:
        every = iter(_compiled([job for team in jobs for job in team], on_compiled))
        built_for = [[next(every) for _ in team] for team in jobs]
    built = []
    for place, given, programs in zip(places, data, built_for, strict=True):
        compiled = iter(programs)
        prepared = Prepared(init=next(compiled), batches=next(compiled))
        move = jax.jit(_move, in_shardings=place.divided, out_shardings=place.divided)
        lanes = {name: Lanes(start=next(compiled), advance=next(compiled), move=move) for name in factories}
        built.append(Programs(prepared, lanes, given))
    return built


Jobs: TypeAlias = list[tuple[Any, tuple[Any, ...]]]
"""Jitted functions with the shapes of their arguments."""


def _compiled(jobs: Jobs, on_compiled: Callable[[int, int], None] | None = None) -> list[Any]:
    """Lowered here (tracing reads thread-local settings) and compiled by threads."""
    with ThreadPoolExecutor(max_workers=configuration.cores()) as pool:
        futures = [pool.submit(function.lower(*args).compile) for function, args in jobs]
        for done, _ in enumerate(as_completed(futures), 1):
            if on_compiled is not None:
                on_compiled(done, len(futures))
    return [future.result() for future in futures]


def _copied(programs: list[Any], jobs: Jobs, place: Placement) -> list[Any]:
    """The programs of one team for another of one device; what cannot be copied is compiled."""

    def again(index: int) -> Any:
        return _compiled(jobs[index : index + 1])[0]

    return [replicas.on_device(program, place.devices[0], partial(again, i)) for i, program in enumerate(programs)]


def _jobs(study: Study, place: Placement, factories: Mapping[str, OptimizerFactory], lane: Lane, data: Any) -> Jobs:
    """Every program of a team with the shapes of its arguments: init, batches, then each optimizer's start, advance."""
    groups, width = study.layout.groups, study.layout.width
    seeds, steps = (jax.ShapeDtypeStruct((groups,), dtype) for dtype in (jnp.uint32, jnp.int32))
    active = jax.ShapeDtypeStruct((groups,), jnp.bool_)
    lane = jax.tree.map(lambda x: jax.ShapeDtypeStruct((groups, width), lane_dtype(x)), lane)
    prepared = _prepared(study, place)
    params, _ = jax.eval_shape(prepared.init, data, seeds, lane)
    indices = jax.eval_shape(prepared.batches, seeds, steps, lane)
    jobs: Jobs = [
        (prepared.init, (data, seeds, lane)),
        (prepared.batches, (seeds, steps, lane)),
    ]
    for factory in factories.values():
        start, advance = _lanes(study, place, factory)
        state = jax.eval_shape(start, data, params, lane)
        jobs += [
            (start, (data, params, lane)),
            (advance, (data, state, indices, seeds, steps, lane, active)),
        ]
    return jobs


def _prepared(study: Study, place: Placement) -> Prepared:
    """Programs that depend on the problem alone, jitted."""

    def keys_of(seed: jax.Array, lane: Lane | None) -> training.RunKeys:
        keys = training.split_key(jax.random.key(seed))
        if lane is None or not study.own_batches:
            return keys
        return keys._replace(data=jax.random.fold_in(keys.data, lane.identity))

    def init(data: Any, seed: jax.Array, lane: Lane | None) -> tuple[Params, dict[str, jax.Array]]:
        keys, problem = keys_of(seed, lane), lane_problem(study, data, lane)
        params = problem.init(keys.init)
        indices = training.draw_batches(study.problem, keys.data, 0, 1)
        record = training.first_record(problem, params, indices, keys.loss, study.observe)
        kept = record if study.evaluated else {name: record[name] for name in ("train_loss", *study.observe)}
        return params, kept

    def batches(seed: jax.Array, first_step: jax.Array, lane: Lane | None) -> jax.Array | None:
        return training.draw_batches(study.problem, keys_of(seed, lane).data, first_step, study.chunk_steps)

    def of_group(function: Callable[..., Any], own: bool) -> Callable[..., Any]:
        """Once per lane where lanes differ, else once per group."""
        if own:
            return place.over_lanes(function, (None, None, 0), 0)
        return lambda data_or_seed, seed_or_step, lane: function(data_or_seed, seed_or_step, None)

    return Prepared(
        init=place.jit(place.over_groups(of_group(init, study.own_starts), (None, 0, 0)), 1, 3),
        batches=place.jit(place.over_groups(of_group(batches, study.own_batches), (0, 0, 0)), 0, 3),
    )


def _lanes(study: Study, place: Placement, factory: OptimizerFactory) -> tuple[Any, Any]:
    """Programs of one optimizer, jitted: ``start`` and ``advance`` of :class:`Lanes`."""
    start: Callable[..., Any] = partial(start_lane, study, factory)
    advance = partial(advance_lane, study, factory, records=study.records_per_chunk, padded=study.padded)

    # What holds for the parts of a state that differ between lanes, and for the step count, which does not.
    divided: list[Any] = [None if field == "step" else 0 for field in TrainState._fields]
    axes = TrainState(*divided)
    start = place.over_lanes(start, (None, 0 if study.own_starts else None, 0), axes)
    lanes = place.over_lanes(advance, (None, axes, 0 if study.own_batches else None, None, 0), (axes, 0))

    def group(
        data: Any,
        state: TrainState,
        indices: jax.Array | None,
        seed: jax.Array,
        first_step: jax.Array,
        lane: Lane,
        active: jax.Array,
    ) -> Advanced:
        def run(state: TrainState) -> Advanced:
            key_loss = training.split_key(jax.random.key(seed)).loss
            result: Advanced = lanes(data, state._replace(step=first_step), indices, key_loss, lane)
            return result

        if not study.layout.in_turn:
            return run(state)
        none = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(run, state)[1])
        advanced: Advanced = jax.lax.cond(active, run, lambda s: (s, none), state)
        return advanced

    return (
        place.jit(place.over_groups(start, (None, 0, 0)), 1, 3),
        place.jit(place.over_groups(group, (None, 0, 0, 0, 0, 0, 0)), 1, 7, donate=(1,)),
    )


def _move(state: TrainState, new: TrainState, source: jax.Array) -> TrainState:
    """See :class:`Lanes`. Step counts stay: a chunk is told at which step its groups begin."""
    groups, width = source.shape
    origin = jnp.maximum(source, 0).ravel()

    def lanes(old: jax.Array, begun: jax.Array) -> jax.Array:
        moved = old.reshape(groups * width, *old.shape[2:])[origin].reshape(old.shape)
        return jnp.where(jnp.expand_dims(source >= 0, tuple(range(2, old.ndim))), moved, begun)

    return TrainState(
        *(
            old if field == "step" else jax.tree.map(lanes, old, begun)
            for field, old, begun in zip(TrainState._fields, state, new, strict=True)
        )
    )
