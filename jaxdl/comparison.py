"""``jaxdl.compare``: several optimizers, one budget, one verdict.

**Protocol.** Every optimizer gets the same number of trials (learning rates) and the same screening seeds. The rate
with the smallest median final validation loss is selected; there is no early stopping, and a diverged run counts as an
infinite loss. Where the selected rate lies at an end of an optimizer's grid, the grid is extended there, and every
other optimizer gets as many further rates around its own best, so that budgets stay equal. The selected rate then runs
on fresh seeds, the same for all optimizers, and only these runs are reported: no optimizer is judged on the runs that
chose its rate.

Source of the protocol: Sivaprasad et al., "Optimizer benchmarking needs to account for hyperparameter tuning", ICML
2020 (equal budgets); Patterson et al., "Empirical design in reinforcement learning", JMLR 2024 (fresh seeds).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from jaxdl import checks, optimizers, recording, statistics, verdict
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import audit as audits
from jaxdl.sweeps import dataset, engine, grid, lanes, plan, programs, runs
from jaxdl.sweeps.definition import seed_numbers
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray

PROTOCOL = "1.0"
"""Version of what ``compare`` does; results are comparable only within one."""

OnProgress = Callable[[str, int, int], None]
"""Called with what is going on, units done and units in all: programs while "compiling", then runs."""


class Comparison(NamedTuple):
    """``results``: the Dataset of every run. ``table``: one row per optimizer, made from ``results`` alone."""

    results: "xarray.Dataset"
    table: list[dict[str, Any]]


class _Trials(NamedTuple):
    """One optimizer's rates, ascending, and what screening found. ``round``: 0, or the extension a rate came with."""

    rates: np.ndarray
    round: np.ndarray
    results: runs.Results  # cells in C order of (trial, seed)

    def losses(self) -> np.ndarray:
        """Median final validation loss of each trial over the screening seeds, shape ``(trials,)``."""
        return statistics.median(self._final())

    def selected(self) -> tuple[int, int]:
        """The best trial, and its median seed."""
        trial = int(np.argmin(self.losses()))
        return trial, audits.median_run(self._final()[trial])

    def _final(self) -> np.ndarray:
        final = self.results.metrics["val_loss"][:, -1].reshape(len(self.rates), -1)
        return statistics.losses_with_divergence(final)


