r"""How far along a direction: rules of one signature, ``search(line, guess) -> Found``.

With :math:`\varphi(\alpha) = f(x + \alpha d)`:

.. math::

    \text{constant:}        &\quad \alpha = \eta \\
    \text{exact:}           &\quad \alpha = -\varphi'(0)/\varphi''(0), \quad \text{the minimum where } f
                               \text{ is quadratic} \\
    \text{Armijo:}          &\quad \varphi(\alpha) \le \varphi(0) + c_1 \alpha \varphi'(0), \quad
                               \text{the first of } \alpha_0, \tau\alpha_0, \tau^2\alpha_0, \dots \\
    \text{strong Wolfe:}    &\quad \text{Armijo, and } |\varphi'(\alpha)| \le c_2 |\varphi'(0)|

A point that satisfies strong Wolfe has :math:`s^\top y > 0`, which keeps BFGS positive definite. It is found by
bracketing and cubic interpolation. Where the values of f differ by rounding alone, its slopes decide in place of Armijo
(the approximate Wolfe condition), or the last digits could not be reached.

Source: Nocedal and Wright, "Numerical optimization", 2nd edition, 2006, algorithms 3.1, 3.5 and 3.6 and equation 3.59;
Hager and Zhang, "A new conjugate gradient method with guaranteed descent and an efficient line search", 2005, equation
4.1 (approximate Wolfe).
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks, tree
from jaxdl.typing import Scalar

ROUNDINGS = 10
"""Values of f are taken to be equal where they differ by so many roundings of f."""


class Point(NamedTuple):
    """A point of the line. ``step``: α. ``value``: φ(α). ``slope``: φ′(α). ``gradient``: g there, shape ``(P,)``."""

    step: jax.Array
    value: jax.Array
    slope: jax.Array
    gradient: jax.Array


class Line(NamedTuple):
    """f along a direction. ``start``: the point α = 0. ``at``: α to the point there. ``curvature``: φ″(0)."""

    start: Point
    at: Callable[[jax.Array], Point]
    curvature: Callable[[], jax.Array]


class Found(NamedTuple):
    """``point``: where the search ended. ``evaluations``: of f and g, int32. ``failed``: no point was acceptable."""

    point: Point
    evaluations: jax.Array
    failed: jax.Array


Search: TypeAlias = Callable[[Line, jax.Array], Found]
"""``search(line, guess) -> Found``, where ``guess`` is a first step of a likely size."""


def constant(rate: Scalar) -> Search:
    """Always α = η, whatever is found there.

    Args:
      rate: η > 0. May be traced.

    Returns:
      The search.

    Raises:
      ValueError: ``rate`` is not positive.
    """
    checks.positive(rate=rate)

    def search(line: Line, guess: jax.Array) -> Found:
        return Found(line.at(jnp.asarray(rate).astype(guess.dtype)), jnp.int32(1), jnp.bool_(False))

    return search


def exact() -> Search:
    """The minimum of the parabola that f has at its start along the line; it fails where that curves downwards."""

    def search(line: Line, guess: jax.Array) -> Found:
        curvature = line.curvature()
        upwards = curvature > 0
        step = jnp.where(upwards, -line.start.slope / jnp.where(upwards, curvature, jnp.ones_like(curvature)), 0)
        return Found(line.at(step.astype(guess.dtype)), jnp.int32(1), ~upwards)

    return search


def armijo(*, start: Scalar = 1.0, c1: Scalar = 1e-4, shrink: Scalar = 0.5, trials: int = 40) -> Search:
    """Backtracking from one first step, whatever the guess, until the value falls in proportion to the slope.

    Args:
      start: α₀ > 0, the first trial; 1 is Newton's.
      c1: Share of the fall that the slope promises, in [0, 1).
      shrink: τ in [0, 1), the ratio of a trial to the one before.
      trials: How many at most; after that the search has failed.

    Returns:
      The search.

    Raises:
      ValueError: a number outside its range.
    """
    checks.positive(start=start)
    checks.decay_rate(c1=c1, shrink=shrink)
    checks.positive_integer(trials=trials)

    def search(line: Line, guess: jax.Array) -> Found:
        first, share, ratio = (jnp.asarray(number).astype(guess.dtype) for number in (start, c1, shrink))

        def rejected(point: Point) -> jax.Array:
            return ~(point.value <= line.start.value + share * point.step * line.start.slope)  # True for NaN

        def wanted(found: Found) -> jax.Array:
            return rejected(found.point) & (found.evaluations < trials)

        def nearer(found: Found) -> Found:
            return found._replace(point=line.at(ratio * found.point.step), evaluations=found.evaluations + 1)

        found = jax.lax.while_loop(wanted, nearer, Found(line.at(first), jnp.int32(1), jnp.bool_(False)))
        return found._replace(failed=rejected(found.point))

    return search


class _Bracket(NamedTuple):
    """``low``: the best acceptable point, α = 0 at first. ``high``: the other end, at α = ∞ while none is known.
    ``trial``: the next α. ``done``: whether ``low`` satisfies both conditions."""

    low: Point
    high: Point
    trial: jax.Array
    evaluations: jax.Array
    done: jax.Array


def strong_wolfe(*, c1: Scalar = 1e-4, c2: Scalar = 0.9, trials: int = 40) -> Search:
    """A point that satisfies the strong Wolfe conditions; the equations stand at the top of this file.

    Args:
      c1: Share of the promised fall in value, in [0, 1).
      c2: Share of the slope that may remain, in [0, 1), above ``c1``: 0.9 for quasi-Newton methods, 0.1 for conjugate
        gradients.
      trials: Evaluations at most; after that the best point that satisfies Armijo is taken, and where there is none the
        search has failed.

    Returns:
      The search.

    Raises:
      ValueError: a number outside its range.

    >>> parabola = lambda a: Point(a, (a - 3.0) ** 2, 2 * (a - 3.0), jnp.reshape(2 * (a - 3.0), (1,)))
    >>> line = Line(parabola(jnp.float32(0)), parabola, lambda: jnp.float32(2))
    >>> print(strong_wolfe(c2=0.1)(line, jnp.float32(1)).point.step.round(4))
    3.0
    """
    checks.decay_rate(c1=c1, c2=c2)
    checks.positive_integer(trials=trials)

    def search(line: Line, guess: jax.Array) -> Found:
        share, rest = (jnp.asarray(number).astype(guess.dtype) for number in (c1, c2))

        def wanted(bracket: _Bracket) -> jax.Array:
            return ~bracket.done & (bracket.evaluations < trials)

        def narrower(bracket: _Bracket) -> _Bracket:
            return _narrowed(bracket, line.at(bracket.trial), line.start, share, rest)

        nowhere = line.start._replace(step=jnp.full_like(guess, jnp.inf))
        bracket = _Bracket(line.start, nowhere, guess, jnp.int32(0), jnp.bool_(False))
        bracket = jax.lax.while_loop(wanted, narrower, bracket)
        return Found(bracket.low, bracket.evaluations, ~(bracket.low.step > 0))

    return search


def _narrowed(bracket: _Bracket, trial: Point, start: Point, c1: jax.Array, c2: jax.Array) -> _Bracket:
    """The bracket after a trial, and where to try next."""
    low, high = bracket.low, bracket.high
    noise = ROUNDINGS * jnp.finfo(start.value.dtype).eps * jnp.abs(start.value)
    fell = trial.value <= start.value + c1 * trial.step * start.slope
    flat = (jnp.abs(trial.value - start.value) <= noise) & (trial.slope <= (2 * c1 - 1) * start.slope)
    good = (fell & (trial.value < low.value)) | (flat & (trial.value <= low.value + noise))
    done = good & (jnp.abs(trial.slope) <= -c2 * start.slope)
    # From an acceptable trial the minimum lies downhill; where that is back towards low, low becomes the other end.
    back = trial.slope * jnp.sign(high.step - low.step) >= 0
    high = tree.select(good, tree.select(back, low, high), trial)
    low = tree.select(good, trial, low)
    bracketed = jnp.isfinite(high.step)
    following = jnp.where(bracketed, _between(low, high), 2 * trial.step)
    return _Bracket(low, high, following, bracket.evaluations + 1, done)


def _between(low: Point, high: Point) -> jax.Array:
    """The minimum of the cubic through two points and slopes; the middle where it is not well inside."""
    width = high.step - low.step
    a = low.slope + high.slope - 3 * (high.value - low.value) / width
    b = jnp.sign(width) * jnp.sqrt(a * a - low.slope * high.slope)
    cubic = high.step - width * (high.slope + b - a) / (high.slope - low.slope + 2 * b)
    part = (cubic - low.step) / width
    return jnp.where((part > 0.05) & (part < 0.95), cubic, low.step + width / 2)  # NaN takes the middle
