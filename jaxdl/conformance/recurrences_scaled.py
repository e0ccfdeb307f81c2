"""Rules whose step has a size of its own: from the sign's history, the loss, the parameter, or the step number.

Written, as ``recurrences`` is, from the papers and the documentation.
"""

import numpy as np

from jaxdl.conformance.recurrences import Array


def rprop(g: Array, eta_minus: float, eta_plus: float, *, late: bool) -> Array:
    """Riedmiller and Braun 1993 without backtracking, in units of the first size: a change of sign stops for a step.

    ``late``: each step is the one that was due an update ago, unless the sign changes now. The bounds of the size, 1e-6
    and 50 by default, lie outside what so few steps reach.
    """
    out, size = np.empty_like(g), np.ones(g.shape[1:])
    before = moved = np.zeros(g.shape[1:])
    for t, now in enumerate(np.sign(g)):
        agreement = now * before
        size = size * np.where(agreement > 0, eta_plus, np.where(agreement < 0, eta_minus, 1))
        due, before = moved, np.where(agreement < 0, 0, now)
        moved = size * before
        out[t] = np.where(agreement < 0, 0, due) if late else moved
    return out


def polyak(g: Array, largest: float, *, loss: float) -> Array:
    """Loizou et al. 2021 (SPS) with f* = 0: the step f / g², at most ``largest``; none where g² is rounding."""
    seen = g**2 > np.finfo(float).eps
    return np.where(seen, g * np.minimum(loss / np.where(seen, g**2, 1), largest), 0)


def polyak_within(g: Array, *, loss: float, rate: float) -> Array:
    """The same, where the rate is ``largest``: in units of it."""
    return polyak(g, rate, loss=loss) / rate


def adafactor(g: Array, power: float, eps: float) -> Array:
    """Shazeer and Stern 2018 on a scalar: the memory 1 − t^−c has all of the first gradient; |u| is at most 1."""
    v, out = np.zeros(g.shape[1:]), np.empty_like(g)
    for t, now in enumerate(g, 1):
        remembered = 1 - t**-power
        v = remembered * v + (1 - remembered) * (now**2 + eps)
        out[t - 1] = now / np.sqrt(v)
    return out / np.maximum(np.abs(out), 1)


def normalised(g: Array, eps: float) -> Array:
    """g / max(|g|, ε): the direction of fromage and of layer-wise scaled descent without memory."""
    return g / np.maximum(np.abs(g), eps)


def on_the_sphere(rates: Array) -> Array:
    """η / √(1 + η²): Bernstein et al. 2020, so that a step and the shrinkage after it keep the norm."""
    rotated: Array = rates / np.sqrt(1 + rates**2)
    return rotated
