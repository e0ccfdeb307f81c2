"""Handwritten digits: 1797 images of 8 × 8, ten classes (UCI optical recognition; ships with scikit-learn)."""

import numpy as np


def digits(seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The digits in three splits, 60 % train, 20 % val, 20 % test, each with every class in the same part.

    Args:
      seed: Which samples go where. Results are comparable only at the same seed.

    Returns:
      Split name to ``(images, labels)``: float32 in [0, 1] of shape ``(n, 8, 8, 1)``, and int32 of shape ``(n,)``.

    >>> print({name: len(labels) for name, (_, labels) in digits().items()})
    {'train': 1077, 'val': 360, 'test': 360}
    """
    from sklearn.datasets import load_digits

    from jaxdl.data.splits import three_way_split

    bunch = load_digits()
    images = (bunch.images[..., None] / 16).astype(np.float32)
    return three_way_split(images, bunch.target.astype(np.int32), seed)
