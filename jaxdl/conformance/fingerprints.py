"""``fingerprint``: which rule a transformation is, and in which convention, from what it answers to probes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optax

from jaxdl.conformance.candidates import candidates
from jaxdl.conformance.decays import COUPLED, FREE_OF_GRADIENTS, LEAST, TRUST, DecayFit, judge_decay, round_where_close
from jaxdl.conformance.demands import NeedsMore
from jaxdl.conformance.fitting import EXACT, IDENTIFIED, NEAR, Fit, distance, fit
from jaxdl.conformance.probes import RATE, Answers, Factory, ask, falling_rates, gradients, without_noise
from jaxdl.conformance.recurrences import Array

UNKNOWN = "unknown"
NEEDS_LOSS = "needs a loss"
UNDETERMINED = "undetermined: the rate was constant"
ON_STEP = "multiplies the step"
ON_GRADIENT = "multiplies the gradient"
IN_VELOCITY = "inside the velocity"


@dataclass(frozen=True)
class Fingerprint:
    """What a transformation was found to be.

    Attributes:
      family: The rule's name; ``unknown`` where no candidate fits; ``needs a loss`` where the update asks for a
        function (a line search), and gradients alone are no answer.
      conventions: Its choices, by topic.
      hyper: Its hyper-parameters.
      gain: Factor on the rate that was given; for a transformation made elsewhere, the rate itself.
      rate: Where the rate enters and which one it is, or why that is undetermined.
      decay: The kind of weight decay; ``none``; ``unknown`` where θ matters but no kind fits.
      decay_strength: λ, negative where the parameters grow; for steps that scale with |θ|, the least size.
      ties: Other candidates, kinds of decay and places of the rate that say the same on every probe.
      residuals: For every candidate, the largest relative difference that its best fit leaves; where the kind of the
        answers excludes it (their growth with scale, their memory), that of its usual hyper-parameters.
      decay_residuals: The same for every kind of decay.
      rate_residuals: The same for every place of the rate.
      remarks: What else was seen, one sentence each.
    """

    family: str
    conventions: Mapping[str, str]
    hyper: Mapping[str, float]
    gain: float
    rate: str
    decay: str
    decay_strength: float
    ties: tuple[str, ...]
    residuals: Mapping[str, float]
    decay_residuals: Mapping[str, float]
    rate_residuals: Mapping[str, float]
    remarks: tuple[str, ...]

    @property
    def name(self) -> str:
        """What people call it: Adam with decoupled decay is ``adamw``."""
        if self.decay in FREE_OF_GRADIENTS and self.family in ("adam", "nadam", "adamax"):
            return f"{self.family}w"
        if self.decay == TRUST:
            return {"adam": "lamb", "momentum": "lars", "nesterov": "lars"}.get(self.family, self.family)
        return self.family

    def __str__(self) -> str:
        numbers = ", ".join(f"{name} = {value:.6g}" for name, value in self.hyper.items())
        rows = [("rule", self.name), *self.conventions.items(), ("hyper-parameters", numbers), ("rate", self.rate)]
        if self.gain != 1:
            of = "this direction" if self.rate == UNDETERMINED else "the rate"
            rows.append(("steps", f"{self.gain:.6g} × {of}"))
        letter = "s" if self.decay in LEAST else "λ"
        strength = f", {letter} = {self.decay_strength:.6g}" if self.decay not in ("none", UNKNOWN) else ""
        rows += [("decay", self.decay + strength)]
        rows += [("cannot be told from", tie) for tie in self.ties] + [("", remark) for remark in self.remarks]
        rows.append(("closest candidates", "; ".join(f"{n} {r:.1e}" for n, r in [*self.residuals.items()][:3])))
        return "\n".join(f"{topic:<20} {said}" for topic, said in rows if said)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON holds it."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        mappings = {name: dict(value) for name, value in kept.items() if isinstance(value, Mapping)}
        return {"name": self.name, **kept, **mappings, "ties": [*self.ties], "remarks": [*self.remarks]}


def fingerprint(subject: optax.GradientTransformation | Factory) -> Fingerprint:
    """Identifies a rule and its conventions by what it does: nothing of its source is read.

    It is fed impulses, steps, irregular gradients at scales from 1 to 1e-10, at a constant and at a falling rate, with
    parameters at zero and not. Every known rule in every known convention is fitted to the answers
    (``jaxdl/conformance/candidates.py``); one that leaves nothing but rounding is what it is. An update that asks for
    the loss, ``value``, is told one number; one that asks for more is out of sight, and said to be.

    Out of sight are also, because a probe is a lone scalar: what is done to matrices (Muon is the Adam that it gives to
    other leaves, Adafactor is not factored), to trees (global norms, groups) or with a mask that names leaves. Of
    the rules it knows it does not know every variant: Adafactor with momentum and noise that a nonlinear rule scales
    are ``unknown``; Polyak's step is known with f* = 0.

    Args:
      subject: ``factory(learning_rate)``, called with numbers and with schedules; or a transformation, of which
        nothing can be learned about its rate.

    Returns:
      The finding: ``print`` it, or take ``.to_dict()``.

    >>> import jaxdl
    >>> found = fingerprint(lambda learning_rate: jaxdl.momentum(learning_rate, 0.8))
    >>> found.family, dict(found.hyper), found.gain, found.rate
    ('momentum', {'mu': 0.8}, 1.0, 'multiplies the step')
    """
    try:
        answers = ask(subject)
    except NeedsMore as demand:
        return _out_of_sight(demand)
    bare = hasattr(subject, "update")
    answers, fits, noise = _heard(answers)
    simplest = _simplest(fits, bare)
    judged = [(one, _judge_rate(answers, one)) for one in simplest]
    nearly = simplest[0] if simplest else None
    simplest = [one for one, rates in judged if not rates or min(rates.values()) <= IDENTIFIED]
    found = simplest[0] if simplest else None
    nearly = None if found else nearly
    rates = _judge_rate(answers, found or nearly)
    placed = [name for name, residual in rates.items() if residual <= IDENTIFIED]
    decays = judge_decay(answers, found, inside=placed[:1] == [IN_VELOCITY])
    decayed = [decay for decay in decays if decay.residual <= IDENTIFIED]
    ties = [f.candidate.name for f in simplest[1:]] + [f"rate: {p}" for p in placed[1:]]
    ties += [f"decay: {d.kind}, λ = {d.strength:.6g}" for d in decayed[1:]]
    conventions, gain = _weighted(found)
    if decayed and decayed[0].kind in LEAST:
        gain = round_where_close(gain / decayed[0].strength)
    return Fingerprint(
        family=noise + found.candidate.family if found else UNKNOWN,
        conventions=conventions,
        hyper=dict(found.hyper) if found else {},
        gain=gain * RATE if bare and found else gain,
        rate=(placed[0] if placed else UNKNOWN) if rates else UNDETERMINED if found else UNKNOWN,
        decay=decayed[0].kind if decayed else UNKNOWN if decays else "none",
        decay_strength=decayed[0].strength if decayed else 0.0,
        ties=tuple(ties),
        residuals={f.candidate.name: f.residual for f in fits},
        decay_residuals={decay.kind: decay.residual for decay in decays},
        rate_residuals=rates,
        remarks=(*_remarks(answers, found, nearly, gain, decayed, bare), *_on_noise(answers, noise)),
    )


def _out_of_sight(demand: NeedsMore) -> Fingerprint:
    """What is said where the probes cannot even be put."""
    return Fingerprint(
        family=NEEDS_LOSS,
        conventions={},
        hyper={},
        gain=1.0,
        rate=UNKNOWN,
        decay=UNKNOWN,
        decay_strength=0.0,
        ties=(),
        residuals={},
        decay_residuals={},
        rate_residuals={},
        remarks=(f"Outside what the probes can see: {demand}",),
    )


def _heard(answers: Answers) -> tuple[Answers, list[Fit], str]:
    """The answers, the fits of every candidate, and what noise prefixes to a name.

    What moves without a gradient answers to noise, which a linear rule adds to the rest: where nothing fits as it is,
    it is taken away.
    """
    fits = _fits(answers)
    if any(f.fits for f in fits) or not _moves_at_rest(answers):
        return answers, fits, ""
    quiet = without_noise(answers)
    quiet_fits = _fits(quiet)
    return (quiet, quiet_fits, "noisy_") if any(f.fits for f in quiet_fits) else (answers, fits, "")


def _moves_at_rest(answers: Answers) -> bool:
    return answers.rest is not None and bool(np.any(np.nan_to_num(answers.rest) != 0))


def _on_noise(answers: Answers, noise: str) -> list[str]:
    if not noise or answers.rest is None:
        return []
    size = float(np.sqrt(np.mean(answers.rest**2))) / RATE
    return [
        f"It moves where there is no gradient: noise of {size:.2g} times the rate, root mean square, was taken away."
    ]


def _fits(answers: Answers) -> list[Fit]:
    """Every candidate's fit, the best first; with patience where one with many hyper-parameters or a factor fits."""
    fits = [fit(one, gradients(), RATE, answers.constant) for one in candidates()]
    best = min((f for f in fits if f.fits), key=lambda f: len(f.candidate.free), default=None)
    fewest = COMPLEX + 2 if best is None else len(best.candidate.free)
    if best is None or fewest > COMPLEX or abs(best.gain - 1) > IDENTIFIED:
        for i, f in enumerate(fits):
            if len(f.candidate.free) <= fewest and not f.fits and (fewest > COMPLEX or f.residual <= NEAR):
                fits[i] = fit(f.candidate, gradients(), RATE, answers.constant, patient=True)
    return sorted(fits, key=lambda f: f.residual)


