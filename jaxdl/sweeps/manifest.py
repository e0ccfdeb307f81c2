"""What a study folder says about its study: the definition that must hold for every row, and the names of the rows."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxdl import labels, provenance, training
from jaxdl.sweeps.dataset import unit
from jaxdl.sweeps.definition import Definition, Part
from jaxdl.sweeps.lanes import Study, lane_dtype
from jaxdl.sweeps.plan import Layout

FORMAT = 2
"""Version of the study folder."""

FIXED = ("problem", "record_every", "evaluated", "divergence_factor", "batch", "exact", "observe")
"""What all parts of a study must agree on; grids, seeds and numbers of steps may grow."""


def of(definition: Definition, origin: Any, skeleton: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a study, as JSON.

    Args:
      definition: The study.
      origin: Anything that whoever asked for it wants to find again.
      skeleton: Of the Dataset, without its data.
    """
    study = definition.parts[0].study
    return {
        "format": FORMAT,
        "problem": study.problem.name,
        "record_every": study.record_every,
        "evaluated": study.evaluated,
        "divergence_factor": study.divergence_factor,
        "batch": definition.attributes["batch"],
        "exact": definition.attributes["exact"],
        "observe": list(study.observe),
        "layout": list(study.layout),
        "chunk_records": study.records_per_chunk,
        "environments": [provenance.environment()],
        "programs": {label(part): _program(part) for part in definition.parts},
        "columns": {name: labels.column(column) for name, column in definition.grid.columns.items()},
        "optimizers": list(dict.fromkeys(part.optimizer for part in definition.parts)),
        "steps": study.steps,
        "seeds": definition.seeds.tolist(),
        "dims": [*definition.grid.dims, "seed"],
        "skeleton": dict(skeleton),
        "origin": origin,
    }


