"""One training run as a pure function: ``(key, hyper-parameters) -> (state, curves)``.

:func:`train` is the whole run. It is made of :func:`start`, :func:`draw_batches` and :func:`advance`, which a sweep
calls on its own so that random numbers are drawn and compiled once for all optimizers.

**Divergence is a result.** A step whose loss is not finite, or larger in magnitude than ``divergence_factor`` times
max(abs(initial loss), 1), is not taken: the run freezes at the parameters it had, ``diverged_at`` holds the step, and
every later record is NaN. Mapped lanes never meet: what one lane's NaN touches is only that lane.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from jaxdl import observation, recording
from jaxdl.data import sampling
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.stepping import TrainState, batch_of, make_step
from jaxdl.typing import Batch, Key, Metrics, Params

DIVERGENCE_FACTOR = 1e2
"""A tuned Adam on a small network may spike to ten times its first loss and recover; a hundred times is lost."""


class Curves(NamedTuple):
    """What was recorded: R + 1 rows, at step 0 and then every ``record_every`` steps and at the last.

    ``step``: completed updates, int32, shape ``(R + 1,)``. ``metrics``: arrays of that shape by name: ``train_loss`` is
    the mean batch loss since the row before (in row 0, of the first batch); ``val_…`` and ``test_…`` are the problem's
    metrics on whole splits; an observable is its mean over the steps since the row before (NaN in row 0).
    ``snapshots``: parameters with a leading axis k, at ``snapshot_steps``, or None.
    """

    step: jax.Array
    metrics: Metrics
    snapshots: Params | None = None
    snapshot_steps: jax.Array | None = None


class RunKeys(NamedTuple):
    """The three independent sources of randomness of a run."""

    init: Key
    data: Key
    loss: Key


Recorded: TypeAlias = tuple[TrainState, Params | None]
"""A state, and the snapshots so far."""


def split_key(key: Key) -> RunKeys:
    """One key per use: initial parameters, order of the batches, noise inside the loss."""
    key_init, key_data, key_loss = jax.random.split(key, 3)
    return RunKeys(init=key_init, data=key_data, loss=key_loss)


def draw_batches(problem: Problem, key_data: Key, first_step: jax.Array | int, steps: int) -> jax.Array | None:
    """Sample indices of the next ``steps`` steps, shape ``(steps, batch_size)``; None where batches are full."""
    if problem.batch_size is None:
        return None
    samples = _samples(problem)
    if not problem.shuffle:
        return sampling.ordered_indices(first_step, steps, samples, problem.batch_size)
    return sampling.epoch_indices(key_data, first_step, steps, samples, problem.batch_size)


def start(problem: Problem, tx: optax.GradientTransformation, params: Params) -> TrainState:
    """The state before the first step.

    Raises:
      ValueError: the problem's loss is not a real scalar.
    """
    shape = jax.eval_shape(problem.loss, params, _first_batch(problem), jax.random.key(0))
    if getattr(shape, "shape", None) != () or not jnp.issubdtype(shape.dtype, jnp.floating):
        raise ValueError(f"the loss of {problem.name!r} must be a real scalar of shape (), got {shape}.")
    return TrainState(
        params=params,
        opt_state=tx.init(params),
        step=jnp.zeros((), jnp.int32),
        initial_loss=jnp.zeros((), shape.dtype),
        diverged_at=jnp.full((), -1, jnp.int32),
    )


def evaluate(problem: Problem, params: Params) -> Metrics:
    """The problem's metrics on every split but the training one: ``val_loss``, ``test_loss``, …"""
    return {
        f"{split}_{name}": value
        for split, batch in problem.data.items()
        if split != "train"
        for name, value in problem.metrics(params, batch).items()
    }


def first_record(
    problem: Problem, params: Params, indices: jax.Array | None, key_loss: Key, observe: Iterable[str] = ()
) -> Metrics:
    """Row 0 of the curves: the initial parameters on the first batch, their metrics, and NaN for every observable."""
    batch = batch_of(problem, None if indices is None else indices[0])
    loss = problem.loss(params, batch, jax.random.fold_in(key_loss, 0))
    return {"train_loss": loss, **observation.unobserved(observe), **evaluate(problem, params)}


