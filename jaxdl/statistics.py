"""What curves say: pure NumPy functions of stored numbers. A diverged run enters as +∞, never as a gap.

Statistics over seeds are medians and quantiles, which stay meaningful when some runs are infinite.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jaxdl import checks

Floats = NDArray[np.floating]


def losses_with_divergence(losses: ArrayLike) -> Floats:
    """Losses with NaN, which marks records of a diverged run, as +∞. Any shape."""
    values = np.asarray(losses, np.float64)
    return np.where(np.isnan(values), np.inf, values)


def quantile(values: ArrayLike, q: float, axis: int = -1) -> Floats:
    """Quantile with linear interpolation that allows infinities: next to an infinite value it is that value.

    >>> float(quantile([1.0, 2.0, np.inf], 0.5)), float(quantile([1.0, np.inf], 0.5))
    (2.0, inf)
    """
    array = np.asarray(values, np.float64)
    lower, upper = (np.quantile(array, q, axis=axis, method=method) for method in ("lower", "higher"))
    finite = np.isfinite(lower) & np.isfinite(upper)
    with np.errstate(invalid="ignore"):
        between = np.quantile(array, q, axis=axis)
    # NumPy interpolates towards an infinite neighbour even with weight zero, which makes NaN of a value that is there.
    return np.where(lower == upper, lower, np.where(finite, between, np.where(np.isinf(upper), upper, lower)))


def median(values: ArrayLike, axis: int = -1) -> Floats:
    """:func:`quantile` at one half."""
    return quantile(values, 0.5, axis)


def steps_to_target(steps: ArrayLike, losses: ArrayLike, target: float) -> Floats:
    """First recorded step at which the loss is at most ``target``; +∞ where that never happens.

    Args:
      steps: Completed updates at each record, shape ``(R,)``.
      losses: Shape ``(…, R)``; NaN counts as not reached.
      target: In units of the loss.

    Returns:
      Shape ``(…)``.

    >>> print(steps_to_target([0, 10, 20], [[3.0, 1.0, 0.5], [3.0, 3.0, 3.0]], target=1.0))
    [10. inf]
    """
    reached = losses_with_divergence(losses) <= target
    first = np.asarray(steps, np.float64)[np.argmax(reached, axis=-1)]
    return np.where(reached.any(axis=-1), first, np.inf)


def best_record(losses: ArrayLike) -> NDArray[np.intp]:
    """Record of the smallest loss over a whole run, the first of equals: early stopping by hindsight.

    Args:
      losses: Shape ``(…, R)``; NaN is worse than any loss.

    Returns:
      Index into the last axis, shape ``(…)``.

    >>> int(best_record([3.0, 1.0, 2.0, 1.0, np.nan]))
    1
    """
    return np.asarray(np.argmin(losses_with_divergence(losses), axis=-1))


def patience_stop(losses: ArrayLike, patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """Early stopping as it would have gone: the record it returns to, and the one at which it stops.

    A loss counts as better only where it is more than ``min_delta`` below the best so far. The run stops at the
    ``patience``-th record in a row that is not better, or at the last one.

    Args:
      losses: Of one run, shape ``(R,)``; NaN is never better.
      patience: ≥ 1.
      min_delta: ≥ 0, in units of the loss.

    Returns:
      (best, stop): indices of records.

    Raises:
      ValueError: an argument outside its range.

    Source: Goodfellow, Bengio and Courville, "Deep learning", 2016, algorithm 7.1.

    >>> patience_stop([3.0, 1.0, 2.0, 1.5, 0.5], patience=2)
    (1, 3)
    """
    checks.positive_integer(patience=patience)
    checks.nonnegative(min_delta=min_delta)
    values = losses_with_divergence(losses)
    best, lowest = 0, values[0]
    for record in range(1, len(values)):
        if values[record] < lowest - min_delta:
            best, lowest = record, values[record]
        elif record - best >= patience:
            return best, record
    return best, len(values) - 1


def at_edge(losses: ArrayLike) -> tuple[bool, bool]:
    """Whether the smallest of ``losses``, ordered by learning rate, is the first one, and whether it is the last.

    Ties count for the edge: where a neighbour is as good, the optimum may lie beyond it.

    >>> at_edge([3.0, 1.0, 2.0]), at_edge([1.0, 1.0, 2.0])
    ((False, False), (True, False))
    """
    values = losses_with_divergence(losses)
    return bool(values[0] <= values.min()), bool(values[-1] <= values.min())


def basin_decades(rates: ArrayLike, losses: ArrayLike, threshold: float) -> float:
    """Width in decades of the range of learning rates around the best in which the loss is at most ``threshold``.

    Between two rates the loss is taken to be linear in log₁₀(rate); towards a diverged rate nothing is added. A basin
    that reaches the end of the grid is cut there, so it is a lower bound.

    Args:
      rates: Ascending, shape ``(n,)``.
      losses: Shape ``(n,)``.
      threshold: In units of the loss.

    Returns:
      Decades, ≥ 0; 0 where no rate is below the threshold.

    >>> basin_decades([0.01, 0.1, 1.0, 10.0], [3.0, 1.0, 1.0, 3.0], threshold=2.0)
    2.0
    """
    x, y = np.log10(np.asarray(rates, np.float64)), losses_with_divergence(losses)
    best = int(np.argmin(y))
    if not y[best] <= threshold:
        return 0.0

    def reach(direction: int) -> float:
        i = best
        while 0 <= i + direction < len(y) and y[i + direction] <= threshold:
            i += direction
        following = i + direction
        if not (0 <= following < len(y)) or np.isinf(y[following]):
            return float(x[i])
        part = (threshold - y[i]) / (y[following] - y[i])
        return float(x[i] + part * (x[following] - x[i]))

    return reach(1) - reach(-1)


def resamples(seeds: int, count: int = 10_000, rng_seed: int = 0) -> NDArray[np.intp]:
    """Bootstrap indices of shape ``(count, seeds)``. Use one set for all optimizers, so that seeds stay paired."""
    return np.random.default_rng(rng_seed).integers(0, seeds, size=(count, seeds))


def bootstrap_interval(values: ArrayLike, indices: NDArray[np.intp], level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the median over seeds.

    Args:
      values: One value per seed, shape ``(seeds,)``.
      indices: From :func:`resamples`.
      level: Coverage aimed at. With few seeds the true one is lower: the interval never leaves the range of the data.

    Returns:
      (low, high).

    Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
    """
    medians = median(np.asarray(values, np.float64)[indices])
    tail = (1 - level) / 2
    return float(quantile(medians, tail)), float(quantile(medians, 1 - tail))