def given(stored: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """What a stored study is defined with when it goes on.

    Raises:
      ValueError: another version of the format.
    """
    if stored["format"] != FORMAT:
        raise ValueError(f"the study in {folder!r} has format {stored['format']}, this version reads {FORMAT}.")
    known = {name: stored[name] for name in ("chunk_records", "record_every")}
    return {"layout": Layout(*stored["layout"]), **known}


def settled(definition: Definition, stored: Mapping[str, Any]) -> Definition:
    """The definition with the layouts that parts of the stored study have run with: one that would have taken too much
    memory has got a smaller one than the others, and keeps it.
    """

    def as_stored(part: Part) -> Part:
        layout = stored["programs"].get(label(part), {}).get("layout")
        if layout is None:
            return part
        return part._replace(study=part.study._replace(layout=Layout(*layout)), settled=True)

    return definition._replace(parts=[as_stored(part) for part in definition.parts], given=bool(stored["exact"]))


def settle(stored: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """The manifest with the layout that a part is going to run with."""
    found = {**stored["programs"][label(part)], "layout": list(part.study.layout)}
    return {**stored, "programs": {**stored["programs"], label(part): found}}


def grown(stored: Mapping[str, Any], new: Mapping[str, Any], folder: str, *, anyway: bool) -> dict[str, Any]:
    """The manifest of a stored study after a further part.

    Raises:
      ValueError: the new part is of another study, or would be made by other versions or on another kind of device
        without being told to go on ``anyway``.
    """
    for name in FIXED:
        if stored[name] != new[name]:
            was = f"{name} {stored[name]!r}, now it is {new[name]!r}"
            raise ValueError(f"the study in {folder!r} was made with {was}; choose another folder.")
    both = stored["programs"].keys() & new["programs"].keys()
    for name in sorted(both):
        for what, named in (("program", "another program"), ("data", "other data")):
            if stored["programs"][name][what] != new["programs"][name][what]:
                raise ValueError(f"in the study in {folder!r} {name!r} had {named}; choose another folder.")
    different = provenance.differences(stored["environments"][-1])
    if different and not anyway:
        raise ValueError(
            f"the study in {folder!r} was made elsewhere: {'; '.join(different)}. Its rows would not be bit for bit "
            "those of one study; go on anyway, and it will say so."
        )
    environments = stored["environments"] + (new["environments"] if different else [])
    origin = stored["origin"] if new["origin"] is None else new["origin"]
    fixed = {name: stored[name] for name in ("layout", "chunk_records")}
    programs = {**stored["programs"], **new["programs"]}
    return {**new, **fixed, "programs": programs, "environments": environments, "origin": origin}


def _program(part: Part) -> dict[str, Any]:
    """What must hold for every row of a part; its layout once it has one for good."""
    layout = list(part.study.layout) if part.settled else None
    return {"program": program(part), "data": data_hash(part), "layout": layout}


def label(part: Part) -> str:
    """A part by its optimizer and structural values."""
    fixed = {name: labels.label(value) for name, value in sorted(part.structure.fixed.items()) if name != "optimizer"}
    return " ".join([part.optimizer, *(f"{name}={value}" for name, value in fixed.items())])


def program(part: Part) -> str:
    """SHA-256 of the operations of one step of training, without values, data or length of the run."""
    cells, study, made = part.cells, part.study, part.factories[part.optimizer]

    def step(factory: dict[str, jax.Array], problem: dict[str, jax.Array], told: dict[str, jax.Array]) -> Any:
        given = study.problem if study.make_problem is None else study.make_problem(**problem)
        given = given._replace(data=jax.tree.map(lambda leaf: leaf, given.data))  # splits in the order of every pytree
        return training.train(given, made(**factory, **told), jax.random.key(0), steps=1)

    def text(told: dict[str, jax.ShapeDtypeStruct]) -> str:
        columns = (cells.factory, cells.problem)
        lanes = [{n: jax.ShapeDtypeStruct((), lane_dtype(c)) for n, c in of.items()} for of in columns]
        return f"{label(part)}\n{jax.make_jaxpr(step)(*lanes, told)}"

    if _binds_its_length(part):
        with contextlib.suppress(Exception):  # a factory may refuse a traced length in words of its own
            return provenance.digest(text({"steps": jax.ShapeDtypeStruct((), np.int32)}))
    return provenance.digest(text({}))


def _binds_its_length(part: Part) -> bool:
    """Whether the optimizer is told by ``functools.partial`` how long its runs are: with runs of another length it is
    the same program, and they are others from the start.
    """
    made = part.factories[part.optimizer]
    bound = made.keywords.get("steps") if isinstance(made, partial) else None
    return bound is not None and "steps" not in part.cells.factory and bool((part.cells.steps == bound).all())


def data_hash(part: Part) -> str:
    """SHA-256 of the data of a part's problem."""
    found = hashlib.sha256()
    for leaf in jax.tree.leaves(part.study.problem.data):
        array = np.asarray(leaf)
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def keys(part: Part, definition: Definition) -> list[str]:
    """Names of the rows of a part's cells."""
    columns = {name: labels.column(column) for name, column in definition.grid.columns.items()}
    points = (part.indices // len(definition.seeds)).tolist()
    rows = zip(points, part.cells.seeds.tolist(), part.cells.steps.tolist(), strict=True)
    return [key(part.optimizer, columns, point, seed, steps) for point, seed, steps in rows]


def key(optimizer: str, columns: Mapping[str, Any], point: int, seed: int, steps: int) -> str:
    """Name of a row: what was run, and after ``@`` for how many steps.

    >>> key("sgd", {"learning_rate": [0.1, 0.2]}, 1, 0, 500)
    '{"learning_rate": 0.2, "optimizer": "sgd", "seed": 0}@500'
    """
    values = {name: column[point] for name, column in columns.items() if name != "steps"}
    return json.dumps({**values, "optimizer": optimizer, "seed": seed}, sort_keys=True) + f"@{steps}"


def split_key(name: str) -> tuple[str, int]:
    """What was run, and for how many steps."""
    what, _, steps = name.rpartition("@")
    return what, int(steps)


def units(study: Study, metrics: Iterable[str]) -> dict[str, str]:
    """Unit of each metric."""
    return {name: unit(study.problem, name) for name in metrics}
