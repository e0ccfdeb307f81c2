"""How long is one run of a sweep? Ours against plain JAX, Python loops and torch.

Every contender trains digits-mlp (64-32-10 ReLU, batch 128, 500 steps, Adam), without evaluation, from the same initial
parameters on the same batches, and gives the batch losses, averaged over ten steps:

- ``sweep``: the programs behind ``jaxdl.sweep``, lanes = learning rates of one seed;
- ``train``: ``jax.jit(jax.vmap(…))`` of ``jaxdl.train`` as a user would write it;
- ``plain``: ``jit(vmap(scan))`` written with optax alone;
- ``loop_tuned``: a Python loop over a jitted optax step that takes its samples itself, losses read at the end; one run;
- ``loop``: the loop that most people write: the batch is taken outside the jitted step, ``float(loss)`` after each; one
  run;
- ``torch``: a loop over ``torch.optim.Adam(fused=True)``, one run, with the better of one and all threads.

``sweep``, ``train`` and ``plain`` draw initial parameters and batches themselves, with the same functions; ``sweep``
and ``train`` watch for divergence besides. The loops are handed parameters and batches.
All run in one process with one CPU device per core, as the command line sets it up. Dividing the CPU does not slow
``plain``: each device still has all threads to itself when it runs alone (``plain_own_process`` holds its times in a
process with one device).
"""

import json
import subprocess
import sys
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
from jaxdl import configuration, training
from jaxdl.sweeps import definition, engine, programs

RECORD_EVERY = 10
LANED = ("sweep", "train", "plain")
"""Contenders whose program runs all lanes; the others are one run."""


@dataclass(frozen=True)
class Settings:
    """Measures milliseconds per run."""

    json: Path = Path("benchmarks/results/sweep_speed.json")
    """Where to store the measurement."""
    lanes: tuple[int, ...] = (1, 16, 64, 256, 1024)
    """Numbers of lanes."""
    steps: int = 500
    """Updates per run."""
    repetitions: int = 7
    """Rounds of timing; programs of up to 16 lanes get three times as many."""
    only_plain: bool = False
    """Print the times of ``plain`` on one device as JSON, for the process that compares it."""


def rates(lanes: int) -> np.ndarray:
    """Learning rates of the lanes."""
    return np.geomspace(1e-4, 1e-1, lanes) if lanes > 1 else np.array([1e-2])


def shared_work(steps: int) -> tuple[jaxdl.Problem, Any, jax.Array]:
    """The problem, its initial parameters, and the sample indices of every step, of seed 0."""
    problem = jaxdl.problems.get("digits-mlp")
    keys = training.split_key(jax.random.key(0))
    indices = jax.jit(lambda key: training.draw_batches(problem, key, 0, steps))(keys.data)
    assert indices is not None
    return problem, problem.init(keys.init), indices


def thinned(losses: Any) -> np.ndarray:
    """Batch losses averaged over ten steps."""
    means: np.ndarray = np.asarray(losses).reshape(-1, RECORD_EVERY).mean(1)
    return means


