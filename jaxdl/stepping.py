"""One update of a run, as the body of a scan.

A step whose loss is bad (see :mod:`jaxdl.training`) is not taken, and no later one is: the parameters stay.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import observation, tree
from jaxdl.data import sampling
from jaxdl.observers import Observer, Step
from jaxdl.problems.problem import Problem
from jaxdl.typing import Batch, Key, Metrics, OptState, Params


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


def batch_of(problem: Problem, indices: jax.Array | None) -> Batch:
    """The samples of the training split with these indices; all of them where batches are full."""
    train = problem.data["train"]
    return train if indices is None else sampling.take(train, indices)


def make_step(
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
        batch = batch_of(problem, indices)
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
