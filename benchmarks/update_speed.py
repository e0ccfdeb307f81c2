"""How fast is one update of 20 million float32 parameters? Ours against optax, torch and a plain copy.

An update is ``tx.update`` and ``apply_updates`` in one jitted program whose parameters and state are donated: without
donation every call pays for fresh pages of memory. Bytes are those the rule must read and write once: parameters twice
and the gradient once, and each moment twice. ``torch`` is the fused kernel of the rule (RMSProp has none: ``foreach``)
with all threads; ``copy`` is ``numpy.copyto`` into existing memory, one read and one write of the parameters.

Where a buffer happens to lie in memory is worth 5 % and more: SGD's program is the same, instruction by instruction, as
optax's. So every contender's buffers are made anew several times, in changing order, and the smallest time counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro

import jaxdl
from benchmarks import timing
from jaxdl import configuration

RATE = 1e-3
OURS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: jaxdl.sgd(RATE),
    "momentum": lambda: jaxdl.momentum(RATE),
    "rmsprop": lambda: jaxdl.rmsprop(RATE),
    "adam": lambda: jaxdl.adam(RATE),
    "adamw": lambda: jaxdl.adamw(RATE),
}
OPTAX: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optax.sgd(RATE),
    "momentum": lambda: optax.sgd(RATE, 0.9),
    "rmsprop": lambda: optax.rmsprop(RATE),
    "adam": lambda: optax.adam(RATE),
    "adamw": lambda: optax.adamw(RATE),
}
MOMENTS = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2, "adamw": 2}


@dataclass(frozen=True)
class Settings:
    """Measures milliseconds and bytes per second of one update."""

    json: Path = Path("benchmarks/results/update_speed.json")
    """Where to store the measurement."""
    parameters: int = 20_000_000
    """Number of float32 parameters."""
    leaves: tuple[int, ...] = (1, 100)
    """Into how many arrays they are divided."""
    placements: int = 6
    """How many times the buffers are made anew."""
    repetitions: int = 10
    """Rounds of timing with the same buffers."""


def jax_update(tx: Any, parameters: int, leaves: int) -> Callable[[], Any]:
    """One update in place; every call continues from the last."""
    shape = (parameters // leaves,)
    params = [jnp.full(shape, 0.5, jnp.float32) for _ in range(leaves)]
    grads = [jnp.full(shape, 0.1, jnp.float32) for _ in range(leaves)]
    state = tx.init(params)

    def update(params: Any, state: Any, grads: Any) -> Any:
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    program = jax.jit(update, donate_argnums=(0, 1)).lower(params, state, grads).compile()
    kept = [params, state]

    def run() -> None:
        kept[:] = jax.block_until_ready(program(*kept, grads))

    return run


def torch_update(name: str, parameters: int, leaves: int) -> Callable[[], Any] | None:
    """torch's fused step, or None where torch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(configuration.cores())
    params = [torch.nn.Parameter(torch.full((parameters // leaves,), 0.5)) for _ in range(leaves)]
    for parameter in params:
        parameter.grad = torch.full_like(parameter, 0.1)
    made: dict[str, Callable[[], Any]] = {
        "sgd": lambda: torch.optim.SGD(params, lr=RATE, fused=True),
        "momentum": lambda: torch.optim.SGD(params, lr=RATE, momentum=0.9, fused=True),
        "rmsprop": lambda: torch.optim.RMSprop(params, lr=RATE, alpha=0.9, foreach=True),
        "adam": lambda: torch.optim.Adam(params, lr=RATE, fused=True),
        "adamw": lambda: torch.optim.AdamW(params, lr=RATE, weight_decay=1e-4, fused=True),
    }
    step: Callable[[], Any] = made[name]().step
    return step


def copy(parameters: int) -> Callable[[], Any]:
    """``numpy.copyto`` of as many bytes as the parameters have."""
    source, target = np.ones(parameters, np.float32), np.zeros(parameters, np.float32)
    return lambda: np.copyto(target, source)


def measure(settings: Settings, name: str, leaves: int) -> dict[str, Any]:
    """One row: all contenders at one rule and one number of leaves."""
    makers: dict[str, Callable[[], Callable[[], Any] | None]] = {
        "jaxdl": lambda: jax_update(OURS[name](), settings.parameters, leaves),
        "optax": lambda: jax_update(OPTAX[name](), settings.parameters, leaves),
        "torch": lambda: torch_update(name, settings.parameters, leaves),
        "copy": lambda: copy(settings.parameters),
    }
    parts = []
    for _ in range(settings.placements):
        makers = dict(reversed(makers.items()))
        functions = {n: make() for n, make in makers.items()}
        parts.append(timing.interleaved({n: f for n, f in functions.items() if f is not None}, settings.repetitions))
    times = timing.joined(parts)
    moved = {n: 4 * settings.parameters * (2 if n == "copy" else 3 + 2 * MOMENTS[name]) for n in times}
    row: dict[str, Any] = {
        "rule": name,
        "leaves": leaves,
        "ms": {n: t["min_ms"] for n, t in times.items()},
        "ms_median": {n: t["median_ms"] for n, t in times.items()},
        "gigabytes_per_s": {n: moved[n] / t["min_ms"] / 1e6 for n, t in times.items()},
        "ratios": {n: t["min_ms"] / times["jaxdl"]["min_ms"] for n, t in times.items() if n != "jaxdl"},
        "samples_ms": {n: t["samples_ms"] for n, t in times.items()},
    }
    described = ", ".join(f"{n} {ms:.1f}" for n, ms in row["ms"].items())
    print(f"{name:9s} {leaves:4d} leaves: {described}  ms;  optax / jaxdl {row['ratios']['optax']:.3f}")
    return row


def main(settings: Settings) -> None:
    """Measures and stores."""
    rows = [measure(settings, name, leaves) for leaves in settings.leaves for name in OURS]
    chosen = {name: getattr(settings, name) for name in ("parameters", "placements", "repetitions")} | {"donated": True}
    timing.store(settings.json, "update_speed", chosen, rows)


if __name__ == "__main__":
    main(tyro.cli(Settings))
