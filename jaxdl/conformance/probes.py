"""Designed gradient sequences, and what a transformation answers to them.

Every probe is a lone scalar parameter that is *held still*: the update is recorded and not applied. With θ = 0 every
kind of weight decay vanishes and the direction is seen alone; with θ ≠ 0 the difference is the decay alone. All probes
run as lanes of one compiled program in float64.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxdl import checks
from jaxdl.conformance.demands import NeedsMore, missing
from jaxdl.conformance.recurrences import Array
from jaxdl.typing import ScalarOrSchedule

STEPS = 16
RATE = 0.01
"""Of the runs at a constant rate."""
LOSS = 0.3
"""f at every step, for an update that asks for it; above a floor of 0, as far as a probe can tell."""
SCALES = (1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
"""Sizes of gradients: between them lies every ε in use."""

Factory = Callable[[ScalarOrSchedule], optax.GradientTransformation]


def gradients() -> Array:
    """The sequences, shape ``(STEPS, lanes)``: irregular ones at every scale, impulses, a step, falling scales."""
    t = np.arange(1, STEPS + 1)
    irregular = np.cos(1.7 * t**2) * (1.1 + np.sin(2.3 * t))
    impulse, late = np.zeros(STEPS), np.zeros(STEPS)
    impulse[0], late[3] = 1.0, 1.0
    two_scales = np.where(t <= 5, 1.0, 1e-3) * irregular
    rising = np.where(t <= 8, 1e-3, 1.0) * np.cos(t)
    falling = 3.0 * np.exp(-0.5 * t) * (-1.0) ** t
    flipped = np.roll(irregular, 5)
    shapes = [impulse, late, np.ones(STEPS), two_scales, rising, falling, 30 * flipped]
    return np.stack([*(scale * irregular for scale in SCALES), *shapes], axis=1)


def falling_rates() -> Array:
    """A rate that changes at every step and is no geometric sequence, shape ``(STEPS, 1)``."""
    t = np.arange(STEPS)[:, None]
    rates: Array = RATE * (0.1 + 0.9 * np.cos(np.pi * t / (2 * STEPS)) ** 2) * (1 + 0.2 * np.cos(2.0 * t))
    return rates


class Answers(NamedTuple):
    """Updates with their sign turned, so that a descent is positive; each ``(STEPS, lanes)``.

    Attributes:
      constant: θ = 0, constant rate.
      decayed: θ ≠ 0, constant rate.
      falling: θ = 0, falling rates; None where the rate is not ours to choose.
      falling_decayed: θ ≠ 0, falling rates.
      doubled: θ = 0, twice those rates.
      doubled_decayed: θ ≠ 0, twice those rates.
      number: θ = 0, constant rate given as a number; None where the factory took only that.
      rest: no gradient at all, θ = 0, constant rate, ``(STEPS, 1)``: what moves then is noise.
      rest_falling: the same, falling rates.
    """

    constant: Array
    decayed: Array
    falling: Array | None = None
    falling_decayed: Array | None = None
    doubled: Array | None = None
    doubled_decayed: Array | None = None
    number: Array | None = None
    rest: Array | None = None
    rest_falling: Array | None = None


RUNS = ("constant", "decayed", "falling", "falling_decayed", "doubled", "doubled_decayed")


def parameters(lanes: int) -> Array:
    """θ ≠ 0 of the lanes: of both signs and several sizes."""
    return np.resize([2.0, -3.0, 0.5, -0.25, 1.0], lanes)


def ask(subject: optax.GradientTransformation | Factory) -> Answers:
    """Runs the probes on a transformation, or on a factory of the rate (a number or a schedule).

    Args:
      subject: A transformation, or ``factory(learning_rate)``.

    Returns:
      The answers; what needs a changing rate is None for a transformation and for a factory that takes only numbers.

    Raises:
      NeedsMore: the update asks for extra arguments other than ``value``.
      TypeError: ``subject`` is neither, or the factory returns no transformation.
      ValueError: the transformation is for trees alone.
    """
    if not hasattr(subject, "update") and not callable(subject):
        raise TypeError(f"expected a transformation or a factory of its learning rate, got {subject!r}.")
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        try:
            return _asked(subject, {})
        except TypeError as error:
            names = missing(error)
            if not names:
                raise
            if names != ("value",):
                raise NeedsMore(names) from error
        try:
            return _asked(subject, {"value": jnp.asarray(LOSS)})
        except TypeError as error:
            raise NeedsMore(missing(error)) if missing(error) else error from error


def without_noise(answers: Answers) -> Answers:
    """What a linear rule answers when its noise is taken away: what it does at rest."""
    constant, falling = answers.rest, answers.rest_falling
    noises = {
        **dict.fromkeys(("constant", "decayed", "number"), constant),
        **dict.fromkeys(("falling", "falling_decayed"), falling),
        **dict.fromkeys(("doubled", "doubled_decayed"), None if falling is None else 2 * falling),
    }
    heard = answers._asdict()
    quiet = {
        name: heard[name] - noise for name, noise in noises.items() if noise is not None and heard[name] is not None
    }
    return answers._replace(**quiet)


def _asked(subject: optax.GradientTransformation | Factory, extra: Mapping[str, Any]) -> Answers:
    """``ask``, with extra arguments for the update."""
    g = gradients()
    zero, other = np.zeros(g.shape[1]), parameters(g.shape[1])
    constant, falling = np.full((STEPS, 1), RATE), falling_rates()
    still, nothing = [(g, zero, constant), (g, other, constant)], (np.zeros((STEPS, 1)), np.zeros(1))
    if hasattr(subject, "update"):
        at_zero, decayed, rest = _run(lambda rates: subject, [*still, (*nothing, constant)], extra)
        return Answers(at_zero, decayed, rest=rest)
    number = _run(lambda rates: subject(rates[0]), [*still, (*nothing, constant)], extra)
    runs = [*still, *((g, theta, size * falling) for size in (1, 2) for theta in (zero, other))]
    try:
        answers = _run(
            lambda rates: subject(lambda count: rates[count]), [*runs, (*nothing, constant), (*nothing, falling)], extra
        )
    except (TypeError, ValueError):  # the rate must be a number there
        return Answers(number[0], number[1], rest=number[2])
    return Answers(**dict(zip((*RUNS, "rest", "rest_falling"), answers, strict=True)), number=number[0])


def _run(
    make: Callable[[jax.Array], optax.GradientTransformation],
    runs: list[tuple[Array, Array, Array]],
    extra: Mapping[str, Any],
) -> list[Array]:
    """−updates of every run, all lanes of all runs in one program; on leaves of one axis where a rule needs that."""
    try:
        return _run_on((), make, runs, extra)
    except IndexError:
        return _run_on((1,), make, runs, extra)


def _run_on(
    shape: tuple[int, ...],
    make: Callable[[jax.Array], optax.GradientTransformation],
    runs: list[tuple[Array, Array, Array]],
    extra: Mapping[str, Any],
) -> list[Array]:
    def lane(gradients: jax.Array, theta: jax.Array, rates: jax.Array) -> jax.Array:
        transform, params = make(rates), jnp.reshape(theta, shape)
        checks.transformation(transform)

        def step(state: Any, gradient: jax.Array) -> tuple[Any, jax.Array]:
            update, state = transform.update(jnp.reshape(gradient, shape), state, params, **extra)
            return state, jnp.reshape(update, ())

        try:
            return jax.lax.scan(step, transform.init(params), gradients)[1]
        except ValueError as error:  # such as a mask or groups by names of leaves
            ended = str(error).splitlines()[0]
            raise ValueError(f"a probe is a lone scalar, and on one this transformation ends in: {ended}") from error

    stacked = [np.concatenate(columns, axis=-1) for columns in zip(*(_broadcast(run) for run in runs), strict=True)]
    columns = jax.jit(jax.vmap(lane, in_axes=(1, 0, 1), out_axes=1))(*map(jnp.asarray, stacked))
    ends = np.cumsum([run[0].shape[1] for run in runs])
    return [-block for block in np.split(np.asarray(columns), ends[:-1], axis=1)]


def _broadcast(run: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    g, theta, rates = run
    return g, theta, np.broadcast_to(rates, g.shape)
