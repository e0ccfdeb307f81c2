"""The thirteen training points and four validation points of the lecture, as its experiments present them.

Two features of image crops; label 1: the crop shows a character (字符), 0: background (背景). Values and provenance are
those of :mod:`jaxdl.data.characters`.
"""

from typing import NamedTuple

import numpy as np

from jaxdl.data import characters


class Points(NamedTuple):
    """``names``: as in the lecture. ``features``: float64 ``(n, 2)``. ``labels``: 1 or 0, float64 ``(n,)``."""

    names: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray


def _points(split: str, names: tuple[str, ...]) -> Points:
    features, labels = characters.characters()[split]
    return Points(names, features, labels.astype(np.float64))


TRAINING = _points("train", characters.NAMES)
"""In the order in which every epoch presents them: characters first."""

VALIDATION = _points("val", characters.VALIDATION_NAMES)
"""Slide 44: E (LED), n, and two backgrounds."""