def plain_loss(params: Any, inputs: jax.Array, labels: jax.Array) -> Any:
    """The network of digits-mlp by hand."""
    layers = params["params"]
    hidden = jax.nn.relu(inputs @ layers["Dense_0"]["kernel"] + layers["Dense_0"]["bias"])
    logits = hidden @ layers["Dense_1"]["kernel"] + layers["Dense_1"]["bias"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def plain(lanes: int, steps: int) -> tuple[float, Callable[[], np.ndarray]]:
    """``jit(vmap(scan))``: seconds to compile, and the run."""
    problem = jaxdl.problems.get("digits-mlp")
    inputs, labels = problem.data["train"]
    inputs = inputs.reshape(len(inputs), -1)

    def run(rate: jax.Array, key: jax.Array, inputs: jax.Array, labels: jax.Array) -> Any:
        tx = optax.adam(rate)
        keys = training.split_key(key)
        params, indices = problem.init(keys.init), training.draw_batches(problem, keys.data, 0, steps)

        def step(carry: Any, batch: jax.Array) -> Any:
            params, state = carry
            loss, grads = jax.value_and_grad(plain_loss)(params, inputs[batch], labels[batch])
            updates, state = tx.update(grads, state, params)
            return (optax.apply_updates(params, updates), state), loss

        _, losses = jax.lax.scan(step, (params, tx.init(params)), indices)
        return losses.reshape(-1, RECORD_EVERY).mean(1)

    arguments = (jnp.asarray(rates(lanes), jnp.float32), jax.random.key(0), inputs, labels)
    mapped = jax.jit(jax.vmap(run, (0, None, None, None)))
    compiling, program = timing.seconds(lambda: mapped.lower(*arguments).compile())
    return compiling, lambda: np.asarray(program(*arguments))


def sweep(lanes: int, steps: int) -> tuple[float, Callable[[], np.ndarray]]:
    """What ``jaxdl.sweep`` does, compilation apart."""
    problem, axes = jaxdl.problems.get("digits-mlp"), {"learning_rate": rates(lanes)}
    defined = definition.define(problem, jaxdl.adam, axes, 1, steps, RECORD_EVERY, evaluated=False)
    part = defined.parts[0]
    compiling, built = timing.seconds(lambda: programs.build(part.study, part.factories, part.lane, defined.teams))

    def run() -> np.ndarray:
        return engine.execute(part.study, built, part.optimizer, part.cells).metrics["train_loss"][:, 1:]

    return compiling, run


def train(lanes: int, steps: int) -> tuple[float, Callable[[], np.ndarray]]:
    """``jaxdl.train`` under the user's own ``jit`` and ``vmap``."""
    problem = jaxdl.problems.get("digits-mlp")

    def run(rate: jax.Array, key: jax.Array) -> jax.Array:
        _, curves = jaxdl.train(problem, jaxdl.adam(rate), key, steps, record_every=RECORD_EVERY, evaluated=False)
        return curves.metrics["train_loss"][1:]

    arguments = (jnp.asarray(rates(lanes), jnp.float32), jax.random.key(0))
    mapped = jax.jit(jax.vmap(run, (0, None)))
    compiling, program = timing.seconds(lambda: mapped.lower(*arguments).compile())
    return compiling, lambda: np.asarray(program(*arguments))


def loop(steps: int, tuned: bool) -> tuple[float, Callable[[], np.ndarray]]:
    """A Python loop over a jitted optax step: one run. ``tuned``: see the top of this file."""
    problem, params, indices = shared_work(steps)
    inputs, labels = problem.data["train"]
    inputs = inputs.reshape(len(inputs), -1)
    tx = optax.adam(float(rates(1)[0]))

    def update(params: Any, state: Any, inputs: jax.Array, labels: jax.Array) -> Any:
        loss, grads = jax.value_and_grad(plain_loss)(params, inputs, labels)
        updates, state = tx.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    step = jax.jit(update)
    step_of = jax.jit(lambda params, state, batch, inputs, labels: update(params, state, inputs[batch], labels[batch]))
    batches = list(indices)

    def run_tuned() -> np.ndarray:
        current, state, losses = params, tx.init(params), []
        for batch in batches:
            current, state, loss = step_of(current, state, batch, inputs, labels)
            losses.append(loss)
        return thinned(jnp.stack(losses))

    def run() -> np.ndarray:
        current, state, losses = params, tx.init(params), []
        for batch in batches:
            current, state, loss = step(current, state, inputs[batch], labels[batch])
            losses.append(float(loss))
        return thinned(losses)

    chosen = run_tuned if tuned else run
    compiling, _ = timing.seconds(chosen)
    return compiling, chosen


def torch_loop(steps: int, threads: int) -> Callable[[], np.ndarray]:
    """A loop over ``torch.optim.Adam(fused=True)``: one run."""
    import torch

    problem, params, indices = shared_work(steps)
    data = [torch.from_numpy(np.array(array)) for array in problem.data["train"]]
    inputs, labels = data[0].reshape(len(data[0]), -1), data[1].long()
    batches = [torch.from_numpy(np.array(batch)).long() for batch in indices]
    layers = params["params"]

    def network() -> Any:
        model: Any = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
        with torch.no_grad():
            for layer, name in ((model[0], "Dense_0"), (model[2], "Dense_1")):
                layer.weight.copy_(torch.from_numpy(np.array(layers[name]["kernel"]).T))
                layer.bias.copy_(torch.from_numpy(np.array(layers[name]["bias"])))
        return model

    def run() -> np.ndarray:
        torch.set_num_threads(threads)
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=float(rates(1)[0]), fused=True)
        losses = []
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            loss: Any = torch.nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return thinned(torch.stack(losses).numpy())

    return run


