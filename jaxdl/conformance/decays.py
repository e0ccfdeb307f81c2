"""Which weight decay a transformation has, from what changes when the parameters are not zero."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from jaxdl.conformance.fitting import IDENTIFIED, Fit, distance
from jaxdl.conformance.probes import RATE, Answers, falling_rates, gradients, parameters
from jaxdl.conformance.recurrences import Array


class Run(NamedTuple):
    """One run with θ ≠ 0: its rates ``(T, 1)``, its steps, and those of the same run with θ = 0."""

    rates: Array
    steps: Array
    undecayed: Array


class DecayFit(NamedTuple):
    """The best that one kind of decay can do: its λ, and its residual as in ``fitting``."""

    kind: str
    strength: float
    residual: float


FREE_OF_GRADIENTS: Mapping[str, Callable[[Array], Array]] = {
    "times the rate": lambda rates: rates,
    "fixed, whatever the rate": np.ones_like,
    "times the schedule, rate / largest rate": lambda rates: rates / np.max(rates),
    "times the rate squared": lambda rates: rates**2,
    "corrected, rate squared / largest rate": lambda rates: rates**2 / np.max(rates),
}
"""Decoupled: what λθ is multiplied by at every step."""

COUPLED = "coupled: joins the gradient"
IN_VELOCITY = "joins the direction before the velocity"
PROXIMAL = "proximal: θ / (1 + rate · λ)"
CAUTIOUS = "cautious, times the rate: only where it agrees with the step"
TRUST = "trust ratio: steps in proportion to |θ|"
SCALED = "parameter scale: steps times |θ|, or a least one"
ON_SPHERE = "keeps the norm: steps times |θ|, or a least one, then θ / √(1 + rate²)"
LEAST = (SCALED, ON_SPHERE)
"""Where λ is that least size: at θ = 0 the steps are so many times smaller than the rate says."""


def runs_of(answers: Answers) -> list[Run]:
    """The runs with θ ≠ 0 beside those with θ = 0."""
    runs = [Run(np.full((len(answers.constant), 1), RATE), answers.decayed, answers.constant)]
    if answers.falling is not None and answers.falling_decayed is not None:
        runs.append(Run(falling_rates(), answers.falling_decayed, answers.falling))
    if answers.doubled is not None and answers.doubled_decayed is not None:
        runs.append(Run(2 * falling_rates(), answers.doubled_decayed, answers.doubled))
    return runs


def judge_decay(answers: Answers, fit: Fit | None, inside: bool) -> list[DecayFit]:
    """Every kind of decay with its λ and residual, the best first; empty where θ changes nothing.

    Args:
      answers: Of the probes.
      fit: What the direction was found to be, for the kinds that pass through it; None where that is unknown.
      inside: Whether the rate was found inside the velocity.
    """
    runs = runs_of(answers)
    size = max(_largest(run.steps) for run in runs)
    if all(_largest(run.steps - run.undecayed) <= 1e-12 * size for run in runs):
        return []
    found = [_linear(kind, factor, runs) for kind, factor in FREE_OF_GRADIENTS.items()]
    found.append(_searched(CAUTIOUS, runs, _cautious))
    found.append(_searched(PROXIMAL, runs, _proximal))
    if fit is not None:
        for kind, join in ((COUPLED, _coupled), (IN_VELOCITY, _in_velocity), (TRUST, _trusted)):
            if kind != IN_VELOCITY or fit.candidate.velocity is not None:
                found.append(_searched(kind, runs, join(fit, inside)))
        kind, turned = (SCALED, False) if fit.candidate.rate_of is np.asarray else (ON_SPHERE, True)
        found.append(_searched(kind, runs, _sized(fit, inside, turned)))
    return sorted(found, key=lambda one: one.residual)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(np.where(np.isfinite(array), array, 0))))


def _least(runs: list[Run]) -> Array:
    """A millionth of each probe's largest step: a smaller difference is too near to rounding to be explained."""
    largest: Array = np.max(np.abs(np.nan_to_num(np.concatenate([run.steps for run in runs]))), axis=0)
    return np.maximum(1e-6 * largest, 1e-300)


def _theta(run: Run) -> Array:
    return parameters(run.steps.shape[1])[None, :]


