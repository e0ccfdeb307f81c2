"""``jaxdl.sweep``: optimizers over a grid and over seeds, in one compiled program per structure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jaxdl import grids, training
from jaxdl.observers import Observer
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import dataset, engine, programs
from jaxdl.sweeps.definition import Definition, define
from jaxdl.sweeps.structure import ProblemFactory
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray


def sweep(
    problem: Problem | ProblemFactory,
    factory: OptimizerFactory | Mapping[str, OptimizerFactory],
    axes: Mapping[str, Any] | grids.Grid,
    *,
    seeds: int | Sequence[int] = 5,
    steps: int = 500,
    record_every: int | None = None,
    evaluated: bool = True,
    divergence_factor: float = training.DIVERGENCE_FACTOR,
    batch: str = "shared",
    exact: bool = False,
    observe: Iterable[str] | Mapping[str, Observer] = (),
    on_runs: Callable[[int], None] | None = None,
) -> "xarray.Dataset":
    """Trains every point of a grid with every seed.

    Args:
      problem: From ``jaxdl.problems.get`` or your own. Where axes are arguments of the problem, its factory, such as
        ``functools.partial(jaxdl.problems.get, "quadratic")``.
      factory: The optimizer: any function that takes the axes' names as keywords and returns an optax transformation.
        It is called with traced floats inside the compiled program. Several, by name, are an axis ``optimizer``.
      axes: Name to its values, all combinations of which are run; or a grid of ``jaxdl.grids``. A name is an argument
        of the optimizer; with the prefix ``problem.`` one of the problem; or ``steps``, the length of each run, which
        is also given to an optimizer that has an argument ``steps``. Values that are not numbers, or that the program
        cannot take as numbers, get a program each.
      seeds: How many seeds (0, 1, …), or which. A seed is initial parameters, order of batches and noise, the same at
        every point.
      steps: Updates of each run, where they are no axis.
      record_every: Updates between records; about 50 records by default. Lengths of runs that differ must be multiples
        of it.
      evaluated: Whether records hold the metrics on ``val`` and ``test``.
      divergence_factor: A run whose loss exceeds this many times max(|initial loss|, 1) is frozen and counted.
      batch: ``"shared"``: the runs of a seed see the same batches (common random numbers, and faster). ``"own"``: every
        point draws its own.
      exact: Whether each run is to be the run of :func:`jaxdl.train` bit for bit; several times as slow. Otherwise the
        last bits differ, and with them the course of runs at the edge of stability.
      observe: What to watch at every step, recorded as means between records: names from ``jaxdl.observation``, or
        observers by name.
      on_runs: Called with the number of runs that were completed since its last call.

    Returns:
      A Dataset with dimensions ``(*axes, seed, step)``, or ``(point, seed, step)`` for a list or draw of points:
      ``train_loss``, ``val_loss`` and the problem's other metrics, NaN after the end of a shorter run, and
      ``diverged_at(*axes, seed)``.

    Raises:
      ValueError: an axis that nothing takes or that holds no values, a value that a factory rejects, no seeds or steps,
        or a loss that is not scalar.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> study = sweep(problem, jaxdl.sgd, {"learning_rate": [0.1, 1.0]}, seeds=1, steps=10, record_every=5)
    >>> dict(study.sizes)
    {'learning_rate': 2, 'seed': 1, 'step': 3}
    """
    definition = define(
        problem,
        factory,
        axes,
        seeds,
        steps,
        record_every,
        evaluated=evaluated,
        divergence_factor=divergence_factor,
        batch=batch,
        exact=exact,
        observe=observe,
    )
    results = definition.empty()
    for part in definition.parts:
        built = programs.build(part.study, part.factories, part.lane, definition.teams)
        found = engine.execute(part.study, built, part.optimizer, part.cells, on_runs)
        results.put(part.indices, found)
    return assemble(definition, results)


def assemble(definition: Definition, results: engine.Results) -> "xarray.Dataset":
    """Results of all cells of a definition, in order, as the Dataset that :func:`sweep` returns."""
    dims, shape = (*definition.grid.dims, "seed"), (*definition.grid.shape, len(definition.seeds))
    study = definition.parts[0].study
    coords = {
        name: (dims, values, {"units": "1"}) for name, (dims, values) in grids.coordinates(definition.grid).items()
    }
    return dataset.assemble(
        study,
        dataset.variables(study, results, dims, shape),
        {**coords, "seed": dataset.seed_coordinate("seed", definition.seeds)},
        **definition.attributes,
    )
