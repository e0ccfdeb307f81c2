"""Statistics of curves, against hand-made cases and SciPy."""

import numpy as np
import pytest
import scipy.stats

from jaxdl import statistics

INF = np.inf


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.5),
        ([1.0, 2.0, INF], 0.5, 2.0),  # NumPy says NaN
        ([1.0, INF, INF], 0.5, INF),
        ([1.0, 2.0, INF, INF], 0.5, INF),
        ([-INF, 1.0], 0.5, -INF),
        ([INF, INF], 0.25, INF),
        ([1.0, 3.0], 0.25, 1.5),
    ],
)
def test_quantiles_know_infinity(values, q, expected):
    assert statistics.quantile(values, q) == expected


def test_quantiles_of_finite_values_are_numpys(rng):
    values = rng.normal(size=(4, 7))
    for q in (0.05, 0.25, 0.5, 0.9):
        np.testing.assert_array_equal(statistics.quantile(values, q, axis=0), np.quantile(values, q, axis=0))


def test_nan_is_an_infinite_loss():
    np.testing.assert_array_equal(statistics.losses_with_divergence([1.0, np.nan, INF]), [1.0, INF, INF])


def test_steps_to_target_is_the_first_record_that_reaches_it():
    losses = [[3, 2, 1, 2], [3, 3, 3, 3], [1, 5, 5, 5], [3, np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(statistics.steps_to_target([0, 5, 10, 12], losses, 1.0), [10, INF, 0, INF])


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([3, 1, 2], (False, False)),
        ([1, 2, 3], (True, False)),
        ([3, 2, 1], (False, True)),
        ([1, 1, 2], (True, False)),
        ([2, 1, 1], (False, True)),
        ([INF, INF, INF], (True, True)),
        ([np.nan, 2, 1], (False, True)),
    ],
)
def test_optimum_at_the_edge(losses, expected):
    assert statistics.at_edge(losses) == expected


@pytest.mark.parametrize(
    ("losses", "threshold", "expected"),
    [
        ([3, 1, 3], 2.0, 1.0),  # half a decade on either side
        ([3, 1, INF], 2.0, 0.5),  # nothing towards a diverged rate
        ([1, 1, 1], 2.0, 2.0),  # cut at the ends of the grid
        ([3, 1, 3], 1.0, 0.0),
        ([3, 1, 3], 0.5, 0.0),
        ([INF, INF, INF], 1.0, 0.0),
        ([1, 5, 1], 2.0, 0.25),  # a second basin does not count
    ],
)
def test_basin_width(losses, threshold, expected):
    assert statistics.basin_decades([0.01, 0.1, 1.0], losses, threshold) == pytest.approx(expected, abs=1e-12)


def test_bootstrap_interval_agrees_with_scipy(rng):
    values = rng.lognormal(size=25)
    ours = statistics.bootstrap_interval(values, statistics.resamples(25))
    theirs = scipy.stats.bootstrap((values,), np.median, method="percentile", n_resamples=10_000, rng=rng)
    # Both are quantiles of the discrete bootstrap distribution of the median: they may differ by one order statistic.
    ordered = np.sort(values)
    for a, b in zip(ours, theirs.confidence_interval, strict=True):
        assert abs(np.searchsorted(ordered, a) - np.searchsorted(ordered, b)) <= 1


def test_bootstrap_interval_covers_the_median():
    rng = np.random.default_rng(11)
    indices = statistics.resamples(20, count=1000)
    intervals = [statistics.bootstrap_interval(rng.exponential(size=20), indices) for _ in range(400)]
    covered = np.mean([low <= np.log(2) <= high for low, high in intervals])
    error = np.sqrt(0.95 * 0.05 / 400)
    assert abs(covered - 0.95) < 4 * error


def test_pairing_removes_what_seeds_have_in_common(rng):
    common = 100 * rng.normal(size=20)
    a, b = common + 1 + 0.01 * rng.normal(size=20), common
    middle, low, high = statistics.paired_difference(a, b, statistics.resamples(20))
    assert 0.98 < low < middle < high < 1.02


def test_differences_of_diverged_runs():
    indices = statistics.resamples(3)
    assert statistics.paired_difference([INF] * 3, [INF] * 3, indices) == (0, 0, 0)
    assert statistics.paired_difference([INF] * 3, [1.0] * 3, indices) == (INF, INF, INF)
    assert statistics.paired_difference([1.0] * 3, [INF] * 3, indices) == (-INF, -INF, -INF)


def test_further_rates_lie_between_the_neighbours_of_the_best():
    rates = statistics.refine([0.001, 0.01, 0.1, 1.0], best=1, count=3)
    np.testing.assert_allclose(np.log10(rates), [-3 + 1 / 3, -3 + 2 / 3, -1.5])


@pytest.mark.parametrize(("upwards", "expected"), [(True, [4.0, 8.0]), (False, [0.25, 0.125])])
def test_rates_beyond_an_end_continue_the_grid(upwards, expected):
    np.testing.assert_allclose(statistics.beyond([0.5, 1.0, 2.0], 2, upwards=upwards), expected)


# --- early stopping ---------------------------------------------------------------------------------------------------


def test_best_record_is_the_first_of_the_smallest_and_never_a_diverged_one():
    curves = np.array([[3.0, 1.0, 2.0, 1.0], [2.0, np.nan, 1.5, np.inf]])
    np.testing.assert_array_equal(statistics.best_record(curves), [1, 2])
    assert statistics.best_record([np.nan, np.nan]) == 0


@pytest.mark.parametrize(
    ("losses", "patience", "min_delta", "expected"),
    [
        ([5, 4, 3, 2], 1, 0.0, (3, 3)),  # never stops
        ([5, 4, 4, 3], 1, 0.0, (1, 2)),  # an equal one is not better
        ([5, 4, 4, 3], 2, 0.0, (3, 3)),
        ([5, 4, 6, 6, 6, 1], 3, 0.0, (1, 4)),  # the minimum of the whole run comes too late
        ([5, 4.6, 4.6, 3.9], 2, 0.5, (0, 2)),  # small falls do not count,
        ([5, 4.6, 4.3, 3.9], 3, 0.5, (2, 3)),  # unless they add up
        ([5, np.nan, np.nan, 1], 2, 0.0, (0, 2)),
        ([5], 1, 0.0, (0, 0)),
    ],
)
def test_patience_by_hand(losses, patience, min_delta, expected):
    assert statistics.patience_stop(losses, patience, min_delta) == expected


def test_unlimited_patience_is_the_best_record(rng):
    losses = rng.normal(size=40)
    best, stop = statistics.patience_stop(losses, patience=40)
    assert (best, stop) == (statistics.best_record(losses), 39)


def test_patience_below_one_is_refused():
    with pytest.raises(ValueError, match="patience must be a whole number of at least 1, got 0"):
        statistics.patience_stop([1.0], 0)
