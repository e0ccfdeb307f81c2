r"""Minimise any loss on a pytree with any :class:`~jaxdl.second_order.method.Method`: one loop for all of them.

A run ends where :math:`\max_i |g_i|` is at most the tolerance, which every kind of critical point satisfies, or where a
search finds no acceptable step, or after the steps that it was given. The step that a search tries first is

.. math::  \alpha_0 = \min\bigl(1,\; 1.01 \cdot 2\,(f_k - f_{k-1}) / g_k^\top d_k\bigr),

the one at which f would fall as much as in the step before if it were quadratic; in the first step, a move of length 1.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, equation 3.60.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.curvature import flat
from jaxdl.curvature.flat import Flat
from jaxdl.curvature.products import Loss
from jaxdl.second_order.line_search import Line, Point
from jaxdl.second_order.method import Method, Objective, Step
from jaxdl.typing import Params, PyTree, Scalar


class Result(NamedTuple):
    """Where a run ended.

    ``params``: the last point. ``value``: the loss there, shape ``()``. ``gradient``: shaped like the parameters.
    ``steps``: taken, int32. ``evaluations``: of the loss with its gradient, int32; products with the Hessian are not
    among them. ``converged``: whether the gradient met the tolerance. ``failed``: whether a step could not be taken.
    ``path``: parameters with a leading axis ``steps + 1``, the start first and the last point repeated after the end;
    ``values``: the losses there. Both None unless they were asked for.
    """

    params: Params
    value: jax.Array
    gradient: PyTree
    steps: jax.Array
    evaluations: jax.Array
    converged: jax.Array
    failed: jax.Array
    path: Params | None = None
    values: jax.Array | None = None


class _State(NamedTuple):
    """All that the next step needs; ``expected``: a guess of how much the value will fall."""

    x: jax.Array
    value: jax.Array
    gradient: jax.Array
    memory: PyTree
    expected: jax.Array
    steps: jax.Array
    evaluations: jax.Array
    failed: jax.Array


def minimise(
    loss: Loss,
    params: Params,
    *args: Any,
    method: Method,
    steps: int = 100,
    tolerance: Scalar = 1e-5,
    record: bool = False,
) -> Result:
    """Runs a method from a point. Pure: jit it, vmap it over starts, data and the floats of the method.

    Args:
      loss: ``loss(params, *args) -> scalar``.
      params: The start, a tree of real arrays; P numbers in all.
      *args: What else the loss is given: a batch, a key.
      method: ``newton()``, ``bfgs()``, ``lbfgs()``, ``conjugate_gradient()``, ``gradient_descent(0.1)``, …
      steps: How many at most.
      tolerance: Largest magnitude of a gradient element that counts as zero, ≥ 0. May be traced.
      record: Whether to keep the path; then all steps are laid out in memory, (steps + 1) P numbers.

    Returns:
      The end of the run.

    Raises:
      ValueError: no steps, a negative tolerance, or parameters that are not real numbers.

    >>> from jaxdl import second_order
    >>> bowl = lambda x: jnp.sum(jnp.array([1.0, 10.0]) * (x - 3) ** 2)
    >>> result = minimise(bowl, jnp.zeros(2), method=second_order.newton())
    >>> print(result.params, result.steps, result.converged)
    [3. 3.] 1 True
    """
    checks.positive_integer(steps=steps)
    checks.nonnegative(tolerance=tolerance)
    form = flat.flat(params)
    objective = _objective(loss, form, args)
    state = _start(objective, method, flat.ravel(form, params))
    bound = jnp.asarray(tolerance).astype(form.dtype)

    def active(state: _State) -> jax.Array:
        return (state.steps < steps) & ~state.failed & ~_flat_enough(state, bound)

    def advance(state: _State) -> _State:
        return _advanced(objective, method, state)

    path = values = None
    if record:

        def recorded(state: _State, _: None) -> tuple[_State, tuple[jax.Array, jax.Array]]:
            state = jax.lax.cond(active(state), advance, lambda state: state, state)
            return state, (state.x, state.value)

        state, (points, losses) = jax.lax.scan(recorded, first := state, length=steps)
        path = jax.vmap(partial(flat.unravel, form))(jnp.concatenate([first.x[None], points]))
        values = jnp.concatenate([first.value[None], losses])
    else:
        state = jax.lax.while_loop(active, advance, state)
    return Result(
        params=flat.unravel(form, state.x),
        value=state.value,
        gradient=flat.unravel(form, state.gradient),
        steps=state.steps,
        evaluations=state.evaluations,
        converged=_flat_enough(state, bound),
        failed=state.failed,
        path=path,
        values=values,
    )


def _objective(loss: Loss, form: Flat, args: tuple[Any, ...]) -> Objective:
    def of_vector(x: jax.Array) -> jax.Array:
        value: jax.Array = loss(flat.unravel(form, x), *args).astype(form.dtype)
        return value

    def product(x: jax.Array, v: jax.Array) -> jax.Array:
        change: jax.Array = jax.jvp(jax.grad(of_vector), (x,), (v,))[1]
        return change

    return Objective(jax.value_and_grad(of_vector), product)


def _start(objective: Objective, method: Method, x: jax.Array) -> _State:
    value, gradient = objective.value_and_gradient(x)
    norm = jnp.sqrt(jnp.sum(gradient**2))
    return _State(
        x=x,
        value=value,
        gradient=gradient,
        memory=method.init(gradient),
        expected=norm / 2,
        steps=jnp.int32(0),
        evaluations=jnp.int32(1),
        failed=~(jnp.isfinite(value) & jnp.isfinite(norm)),
    )


def _flat_enough(state: _State, bound: jax.Array) -> jax.Array:
    return jnp.max(jnp.abs(state.gradient)) <= bound


def _advanced(objective: Objective, method: Method, state: _State) -> _State:
    """One step; a state whose step could not be taken stays, and is marked."""
    x, gradient, memory = state.x, state.gradient, state.memory
    direction = method.direction(objective, x, gradient, memory)
    if method.descends:
        uphill = ~(jnp.sum(gradient * direction) < 0)  # NaN counts as uphill
        direction = jnp.where(uphill, -gradient, direction)
        memory = tree.select(uphill, method.init(gradient), memory)
    slope = jnp.sum(gradient * direction)

    def at(step: jax.Array) -> Point:
        value, g = objective.value_and_gradient(x + step * direction)
        return Point(step, value, jnp.sum(g * direction), g)

    def curvature() -> jax.Array:
        return jnp.sum(direction * objective.product(x, direction))

    guess = jnp.minimum(jnp.ones_like(slope), 1.01 * 2 * state.expected / jnp.abs(slope))
    guess = jnp.where(guess > 0, guess, jnp.ones_like(guess))  # NaN and 0 take 1
    line = Line(Point(jnp.zeros_like(slope), state.value, slope, gradient), at, curvature)
    found = method.search(line, guess)
    point = found.point
    good = ~found.failed & jnp.isfinite(point.value) & jnp.all(jnp.isfinite(point.gradient))
    s = point.step * direction
    step = Step(s=s, y=point.gradient - gradient, direction=direction, before=gradient, after=point.gradient)
    after = state._replace(
        x=x + s,
        value=point.value,
        gradient=point.gradient,
        memory=method.update(memory, step),
        expected=jnp.abs(state.value - point.value),
        steps=state.steps + 1,
    )
    state = tree.select(good, after, state)
    return state._replace(evaluations=state.evaluations + found.evaluations, failed=~good)