def advance(
    problem: Problem,
    tx: optax.GradientTransformation,
    state: TrainState,
    indices: jax.Array | None,
    key_loss: Key,
    *,
    steps: int | jax.Array,
    records: int,
    record_every: int,
    evaluated: bool = True,
    divergence_factor: float = DIVERGENCE_FACTOR,
    snapshot_slots: jax.Array | None = None,
    snapshots: Params | None = None,
    observe: Mapping[str, Observer] = observation.NOTHING,
    padded: bool = True,
) -> tuple[TrainState, Metrics, Params | None]:
    """Runs ``records`` × ``record_every`` steps, of which those from ``steps`` on change nothing but the step count.

    Args:
      problem: What is trained on.
      tx: The optimizer; its ``update`` is also given ``value`` (the loss) and ``grad``, as optax names them.
      state: From :func:`start` or an earlier call with the same ``records`` and ``record_every``.
      indices: Batches from :func:`draw_batches`, shape ``(records · record_every, batch_size)``, or None.
      key_loss: Key of the noise inside the loss; step t uses ``fold_in(key_loss, t)``.
      steps: Length of the whole run, counted from step 0; may be traced.
      records: Records to make.
      record_every: Steps between them.
      evaluated: Whether a record holds the metrics on ``val`` and ``test``.
      divergence_factor: See the top of this file.
      snapshot_slots: For each record the row of ``snapshots`` to write, out of range for none; int32 ``(records,)``.
      snapshots: Buffer of parameters with a leading axis, or None.
      observe: Observers by name, from ``observation.resolve``; a record holds their means over its steps.
      padded: Whether this call may go past step ``steps``; it costs a little.

    Returns:
      The new state, the records (arrays of shape ``(records,)`` by name) and the snapshots.

    Raises:
      ValueError: an observer returns no real scalar, or is named as a metric is.
    """
    step = make_step(problem, tx, key_loss, steps, padded, divergence_factor, observe)

    def record(carry: Recorded, inputs: tuple[jax.Array | None, jax.Array | None]) -> tuple[Recorded, Metrics]:
        before, snapshots = carry
        indices, slot = inputs
        started = (before, observation.no_sums(observe))
        (state, sums), losses = jax.lax.scan(step, started, indices, length=record_every)
        done = jnp.clip(jnp.asarray(steps, jnp.int32) - before.step, 0, record_every)
        metrics = {"train_loss": _mean(losses, done), **(evaluate(problem, state.params) if evaluated else {})}
        metrics |= observation.means(sums, done, beside=metrics)
        state = _judged(state, metrics, before.step + done)
        metrics = jax.tree.map(lambda x: jnp.where(state.diverged_at < 0, x, jnp.nan), metrics)
        if snapshots is not None:
            snapshots = jax.tree.map(lambda s, p: s.at[slot].set(p, mode="drop"), snapshots, state.params)
        return (state, snapshots), metrics

    if indices is not None:
        indices = indices.reshape(records, record_every, -1)
    (state, snapshots), metrics = jax.lax.scan(record, (state, snapshots), (indices, snapshot_slots), length=records)
    return state, metrics, snapshots


