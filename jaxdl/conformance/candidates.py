"""What a probe is compared with: every family in every convention that some framework, paper or mistake has."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from jaxdl.conformance import recurrences
from jaxdl.conformance import recurrences_scaled as scaled
from jaxdl.conformance.probes import LOSS, RATE
from jaxdl.conformance.recurrences import Array


class Candidate(NamedTuple):
    """One rule in one convention, with its hyper-parameters free.

    Attributes:
      family: the rule's name.
      conventions: the choices made, by topic.
      direction: gradients and hyper-parameters → directions.
      start: the free hyper-parameters and where a fit begins.
      velocity: directions and hyper-parameters → directions, or None.
      velocity_start: the velocity's free hyper-parameters.
      rate_of: what the given rate enters as.
      rate_first: whether the rate multiplies the gradient before anything else does.
    """

    family: str
    conventions: Mapping[str, str]
    direction: Callable[..., Array]
    start: Mapping[str, float] = MappingProxyType({})
    velocity: Callable[..., Array] | None = None
    velocity_start: Mapping[str, float] = MappingProxyType({})
    rate_of: Callable[[Array], Array] = np.asarray
    rate_first: bool = False

    @property
    def free(self) -> dict[str, float]:
        """All free hyper-parameters."""
        return {**self.start, **self.velocity_start}

    @property
    def name(self) -> str:
        """Family and conventions in one line."""
        said = "; ".join(f"{topic} {choice}" for topic, choice in self.conventions.items())
        return f"{self.family} ({said})" if said else self.family

    def steps(self, gradients: Array, rates: Array, hyper: Mapping[str, float], *, inside: bool = False) -> Array:
        """What is subtracted from θ at each step: the rate on the velocity, or ``inside`` it. ``rates``: (T, lanes)."""
        rates = self.rate_of(rates)
        memory = {name: hyper[name] for name in self.velocity_start}
        with np.errstate(all="ignore"):  # wrong candidates divide by zero; what is not finite is compared as such
            if self.rate_first:
                return self.direction(rates * gradients, **hyper)
            direction = self.direction(gradients, **{name: hyper[name] for name in self.start})
            if self.velocity is None:
                return rates * direction
            return self.velocity(rates * direction, **memory) if inside else rates * self.velocity(direction, **memory)


MU = MappingProxyType({"mu": 0.9})
DAMPENED = MappingProxyType({"mu": 0.9, "dampening": 0.5})
ADAM = MappingProxyType({"b1": 0.9, "b2": 0.99, "eps": 1e-7})
RMS = MappingProxyType({"decay": 0.95, "eps": 1e-7})
STARTED = MappingProxyType({**RMS, "start": 0.3})


def _sgd() -> Iterator[Candidate]:
    yield Candidate("sgd", {}, recurrences.gradient)
    velocities: list[tuple[str, dict[str, str], Callable[..., Array], Mapping[str, float]]] = [
        ("momentum", {}, recurrences.heavy_ball, MU),
        ("nesterov", {}, recurrences.nesterov, MU),
        ("momentum", {"average": "debiased"}, recurrences.debiased_average, MU),
        ("momentum", {"dampening": "from the second step on"}, recurrences.dampened, DAMPENED),
        ("nesterov", {"dampening": "from the second step on"}, recurrences.dampened_nesterov, DAMPENED),
    ]
    for family, conventions, velocity, start in velocities:
        yield Candidate(family, conventions, recurrences.gradient, {}, velocity, start)
    yield Candidate("optimistic gradient", {}, recurrences.optimistic, {"beta": 0.9})


def _signs() -> Iterator[Candidate]:
    yield Candidate("sign_sgd", {}, recurrences.sign)
    yield Candidate("signum", {}, recurrences.signum, MU)
    yield Candidate("lion", {}, recurrences.lion, {"b1": 0.9, "b2": 0.99})


VELOCITIES: tuple[tuple[str, Callable[..., Array] | None], ...] = (
    ("", None),
    ("heavy ball", recurrences.heavy_ball),
    ("nesterov", recurrences.nesterov),
)


def _rms() -> Iterator[Candidate]:
    for form in recurrences.DENOMINATORS:
        yield Candidate("adagrad", {"eps": form}, partial(recurrences.adagrad, form=form), {"start": 0.1, "eps": 1e-7})
        if form == "clamp":
            continue
        for rule, centring in ((recurrences.rms, {}), (recurrences.centred, {"second moment": "centred"})):
            for corrected in (False, True):
                for momentum, velocity in VELOCITIES:
                    direction = partial(rule, form=form, corrected=corrected)
                    choices = {"eps": form, "bias correction": "yes" if corrected else "no", **centring}
                    choices |= {"momentum": momentum} if momentum else {}
                    memory = MU if momentum else {}
                    yield Candidate("rmsprop", choices, direction, RMS, velocity, memory)
                    if not corrected:
                        begun = {**choices, "second moment starts": "above 0"}
                        yield Candidate("rmsprop", begun, direction, STARTED, velocity, memory)
    clamped = partial(recurrences.rms, form="clamp", corrected=True)
    yield Candidate("rmsprop", {"eps": "clamp", "bias correction": "yes"}, clamped, RMS)
    yield Candidate("adadelta", {}, recurrences.adadelta, {"decay": 0.9, "eps": 1e-6})
    yield Candidate("sm3", {}, recurrences.sm3, {"b1": 0.9, "eps": 1e-8})


CORRECTED = {(True, True): "both", (True, False): "mean only", (False, True): "square only", (False, False): "none"}


def _adam() -> Iterator[Candidate]:
    for look_ahead, family in ((False, "adam"), (True, "nadam")):
        ahead = {"look-ahead": "constant b1"} if look_ahead else {}
        for form in ("outside", "inside", "clamp"):
            for (mean, square), corrected in CORRECTED.items():
                rule = partial(recurrences.adam, form=form, mean=mean, square=square, look_ahead=look_ahead)
                counted = {"count": next(iter(recurrences.COUNTS))} if mean or square else {}
                yield Candidate(family, {"eps": form, "bias correction": corrected, **counted, **ahead}, rule, ADAM)
        hat = partial(recurrences.adam, form="hat", look_ahead=look_ahead)
        yield Candidate(family, {"eps": "hat", "bias correction": "both", **ahead}, hat, ADAM)
        for count in [*recurrences.COUNTS][1:]:
            rule = partial(recurrences.adam, count=count, look_ahead=look_ahead)
            yield Candidate(family, {"eps": "outside", "bias correction": "both", "count": count, **ahead}, rule, ADAM)


def _adams_kin() -> Iterator[Candidate]:
    for maximum, said in (("before", "before correction"), ("after", "after correction"), ("uncorrected", "of v")):
        yield Candidate("amsgrad", {"maximum": said}, partial(recurrences.amsgrad, maximum=maximum), ADAM)
    for in_maximum, said in ((True, "in the maximum"), (False, "beside it")):
        yield Candidate("adamax", {"eps": said}, partial(recurrences.adamax, in_maximum=in_maximum), ADAM)
    for psi, said in ((4e-3, "scheduled b1, ψ = 0.004"), (1.0, "scheduled b1, ψ = 1")):
        yield Candidate("nadam", {"look-ahead": said}, partial(recurrences.nadam, psi=psi), ADAM)
    for corrected, said in ((True, "beside the corrected root"), (False, "beside the uncorrected root")):
        rule = partial(recurrences.radam, eps_corrected=corrected)
        yield Candidate("radam", {"eps": said}, rule, {**ADAM, "b2": 0.999})
    for look_ahead in (False, True):
        ahead = {"look-ahead": "constant b1"} if look_ahead else {}
        rule = partial(recurrences.adam, look_ahead=look_ahead)
        yield Candidate("optimistic adam", ahead, rule, ADAM, recurrences.optimistic, {"beta": 0.9})
    yield Candidate("adabelief", {}, recurrences.adabelief, {**ADAM, "eps": 1e-9, "eps_root": 1e-9})
    yield Candidate("yogi", {}, recurrences.yogi, {**ADAM, "eps": 1e-3, "start": 1e-6})
    yield Candidate("adan", {}, recurrences.adan, {"b1": 0.98, "b2": 0.92, "b3": 0.99, "eps": 1e-8, "eps_root": 1e-8})
    yield Candidate("novograd", {}, recurrences.novograd, {"b1": 0.9, "b2": 0.25, "eps": 1e-6})


def _sized() -> Iterator[Candidate]:
    for late, taken in ((False, "at once"), (True, "one update late")):
        rule = partial(scaled.rprop, late=late)
        yield Candidate("rprop", {"step": f"taken {taken}"}, rule, {"eta_minus": 0.5, "eta_plus": 1.2})
    yield Candidate("adafactor", {"second moment": "not factored"}, scaled.adafactor, {"power": 0.8, "eps": 1e-30})
    yield Candidate("normalised", {}, scaled.normalised, {"eps": 1e-6})
    yield Candidate("fromage", {}, scaled.normalised, {"eps": 1e-6}, rate_of=scaled.on_the_sphere)

    polyak = partial(scaled.polyak, loss=LOSS)
    yield Candidate("polyak_sgd", {"step size": "its own"}, polyak, {"largest": 1.0})
    yield Candidate(
        "polyak_sgd", {"step size": "its own, of rate × gradient"}, polyak, {"largest": 1.0}, rate_first=True
    )
    within = partial(scaled.polyak_within, loss=LOSS, rate=RATE)
    yield Candidate("polyak_sgd", {"step size": "its own, the rate at most"}, within)


def candidates() -> list[Candidate]:
    """All of them."""
    return [*_sgd(), *_signs(), *_rms(), *_adam(), *_adams_kin(), *_sized()]
