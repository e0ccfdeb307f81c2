"""Schedules at hand-computed points, against NumPy twins and optax, and with every parameter traced."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxdl import schedules
from tests import oracles
from tests.conftest import peer

# --- by hand ----------------------------------------------------------------------------------------------------------

BY_HAND = [
    (schedules.constant(0.3), {0: 0.3, 1000: 0.3}),
    (schedules.piecewise_constant(2.0, {3: 0.5, 5: 0.1}), {0: 2, 2: 2, 3: 1, 4: 1, 5: 0.1, 9: 0.1}),
    (schedules.piecewise_constant(2.0, {5: 0.1, 3: 0.5}), {2: 2, 3: 1, 5: 0.1}),
    (schedules.linear(1.0, 3.0, 4), {0: 1, 1: 1.5, 4: 3, 9: 3}),
    (schedules.linear(1.0, 3.0, 4, 2), {0: 1, 2: 1, 3: 1.5, 6: 3, 7: 3}),
    (schedules.linear(1.0, 3.0, 0), {0: 3}),
    (schedules.linear(1.0, 3.0, 0, 2), {1: 1, 2: 3}),
    (schedules.polynomial(1.0, 0.0, 3.0, 4), {0: 1, 2: 0.125, 4: 0}),
    (schedules.exponential(8.0, 2, 0.25), {0: 8, 1: 4, 2: 2, 4: 0.5}),
    (schedules.exponential(8.0, 2, 0.25, 1), {0: 8, 1: 8, 2: 4, 3: 2}),
    (schedules.exponential(8.0, 2, 0.25, staircase=True), {0: 8, 1: 8, 2: 2, 3: 2, 4: 0.5}),
    (schedules.exponential(8.0, 2, 0.25, end_value=3.0), {1: 4, 2: 3, 9: 3}),
    (schedules.exponential(1.0, 1, 2.0, end_value=3.0), {1: 2, 2: 3, 9: 3}),
    (schedules.cosine(2.0, 4), {0: 2, 1: 1 + np.sqrt(0.5), 2: 1, 4: 0, 9: 0}),
    (schedules.cosine(2.0, 4, alpha=0.5), {0: 2, 2: 1.5, 4: 1, 9: 1}),
    (schedules.cosine(2.0, 4, exponent=2.0), {0: 2, 2: 0.5, 4: 0}),
    (schedules.cosine(2.0, 0, alpha=0.5), {0: 1}),
    (schedules.warmup_cosine(0.0, 1.0, 2, 6), {0: 0, 1: 0.5, 2: 1, 4: 0.5, 6: 0, 9: 0}),
    (schedules.warmup_cosine(0.2, 1.0, 2, 6, end_value=0.4), {0: 0.2, 1: 0.6, 2: 1, 4: 0.7, 6: 0.4}),
    (schedules.warmup_cosine(0.0, 1.0, 0, 4), {0: 1, 2: 0.5, 4: 0}),
    (schedules.warmup_cosine(0.0, 1.0, 2, 2, end_value=0.1), {1: 0.5, 2: 0.1}),
    (schedules.warmup_cosine(0.0, 0.0, 2, 6), {0: 0, 3: 0}),
    (schedules.inverse_time(6.0, 2, 1.0), {0: 6, 1: 4, 2: 3, 4: 2}),
    (schedules.inverse_time(6.0, 2, 1.0, staircase=True), {0: 6, 1: 6, 2: 3, 3: 3, 4: 2}),
]


@pytest.mark.parametrize(("schedule", "values"), BY_HAND)
def test_values_by_hand(schedule, values):
    np.testing.assert_allclose([schedule(t) for t in values], list(values.values()), rtol=1e-14, atol=1e-15)


# --- against the twins and optax, and with every parameter traced -----------------------------------------------------


class Case(NamedTuple):
    """A schedule of ours, the numbers it takes, and the name of optax's."""

    name: str
    numbers: Mapping[str, Any]
    peer: str | None
    structure: Mapping[str, Any] = {}

    def make(self, **numbers: Any) -> Any:
        return getattr(schedules, self.name)(**{**self.numbers, **numbers}, **self.structure)


CASES = (
    Case("constant", {"value": 0.3}, "constant_schedule"),
    Case(
        "polynomial",
        {"init_value": 2.0, "end_value": 0.5, "power": 1.7, "transition_steps": 20, "transition_begin": 5},
        "polynomial_schedule",
    ),
    Case(
        "linear",
        {"init_value": 0.1, "end_value": 2.0, "transition_steps": 20, "transition_begin": 5},
        "linear_schedule",
    ),
    Case(
        "exponential",
        {"init_value": 2.0, "transition_steps": 7, "decay_rate": 0.3, "transition_begin": 5},
        "exponential_decay",
    ),
    Case(
        "exponential",
        {"init_value": 2.0, "transition_steps": 7, "decay_rate": 0.3, "end_value": 0.4},
        "exponential_decay",
        {"staircase": True},
    ),
    Case(
        "exponential",
        {"init_value": 0.2, "transition_steps": 7, "decay_rate": 1.5, "end_value": 0.4},
        "exponential_decay",
    ),
    Case("cosine", {"init_value": 2.0, "decay_steps": 25, "alpha": 0.1, "exponent": 1.5}, "cosine_decay_schedule"),
    Case(
        "warmup_cosine",
        {"init_value": 0.1, "peak_value": 2.0, "warmup_steps": 8, "decay_steps": 30, "end_value": 0.3, "exponent": 1.5},
        "warmup_cosine_decay_schedule",
    ),
    Case("inverse_time", {"init_value": 2.0, "transition_steps": 7, "decay_rate": 0.5}, None),
    Case("inverse_time", {"init_value": 2.0, "transition_steps": 7, "decay_rate": 0.5}, None, {"staircase": True}),
)

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join([case.name, *case.structure]))
COUNTS = np.arange(40)