def train(
    problem: Problem,
    tx: optax.GradientTransformation,
    key: Key,
    steps: int,
    *,
    record_every: int | None = None,
    evaluated: bool = True,
    snapshots: int = 0,
    divergence_factor: float = DIVERGENCE_FACTOR,
    observe: Iterable[str] | Mapping[str, Observer] = (),
) -> tuple[TrainState, Curves]:
    """Trains one run. Pure: jit it, vmap it over keys and over floats of the optimizer.

    Args:
      problem: From ``jaxdl.problems.get`` or your own :class:`Problem`.
      tx: Any optax gradient transformation. To map over its floats, build it inside the mapped function.
      key: Source of initial parameters, order of batches and noise. Under nested ``vmap``, runs that share a key share
        their batches in memory too.
      steps: Number of updates, ≥ 1.
      record_every: Steps between records; about 50 records by default.
      evaluated: Whether to evaluate ``val`` and ``test`` at each record, or only to keep the batch losses.
      snapshots: How many copies of the parameters to keep, evenly spaced, first and last included; 1 keeps the last.
      divergence_factor: See the top of this file.
      observe: What to watch at every step and average between records: names such as ``("grad_norm", "update_ratio")``
        from ``jaxdl.observation.OBSERVERS``, or observers by name, such as those that are built with hyper-parameters:
        ``{"eps_share": jaxdl.observers.eps_share(1e-8, b2=0.999)}``.

    Returns:
      The final :class:`TrainState` and the :class:`Curves`.

    Raises:
      ValueError: ``steps`` or ``record_every`` below 1, a loss that is not scalar, or more samples to draw than int32
        can count; an unknown observable, or one that needs hyper-parameters given by its name alone.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2, condition_number=1.0)
    >>> state, curves = train(problem, jaxdl.sgd(0.5), jax.random.key(0), steps=2, record_every=1)
    >>> print(curves.metrics["val_loss"].round(3))
    [0.5   0.125 0.031]
    """
    interval = recording.record_interval(steps, record_every)
    rows = recording.record_steps(steps, interval)
    records = len(rows) - 1
    watched = observation.resolve(observe, {})
    keys = split_key(key)
    params = problem.init(keys.init)
    indices = _all_batches(problem, keys.data, records * interval)
    first = first_record(problem, params, indices, keys.loss, watched)
    kept, slots, buffer = recording.snapshots(params, records, snapshots)
    state, metrics, buffer = advance(
        problem,
        tx,
        start(problem, tx, params),
        indices,
        keys.loss,
        steps=steps,
        records=records,
        record_every=interval,
        evaluated=evaluated,
        divergence_factor=divergence_factor,
        snapshot_slots=slots,
        snapshots=buffer,
        observe=watched,
        padded=steps % interval != 0,
    )
    metrics = {name: jnp.concatenate([first[name][None], values]) for name, values in metrics.items()}
    snapshot_steps = None if buffer is None else jnp.asarray(rows[kept])
    return state._replace(step=jnp.minimum(state.step, steps)), Curves(
        jnp.asarray(rows), metrics, buffer, snapshot_steps
    )


def _all_batches(problem: Problem, key_data: Key, steps: int) -> jax.Array | None:
    """The batches of a whole run, as of :func:`draw_batches`."""
    if problem.batch_size is not None and steps * problem.batch_size >= 2**31:
        raise ValueError(f"steps × batch size must stay below 2**31, got {steps} × {problem.batch_size}.")
    return draw_batches(problem, key_data, 0, steps)


def _mean(losses: jax.Array, done: jax.Array) -> jax.Array:
    """Of the first ``done`` losses."""
    wanted = jnp.arange(len(losses), dtype=jnp.int32) < done
    return jnp.sum(jnp.where(wanted, losses, 0)) / jnp.maximum(done, 1).astype(losses.dtype)


def _judged(state: TrainState, metrics: Metrics, step: jax.Array) -> TrainState:
    """Diverged at ``step`` if the metrics of its parameters are bad: no later step would compute their loss."""
    broken = ~jnp.isfinite(metrics.get("val_loss", metrics["train_loss"])) & (state.diverged_at < 0)
    return state._replace(diverged_at=jnp.where(broken, step, state.diverged_at))


def _samples(problem: Problem) -> int:
    return int(jax.tree.leaves(problem.data["train"])[0].shape[0])


def _first_batch(problem: Problem) -> Batch:
    """A batch of the right shape; its content does not matter."""
    return batch_of(problem, None if problem.batch_size is None else jnp.zeros(problem.batch_size, jnp.int32))
