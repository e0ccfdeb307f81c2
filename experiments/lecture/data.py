"""The thirteen training points and four validation points of the lecture.

Two features of crops of the ICDAR-2013 scene-text kind; how they were computed is not documented. Label 1: the crop
shows a character (字符), 0: background (背景). c1 … b6 are printed on slide 9 of lecture 3; b7, a fence that looks like
an "A", and v1 … v4 are read off the figures of this lecture; b7's first feature, 0.1227, is the one number of which
more than three digits could be read.
"""

from typing import NamedTuple

import numpy as np


class Points(NamedTuple):
    """``names``: as in the lecture. ``features``: float64 ``(n, 2)``. ``labels``: 1 or 0, float64 ``(n,)``."""

    names: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray


def _points(rows: dict[str, tuple[float, float]], characters: int) -> Points:
    labels = np.array([1.0] * characters + [0.0] * (len(rows) - characters))
    return Points(tuple(rows), np.array(list(rows.values())), labels)


TRAINING = _points(
    {
        "c1": (0.197, 0.635),
        "c2": (0.075, 1.581),
        "c3": (0.203, 1.534),
        "c4": (0.116, 1.492),
        "c5": (0.165, 0.910),
        "c6": (0.070, 1.286),
        "b1": (0.000, 0.190),
        "b2": (0.000, 0.388),
        "b3": (0.000, 0.847),
        "b4": (0.000, 0.360),
        "b5": (0.000, 0.553),
        "b6": (0.019, 0.915),
        "b7": (0.1227, 1.281),
    },
    characters=6,
)
"""In the order in which every epoch presents them: characters first."""

VALIDATION = _points(
    {"v1": (0.165, 1.290), "v2": (0.122, 1.167), "v3": (0.040, 0.196), "v4": (0.026, 0.000)}, characters=2
)
"""Slide 44: E (LED), n, and two backgrounds."""
