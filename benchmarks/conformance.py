"""Is it the same optimizer? Ours against torch, Keras and optax, and the three against each other.

Sixty steps of identical gradients in float64 under a constant and under a decaying rate; the largest difference of the
paths, relative to max(1, ‖θ‖∞). A framework that is not installed is represented by its recorded paths
(``tests/golden``), of which every third to fifth point was kept; between frameworks only installed ones are compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import jax
import tyro

from benchmarks import frameworks, timing
from benchmarks.frameworks import Configuration
from tests.golden import stored

BOUND = 1e-12
"""For every row of ours: the frameworks compute these rules in float64 throughout."""


def _same(
    torch: Configuration | None = None, keras: Configuration | None = None, optax: Configuration | None = None
) -> dict[str, Configuration]:
    given = {"torch": torch, "keras": keras, "optax": optax}
    return {name: configuration for name, configuration in given.items() if configuration}


def _torch(name: str, **arguments: Any) -> Configuration:
    return Configuration("torch", name, arguments)


def _keras(name: str, **arguments: Any) -> Configuration:
    return Configuration("keras", name, arguments)


def _optax(name: str, **arguments: Any) -> Configuration:
    return Configuration("optax", name, arguments)


NOMINAL: Mapping[str, dict[str, Configuration]] = {
    "SGD": _same(_torch("SGD"), _keras("SGD"), _optax("sgd")),
    "momentum μ=0.9": _same(_torch("SGD", momentum=0.9), _keras("SGD", momentum=0.9), _optax("sgd", momentum=0.9)),
    "Nesterov μ=0.9": _same(
        _torch("SGD", momentum=0.9, nesterov=True),
        _keras("SGD", momentum=0.9, nesterov=True),
        _optax("sgd", momentum=0.9, nesterov=True),
    ),
    "Adagrad s₀=0.1 ε=1e-7": _same(
        _torch("Adagrad", initial_accumulator_value=0.1, eps=1e-7), _keras("Adagrad"), _optax("adagrad")
    ),
    "Adadelta ρ=0.9 ε=1e-6": _same(_torch("Adadelta"), _keras("Adadelta", rho=0.9, epsilon=1e-6), _optax("adadelta")),
    "RMSProp α=0.9 ε=1e-8": _same(_torch("RMSprop", alpha=0.9), _keras("RMSprop", epsilon=1e-8), _optax("rmsprop")),
    "RMSProp, momentum": _same(
        _torch("RMSprop", alpha=0.9, momentum=0.9),
        _keras("RMSprop", epsilon=1e-8, momentum=0.9),
        _optax("rmsprop", momentum=0.9),
    ),
    "Adam ε=1e-8": _same(_torch("Adam"), _keras("Adam", epsilon=1e-8), _optax("adam")),
    "Adam ε=1e-3": _same(_torch("Adam", eps=1e-3), _keras("Adam", epsilon=1e-3), _optax("adam", eps=1e-3)),
    "AMSGrad ε=1e-8": _same(
        _torch("Adam", amsgrad=True), _keras("Adam", amsgrad=True, epsilon=1e-8), _optax("amsgrad")
    ),
    "AdamW λ=0.1": _same(
        _torch("AdamW", weight_decay=0.1),
        _keras("AdamW", weight_decay=0.1, epsilon=1e-8),
        _optax("adamw", weight_decay=0.1),
    ),
    "Adam, weight_decay=0.1": _same(_torch("Adam", weight_decay=0.1), _keras("Adam", weight_decay=0.1, epsilon=1e-8)),
    "NAdam ε=1e-8": _same(_torch("NAdam"), _keras("Nadam", epsilon=1e-8), _optax("nadam")),
    "RAdam ε=1e-3": _same(_torch("RAdam", eps=1e-3), None, _optax("radam", eps=1e-3)),
    "Adamax ε=1e-3": _same(_torch("Adamax", eps=1e-3), _keras("Adamax", epsilon=1e-3), _optax("adamax", eps=1e-3)),
    "Lion": _same(None, _keras("Lion"), _optax("lion", weight_decay=0.0)),
}
"""One name, the same nominal settings: how far the frameworks lie from each other."""


@dataclass(frozen=True)
class Settings:
    """Compares the paths of optimizers, ours and theirs."""

    json: Path = Path("benchmarks/results/conformance.json")
    """Where to store the table."""


def against_ours() -> Iterator[dict[str, Any]]:
    """A row for every configuration and rate: ours against the real framework, or against its recorded path."""
    feed = frameworks.feed()
    recorded = {str(row): row.points for name in stored.frameworks() for row in stored.read(name).recorded}
    for configuration in frameworks.CONFIGURATIONS:
        version = frameworks.installed(configuration.framework)
        for rate, rates in feed.rates.items():
            ours = frameworks.ours(configuration, feed.theta, feed.gradients, rates)
            if version:
                theirs = frameworks.theirs(configuration, feed.theta, feed.gradients, rates)
            else:
                theirs, ours = recorded[f"{configuration.framework} {configuration}, {rate}"], ours[stored.KEPT]
            yield {
                "kind": "ours",
                "framework": configuration.framework,
                "version": version or stored.read(configuration.framework).versions[configuration.framework],
                "source": "installed" if version else "recorded",
                "optimizer": str(configuration),
                "rate": rate,
                "difference": frameworks.difference(ours, theirs),
                "bound": BOUND,
            }


def against_each_other() -> Iterator[dict[str, Any]]:
    """A row for every name, pair of installed frameworks and rate."""
    feed = frameworks.feed()
    for name, spelled in NOMINAL.items():
        available = {who: configuration for who, configuration in spelled.items() if frameworks.installed(who)}
        for rate, rates in feed.rates.items():
            paths = {
                who: frameworks.theirs(configuration, feed.theta, feed.gradients, rates)
                for who, configuration in available.items()
            }
            for one, other in combinations(paths, 2):
                yield {
                    "kind": "frameworks",
                    "frameworks": [one, other],
                    "optimizer": name,
                    "rate": rate,
                    "difference": frameworks.difference(paths[one], paths[other]),
                }


def main(settings: Settings) -> None:
    """Compares, stores, and says whether every row of ours is within its bound."""
    rows = [*against_ours(), *against_each_other()]
    timing.store(settings.json, "conformance", {"steps": frameworks.STEPS, "rate": frameworks.RATE}, rows)
    above = [row for row in rows if row["kind"] == "ours" and not row["difference"] <= row["bound"]]
    for row in above:
        print(f"above its bound: {row['framework']} {row['optimizer']}, {row['rate']}: {row['difference']:.2g}")
    print(f"{sum(row['kind'] == 'ours' for row in rows)} rows of ours, {len(above)} above their bound")
    if above:
        raise SystemExit(1)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main(tyro.cli(Settings))