def values(schedule):
    return jax.vmap(schedule)(jnp.asarray(COUNTS, "int32"))


def test_table_has_every_schedule():
    public = {
        name for name, value in vars(schedules).items() if callable(value) and value.__module__ == schedules.__name__
    }
    by_itself = {"piecewise_constant", "piecewise_constant_arrays", "product"}
    assert {name for name in public if not name.startswith("_")} == {case.name for case in CASES} | by_itself


@every_case
def test_values_are_the_twins(case):
    expected = getattr(oracles, case.name)(COUNTS.astype(float), **case.numbers, **case.structure)
    np.testing.assert_allclose(values(case.make()), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", [case for case in CASES if case.peer], ids=lambda case: case.name)
def test_values_are_optaxs(case):
    with peer():
        expected = jax.vmap(getattr(optax, case.peer)(**case.numbers, **case.structure))(jnp.asarray(COUNTS))
    np.testing.assert_allclose(values(case.make()), expected, rtol=1e-12, atol=1e-15)


@every_case
def test_every_number_may_be_traced_and_mapped(case):
    lanes = {name: jnp.asarray([1.0, 0.7]) * value for name, value in case.numbers.items()}
    mapped = jax.jit(jax.vmap(lambda numbers: values(case.make(**numbers))))(lanes)
    looped = [values(case.make(**{name: float(lane[i]) for name, lane in lanes.items()})) for i in range(2)]
    np.testing.assert_allclose(mapped, jnp.stack(looped), rtol=1e-13, atol=1e-15)


@every_case
def test_gradient_with_respect_to_every_number_is_finite(case):
    numbers = {name: jnp.asarray(value, float) for name, value in case.numbers.items()}
    slopes = jax.jit(jax.jacrev(lambda numbers: values(case.make(**numbers))))(numbers)
    for name, slope in slopes.items():
        assert jnp.isfinite(slope).all(), name


def test_product_multiplies_schedules_and_constants_at_every_count():
    ours = values(schedules.product(0.5, schedules.linear(2.0, 0.0, 20), schedules.constant(3.0)))
    np.testing.assert_allclose(ours, 1.5 * oracles.linear(COUNTS, 2.0, 0.0, 20), rtol=1e-14)


def test_piecewise_constant_is_the_twins_and_optaxs():
    numbers = {"init_value": 2.0, "boundaries_and_scales": {3: 0.5, 20: 0.1, 11: 3.0}}
    ours = values(schedules.piecewise_constant(**numbers))
    np.testing.assert_allclose(ours, oracles.piecewise_constant(COUNTS, **numbers), rtol=1e-14)
    with peer():
        expected = jax.vmap(optax.piecewise_constant_schedule(**numbers))(jnp.asarray(COUNTS))
    np.testing.assert_allclose(ours, expected, rtol=1e-14)


def test_piecewise_boundaries_and_scales_may_be_traced():
    def at_five(boundary, scale):
        return schedules.piecewise_constant_arrays(2.0, boundary[None], scale[None])(5)

    mapped = jax.jit(jax.vmap(at_five))(jnp.array([4.0, 5.0, 6.0]), jnp.array([0.5, 0.1, 0.1]))
    np.testing.assert_allclose(mapped, [1.0, 0.2, 2.0], rtol=1e-15)
    traced_scale = jax.jit(lambda scale: schedules.piecewise_constant(2.0, {5: scale})(5))(0.25)
    assert traced_scale == 0.5


@every_case
def test_value_is_a_scalar_of_the_widest_enabled_float(case):
    value = case.make()(jnp.asarray(3, "int32"))
    assert (value.shape, value.dtype) == ((), jnp.float64)
    with jax.enable_x64(False):
        assert case.make()(jnp.asarray(3, "int32")).dtype == jnp.float32


# --- errors -----------------------------------------------------------------------------------------------------------

REFUSED = [
    (schedules.polynomial, (1.0, 0.0, 1.0, -1), "transition_steps must be non-negative, got -1."),
    (schedules.polynomial, (1.0, 0.0, 0.0, 1), "power must be positive, got 0."),
    (schedules.linear, (1.0, 0.0, 1, -2), "transition_begin must be non-negative, got -2."),
    (schedules.exponential, (1.0, 0, 0.5), "transition_steps must be positive, got 0."),
    (schedules.exponential, (1.0, 1, 0.0), "decay_rate must be positive, got 0."),
    (schedules.cosine, (1.0, -1), "decay_steps must be non-negative, got -1."),
    (schedules.warmup_cosine, (0.0, 1.0, -1, 5), "warmup_steps must be non-negative, got -1."),
    (schedules.warmup_cosine, (0.0, 1.0, 1, -5), "decay_steps must be non-negative, got -5."),
    (schedules.inverse_time, (1.0, 0, 0.5), "transition_steps must be positive, got 0."),
    (schedules.inverse_time, (1.0, 1, -0.5), "decay_rate must be non-negative, got -0.5."),
]


@pytest.mark.parametrize(("schedule", "arguments", "sentence"), REFUSED)
def test_values_out_of_range_are_refused(schedule, arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        schedule(*arguments)
