"""Records as an ``xarray.Dataset``: named dimensions, units and provenance."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxdl import observation, provenance
from jaxdl.problems.problem import Problem
from jaxdl.sweeps.engine import Results
from jaxdl.sweeps.lanes import Study

if TYPE_CHECKING:
    import xarray


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
    note = "step whose loss was bad; -1: the run stayed healthy"
    diverged = (dims, results.diverged_at.reshape(shape), {"units": "updates", "long_name": note})
    return {**curves, f"{prefix}diverged_at": diverged}


def unit(problem: Problem, metric: str) -> str:
    """Unit of a metric or observable: that of the problem's loss for losses, 1 for what has none."""
    return observation.unit(metric, problem.units) or (problem.units if metric.endswith("loss") else "1")


def assemble(study: Study, data: Mapping[str, Any], coords: Mapping[str, Any], **attributes: Any) -> "xarray.Dataset":
    """A Dataset with the step coordinate and, as attributes, all that is needed to read or repeat the study."""
    import xarray

    problem = study.problem
    known = {"floor": problem.floor, "target": problem.target, "batch_size": problem.batch_size}
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