def paired_difference(
    values: ArrayLike, reference: ArrayLike, indices: NDArray[np.intp], level: float = 0.95
) -> tuple[float, float, float]:
    """Median over seeds of ``values − reference``, seed by seed, and its bootstrap interval: (median, low, high).

    Where both runs of a seed diverged the difference is 0; where only one did it is infinite.
    """
    a, b = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    with np.errstate(invalid="ignore"):
        differences = np.where(np.isinf(a) & np.isinf(b), 0.0, a - b)
    low, high = bootstrap_interval(differences, indices, level)
    return float(median(differences)), low, high


def refine(rates: Sequence[float], best: int, count: int) -> list[float]:
    """``count`` further rates between the neighbours of ``rates[best]``, evenly spaced in the logarithm on each side.

    The lower side gets the odd one. ``rates`` are ascending and ``best`` is not at an end.

    >>> [round(r, 3) for r in refine([0.01, 1.0, 100.0], best=1, count=2)]
    [0.1, 10.0]
    """
    x = np.log10(np.asarray(rates, np.float64))
    above = count // 2
    lower = np.linspace(x[best - 1], x[best], count - above + 2)[1:-1]
    upper = np.linspace(x[best], x[best + 1], above + 2)[1:-1]
    return [float(rate) for rate in 10 ** np.concatenate([lower, upper])]


def beyond(rates: Sequence[float], count: int, *, upwards: bool) -> list[float]:
    """``count`` further rates beyond one end of ascending ``rates``, in steps of the ratio that the grid has there.

    >>> [round(r) for r in beyond([0.1, 1.0], 2, upwards=True)]
    [10, 100]
    """
    edge, inner = (rates[-1], rates[-2]) if upwards else (rates[0], rates[1])
    return [float(edge * (edge / inner) ** k) for k in range(1, count + 1)]


def relative_difference(a: ArrayLike, b: ArrayLike) -> Floats:
    """How far two sets of curves are apart: the largest of |a − b| / max(|a|, |b|) at any record.

    Args:
      a: Curves, shape ``(..., R)``.
      b: Curves of the same shape.

    Returns:
      Shape ``(...,)``: 0 only where all values are equal (NaN is equal to NaN), infinite where only one is finite.

    >>> relative_difference(np.array([[2.0, np.nan], [1.0, np.nan]]), np.array([[1.0, np.nan], [1.0, 3.0]]))
    array([0.5, inf])
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore"):
        relative = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    relative = np.where(np.isfinite(relative), relative, np.inf)
    worst: Floats = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, relative).max(axis=-1)
    return worst
