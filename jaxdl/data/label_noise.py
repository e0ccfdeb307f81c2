r"""Labels that are wrong on purpose: an optimizer that fits them fits noise.

.. math::  \tilde y_i = \begin{cases} (y_i + s_i) \bmod k & r_i + \tfrac12 < p\,n \\ y_i & \text{otherwise}\end{cases}
           \qquad s_i \sim U\{1, \dots, k - 1\}, \quad r \text{ a random order of } 0, \dots, n - 1

So exactly round(p n) labels are replaced, each by one of the other classes alike, and what is replaced at one p stays
replaced, by the same class, at every larger p: two noise levels differ by the labels added alone.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks
from jaxdl.typing import Scalar


def symmetric_label_noise(labels: np.ndarray, rate: Scalar, classes: int, seed: int = 0) -> np.ndarray | jax.Array:
    """Replaces the labels of a part of the samples by other classes; the equation is at the top of this file.

    Args:
      labels: y, class numbers 0 … k − 1, integers of shape ``(n,)``.
      rate: p in [0, 1], the part of the samples. May be traced, and so swept. Above (k − 1)/k the true class is rarer
        than any other.
      classes: k ≥ 2.
      seed: Which samples, and which classes they get.

    Returns:
      Labels of the same shape and dtype: a NumPy array, or a traced one where ``rate`` is traced.

    Raises:
      ValueError: ``rate`` outside [0, 1].

    Source: symmetric noise of Patrini et al., "Making deep neural networks robust to label noise", CVPR 2017.

    >>> clean = np.zeros(8, np.int32)
    >>> print([int((symmetric_label_noise(clean, p, classes=3) != clean).sum()) for p in (0.0, 0.25, 1.0)])
    [0, 2, 8]
    """
    checks.fraction(label_noise=rate)
    n = len(labels)
    rng = np.random.default_rng(seed)
    order = rng.permutation(n) + 0.5
    replaced = ((labels + rng.integers(1, classes, n)) % classes).astype(labels.dtype)
    if isinstance(rate, jax.core.Tracer):
        return jnp.where(jnp.asarray(order, rate.dtype) < rate * n, replaced, labels)
    # In NumPy, so that a floor can be computed from the labels inside a traced function too.
    return np.where(order < float(rate) * n, replaced, labels)
