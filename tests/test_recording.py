"""When runs are recorded, and which of their records keep parameters."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import recording


@pytest.mark.parametrize("steps", [1, 49, 50, 500, 507])
def test_about_fifty_records_by_default(steps):
    rows = recording.record_steps(steps, recording.record_interval(steps, None))
    assert min(steps, 50) <= len(rows) - 1 <= 99
    assert (rows[0], rows[-1]) == (0, steps)
    assert rows.dtype == np.int32


def test_the_last_record_is_the_end_wherever_it_falls():
    np.testing.assert_array_equal(recording.record_steps(7, 3), [0, 3, 6, 7])
    np.testing.assert_array_equal(recording.record_steps(6, 3), [0, 3, 6])


@pytest.mark.parametrize(
    ("count", "kept", "slots"),
    [
        (1, [4], [1, 1, 1, 0]),
        (2, [0, 4], [2, 2, 2, 1]),
        (3, [0, 2, 4], [3, 1, 3, 2]),
        (5, [0, 1, 2, 3, 4], [1, 2, 3, 4]),
    ],
)
def test_snapshots_are_spread_over_the_records(count, kept, slots):
    params = {"w": jnp.arange(2.0)}
    found, rows, buffer = recording.snapshots(params, 4, count)
    np.testing.assert_array_equal(found, kept)
    np.testing.assert_array_equal(rows, slots)
    np.testing.assert_array_equal(buffer["w"], np.tile([0.0, 1.0], (count, 1)))


def test_no_snapshots_cost_nothing():
    assert recording.snapshots({}, 4, 0)[1:] == (None, None)


def test_no_more_snapshots_than_records():
    with pytest.raises(ValueError, match="snapshots must not exceed the 5 records of the run, got 6"):
        recording.snapshots({}, 4, 6)