COMPLEX = 3
"""Hyper-parameters above which a rule can seem to be another one."""


def _simplest(fits: list[Fit], bare: bool) -> list[Fit]:
    """Those that fit with the fewest hyper-parameters, without those that fit only nearly where another fits.

    Where the rate is known, one that needs no factor on it comes first.
    """
    fitting = [f for f in fits if f.fits]
    fewest = min((len(f.candidate.free) for f in fitting), default=0)
    few = [f for f in fitting if len(f.candidate.free) == fewest]
    exact = [f for f in few if f.residual <= max(100 * EXACT, 100 * few[0].residual)]
    return exact if bare else sorted(exact, key=lambda f: abs(f.gain - 1) > IDENTIFIED)


def _weighted(found: Fit | None) -> tuple[dict[str, str], float]:
    """The conventions, and the gain: a velocity whose gain is 1 − μ is an average."""
    if found is None:
        return {}, 1.0
    conventions, mu = dict(found.candidate.conventions), found.hyper.get("mu")
    plain = found.candidate.velocity is not None and "average" not in conventions and "dampening" not in found.hyper
    if plain and mu is not None and abs(found.gain - (1 - mu)) <= IDENTIFIED and found.gain != 1:
        return {**conventions, "average": "weights (1 − mu) mu^k"}, 1.0
    return conventions, found.gain


