"""Records as an ``xarray.Dataset``: named dimensions, units and provenance."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxdl import grids, observation, provenance
from jaxdl.problems.problem import Problem
from jaxdl.sweeps.definition import Definition
from jaxdl.sweeps.lanes import Study
from jaxdl.sweeps.runs import Results

if TYPE_CHECKING:
    import xarray


OF_PROBLEM = ("floor", "target", "batch_size")
"""Facts about a problem that are attributes of a Dataset, where there are such."""

DIVERGED_ATTRIBUTES = {"units": "updates", "long_name": "step whose loss was bad; -1: the run stayed healthy"}


def variables(
    study: Study, results: Results, dims: tuple[str, ...], shape: tuple[int, ...], prefix: str = ""
) -> dict[str, Any]:
    """Variables of a Dataset from cells in C order of ``dims``.

    Args:
      study: The study that the results are of.
      results: Records of ``prod(shape)`` cells.
      dims: Names of the dimensions of the cells; ``step`` is added to the curves.
      shape: Their lengths.
      prefix: Put before every name.

    Returns:
      Name to (dims, values, attributes).
    """
    curves = {
        prefix + name: ((*dims, "step"), values.reshape(*shape, -1), {"units": unit(study.problem, name)})
        for name, values in results.metrics.items()
    }
    diverged = (dims, results.diverged_at.reshape(shape), DIVERGED_ATTRIBUTES)
    return {**curves, f"{prefix}diverged_at": diverged}


def unit(problem: Problem, metric: str) -> str:
    """Unit of a metric or observable: that of the problem's loss for losses, 1 for what has none."""
    return observation.unit(metric, problem.units) or (problem.units if metric.endswith("loss") else "1")


def assemble(study: Study, data: Mapping[str, Any], coords: Mapping[str, Any], **attributes: Any) -> "xarray.Dataset":
    """A Dataset with the step coordinate and, as attributes, all that is needed to read or repeat the study."""
    import xarray

    problem = study.problem
    known = {name: getattr(problem, name) for name in OF_PROBLEM}
    return xarray.Dataset(
        data,
        coords={"step": ("step", study.record_steps, {"units": "updates"}), **coords},
        attrs={
            "problem": problem.name,
            "loss_units": problem.units,
            **{name: value for name, value in known.items() if value is not None},
            "steps": study.steps,
            "divergence_factor": study.divergence_factor,
            "layout": study.layout.describe(),
            "environment": json.dumps(provenance.environment()),
            **attributes,
        },
    )


def seed_coordinate(dim: str, seeds: np.ndarray) -> tuple[str, np.ndarray, dict[str, str]]:
    """A coordinate of seeds."""
    return dim, seeds, {"long_name": "seed: initial parameters, order of batches, noise"}


def whole(definition: Definition, results: Results) -> "xarray.Dataset":
    """Results of all cells of a definition, in order, as the Dataset that ``jaxdl.sweep`` returns."""
    grid, study = definition.grid, definition.parts[0].study
    dims, shape = (*grid.dims, "seed"), (*grid.shape, len(definition.seeds))
    coords = {name: (along, values, {"units": "1"}) for name, (along, values) in grids.coordinates(grid).items()}
    found = assemble(
        study,
        variables(study, results, dims, shape),
        {**coords, "seed": seed_coordinate("seed", definition.seeds)},
        **definition.attributes,
    )
    problems = [part.study.problem for part in definition.parts]
    for name in OF_PROBLEM:
        if len({getattr(problem, name) for problem in problems}) > 1:  # what holds for some cells holds for none
            found.attrs.pop(name, None)
    return found


def filled(
    skeleton: "xarray.Dataset", dims: tuple[str, ...], results: Results, units: Mapping[str, str], missing: int = 0
) -> "xarray.Dataset":
    """A Dataset that has only coordinates and attributes, with results of all its cells in C order of ``dims``."""
    shape = tuple(skeleton.sizes[dim] for dim in dims)
    curves = {
        name: ((*dims, "step"), values.reshape(*shape, -1), {"units": units[name]})
        for name, values in sorted(results.metrics.items())
    }
    whole = skeleton.assign({**curves, "diverged_at": (dims, results.diverged_at.reshape(shape), DIVERGED_ATTRIBUTES)})
    return whole.assign_attrs(runs_missing=missing) if missing else whole


def results(found: "xarray.Dataset") -> Results:
    """The results of all cells of a Dataset of :func:`whole` or :func:`filled`, in order."""
    size = found["diverged_at"].size
    curves = {str(name): v.values.reshape(size, -1) for name, v in found.data_vars.items() if "step" in v.dims}
    return Results(curves, found["diverged_at"].values.ravel())
