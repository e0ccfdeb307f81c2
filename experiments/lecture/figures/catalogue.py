"""All figures by name."""

import functools
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from experiments.lecture.figures import experiments, networks, paths, plane, samples
from experiments.lecture.figures.style import LEVELS as LEVELS
from experiments.lecture.laboratory import Laboratory

Draw = Callable[[Laboratory], Figure]

FIGURES: dict[str, Draw] = {
    **{id: functools.partial(experiments.experiment, id=id) for id in experiments.EXPERIMENTS},
    **{id: functools.partial(experiments.early_stopping, id=id) for id in ("E1", "E2")},
    **{name: functools.partial(experiments.comparison, table=name) for name in experiments.COMPARISONS},
    "polar": plane.polar,
    "folding": plane.folding,
    "regions": networks.regions,
    "features": networks.features,
    "xor": plane.xor,
    "architectures": networks.architectures,
    "critical": paths.critical,
    "surfaces": paths.landscapes,
    "momentum": paths.momentum,
    "demo": paths.demonstration,
    "zeros": networks.zeros,
    "whitening": plane.whitening,
    "conditioning": plane.conditioned,
    "over-fitting": experiments.over_fitting,
    "remedies": samples.remedied,
    "polynomials": plane.fitted,
    "contact": plane.touching,
    "balls": plane.balls,
    "dropout-net": networks.dropout_net,
    "early-stopping": experiments.stopping,
    "augmentation": samples.augmented,
    "planar": samples.others,
}
"""Name to a function of the laboratory."""


def draw(name: str, lab: Laboratory, folder: Path) -> Path:
    """Draws a figure into ``folder`` as ``name.png``, 150 dots per inch.

    Raises:
      ValueError: there is no such figure.
    """
    from jaxdl import plots

    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; there are: {', '.join(FIGURES)}.")
    folder.mkdir(parents=True, exist_ok=True)
    return plots.save(FIGURES[name](lab), folder / f"{name}.png")
