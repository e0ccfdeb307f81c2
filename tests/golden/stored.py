"""Reads a recorded file: the feed, the steps at which points were kept, and a path for every configuration."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).parent
KEPT = np.array([0, 1, 2, 3, 4, *range(9, 60, 5)])
"""The steps that are kept, 0 for the first: an error once made stays in the path."""


class Recorded(NamedTuple):
    """One configuration under one rate, and the points that the real framework visited, shape (16, 12)."""

    framework: str
    name: str
    arguments: dict[str, Any]
    rate: str
    points: np.ndarray

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.framework} {self.name}({given}), {self.rate}"


class File(NamedTuple):
    """What one file holds."""

    versions: dict[str, str]
    theta: np.ndarray
    gradients: np.ndarray
    rates: dict[str, np.ndarray]
    recorded: list[Recorded]


def frameworks() -> Iterator[str]:
    """The frameworks of which there is a file."""
    return (path.stem for path in sorted(FOLDER.glob("*.npz")))


def read(framework: str) -> File:
    """The file of one framework."""
    with np.load(FOLDER / f"{framework}.npz") as stored:
        about = json.loads(str(stored["about"]))
        rows = zip(about["rows"], stored["points"], strict=True)
        return File(
            about["versions"],
            stored["theta"],
            stored["gradients"],
            {name: stored[f"rates_{name}"] for name in ("constant", "decaying")},
            [Recorded(framework, row["name"], row["arguments"], row["rate"], points) for row, points in rows],
        )
