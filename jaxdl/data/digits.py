"""Handwritten digits: 1797 images of 8 × 8, ten classes (UCI optical recognition; ships with scikit-learn)."""

import jax
import numpy as np

from jaxdl.data.label_noise import symmetric_label_noise
from jaxdl.typing import Scalar


def digits(seed: int = 0, label_noise: Scalar = 0.0) -> dict[str, tuple[np.ndarray, np.ndarray | jax.Array]]:
    """The digits in three splits, 60 % train, 20 % val, 20 % test, each with every class in the same part.

    Args:
      seed: Which samples go where. Results are comparable only at the same seed.
      label_noise: Part of the training labels that are replaced by another class, in [0, 1]; may be traced. What is
        chosen and reported by stays clean. Equation: ``data/label_noise.py``.

    Returns:
      Split name to ``(images, labels)``: float32 in [0, 1] of shape ``(n, 8, 8, 1)``, and int32 of shape ``(n,)``.
      NumPy arrays, but for the training labels where ``label_noise`` is traced.

    Raises:
      ValueError: ``label_noise`` outside [0, 1].

    >>> print({name: len(labels) for name, (_, labels) in digits().items()})
    {'train': 1077, 'val': 360, 'test': 360}
    """
    from sklearn.datasets import load_digits

    from jaxdl.data.splits import three_way_split

    bunch = load_digits()
    images = (bunch.images[..., None] / 16).astype(np.float32)
    splits = three_way_split(images, bunch.target.astype(np.int32), seed)
    given, labels = splits["train"]
    return {**splits, "train": (given, symmetric_label_noise(labels, label_noise, classes=10))}
