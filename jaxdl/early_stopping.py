"""A run that ends where validation no longer improves, and keeps the best parameters that it has seen.

The rule is that of ``statistics.patience_stop``, decided inside the compiled program: no step is computed after the
stop, and the batches and the noise of every step are those of ``training.train``. So the best parameters are, bit for
bit, those of ``train(problem, tx, key, steps=best_step)``, and the whole run's best record is the rule with
``patience`` as large as the run is long.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, recording, training, tree
from jaxdl.problems.problem import Problem
from jaxdl.stepping import TrainState
from jaxdl.training import Curves
from jaxdl.typing import Key, Metrics, Params, Scalar


class Stopped(NamedTuple):
    """What a stopped run leaves.

    ``state``: at the stop; ``training.advance`` goes on from there. ``best_params``: at the best record. ``best_step``:
    completed updates there, int32. ``best_value``: of the monitor. ``stopped``: whether patience ended the run before
    its last step. ``curves``: as of ``training.train``; rows after the stop are NaN.
    """

    state: TrainState
    best_params: Params
    best_step: jax.Array
    best_value: jax.Array
    stopped: jax.Array
    curves: Curves


class _Carry(NamedTuple):
    state: TrainState
    best_params: Params
    best_step: jax.Array
    best_value: jax.Array
    waited: jax.Array
    record: jax.Array
    rows: Metrics


def train_until(
    problem: Problem,
    tx: optax.GradientTransformation,
    key: Key,
    steps: int,
    *,
    patience: int | jax.Array,
    monitor: str = "val_loss",
    min_delta: Scalar = 0.0,
    record_every: int | None = None,
) -> Stopped:
    """Trains one run until the monitor has not fallen for ``patience`` records. Pure: jit it, vmap it.

    Args:
      problem: As of ``training.train``.
      tx: The optimizer.
      key: Source of all randomness of the run.
      steps: Updates at most.
      patience: Records in a row without a better value after which to stop, ≥ 1. May be traced.
      monitor: A metric that should fall: ``"val_loss"``, or ``"val_error"``, which stands for 1 − ``val_accuracy``.
      min_delta: How much below the best a value must be to be better, ≥ 0. May be traced.
      record_every: Steps between records; about 50 records by default.

    Returns:
      The end of the run and its best point.

    Raises:
      ValueError: numbers outside their range, or a monitor that the problem does not have.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> end = train_until(problem, jaxdl.sgd(2.5), jax.random.key(0), 40, patience=3, record_every=1)
    >>> print(end.best_step, end.state.step, end.stopped)
    0 3 True
    """
    interval = recording.record_interval(steps, record_every)
    rows = recording.record_steps(steps, interval)
    if not isinstance(patience, jax.Array):
        checks.positive_integer(patience=patience)
    checks.nonnegative(min_delta=min_delta)
    keys = training.split_key(key)
    start = _start(problem, tx, keys, monitor, len(rows))
    delta = jnp.asarray(min_delta).astype(start.best_value.dtype)

    def going(carry: _Carry) -> jax.Array:
        return (carry.record < len(rows)) & (carry.waited < patience)

    def advance(carry: _Carry) -> _Carry:
        indices = training.draw_batches(problem, keys.data, carry.state.step, interval)
        state, metrics, _ = training.advance(
            problem,
            tx,
            carry.state,
            indices,
            keys.loss,
            steps=steps,
            records=1,
            record_every=interval,
            padded=steps % interval != 0,
        )
        state = state._replace(step=jnp.minimum(state.step, steps))
        return _judged(carry, state, {name: column[0] for name, column in metrics.items()}, monitor, delta)

    end = jax.lax.while_loop(going, advance, start)
    return Stopped(
        state=end.state,
        best_params=end.best_params,
        best_step=end.best_step,
        best_value=end.best_value,
        stopped=end.record < len(rows),
        curves=Curves(jnp.asarray(rows), end.rows),
    )


def _start(
    problem: Problem, tx: optax.GradientTransformation, keys: training.RunKeys, monitor: str, rows: int
) -> _Carry:
    """The initial parameters as the best so far, and columns of NaN for the records to come."""

    def begun() -> tuple[Params, Metrics]:
        params = problem.init(keys.init)
        indices = training.draw_batches(problem, keys.data, 0, 1)
        return params, training.first_record(problem, params, indices, keys.loss)

    _source(jax.eval_shape(begun)[1], monitor)  # a wrong name is told before anything is compiled
    params, first = begun()
    return _Carry(
        state=training.start(problem, tx, params),
        best_params=params,
        best_step=jnp.int32(0),
        best_value=_monitored(first, monitor),
        waited=jnp.int32(0),
        record=jnp.int32(1),
        rows={name: jnp.full(rows, jnp.nan, x.dtype).at[0].set(x) for name, x in first.items()},
    )


def _judged(carry: _Carry, state: TrainState, metrics: Metrics, monitor: str, delta: jax.Array) -> _Carry:
    """After a record: whether it is the best so far, and how long that has been waited for."""
    value = _monitored(metrics, monitor)
    better = value < carry.best_value - delta  # False for NaN
    return _Carry(
        state=state,
        best_params=tree.select(better, state.params, carry.best_params),
        best_step=jnp.where(better, state.step, carry.best_step),
        best_value=jnp.where(better, value, carry.best_value),
        waited=jnp.where(better, jnp.zeros_like(carry.waited), carry.waited + 1),
        record=carry.record + 1,
        rows={name: column.at[carry.record].set(metrics[name]) for name, column in carry.rows.items()},
    )


def _source(metrics: Metrics, monitor: str) -> tuple[str, bool]:
    """The metric behind a monitor, and whether it is one minus it."""
    if monitor in metrics:
        return monitor, False
    accuracy = f"{monitor.removesuffix('error')}accuracy"
    if monitor.endswith("error") and accuracy in metrics:
        return accuracy, True
    raise ValueError(f"unknown monitor {monitor!r}; known are: {', '.join(metrics)}.")


def _monitored(metrics: Metrics, monitor: str) -> jax.Array:
    """The value to be made small."""
    name, complement = _source(metrics, monitor)
    return 1 - metrics[name] if complement else metrics[name]
