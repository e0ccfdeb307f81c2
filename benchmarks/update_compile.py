"""How long does the first update of many parameters take to compile? Ours against optax's, rule by rule.

A program per rule and peer, traced, lowered and compiled anew each time: ``update`` and ``apply_updates`` of a
tree with many leaves. The smallest of some rounds in changing order counts; JAX's compilation cache is off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
import tyro

from benchmarks import timing
from jaxdl import optimizers

RULES: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "sgd": (optimizers.sgd, optax.sgd, {}),
    "momentum": (optimizers.sgd, optax.sgd, {"momentum": 0.9}),
    "nesterov": (optimizers.sgd, optax.sgd, {"momentum": 0.9, "nesterov": True}),
    "adagrad": (optimizers.adagrad, optax.adagrad, {}),
    "adadelta": (optimizers.adadelta, optax.adadelta, {}),
    "rmsprop": (optimizers.rmsprop, optax.rmsprop, {}),
    "adam": (optimizers.adam, optax.adam, {}),
    "adamw": (optimizers.adamw, optax.adamw, {}),
    "amsgrad": (optimizers.amsgrad, optax.amsgrad, {}),
    "adamax": (optimizers.adamax, optax.adamax, {}),
    "adamaxw": (optimizers.adamaxw, optax.adamaxw, {}),
    "nadam": (optimizers.nadam, optax.nadam, {}),
    "nadamw": (optimizers.nadamw, optax.nadamw, {}),
    "radam": (optimizers.radam, optax.radam, {}),
    "sign_sgd": (optimizers.sign_sgd, optax.sign_sgd, {}),
    "signum": (optimizers.signum, optax.signum, {}),
    "lion": (optimizers.lion, optax.lion, {}),
}
"""Every rule that has optax's name: our factory, optax's, and the arguments of both."""


@dataclass(frozen=True)
class Settings:
    """Measures seconds until the first update is compiled."""

    json: Path = Path("benchmarks/results/update_compile.json")
    """Where to store the measurement."""
    rules: tuple[str, ...] = tuple(RULES)
    """Which rules."""
    leaves: tuple[int, ...] = (100, 400, 1000)
    """Into how many arrays the parameters are divided."""
    repetitions: int = 3
    """Rounds of compiling."""


def compiler(factory: Callable[..., Any], keywords: dict[str, Any], leaves: int) -> Callable[[], Any]:
    """A function that traces, lowers and compiles one update from nothing."""
    params = [jax.ShapeDtypeStruct((8 + i % 16, 4), jnp.float32) for i in range(leaves)]

    def compile_anew() -> Any:
        tx = factory(1e-3, **keywords)

        def update(params: Any, state: Any, grads: Any) -> Any:
            updates, state = tx.update(grads, state, params)
            return optax.apply_updates(params, updates), state

        return jax.jit(update).lower(params, jax.eval_shape(tx.init, params), params).compile()

    return compile_anew


def measure(settings: Settings, name: str, leaves: int) -> dict[str, Any]:
    """One row: both peers at one rule and one number of leaves."""
    ours, theirs, keywords = RULES[name]
    functions = {"jaxdl": compiler(ours, keywords, leaves), "optax": compiler(theirs, keywords, leaves)}
    times = timing.interleaved(functions, settings.repetitions)
    seconds = {who: times[who]["min_ms"] / 1e3 for who in times}
    print(f"{name:9s} {leaves:5d} leaves: jaxdl {seconds['jaxdl']:.2f} s, optax {seconds['optax']:.2f} s", flush=True)
    samples = {who: times[who]["samples_ms"] for who in times}
    return {"rule": name, "leaves": leaves, "compile_s": seconds, "samples_ms": samples}


def main(settings: Settings) -> None:
    """Measures and stores."""
    jax.config.update("jax_enable_compilation_cache", False)
    rows = [measure(settings, name, leaves) for leaves in settings.leaves for name in settings.rules]
    timing.store(settings.json, "update_compile", {"repetitions": settings.repetitions}, rows)


if __name__ == "__main__":
    main(tyro.cli(Settings))