PLACES: Mapping[str, Callable[[Array], Array]] = {
    "one step ahead of the count": lambda rates: np.concatenate([rates[1:], rates[-1:]]),
    "one step behind the count": lambda rates: np.concatenate([rates[:1], rates[:-1]]),
    "its first value for ever": lambda rates: np.repeat(rates[:1], len(rates), axis=0),
}
"""Schedules read wrongly."""


def _judge_rate(answers: Answers, found: Fit | None) -> dict[str, float]:
    """Every place of the rate with its residual, the best first; empty where that cannot be asked."""
    if found is None or answers.falling is None:
        return {}
    observed, g = answers.falling, gradients()

    def residual(rates: Array, inside: bool) -> float:
        spread = np.broadcast_to(rates, g.shape)
        return distance(found.gain * found.candidate.steps(g, spread, found.hyper, inside=inside), observed)

    judged = {ON_GRADIENT if found.candidate.rate_first else ON_STEP: residual(falling_rates(), False)}
    if found.candidate.velocity is not None:
        judged[IN_VELOCITY] = residual(falling_rates(), True)
    judged |= {f"read {place}": residual(shift(falling_rates()), False) for place, shift in PLACES.items()}
    return dict(sorted(judged.items(), key=lambda pair: pair[1]))


def _remarks(
    answers: Answers, found: Fit | None, nearly: Fit | None, gain: float, decayed: list[DecayFit], bare: bool
) -> list[str]:
    said = []
    if nearly is not None:
        said.append(f"At a constant rate and at θ = 0 it does what {nearly.candidate.name} does, at other rates not.")
    if bare:
        said.append("A constant rate leaves undetermined where the rate enters and what scales with it.")
    if found is not None and gain < 0:
        said.append("It moves along the gradient, not against it: a direction without its rate, or a flipped sign.")
    elif found is not None and not bare and gain != 1:
        said.append(f"Its steps are {gain:.6g} times what the given rate says.")
    if decayed and decayed[0].strength < 0:
        said.append("The decay has the wrong sign: it makes parameters grow.")
    if decayed and decayed[0].kind == COUPLED and found is not None and found.candidate.family.startswith("adam"):
        said.append("The decay passes through the moments: this is Adam with an L2 penalty, not AdamW.")
    if answers.number is not None and distance(answers.number, answers.constant) > IDENTIFIED:
        said.append("A number and a schedule that is constant at it give different steps.")
    if found is None and nearly is None:
        said.append("No known rule fits; the residuals say how far the nearest ones are.")
    return said
