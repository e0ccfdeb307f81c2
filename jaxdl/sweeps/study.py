"""``jaxdl.sweep``: one optimizer over a grid of its floats and over seeds, in one compiled program."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from jaxdl import checks, training
from jaxdl.problems.problem import Problem
from jaxdl.sweeps import dataset, engine, grid, plan
from jaxdl.typing import OptimizerFactory

if TYPE_CHECKING:
    import xarray


def sweep(
    problem: Problem,
    factory: OptimizerFactory,
    axes: Mapping[str, Any],
    *,
    seeds: int | Sequence[int] = 5,
    steps: int = 500,
    record_every: int | None = None,
    evaluated: bool = True,
    divergence_factor: float = training.DIVERGENCE_FACTOR,
    on_runs: Callable[[int], None] | None = None,
) -> "xarray.Dataset":
    """Trains every combination of the axes with every seed.

    Args:
      problem: From ``jaxdl.problems.get`` or your own.
      factory: The optimizer: any function that takes the axes' names as keywords and returns an optax transformation.
        It is called with traced floats inside the compiled program.
      axes: Argument name to its values, each a list of real numbers.
      seeds: How many seeds (0, 1, …), or which. A seed is initial parameters, order of batches and noise, the same at
        every point.
      steps: Updates of each run.
      record_every: Updates between records; about 50 records by default.
      evaluated: Whether records hold the metrics on ``val`` and ``test``.
      divergence_factor: A run whose loss exceeds this many times max(|initial loss|, 1) is frozen and counted.
      on_runs: Called with the number of runs that were completed since its last call.

    Returns:
      A Dataset with dimensions ``(*axes, seed, step)``: ``train_loss``, ``val_loss`` and the problem's other metrics,
      and ``diverged_at(*axes, seed)``.

    Raises:
      ValueError: an axis that is not a list of real numbers, an argument the factory lacks or a value it rejects, no
        seeds or steps, or a loss that is not scalar.

    >>> import jaxdl
    >>> problem = jaxdl.problems.get("quadratic", dimension=2)
    >>> study = sweep(problem, jaxdl.sgd, {"learning_rate": [0.1, 1.0]}, seeds=1, steps=10, record_every=5)
    >>> dict(study.sizes)
    {'learning_rate': 2, 'seed': 1, 'step': 3}
    """
    if not axes:
        raise ValueError("a sweep needs at least one axis, such as {'learning_rate': [0.01, 0.1]}, got none.")
    columns = {name: grid.axis(name, values) for name, values in axes.items()}
    points = grid.product(columns)
    name = getattr(factory, "__name__", type(factory).__name__)
    grid.check_factory(name, factory, points)
    numbers = seed_numbers(seeds)
    count = len(next(iter(points.values())))
    study = engine.Study(
        problem,
        steps,
        training.record_interval(steps, record_every),
        plan.shared(count, len(numbers), jax.local_device_count()),
        evaluated,
        divergence_factor,
    )
    programs = engine.build(study, {name: factory}, list(points))
    cells = [(point, seed) for point in range(count) for seed in range(len(numbers))]
    results = engine.execute(study, programs, name, points, numbers, cells, on_runs)
    dims, shape = (*columns, "seed"), (*map(len, columns.values()), len(numbers))
    coords = {axis: (axis, values, {"units": "1"}) for axis, values in columns.items()}
    return dataset.assemble(
        study,
        dataset.variables(study, results, dims, shape),
        {**coords, "seed": dataset.seed_coordinate("seed", numbers)},
        optimizer=name,
    )


def seed_numbers(seeds: int | Sequence[int], first: int = 0) -> np.ndarray:
    """Seeds as an int64 array: ``first``, ``first + 1``, … where only their number is given.

    Raises:
      ValueError: fewer than one, negative, repeated, or not whole numbers.
    """
    if isinstance(seeds, int | np.integer):
        checks.positive_integer(seeds=seeds)
        return np.arange(first, first + seeds)
    numbers = np.asarray(seeds)
    valid = numbers.ndim == 1 and numbers.size and numbers.dtype.kind in "iu" and numbers.min() >= 0
    if not valid or len(np.unique(numbers)) != len(numbers) or numbers.max() >= 2**32:
        raise ValueError(f"seeds must be a number or a list of different whole numbers in [0, 2**32), got {seeds!r}.")
    return numbers.astype(np.int64)