def torch_contenders(steps: int) -> dict[str, Callable[[], np.ndarray]]:
    """torch with one thread and with all, where it is installed."""
    try:
        import torch  # noqa: F401
    except ImportError:
        return {}
    counts = sorted({1, configuration.cores()})
    return {f"torch_{threads}_threads": torch_loop(steps, threads) for threads in counts}


def measure(settings: Settings, lanes: int) -> dict[str, Any]:
    """One row: all contenders at one number of lanes, and what they agree on."""
    built = {name: make(lanes, settings.steps) for name, make in (("sweep", sweep), ("train", train), ("plain", plain))}
    built |= {"loop_tuned": loop(settings.steps, tuned=True), "loop": loop(settings.steps, tuned=False)}
    functions = {name: function for name, (_, function) in built.items()} | torch_contenders(settings.steps)
    repetitions = settings.repetitions * (3 if lanes <= 16 else 1)
    times = timing.interleaved(functions, repetitions)
    runs = {name: lanes if name in LANED else 1 for name in times}
    per_run = {name: times[name]["min_ms"] / runs[name] for name in times}
    row = {
        "lanes": lanes,
        "compile_s": {name: built[name][0] for name in LANED},
        "ms_per_run": per_run,
        "ms_per_run_median": {name: times[name]["median_ms"] / runs[name] for name in times},
        "largest_difference_of_losses": float(np.abs(functions["sweep"]() - functions["plain"]()).max()),
        "samples_ms": {name: times[name]["samples_ms"] for name in times},
    }
    print(f"{lanes:5d} lanes: " + ", ".join(f"{name} {ms:.2f}" for name, ms in per_run.items()) + "  ms per run")
    return row


def plain_alone(settings: Settings) -> dict[int, float]:
    """Minimum milliseconds per run of ``plain``."""
    found = {}
    for lanes in settings.lanes:
        _, function = plain(lanes, settings.steps)
        times = timing.interleaved({"plain": function}, settings.repetitions)
        found[lanes] = times["plain"]["min_ms"] / lanes
    return found


def plain_in_own_process(settings: Settings) -> dict[str, float]:
    """:func:`plain_alone` in a fresh process, whose CPU is one device."""
    options = ["--only-plain", "--steps", settings.steps, "--repetitions", settings.repetitions]
    options += ["--lanes", *settings.lanes]
    command = [sys.executable, "-m", "benchmarks.sweep_speed", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(settings: Settings) -> None:
    """Measures and stores."""
    if settings.only_plain:
        print(json.dumps(plain_alone(settings)))
        return
    own_process = plain_in_own_process(settings)
    jaxdl.configure(devices=configuration.cores())
    rows = [measure(settings, lanes) for lanes in settings.lanes]
    for row in rows:
        row["ms_per_run"]["plain_own_process"] = own_process[str(row["lanes"])]
        row["ratios"] = _ratios(row["ms_per_run"])
    chosen = {"problem": "digits-mlp", "steps": settings.steps, "repetitions": settings.repetitions}
    timing.store(settings.json, "sweep_speed", chosen, rows)


def _ratios(ms: dict[str, float]) -> dict[str, float]:
    """How many times as long as a run of our sweep the others take; the faster plain, the faster torch."""
    best_of = {"plain": ("plain", "plain_own_process"), "loop_tuned": ("loop_tuned",), "loop": ("loop",)}
    best_of["train"] = ("train",)
    best_of["torch"] = tuple(name for name in ms if name.startswith("torch"))
    return {name: min(ms[n] for n in names) / ms["sweep"] for name, names in best_of.items() if names}


if __name__ == "__main__":
    main(tyro.cli(Settings))