def _linear(kind: str, factor: Callable[[Array], Array], runs: list[Run]) -> DecayFit:
    """λ by least squares: the difference is λ · factor · θ whatever the gradients were."""
    observed = np.concatenate([run.steps - run.undecayed for run in runs])
    shape = np.concatenate([np.broadcast_to(factor(run.rates) * _theta(run), run.steps.shape) for run in runs])
    finite = np.isfinite(observed)
    strength = float(np.sum(shape[finite] * observed[finite]) / np.sum(shape[finite] ** 2))
    strength = round_where_close(strength)
    return DecayFit(kind, strength, distance(np.where(finite, strength * shape, np.nan), observed, _least(runs)))


def round_where_close(value: float) -> float:
    """Four digits where they say the same."""
    short = float(f"{value:.4g}")
    return short if abs(short - value) <= 1e-7 * abs(value) else value


Predict = Callable[[Run, float], Array]


def _searched(kind: str, runs: list[Run], predict: Predict) -> DecayFit:
    """λ by a search in log λ from several starts."""
    from scipy.optimize import least_squares

    observed = np.concatenate([run.steps - run.undecayed for run in runs])
    least = _least(runs)
    size = np.maximum(np.max(np.abs(np.nan_to_num(observed)), axis=0), least)

    def predicted(strength: float) -> Array:
        with np.errstate(all="ignore"):
            return np.concatenate([predict(run, strength) - run.undecayed for run in runs])

    def errors(point: Array) -> Array:
        difference = (predicted(float(np.exp(np.clip(point[0], -60, 20)))) - observed) / size
        clipped: Array = np.clip(np.nan_to_num(difference.ravel(), posinf=1e3, neginf=-1e3), -1e3, 1e3)
        return clipped

    best = DecayFit(kind, 0.0, np.inf)
    grid = np.log(np.geomspace(1e-7, 10, 60))
    starts = sorted(grid, key=lambda x: float(np.sum(np.minimum(np.abs(errors(np.array([x]))), 1))))
    for start in starts[:2]:
        found = least_squares(errors, [start], method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=60)
        for strength in (round_where_close(float(np.exp(found.x[0]))), float(np.exp(np.clip(found.x[0], -60, 20)))):
            best = min(
                best, DecayFit(kind, strength, distance(predicted(strength), observed, least)), key=lambda d: d.residual
            )
        if best.residual <= IDENTIFIED:
            break
    return best


def _cautious(run: Run, strength: float) -> Array:
    agrees = _theta(run) * run.undecayed > 0
    return run.undecayed + np.where(agrees, run.rates * strength * _theta(run), 0)


def _proximal(run: Run, strength: float) -> Array:
    theta = _theta(run)
    return theta - (theta - run.undecayed) / (1 + run.rates * strength)


def _coupled(fit: Fit, inside: bool) -> Predict:
    def predict(run: Run, strength: float) -> Array:
        pulled = gradients() + strength * _theta(run)
        rates = np.broadcast_to(run.rates, pulled.shape)
        return fit.gain * fit.candidate.steps(pulled, rates, fit.hyper, inside=inside)

    return predict


def _after_direction(fit: Fit, inside: bool, change: Callable[[Array, Run, float], Array]) -> Predict:
    """Predicts what a change of the direction, before any velocity, makes of the steps."""

    def predict(run: Run, strength: float) -> Array:
        candidate = fit.candidate
        direction = candidate.direction(gradients(), **{name: fit.hyper[name] for name in candidate.start})
        changed = candidate._replace(direction=lambda g: g, start={})
        rates = np.broadcast_to(run.rates, direction.shape)
        return fit.gain * changed.steps(change(direction, run, strength), rates, fit.hyper, inside=inside)

    return predict


def _in_velocity(fit: Fit, inside: bool) -> Predict:
    return _after_direction(fit, inside, lambda direction, run, strength: direction + strength * _theta(run))


def _trusted(fit: Fit, inside: bool) -> Predict:
    return _after_direction(
        fit, inside, lambda direction, run, strength: strength * np.abs(_theta(run)) * np.sign(direction)
    )


def _sized(fit: Fit, inside: bool, turned: bool) -> Predict:
    """Steps times max(|θ|, s), which at θ = 0 are times s; ``turned``, θ is then scaled to keep its norm."""

    def predict(run: Run, strength: float) -> Array:
        rates = np.broadcast_to(run.rates, run.steps.shape)
        steps = fit.gain * fit.candidate.steps(gradients(), rates, fit.hyper, inside=inside)
        sized = steps * np.maximum(np.abs(_theta(run)), strength) / strength
        return sized + (1 - 1 / np.sqrt(1 + rates**2)) * _theta(run) if turned else sized

    return predict
