r"""Sharpness along a run: the largest eigenvalue of the Hessian, plain and preconditioned, followed inside training.

.. math::  \lambda_{\max}(H_t), \qquad \lambda_{\max}\bigl(P_t^{-1/2} H_t\, P_t^{-1/2}\bigr)

Every so many steps a few Lanczos steps start from the eigenvector found before. The Hessian has changed little since,
so that four products find what a start from nothing needs dozens for; the Ritz residual tells how well.

:func:`track` wraps an optimizer and changes nothing of what it does. What it finds stands in the optimizer's state,
where :data:`OBSERVERS` find it for the curves of ``train`` and ``sweep``. Compare with ``thresholds``.

Source: Cohen, Kaur, Li, Kolter and Talwalkar, "Gradient descent on neural networks typically occurs at the edge of
stability", ICLR 2021; Cohen et al., "Adaptive gradient methods at the edge of stability", 2022.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxdl import checks, tree
from jaxdl.curvature import lanczos
from jaxdl.curvature.flat import MatVec
from jaxdl.curvature.preconditioners import Preconditioner
from jaxdl.curvature.products import Loss, Product, hessian
from jaxdl.observers import Observer, Step
from jaxdl.problems.problem import Problem
from jaxdl.typing import OptState, Params, PyTree, Updates


class Sharpness(NamedTuple):
    """``value``: the largest Ritz value, shape ``()``. ``residual``: ‖A y − value · y‖, shape ``()``. ``vector``: y of
    length 1, shaped like the parameters."""

    value: jax.Array
    residual: jax.Array
    vector: PyTree


class TrackState(NamedTuple):
    """``inner``: the optimizer's state. ``updates``: completed ones, int32. ``sharpness``: at the last look.
    ``preconditioned``: likewise, or None."""

    inner: OptState
    updates: jax.Array
    sharpness: Sharpness
    preconditioned: Sharpness | None


def sharpness(matvec: MatVec, start: PyTree, steps: int) -> Sharpness:
    """The largest eigenvalue by Lanczos from ``start``, an eigenvector found before or zeros for an arbitrary one.

    >>> top = sharpness(lambda v: jnp.array([1.0, 3.0]) * v, jnp.zeros(2), steps=2)
    >>> print(top.value.round(4))
    3.0
    """
    found = lanczos.pairs(lanczos.krylov(matvec, start, steps), start, 1)
    return Sharpness(found.values[0], found.residuals[0], jax.tree.map(lambda x: x[0], found.vectors))


def preconditioned(matvec: MatVec, p: PyTree) -> MatVec:
    """P^{-1/2} A P^{-1/2} for a diagonal P > 0, given as a tree shaped like the vectors."""
    scale = jax.tree.map(jax.lax.rsqrt, p)

    def scaled(vector: PyTree) -> PyTree:
        return jax.tree.map(lambda x, s: (x.astype(s.dtype) * s).astype(x.dtype), vector, scale)

    return lambda vector: scaled(matvec(scaled(vector)))


def training_loss(problem: Problem) -> Callable[[Params], jax.Array]:
    """The loss of a problem on its whole training split, as a function of the parameters, with one fixed noise key."""
    return lambda params: problem.loss(params, problem.data["train"], jax.random.key(0))


def track(
    tx: optax.GradientTransformation,
    loss: Loss,
    *args: Any,
    every: int = 10,
    steps: int = 4,
    first_steps: int = lanczos.STEPS,
    preconditioner: Preconditioner | None = None,
    product: Product = hessian,
) -> optax.GradientTransformationExtraArgs:
    """The same optimizer, with the sharpness of a loss along its path in its state.

    At updates 0, ``every``, 2 · ``every``, … it is that of the parameters before the update; between, the last stays.
    One look costs ``steps`` products (twice with a preconditioner). Where lanes are mapped whose steps differ, as in
    programs that refill their seats, every step pays for a look.

    Args:
      tx: Any optax gradient transformation; its updates come out bit for bit.
      loss: ``loss(params, *args)``: whose curvature, usually on the whole training split (:func:`training_loss`) and
        not on the batch at hand.
      *args: What else the loss is given.
      every: Updates between looks.
      steps: Products a look.
      first_steps: Products at the start, where there is no eigenvector to begin with.
      preconditioner: What the rule divides by, ``preconditioners.adam(…)`` or ``rmsprop(…)`` with the optimizer's
        arguments, or your own function of its state: then the preconditioned sharpness is followed too.
      product: Whose largest eigenvalue, the Hessian's by default.

    Returns:
      A gradient transformation whose state is :class:`TrackState`; its ``update`` needs ``params``.

    Raises:
      ValueError: a number below 1.

    >>> from jaxdl.transforms.learning_rate import scale_by_learning_rate
    >>> tx = track(scale_by_learning_rate(0.1), lambda x: 2 * jnp.sum(x**2))
    >>> print(tx.init(jnp.ones(3)).sharpness.value.round(4))
    4.0
    """
    checks.positive_integer(every=every, steps=steps, first_steps=first_steps)
    inner = optax.with_extra_args_support(tx)

    def init(params: Params) -> OptState:
        found = sharpness(product(loss, params, *args), tree.zeros_like(params), first_steps)
        state = inner.init(params)
        return TrackState(state, jnp.zeros((), jnp.int32), found, None if preconditioner is None else found)

    def look(params: Params, state: TrackState) -> tuple[Sharpness, Sharpness | None]:
        matvec = product(loss, params, *args)
        plain = sharpness(matvec, state.sharpness.vector, steps)
        if preconditioner is None or state.preconditioned is None:
            return plain, None
        scaled = preconditioned(matvec, preconditioner(state.inner))
        return plain, sharpness(scaled, state.preconditioned.vector, steps)

    def update(
        updates: Updates, state: OptState, params: Params | None = None, **extra_args: Any
    ) -> tuple[Updates, OptState]:
        if params is None:
            raise ValueError("track follows the curvature at the parameters: give params to update, got None.")
        updates, after = inner.update(updates, state.inner, params, **extra_args)
        state = state._replace(inner=after)
        # Without the barrier XLA may fuse what is looked at with the update, which is then rounded differently.
        seen = jax.lax.optimization_barrier(jax.lax.stop_gradient((params, state)))
        held = (state.sharpness, state.preconditioned)
        found = jax.lax.cond(state.updates % every == 0, look, lambda *_: held, *seen)
        return updates, TrackState(after, tree.increment(state.updates), *found)

    return optax.GradientTransformationExtraArgs(init, update)


def _tracked(opt_state: OptState) -> TrackState:
    found = jax.tree.leaves(opt_state, is_leaf=lambda x: isinstance(x, TrackState))
    states = [x for x in found if isinstance(x, TrackState)]
    if len(states) != 1:
        raise ValueError(f"sharpness is read from the state of one curvature.track(…), found {len(states)}.")
    return states[0]


def observed_sharpness(step: Step) -> jax.Array:
    """The sharpness that :func:`track` last found."""
    return _tracked(step.opt_state).sharpness.value


def observed_residual(step: Step) -> jax.Array:
    """The residual of that sharpness: an eigenvalue lies at most so far from it."""
    return _tracked(step.opt_state).sharpness.residual


def observed_preconditioned_sharpness(step: Step) -> jax.Array:
    """The preconditioned sharpness that :func:`track` last found."""
    found = _tracked(step.opt_state).preconditioned
    if found is None:
        raise ValueError("preconditioned sharpness needs curvature.track(…, preconditioner=…), got None.")
    return found.value


OBSERVERS: Mapping[str, Observer] = MappingProxyType(
    {"sharpness": observed_sharpness, "sharpness_residual": observed_residual}
)
"""For ``observe=`` of a run whose optimizer is wrapped by :func:`track`."""

PRECONDITIONED_OBSERVERS: Mapping[str, Observer] = MappingProxyType(
    {**OBSERVERS, "preconditioned_sharpness": observed_preconditioned_sharpness}
)
"""Likewise, where it is given a preconditioner."""
