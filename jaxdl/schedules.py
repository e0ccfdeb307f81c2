r"""Schedules: number of completed updates → scalar.

**Step origin.** A schedule is called with the number of updates already done: 0 at the first update, T − 1 at the last
of T. So ``warmup_cosine(0.0, …)`` makes a first update of size zero, as optax does; torch's schedulers count alike.

**Every number may be traced**: values, lengths and boundaries. Nothing is decided in Python, so a sweep can map over a
peak or a warm-up length. Lengths may be fractional; a length of zero means that the end is reached at once.

Below, t is the count, T a length, and p = clip((t − t₀)/T, 0, 1) the progress.
Names and keywords follow optax's schedules, whose values these reproduce at integer lengths.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.typing import Scalar, ScalarOrSchedule, Schedule


def _real(value: Any) -> jax.Array:
    """In the widest float that is enabled: float32, or float64 under x64."""
    return jnp.asarray(value).astype(jnp.result_type(float))


def _progress(count: Any, begin: Scalar, length: Scalar) -> jax.Array:
    """Elapsed part of [begin, begin + length], in [0, 1]; 1 from ``begin`` on where the length is zero."""
    elapsed, length = _real(count) - _real(begin), _real(length)
    part = elapsed / jnp.where(length > 0, length, 1)
    return jnp.where(length > 0, jnp.clip(part, 0, 1), jnp.where(elapsed >= 0, 1.0, 0.0).astype(part.dtype))


def constant(value: Scalar) -> Schedule:
    """``value`` at every step.

    >>> print(constant(0.5)(7))
    0.5
    """
    return lambda count: _real(value)


def product(*factors: ScalarOrSchedule) -> Schedule:
    """The product of schedules and constants at every step.

    >>> print(product(0.5, constant(0.5))(7))
    0.25
    """

    def schedule(count: Any) -> jax.Array:
        value = _real(1.0)
        for factor in factors:
            value = value * _real(factor(count) if callable(factor) else factor)
        return value

    return schedule


def piecewise_constant(init_value: Scalar, boundaries_and_scales: Mapping[Any, Scalar]) -> Schedule:
    """Starts at ``init_value`` and is multiplied by each scale once the count has reached its boundary.

    Args:
      init_value: Value before the first boundary.
      boundaries_and_scales: Count at which a factor begins to act, to that factor. To trace boundaries as well, pass
        the pairs as two arrays to :func:`piecewise_constant_arrays`.

    Returns:
      A schedule.

    >>> print([float(piecewise_constant(1.0, {2: 0.5})(t)) for t in range(4)])
    [1.0, 1.0, 0.5, 0.5]
    """
    return piecewise_constant_arrays(
        init_value,
        jnp.asarray([_real(b) for b in boundaries_and_scales], jnp.result_type(float)),
        jnp.asarray([_real(s) for s in boundaries_and_scales.values()], jnp.result_type(float)),
    )


def piecewise_constant_arrays(init_value: Scalar, boundaries: jax.Array, scales: jax.Array) -> Schedule:
    """:func:`piecewise_constant` with boundaries and scales as arrays of shape ``(k,)``, both traceable."""

    def schedule(count: Any) -> jax.Array:
        reached = _real(count) >= _real(boundaries)
        return _real(init_value) * jnp.prod(jnp.where(reached, _real(scales), _real(1.0)))

    return schedule


def polynomial(
    init_value: Scalar, end_value: Scalar, power: Scalar, transition_steps: Scalar, transition_begin: Scalar = 0
) -> Schedule:
    """(init − end)·(1 − p)^power + end.

    Args:
      init_value: Value until ``transition_begin``.
      end_value: Value from ``transition_begin + transition_steps`` on.
      power: Exponent, > 0.
      transition_steps: Length T of the transition, ≥ 0, in updates.
      transition_begin: t₀, in updates.

    Returns:
      A schedule.

    Raises:
      ValueError: a negative length or a power that is not positive.

    >>> print(polynomial(1.0, 0.0, 2.0, 4)(2))
    0.25
    """
    checks.nonnegative(transition_steps=transition_steps, transition_begin=transition_begin)
    checks.positive(power=power)

    def schedule(count: Any) -> jax.Array:
        init, end = _real(init_value), _real(end_value)
        return (init - end) * (1 - _progress(count, transition_begin, transition_steps)) ** _real(power) + end

    return schedule


def linear(init_value: Scalar, end_value: Scalar, transition_steps: Scalar, transition_begin: Scalar = 0) -> Schedule:
    """:func:`polynomial` with power 1.

    >>> print(linear(0.0, 1.0, 4)(1))
    0.25
    """
    return polynomial(init_value, end_value, 1.0, transition_steps, transition_begin)


def exponential(
    init_value: Scalar,
    transition_steps: Scalar,
    decay_rate: Scalar,
    transition_begin: Scalar = 0,
    staircase: bool = False,
    end_value: Scalar | None = None,
) -> Schedule:
    """init · rate^((t − t₀)/T) from t₀ on; with ``staircase`` the exponent is rounded down.

    Args:
      init_value: Value until ``transition_begin``.
      transition_steps: T > 0: updates in which the value is multiplied once by ``decay_rate``.
      decay_rate: > 0.
      transition_begin: t₀, in updates.
      staircase: Whether to decay in jumps.
      end_value: Bound that the value does not pass, from above where the rate is below 1, from below otherwise.

    Returns:
      A schedule.

    Raises:
      ValueError: a length or rate that is not positive.

    >>> print(exponential(1.0, 2, 0.25)(1))
    0.5
    """
    checks.positive(transition_steps=transition_steps, decay_rate=decay_rate)

    def schedule(count: Any) -> jax.Array:
        exponent = jnp.maximum(_real(count) - _real(transition_begin), 0) / _real(transition_steps)
        value = _real(init_value) * _real(decay_rate) ** (jnp.floor(exponent) if staircase else exponent)
        if end_value is None:
            return value
        end = _real(end_value)
        return jnp.where(_real(decay_rate) < 1, jnp.maximum(value, end), jnp.minimum(value, end))

    return schedule


def cosine(init_value: Scalar, decay_steps: Scalar, alpha: Scalar = 0.0, exponent: Scalar = 1.0) -> Schedule:
    """init · ((1 − α)·(½(1 + cos πp))^exponent + α).

    Args:
      init_value: Value at count 0.
      decay_steps: T, updates until ``alpha · init_value`` is reached.
      alpha: Final value as a part of the first.
      exponent: Sharpens (> 1) or flattens (< 1) the cosine.

    Returns:
      A schedule.

    Raises:
      ValueError: a negative length.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts.

    >>> print(cosine(1.0, 4)(2).round(3))
    0.5
    """
    checks.nonnegative(decay_steps=decay_steps)

    def schedule(count: Any) -> jax.Array:
        falling = 0.5 * (1 + jnp.cos(jnp.pi * _progress(count, 0, decay_steps)))
        return _real(init_value) * ((1 - _real(alpha)) * falling ** _real(exponent) + _real(alpha))

    return schedule


def warmup_cosine(
    init_value: Scalar,
    peak_value: Scalar,
    warmup_steps: Scalar,
    decay_steps: Scalar,
    end_value: Scalar = 0.0,
    exponent: Scalar = 1.0,
) -> Schedule:
    """A line from ``init_value`` up to ``peak_value``, then a cosine down to ``end_value``.

    Args:
      init_value: Value at count 0.
      peak_value: Value at count ``warmup_steps``. Unlike optax's, it may be traced, and it may be zero.
      warmup_steps: Length of the line, ≥ 0.
      decay_steps: Length of line *and* cosine together, as in optax.
      end_value: Value from ``decay_steps`` on.
      exponent: As in :func:`cosine`.

    Returns:
      A schedule.

    Raises:
      ValueError: a negative length.

    >>> schedule = warmup_cosine(0.0, 1.0, 2, 6)
    >>> print([round(float(schedule(t)), 3) for t in range(7)])
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    checks.nonnegative(warmup_steps=warmup_steps, decay_steps=decay_steps)
    rising = linear(init_value, peak_value, warmup_steps)

    def schedule(count: Any) -> jax.Array:
        p = _progress(count, warmup_steps, _real(decay_steps) - _real(warmup_steps))
        peak, end = _real(peak_value), _real(end_value)
        falling = (peak - end) * (0.5 * (1 + jnp.cos(jnp.pi * p))) ** _real(exponent) + end
        return jnp.where(_real(count) < _real(warmup_steps), rising(count), falling)

    return schedule


def inverse_time(init_value: Scalar, transition_steps: Scalar, decay_rate: Scalar, staircase: bool = False) -> Schedule:
    """init / (1 + rate · t/T), the Robbins–Monro decay; with ``staircase`` t/T is rounded down.

    Args:
      init_value: Value at count 0.
      transition_steps: T > 0, in updates.
      decay_rate: ≥ 0.
      staircase: Whether to decay in jumps.

    Returns:
      A schedule.

    Raises:
      ValueError: a length that is not positive or a negative rate.

    >>> print(inverse_time(1.0, 1, 1.0)(3))
    0.25
    """
    checks.positive(transition_steps=transition_steps)
    checks.nonnegative(decay_rate=decay_rate)

    def schedule(count: Any) -> jax.Array:
        elapsed = _real(count) / _real(transition_steps)
        return _real(init_value) / (1 + _real(decay_rate) * (jnp.floor(elapsed) if staircase else elapsed))

    return schedule
