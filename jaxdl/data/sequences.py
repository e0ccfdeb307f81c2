r"""Sequences of bits with a label at every time: what a recurrent network must remember.

.. math::

    \text{echo:}   &\quad y_t = b_{t - k}, \quad 0 \text{ before the first bit} \\
    \text{parity:} &\quad y_t = b_1 \oplus \dots \oplus b_t

Echo needs a memory of k bits, parity one that is turned over by every 1 and never fades. Inputs are 2b − 1.
"""

import numpy as np

from jaxdl import checks

Sequences = tuple[np.ndarray, np.ndarray]
"""``(inputs, labels)``: float32 of shape ``(n, times, 1)``, ±1, and int32 of shape ``(n, times)``."""


def echo(samples: int, times: int, delay: int, seed: int = 0) -> Sequences:
    """Random bits, to be repeated ``delay`` steps later.

    Args:
      samples: n.
      times: Length of a sequence.
      delay: k ≥ 0, below ``times``.
      seed: Which bits.

    Returns:
      Inputs and labels.

    Raises:
      ValueError: a number outside its range.

    >>> inputs, labels = echo(1, times=5, delay=2)
    >>> print(inputs[0, :, 0], labels[0])
    [ 1.  1.  1. -1. -1.] [0 0 1 1 1]
    """
    checks.positive_integer(samples=samples, times=times)
    if not 0 <= delay < times:
        raise ValueError(f"delay must lie in [0, {times}), the length of a sequence, got {delay}.")
    bits = _bits(samples, times, seed)
    labels = np.zeros_like(bits)
    labels[:, delay:] = bits[:, : times - delay]
    return _inputs(bits), labels


def parity(samples: int, times: int, seed: int = 0) -> Sequences:
    """Random bits, and whether the number of ones so far is odd. Arguments as of :func:`echo`.

    >>> inputs, labels = parity(1, times=5)
    >>> print(inputs[0, :, 0], labels[0])
    [ 1.  1.  1. -1. -1.] [1 0 1 1 1]
    """
    checks.positive_integer(samples=samples, times=times)
    bits = _bits(samples, times, seed)
    return _inputs(bits), np.cumsum(bits, axis=1, dtype=np.int32) % 2


def _bits(samples: int, times: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (samples, times), dtype=np.int32)


def _inputs(bits: np.ndarray) -> np.ndarray:
    return (2 * bits - 1).astype(np.float32)[..., None]
