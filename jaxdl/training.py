"""One training run as a pure function: ``(key, hyper-parameters) -> (state, curves)``.

:func:`train` is the whole run. It is made of :func:`start`, :func:`draw_batches` and :func:`advance`, which a sweep
calls on its own so that random numbers are drawn and compiled once for all optimizers.

**Divergence is a result.** A step whose loss is not finite, or larger in magnitude than ``divergence_factor`` times
max(abs(initial loss), 1), is not taken: the run freezes at the parameters it had, ``diverged_at`` holds the step, and
every later record is NaN. Mapped lanes never meet: what one lane's NaN touches is only that lane.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import checks, observation, tree
from jaxdl.data import sampling
from jaxdl.observers import Observer, Step
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, OptState, Params

DIVERGENCE_FACTOR = 1e2
"""A tuned Adam on a small network may spike to ten times its first loss and recover; a hundred times is lost."""

RECORDS = 50
"""Records of a run where the caller does not say how often to record."""


class TrainState(NamedTuple):
    """All that the next step needs.

    ``opt_state``: the optimizer's; it means nothing once the run has diverged. ``step``: completed updates, int32.
    ``initial_loss``: loss of the first batch at the initial parameters. ``diverged_at``: step whose loss was bad,
    int32; −1 while there is none.
    """

    params: Params
    opt_state: OptState
    step: jax.Array
    initial_loss: jax.Array
    diverged_at: jax.Array


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


def split_key(key: Key) -> RunKeys:
    """One key per use: initial parameters, order of the batches, noise inside the loss."""
    key_init, key_data, key_loss = jax.random.split(key, 3)
    return RunKeys(init=key_init, data=key_data, loss=key_loss)


def record_interval(steps: int, record_every: int | None) -> int:
    """Steps between records; by default so many that about ``RECORDS`` are made."""
    checks.positive_integer(steps=steps)
    if record_every is None:
        return max(1, steps // RECORDS)
    checks.positive_integer(record_every=record_every)
    return record_every


def record_steps(steps: int, record_every: int) -> np.ndarray:
    """Completed updates at each record: 0, then every ``record_every`` and the last. int32, shape ``(R + 1,)``."""
    records = -(-steps // record_every)
    return np.minimum(np.arange(records + 1) * record_every, steps).astype(np.int32)


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
    batch = _batch(problem, None if indices is None else indices[0])
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
    step = _make_step(problem, tx, key_loss, steps, padded, divergence_factor, observe)

    def record(
        carry: tuple[TrainState, Params | None], inputs: tuple[jax.Array | None, jax.Array | None]
    ) -> tuple[tuple[TrainState, Params | None], Metrics]:
        state, snapshots = carry
        indices, slot = inputs
        before = state.step
        started = (state, observation.no_sums(observe))
        (state, sums), losses = jax.lax.scan(step, started, indices, length=record_every)
        done = jnp.clip(jnp.asarray(steps, jnp.int32) - before, 0, record_every)
        wanted = jnp.arange(record_every, dtype=jnp.int32) < done
        mean = jnp.sum(jnp.where(wanted, losses, 0)) / jnp.maximum(done, 1).astype(losses.dtype)
        metrics = {"train_loss": mean, **(evaluate(problem, state.params) if evaluated else {})}
        metrics |= observation.means(sums, done, beside=metrics)
        # The last update is judged here: no later step would compute its loss.
        broken = ~jnp.isfinite(metrics.get("val_loss", mean)) & (state.diverged_at < 0)
        state = state._replace(diverged_at=jnp.where(broken, before + done, state.diverged_at))
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
    interval = record_interval(steps, record_every)
    rows = record_steps(steps, interval)
    records = len(rows) - 1
    if problem.batch_size is not None and records * interval * problem.batch_size >= 2**31:
        raise ValueError(f"steps × batch size must stay below 2**31, got {steps} × {problem.batch_size}.")
    watched = observation.resolve(observe, {})
    keys = split_key(key)
    params = problem.init(keys.init)
    state = start(problem, tx, params)
    indices = draw_batches(problem, keys.data, 0, records * interval)
    first = first_record(problem, params, indices, keys.loss, watched)
    kept = _snapshot_records(records, snapshots)
    slots, buffer = _snapshot_buffer(params, records, kept)
    state, metrics, buffer = advance(
        problem,
        tx,
        state,
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
    state = state._replace(step=jnp.minimum(state.step, steps))
    metrics = {name: jnp.concatenate([first[name][None], values]) for name, values in metrics.items()}
    return state, Curves(jnp.asarray(rows), metrics, buffer, None if buffer is None else jnp.asarray(rows[kept]))


def _make_step(
    problem: Problem,
    tx: optax.GradientTransformation,
    key_loss: Key,
    steps: int | jax.Array,
    padded: bool,
    divergence_factor: float,
    observe: Mapping[str, Observer],
) -> Callable[[tuple[TrainState, Metrics], jax.Array | None], tuple[tuple[TrainState, Metrics], jax.Array]]:
    """One update as the body of a scan: ``((state, sums of observables), sample indices) -> (both, batch loss)``.

    ``padded``: whether it may be called after step ``steps``, where it must change nothing.
    """
    update = optax.with_extra_args_support(tx).update

    def step(
        carry: tuple[TrainState, Metrics], indices: jax.Array | None
    ) -> tuple[tuple[TrainState, Metrics], jax.Array]:
        state, sums = carry
        t = state.step
        batch = _batch(problem, indices)
        loss, grads = jax.value_and_grad(problem.loss)(state.params, batch, jax.random.fold_in(key_loss, t))
        initial_loss = jnp.where(t == 0, loss, state.initial_loss)
        good = jnp.abs(loss) <= divergence_factor * jnp.maximum(jnp.abs(initial_loss), 1)  # False for NaN
        wanted = t < steps
        diverged_at = jnp.where(wanted & ~good & (state.diverged_at < 0), t, state.diverged_at)
        updates, opt_state = update(grads, state.opt_state, state.params, value=loss, grad=grads)
        sums = observation.add(sums, observe, Step(state.params, grads, updates, opt_state), wanted)
        params = tree.select(wanted & (diverged_at < 0), optax.apply_updates(state.params, updates), state.params)
        # To keep a diverged run's optimizer state too, which nobody reads, XLA would copy every lane's at every step.
        if padded:
            opt_state = tree.select(wanted, opt_state, state.opt_state)
        return (TrainState(params, opt_state, t + 1, initial_loss, diverged_at), sums), loss

    return step


def _samples(problem: Problem) -> int:
    return int(jax.tree.leaves(problem.data["train"])[0].shape[0])


def _batch(problem: Problem, indices: jax.Array | None) -> Batch:
    train = problem.data["train"]
    return train if indices is None else sampling.take(train, indices)


def _first_batch(problem: Problem) -> Batch:
    """A batch of the right shape; its content does not matter."""
    return _batch(problem, None if problem.batch_size is None else jnp.zeros(problem.batch_size, jnp.int32))


def _snapshot_records(records: int, snapshots: int) -> np.ndarray:
    """Records at which parameters are kept; record 0 is the initial parameters."""
    if snapshots == 0:
        return np.zeros(0, np.int32)
    checks.positive_integer(snapshots=snapshots)
    if snapshots > records + 1:
        raise ValueError(f"snapshots must not exceed the {records + 1} records of the run, got {snapshots}.")
    return np.round(np.linspace(records, 0, snapshots)).astype(np.int32)[::-1]


def _snapshot_buffer(params: Params, records: int, kept: np.ndarray) -> tuple[Any, Params | None]:
    """Row to write at each record 1…R (out of range for none), and the buffer with row 0 filled where it is kept."""
    if not len(kept):
        return None, None
    slots = np.full(records + 1, len(kept), np.int32)
    slots[kept] = np.arange(len(kept))
    buffer = jax.tree.map(lambda p: jnp.broadcast_to(p, (len(kept), *p.shape)), params)
    return jnp.asarray(slots[1:]), buffer
