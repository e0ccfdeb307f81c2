"""Breast cancer Wisconsin (diagnostic): 569 tumours, 30 features, two classes (UCI; ships with scikit-learn)."""

import numpy as np


def breast_cancer(seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The tumours in three splits, 60 % train, 20 % val, 20 % test, each with both classes in the same part.

    Features are standardised with mean and standard deviation of the training split alone.

    Args:
      seed: Which samples go where. Results are comparable only at the same seed.

    Returns:
      Split name to ``(features, labels)``: float32 of shape ``(n, 30)``, and int32 of shape ``(n,)``, 1 for benign.

    >>> print({name: len(labels) for name, (_, labels) in breast_cancer().items()})
    {'train': 341, 'val': 114, 'test': 114}
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import StandardScaler

    from jaxdl.data.splits import three_way_split

    features, labels = load_breast_cancer(return_X_y=True)
    splits = three_way_split(features, labels.astype(np.int32), seed)
    scaler = StandardScaler().fit(splits["train"][0])
    return {name: (scaler.transform(part).astype(np.float32), classes) for name, (part, classes) in splits.items()}
