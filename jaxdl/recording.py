"""When a run is looked at: the steps at which it is recorded, and those of its records whose parameters are kept."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxdl import checks
from jaxdl.typing import Params

RECORDS = 50
"""Records of a run where the caller does not say how often to record."""


def record_interval(steps: int, record_every: int | None) -> int:
    """Steps between records; by default so many that about ``RECORDS`` are made."""
    checks.positive_integer(steps=steps)
    if record_every is None:
        return max(1, steps // RECORDS)
    checks.positive_integer(record_every=record_every)
    return record_every


def record_steps(steps: int, record_every: int) -> np.ndarray:
    """Completed updates at each record: 0, then every ``record_every`` and the last. int32, shape ``(R + 1,)``."""
    records = -(-steps // record_every)
    return np.minimum(np.arange(records + 1) * record_every, steps).astype(np.int32)


def snapshots(params: Params, records: int, count: int) -> tuple[np.ndarray, jax.Array | None, Params | None]:
    """Copies of parameters that are kept along a run, evenly spaced, the last record always.

    Args:
      params: The initial ones, which are record 0.
      records: R, of the whole run besides record 0.
      count: How many to keep, at most R + 1; one is the last.

    Returns:
      The records that are kept, ascending, ``(count,)``; for each record 1…R the row of the buffer to write, out of
      range for none, int32 ``(R,)``; and the buffer, parameters with a leading axis, with row 0 in place where it is
      kept. None for both where nothing is.

    Raises:
      ValueError: there are not so many records.
    """
    if count == 0:
        return np.zeros(0, np.int32), None, None
    checks.positive_integer(snapshots=count)
    if count > records + 1:
        raise ValueError(f"snapshots must not exceed the {records + 1} records of the run, got {count}.")
    kept = np.round(np.linspace(records, 0, count)).astype(np.int32)[::-1]
    slots = np.full(records + 1, count, np.int32)
    slots[kept] = np.arange(count)
    buffer = jax.tree.map(lambda p: jnp.broadcast_to(p, (count, *p.shape)), params)
    return kept, jnp.asarray(slots[1:]), buffer
