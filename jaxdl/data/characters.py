"""Thirteen points of a lecture on deep learning, and four to validate on: characters and backgrounds in two features.

The features of image crops in the style of the ICDAR 2013 scene-text set; how they were computed is not documented
(several exact zeros suggest a ReLU layer of two units). Twelve points are printed in the course "Media and Cognition"
(lecture 3, slide 9); the thirteenth, a fence that looks like an "A", and the four for validation were digitised from
figures of lecture 4 (2022; slides 37 and 44). The thirteenth keeps the four digits of its first feature, 0.1227, which
the lecture's best line and condition numbers need. Not linearly separable: the best line has one error, the thirteenth.
"""

import numpy as np

NAMES = ("c1", "c2", "c3", "c4", "c5", "c6", "b1", "b2", "b3", "b4", "b5", "b6", "b7")
"""c: character, b: background."""
VALIDATION_NAMES = ("v1", "v2", "v3", "v4")
"""Two characters, two backgrounds."""

_CHARACTERS = ((0.197, 0.635), (0.075, 1.581), (0.203, 1.534), (0.116, 1.492), (0.165, 0.910), (0.070, 1.286))
_BACKGROUNDS = (
    (0.000, 0.190),
    (0.000, 0.388),
    (0.000, 0.847),
    (0.000, 0.360),
    (0.000, 0.553),
    (0.019, 0.915),
    (0.1227, 1.281),
)
_VALIDATION = ((0.165, 1.290), (0.122, 1.167), (0.040, 0.196), (0.026, 0.000))


def characters() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The points in the lecture's order, characters first, which matters where batches are taken in order.

    Returns:
      ``train`` and ``val`` to ``(features, labels)``: float64 of shape ``(13, 2)`` and ``(4, 2)``, and int32 with 1 for
      a character. There is no test split.

    >>> print({name: labels.tolist() for name, (_, labels) in characters().items()})
    {'train': [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], 'val': [1, 1, 0, 0]}
    """
    train = np.array(_CHARACTERS + _BACKGROUNDS)
    labels = np.array([1] * len(_CHARACTERS) + [0] * len(_BACKGROUNDS), np.int32)
    return {"train": (train, labels), "val": (np.array(_VALIDATION), np.array([1, 1, 0, 0], np.int32))}
