"""What measuring layouts found, kept in the user's cache folder, so that it is measured once.

A file that is missing, damaged or from other versions is no decision, and a folder that cannot be written is no error:
the layouts are measured again.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax

from jaxdl import configuration, provenance, store
from jaxdl.sweeps.plan import Demand, Shape
from jaxdl.sweeps.work import Work


class Decision(NamedTuple):
    """``shape`` that was fastest, and its ``lane_step``: seconds per update of a lane, all teams at work."""

    shape: Shape
    lane_step: float


def path(work: Work, demand: Demand, room: int) -> Path:
    """Where the decision is kept: its name is made of all that it depends on.

    Args:
      work: Of a lane; its digest stands for the problem, the optimizer and their shapes.
      demand: Numbers of points and seeds count by their power of two.
      room: Most lanes for which there is memory.
    """
    sizes = [demand.points.bit_length(), demand.seeds.bit_length(), demand.devices, min(room, 2**20).bit_length()]
    device = [jax.default_backend(), jax.devices()[0].device_kind, configuration.cores()]
    known = json.dumps([work.digest, sizes, device, provenance.versions()], sort_keys=True)
    name = hashlib.sha256(known.encode()).hexdigest()[:32]
    return configuration.default_cache().parent / "plans" / f"{name}.json"


def read(file: Path) -> Decision | None:
    """The decision of an earlier study, if there is a sound one."""
    try:
        content: dict[str, Any] = store.unseal(file.read_bytes())
        return Decision(Shape(int(content["width"]), bool(content["in_turn"])), float(content["lane_step"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(file: Path, decision: Decision) -> None:
    """Keeps a decision, where that is possible."""
    content = {**decision.shape._asdict(), "lane_step": decision.lane_step}
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        store.write_json(file, store.seal(content))
