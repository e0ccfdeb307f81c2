"""The rate: one multiplication, one sign, and the origin of the step count."""

import jax.numpy as jnp
import optax
import pytest

from jaxdl import transforms


def increments(tx, directions):
    state, found = tx.init(jnp.zeros(())), []
    for direction in directions:
        increment, state = tx.update(jnp.asarray(direction), state)
        found.append(float(increment))
    return found, state


def test_increments_point_against_the_direction():
    assert increments(transforms.scale_by_learning_rate(0.5), [2.0, -4.0])[0] == [-1, 2]


def test_schedule_is_called_with_the_completed_updates():
    found, state = increments(
        transforms.scale_by_learning_rate(lambda count: 10.0 + count.astype(float)), [1.0, 1.0, 1.0]
    )
    assert found == [-10, -11, -12]
    assert state.count == 3


def test_constant_rate_needs_no_state():
    assert transforms.scale_by_learning_rate(0.1).init(jnp.zeros(2)) == optax.EmptyState()


def test_bfloat16_directions_are_multiplied_in_float32():
    directions = jnp.arange(1.0, 100.0).astype("bfloat16")
    tx = transforms.scale_by_learning_rate(0.1)
    updates, _ = tx.update(directions, tx.init(directions))
    rounded_once = (-0.1 * directions.astype("float64")).astype("bfloat16")
    rounded_twice = -jnp.asarray(0.1, "bfloat16") * directions
    assert updates.dtype == jnp.bfloat16
    assert updates.tolist() == rounded_once.tolist() != rounded_twice.tolist()


def test_negative_rate_is_refused():
    with pytest.raises(ValueError, match=r"^learning_rate must be non-negative, got -0\.1\.$"):
        transforms.scale_by_learning_rate(-0.1)
