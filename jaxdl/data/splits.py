"""Train, validation and test parts of a data set."""

import math

import numpy as np


def three_way_split(
    inputs: np.ndarray, labels: np.ndarray, seed: int, val: float = 0.2, test: float = 0.2
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Splits by class, so that every split holds every class in the same part.

    Args:
      inputs: Shape ``(n, …)``.
      labels: Class numbers, shape ``(n,)``.
      seed: Which samples go where.
      val: Part of all samples for validation, rounded up to whole samples.
      test: Part of all samples for the test, rounded up to whole samples.

    Returns:
      ``train``, ``val`` and ``test``, each ``(inputs, labels)``.
    """
    from sklearn.model_selection import train_test_split

    # Whole numbers, because 0.1 / 0.7 of 700 is 100.00000000000001 and would be rounded up.
    held_out = {name: math.ceil(round(part * len(labels), 6)) for name, part in (("val", val), ("test", test))}
    indices = np.arange(len(labels))
    rest, test_part = train_test_split(indices, test_size=held_out["test"], random_state=seed, stratify=labels)
    train_part, val_part = train_test_split(rest, test_size=held_out["val"], random_state=seed, stratify=labels[rest])
    parts = {"train": train_part, "val": val_part, "test": test_part}
    return {name: (inputs[part], labels[part]) for name, part in parts.items()}