def compare(
    problem: Problem,
    factories: Mapping[str, OptimizerFactory] | Iterable[str] = optimizers.CLASSICS,
    *,
    learning_rates: int | Sequence[float] | Mapping[str, Sequence[float]] = 12,
    seeds: int = 5,
    fresh_seeds: int = 20,
    steps: int = 500,
    record_every: int | None = None,
    extensions: int = 2,
    audit: bool = True,
    on_progress: OnProgress | None = None,
) -> Comparison:
    """Tunes each optimizer's learning rate on validation data and reports it on test data with fresh seeds.

    Args:
      problem: From ``jaxdl.problems.get`` or your own.
      factories: Optimizers by name, or names of ours. Each must take ``learning_rate`` by keyword.
      learning_rates: How many rates, spread over each optimizer's documented range
        (``jaxdl.optimizers.LEARNING_RATE_RANGES``); or the rates for all; or the rates by name, equally many.
      seeds: Screening seeds.
      fresh_seeds: Seeds of the reported runs, numbered after the screening seeds.
      steps: Updates of each run.
      record_every: Updates between records; about 50 records by default.
      extensions: How many times grids may be extended.
      audit: Whether to run the median run of every selected rate again, alone, and say where that is another run:
        ``audit_difference`` and ``chaotic``, see :func:`jaxdl.sweeps.audit.variables`. It compiles another program for
        each optimizer.
      on_progress: Called as work is done.

    Returns:
      A :class:`Comparison`: the Dataset, with dimensions ``optimizer, trial, seed, step`` and, for the reported runs,
      ``fresh_seed``; and the table.

    Raises:
      ValueError: unknown optimizers, factories without ``learning_rate``, fewer than three rates or numbers of rates
        that differ, no seeds or steps, or a loss that is not scalar.
    """
    named = _named(factories)
    grids = _grids(list(named), learning_rates)
    for name, factory in named.items():
        grid.check_factory(name, factory, {"learning_rate": grids[name]})
    screening, fresh = seed_numbers(seeds), seed_numbers(fresh_seeds, first=seeds)
    further = -(-len(next(iter(grids.values()))) // 3)
    layout = plan.flat(min(len(screening) * further, 64), jax.local_device_count())
    study = lanes.Study(problem, steps, recording.record_interval(steps, record_every), layout)
    progress = on_progress or (lambda *_: None)
    lane = runs.Cells.of(study, {"learning_rate": np.zeros(1)}, [0], [(0, 0)]).lane(study, np.array(0))
    built = programs.build(study, named, lane, on_compiled=lambda done, n: progress("compiling", done, n))
    run = _Runner(study, built, progress)
    run.expect(sum(len(rates) * len(screening) + len(fresh) for rates in grids.values()))
    trials = {name: run.screen(name, rates, screening) for name, rates in grids.items()}
    for extension in range(1, extensions + 1):
        if not any(any(statistics.at_edge(found.losses())) for found in trials.values()):
            break
        run.expect(len(named) * further * len(screening))
        for name, found in trials.items():
            added = run.screen(name, _further_rates(found, further), screening, extension)
            trials[name] = _merge(found, added)
    reported = {name: run.report(name, found, fresh) for name, found in trials.items()}
    results = _assemble(study, trials, reported, screening, fresh)
    if audit:
        results = results.assign(_audited(study, named, trials, screening))
    return Comparison(results, verdict.table(results))


class _Runner:
    """Runs trials of one study and tells how many of all runs are done."""

    def __init__(self, study: lanes.Study, teams: list[programs.Programs], on_progress: OnProgress) -> None:
        self._study, self._teams, self._on_progress = study, teams, on_progress
        self._done = self._expected = 0

    def expect(self, runs: int) -> None:
        """Announces further runs."""
        self._expected += runs

    def screen(self, name: str, rates: np.ndarray, seeds: np.ndarray, extension: int = 0) -> _Trials:
        """Trains ``rates`` with every screening seed."""
        cells = [(trial, seed) for trial in range(len(rates)) for seed in range(len(seeds))]
        what = f"{name}, extension {extension}" if extension else name
        return _Trials(rates, np.full(len(rates), extension), self._execute(what, name, rates, seeds, cells))

    def report(self, name: str, found: _Trials, fresh: np.ndarray) -> runs.Results:
        """Trains the selected rate on the fresh seeds."""
        best = found.rates[[int(np.argmin(found.losses()))]]
        return self._execute(f"{name}, fresh seeds", name, best, fresh, [(0, seed) for seed in range(len(fresh))])

    def _execute(
        self, what: str, name: str, rates: np.ndarray, seeds: np.ndarray, cells: list[tuple[int, int]]
    ) -> runs.Results:
        def on_runs(runs: int) -> None:
            self._done += runs
            self._on_progress(what, self._done, self._expected)

        on_runs(0)
        wanted = runs.Cells.of(self._study, {"learning_rate": rates}, seeds, cells)
        return engine.execute(self._study, self._teams, name, wanted, on_runs)


def _named(factories: Mapping[str, OptimizerFactory] | Iterable[str]) -> dict[str, OptimizerFactory]:
    if isinstance(factories, str):
        factories = [factories]
    if not isinstance(factories, Mapping):
        names = list(factories)
        for name in names:
            checks.known("optimizer", name, optimizers.FACTORIES)
        factories = {name: optimizers.FACTORIES[name] for name in names}
    if not factories:
        raise ValueError("a comparison needs at least one optimizer, got none.")
    return dict(factories)


def _grids(names: list[str], learning_rates: Any) -> dict[str, np.ndarray]:
    """Ascending rates of every optimizer, equally many."""
    if isinstance(learning_rates, int | np.integer):
        checks.positive_integer(learning_rates=learning_rates)
        unranged = [name for name in names if name not in optimizers.LEARNING_RATE_RANGES]
        if unranged:
            raise ValueError(
                f"optimizer {unranged[0]!r} has no documented range of learning rates; "
                f"pass them: learning_rates={{{unranged[0]!r}: [...], ...}} or one list for all."
            )
        ranges = optimizers.LEARNING_RATE_RANGES
        grids = {name: np.geomspace(*ranges[name], int(learning_rates)) for name in names}
    elif isinstance(learning_rates, Mapping):
        absent = [name for name in names if name not in learning_rates]
        if absent:
            raise ValueError(f"learning_rates must name every optimizer; {absent[0]!r} is missing.")
        grids = {name: np.unique(grid.axis("learning_rate", learning_rates[name])) for name in names}
    else:
        rates = np.unique(grid.axis("learning_rate", learning_rates))
        grids = dict.fromkeys(names, rates)
    counts = {name: len(rates) for name, rates in grids.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"every optimizer must get the same number of learning rates, got {counts}.")
    if min(counts.values()) < 3 or min(rates[0] for rates in grids.values()) <= 0:
        raise ValueError(f"each optimizer needs at least 3 different positive learning rates, got {learning_rates!r}.")
    return grids


def _further_rates(found: _Trials, count: int) -> np.ndarray:
    """Beyond the end where the best trial lies, or around it where it lies inside."""
    losses, rates = found.losses(), found.rates.tolist()
    first, last = statistics.at_edge(losses)
    if first or last:
        return np.array(sorted(statistics.beyond(rates, count, upwards=not first)))
    return np.array(sorted(statistics.refine(rates, int(np.argmin(losses)), count)))


def _merge(a: _Trials, b: _Trials) -> _Trials:
    """All trials of both, by ascending rate."""
    rates = np.concatenate([a.rates, b.rates])
    order = np.argsort(rates, kind="stable")

    def joined(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        per_trial = [v.reshape(len(t.rates), -1, *v.shape[1:]) for v, t in ((x, a), (y, b))]
        return np.concatenate(per_trial)[order].reshape(-1, *x.shape[1:])

    results = runs.Results(
        {name: joined(a.results.metrics[name], b.results.metrics[name]) for name in a.results.metrics},
        joined(a.results.diverged_at, b.results.diverged_at),
    )
    return _Trials(rates[order], np.concatenate([a.round, b.round])[order], results)


def _audited(
    study: lanes.Study, factories: Mapping[str, OptimizerFactory], trials: Mapping[str, _Trials], seeds: np.ndarray
) -> dict[str, Any]:
    """Variables that say whether the median run of each selected rate is the same alone."""
    chosen = {name: found.selected() for name, found in trials.items()}
    alone = audits.rerun(
        study,
        factories,
        {
            name: runs.Cells.of(study, {"learning_rate": found.rates}, seeds, [chosen[name]])
            for name, found in trials.items()
        },
    )
    differences = np.full((len(trials), len(next(iter(trials.values())).rates), len(seeds)), np.nan)
    for i, (name, found) in enumerate(trials.items()):
        trial, seed = chosen[name]
        fast = found.results.some(np.array([trial * len(seeds) + seed]))
        differences[i, trial, seed] = audits.difference(fast, alone[name])[0]
    return audits.variables(differences, ("optimizer", "trial", "seed"))


def _assemble(
    study: lanes.Study,
    trials: Mapping[str, _Trials],
    reported: Mapping[str, runs.Results],
    screening: np.ndarray,
    fresh: np.ndarray,
) -> "xarray.Dataset":
    names, found = list(trials), list(trials.values())
    count = len(found[0].rates)
    screened = dataset.variables(
        study,
        _stack([t.results for t in found]),
        ("optimizer", "trial", "seed"),
        (len(names), count, len(screening)),
    )
    report = dataset.variables(
        study, _stack(list(reported.values())), ("optimizer", "fresh_seed"), (len(names), len(fresh)), prefix="fresh_"
    )
    by_trial = ("optimizer", "trial")
    rates = np.stack([t.rates for t in found])
    rounds = np.stack([t.round for t in found])
    coords = {
        "optimizer": ("optimizer", np.array(names)),
        "trial": ("trial", np.arange(count), {"long_name": "learning rates of one optimizer, ascending"}),
        "learning_rate": (by_trial, rates, {"units": "1"}),
        "round": (by_trial, rounds, {"long_name": "0: initial grid; k: added by extension k"}),
        "seed": dataset.seed_coordinate("seed", screening),
        "fresh_seed": dataset.seed_coordinate("fresh_seed", fresh),
    }
    return dataset.assemble(study, {**screened, **report}, coords, protocol=f"jaxdl compare {PROTOCOL}")


def _stack(results: Sequence[runs.Results]) -> runs.Results:
    metrics = {name: np.concatenate([r.metrics[name] for r in results]) for name in results[0].metrics}
    return runs.Results(metrics, np.concatenate([r.diverged_at for r in results]))
