"""How well a candidate says what was observed: its hyper-parameters are fitted, then rounded where that holds."""

import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from jaxdl.conformance.candidates import Candidate
from jaxdl.conformance.recurrences import Array

IDENTIFIED = 1e-6
"""Largest relative residual of a candidate that fits: far above rounding, far below the distance of conventions."""

EXACT = 1e-12
"""Residual of rounding alone, where everything was computed in float64."""

GLANCE, ITERATIONS = 6, 40
"""Iterations after which a fit that is not near is given up, and of one that is."""
NEAR = 0.05
"""Residual of a fit that is near."""


class Fit(NamedTuple):
    """The best that a candidate can do.

    Attributes:
      candidate: whose.
      hyper: its hyper-parameters, rounded to a few digits where the fit stays as good.
      gain: factor on the given rate.
      residual: largest |predicted − observed| relative to the largest observed step of the probe; inf where the one
        is finite and the other is not.
    """

    candidate: Candidate
    hyper: Mapping[str, float]
    gain: float
    residual: float

    @property
    def fits(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.residual <= IDENTIFIED


def residuals(predicted: Array, observed: Array, least: Array | float = 0.0) -> Array:
    """Differences relative to each probe's largest finite observation; inf where only one of two is finite.

    ``least`` is what the largest observation counts as where it is smaller: rounding is not to be explained.
    """
    finite = np.isfinite(observed)
    size = np.maximum(np.max(np.abs(np.where(finite, observed, 0)), axis=0), least)
    with np.errstate(all="ignore"):
        difference = (predicted - observed) / np.where(size > 0, size, np.max(size, initial=1e-300))
    difference = np.where(finite | np.isfinite(predicted), difference, 0)
    return np.where(np.isnan(difference), np.inf, difference)


def distance(predicted: Array, observed: Array, least: Array | float = 0.0) -> float:
    """The largest of the :func:`residuals`."""
    return float(np.max(np.abs(residuals(predicted, observed, least))))


# --- what excludes a candidate at sight -------------------------------------------------------------------------------


class Signature(NamedTuple):
    """What of the answers no hyper-parameter changes.

    Attributes:
      proportional: steps grow with the scale of the gradients.
      one_size: every step has one size or is zero.
      forgets: a zero gradient gives a zero step.
    """

    proportional: bool
    one_size: bool
    forgets: bool


def signature(steps: Array, gradients: Array) -> Signature:
    """The signature of steps, ``(T, lanes)``, whose first two probes are one sequence at two scales."""
    scale = gradients[0, 1] / gradients[0, 0]
    sizes = np.abs(steps[np.isfinite(steps) & (steps != 0)])
    largest = float(np.max(sizes, initial=0))
    first = np.max(np.abs(steps[:, 1])) if np.isfinite(steps[:, :2]).all() else np.inf
    return Signature(
        proportional=bool(np.max(np.abs(steps[:, 1] - scale * steps[:, 0])) <= 1e-9 * first < np.inf),
        one_size=bool(sizes.size) and bool(np.min(sizes) >= (1 - 1e-9) * largest),
        forgets=bool(np.all(steps[gradients == 0] == 0)),
    )


# --- where hyper-parameters live --------------------------------------------------------------------------------------


LINEAR = ("beta", "dampening", "eta_plus")
"""Hyper-parameters that may have any sign, or exceed 1."""


def _to_line(name: str, value: float) -> float:
    """An unbounded coordinate: −log(1 − β) for memories, log for what is added or started from."""
    if name in LINEAR:
        return value
    return float(np.log(value)) if _is_scale(name) else float(-np.log1p(-value))


def _from_line(name: str, x: float) -> float:
    if name in LINEAR:
        return x
    return float(np.exp(np.clip(x, -80, 5))) if _is_scale(name) else float(-np.expm1(-np.clip(x, -0.5, 20)))


def _is_scale(name: str) -> bool:
    return name.startswith(("eps", "start", "largest"))


# --- fitting ----------------------------------------------------------------------------------------------------------


def fit(candidate: Candidate, gradients: Array, rate: float, observed: Array, *, patient: bool = False) -> Fit:
    """Fits a candidate to answers at a constant rate.

    Args:
      candidate: Whose hyper-parameters are free.
      gradients: ``(T, lanes)``.
      rate: η.
      observed: The steps, ``(T, lanes)``.
      patient: Whether to try other starts where the usual one does not lead to a fit.

    Returns:
      The best of a few starts; for a candidate whose :func:`signature` is another, its start.
    """
    names = [*candidate.free]
    rates = np.full_like(gradients, rate)
    untouched = candidate.steps(gradients, rates, candidate.free)
    if signature(untouched, gradients) != signature(observed, gradients):
        gain = gain_of(untouched, observed)
        return Fit(candidate, candidate.free, gain, max(distance(gain * untouched, observed), 2 * IDENTIFIED))

    def predict(point: Array) -> Array:
        hyper = {name: _from_line(name, x) for name, x in zip(names, point, strict=True)}
        return candidate.steps(gradients, rates, hyper)

    starts = [np.array([_to_line(n, v) for n, v in start.items()]) for start in _grid(candidate)]
    best = _descend(predict, observed, min(starts, key=lambda start: _roughly(predict(start), observed)))
    for start in _other_starts(candidate) if patient or candidate.family in SIGNS else ():
        if best[1] <= IDENTIFIED:
            break
        other = _descend(predict, observed, np.array([_to_line(n, v) for n, v in start.items()]))
        best = min(best, other, key=lambda pair: pair[1])
    hyper = {name: _from_line(name, x) for name, x in zip(names, best[0], strict=True)}
    return _rounded(candidate, hyper, gradients, rates, observed)


SIGNS = ("lion", "signum")
"""Families whose steps have no slope to descend."""


def _grid(candidate: Candidate) -> list[dict[str, float]]:
    """The usual hyper-parameters with every size of ε and memory of the square, to begin near."""
    free = candidate.free
    memories, sizes = (0.9, 0.99, 0.999), (1e-9, 1e-7, 1e-5, 1e-3, 1e-1)
    usual: dict[str, tuple[float, ...]] = {"b2": memories, "decay": memories, "eps": sizes}
    choices = {name: values for name, values in usual.items() if name in free and candidate.family not in SIGNS}
    points = itertools.product(*choices.values())
    named: list[dict[str, float]] = [dict(zip(choices, point, strict=True)) for point in points]
    return [free, *({**free, **chosen} for chosen in named if chosen)]


def _roughly(predicted: Array, observed: Array) -> float:
    """A mean difference that a few large ones do not decide."""
    differences = np.abs(residuals(gain_of(predicted, observed) * predicted, observed))
    return float(np.mean(np.minimum(differences, 1)))


def _other_starts(candidate: Candidate) -> list[dict[str, float]]:
    free = candidate.free
    if candidate.family in SIGNS:
        memories = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
        return [dict(zip(free, pair, strict=True)) for pair in itertools.product(memories, repeat=len(free))]
    small = {name: 1e-9 if name.startswith("eps") else value for name, value in free.items()}
    large = {name: 1e-3 if name.startswith("eps") else min(value, 0.7) for name, value in free.items()}
    long = {**small, **({"b2": 0.999} if "b2" in free else {}), **({"decay": 0.99} if "decay" in free else {})}
    return [long, large] if free else []


def gain_of(predicted: Array, observed: Array) -> float:
    """The factor that brings predicted closest to observed, every probe weighing the same."""
    finite = np.isfinite(predicted) & np.isfinite(observed)
    p, o = np.where(finite, predicted, 0), np.where(finite, observed, 0)
    size = np.max(np.abs(o), axis=0)
    weight = np.where(size > 0, 1 / np.where(size > 0, size, 1) ** 2, 0)
    below = float(np.sum(weight * p * p))
    return float(np.sum(weight * p * o)) / below if 0 < below < np.inf else 1.0


def _descend(predict: Callable[[Array], Array], observed: Array, start: Array) -> tuple[Array, float]:
    """Levenberg and Marquardt from one start; the gain is solved for, not searched."""

    def errors(point: Array) -> Array:
        predicted = predict(point)
        return np.nan_to_num(
            residuals(gain_of(predicted, observed) * predicted, observed).ravel(), posinf=1e3, neginf=-1e3
        )

    if not len(start):
        return start, float(np.max(np.abs(errors(start))))
    from scipy.optimize import least_squares

    descend = partial(least_squares, errors, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    found = descend(start, max_nfev=GLANCE * (len(start) + 1))
    if np.max(np.abs(found.fun)) <= NEAR:
        found = descend(found.x, max_nfev=ITERATIONS * (len(start) + 1))
    return np.asarray(found.x), float(np.max(np.abs(found.fun)))


def _rounded(candidate: Candidate, hyper: dict[str, float], gradients: Array, rates: Array, observed: Array) -> Fit:
    """The fit at round numbers where they fit too, else as it came."""

    def judged(hyper: Mapping[str, float]) -> Fit:
        predicted = candidate.steps(gradients, rates, hyper)
        gain = gain_of(predicted, observed)
        gain = next((g for g in (round(gain, 6), float(f"{gain:.4g}")) if abs(g - gain) < 1e-7 * abs(gain)), gain)
        return Fit(candidate, hyper, gain, distance(gain * predicted, observed))

    as_it_came = judged(hyper)
    for digits, least in itertools.product((3, 5), (1e-20, 0.0)):
        round_numbers = judged({name: _round(name, value, digits, least) for name, value in hyper.items()})
        if round_numbers.residual <= max(EXACT, 2 * as_it_came.residual):
            return round_numbers
    return as_it_came


def _round(name: str, value: float, digits: int, least: float) -> float:
    """To so many digits of an ε, which is 0 below ``least``, and of 1 − β for a memory β."""
    if _is_scale(name):
        return float(f"{value:.{digits}g}") if value > least else 0.0
    return float(f"{value:.{digits}f}") if name in LINEAR else _round_memory(value, digits)


def _round_memory(value: float, digits: int) -> float:
    return round(1 - float(f"{1 - value:.{digits}g}"), 12)
