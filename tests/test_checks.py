"""Factory-time checks: the sentence a user reads, and the values that pass because they are not known yet."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import checks

REFUSED = [
    (checks.nonnegative, {"rate": -0.5}, "rate must be non-negative, got -0.5."),
    (checks.nonnegative, {"fine": 1.0, "rate": np.float32(-1)}, "rate must be non-negative, got -1."),
    (checks.nonnegative, {"rate": jnp.array(-2.0)}, "rate must be non-negative, got -2."),
    (checks.nonnegative, {"rate": float("nan")}, "rate must be non-negative, got nan."),
    (checks.nonnegative, {"rate": "0.1"}, "rate must be a number, got '0.1'."),
    (checks.nonnegative, {"momentum": True}, "momentum must be a number, got True."),
    (checks.decay_rate, {"b1": (0.9, 0.999)}, r"b1 must be a number, got \(0.9, 0.999\)."),
    (checks.given, {"rate": None}, "rate must be a number or a schedule, got None."),
    (checks.functions, {"home": "a.b", "divide": "x"}, "divide must be a function, such as those in a.b, got 'x'."),
    (checks.random_key, {"key": 0}, r"key must be a random key, such as jax.random.key\(0\), got 0."),
    (checks.random_key, {"key": np.uint32(3)}, r"key must be a random key, .*, got np.uint32\(3\)."),
    (checks.positive, {"norm": 0}, "norm must be positive, got 0."),
    (checks.positive, {"norm": float("nan")}, "norm must be positive, got nan."),
    (checks.positive_integer, {"steps": 0}, "steps must be a whole number of at least 1, got 0."),
    (checks.positive_integer, {"steps": 2.0}, "steps must be a whole number of at least 1, got 2.0."),
    (checks.positive_integer, {"steps": True}, "steps must be a whole number of at least 1, got True."),
    (checks.decay_rate, {"b1": 1}, r"b1 must lie in \[0, 1\), got 1."),
    (checks.decay_rate, {"b1": -0.1}, r"b1 must lie in \[0, 1\), got -0.1."),
    (checks.decay_rate, {"b1": float("nan")}, r"b1 must lie in \[0, 1\), got nan."),
    (checks.fraction, {"part": 1.5}, r"part must lie in \[0, 1\], got 1.5."),
    (checks.fraction, {"part": -0.1}, r"part must lie in \[0, 1\], got -0.1."),
    (checks.fraction, {"part": float("nan")}, r"part must lie in \[0, 1\], got nan."),
]


@pytest.mark.parametrize(("check", "values", "sentence"), REFUSED)
def test_refuses_in_one_sentence(check, values, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        check(**values)


def test_a_key_of_either_kind_and_no_function_pass():
    checks.random_key(new=jax.random.key(0), old=jax.random.PRNGKey(0), many=jax.random.split(jax.random.key(0)))
    checks.functions("a.b", divide=None, norm=abs)


@pytest.mark.parametrize(("value", "called"), [(3, "3"), (np.sin, "sin"), (object, "object")])
def test_what_is_no_transformation_is_named(value, called):
    with pytest.raises(TypeError, match=rf"^expected a transformation, such as jaxdl\.adam\(0\.1\), got {called}\.$"):
        checks.transformation(value)


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"^unknown colour 'blu'; known are: red, blue\.$"):
        checks.known("colour", "blu", (name for name in ("red", "blue")))


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.nonnegative, 0),
        (checks.positive, 1e-300),
        (checks.positive_integer, np.int32(1)),
        (checks.decay_rate, 0.0),
        (checks.decay_rate, np.nextafter(1, 0)),
        (checks.fraction, 0),
        (checks.fraction, 1),
    ],
)
def test_accepts_the_edge_of_the_range(check, value):
    check(value=value)


def test_known_refuses_only_what_is_not_among_the_choices():
    def refused(colour):
        try:
            checks.known("colour", colour, ["red", "blue"])
        except ValueError:
            return True
        return False

    assert [colour for colour in ("red", "green", "blue") if refused(colour)] == ["green"]


@pytest.mark.parametrize("check", [checks.nonnegative, checks.positive, checks.decay_rate, checks.fraction])
@pytest.mark.parametrize(
    "unknown", [None, lambda count: -1.0, jnp.array([-1.0, -2.0])], ids=["None", "schedule", "lanes"]
)
def test_values_that_are_not_one_number_pass(check, unknown):
    check(value=unknown)


@pytest.mark.parametrize("check", [checks.nonnegative, checks.positive, checks.decay_rate, checks.fraction])
def test_traced_values_pass(check):
    def traced(value):
        check(value=value)
        return value

    assert jax.jit(traced)(-1.0) == -1
