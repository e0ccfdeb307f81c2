"""Functions of two variables: values by hand and from the literature, and calculus at every point that is listed."""

from math import cos, e, exp, pi, sin, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxdl import problems
from jaxdl.problems.planar import FUNCTIONS, planar

AT_STARTS = {
    "beale": 1.5**2 + 2.25**2 + 2.625**2,
    "himmelblau": 11**2 + 7**2,
    "ackley": -20 * exp(-0.2 * sqrt(0.5 * (16 + 12.25))) - exp(0.5 * (1 - 1)) + e + 20,
    "rastrigin": 20 + 4 + 12.25 - 10 * (1 - 1),
    "booth": (-8 + 16 - 7) ** 2 + (-16 + 8 - 5) ** 2,
    "matyas": 26 + 0.48 * 48,
    "styblinski-tang": 0.5 * (0.0016 - 0.64 + 1 + 0.0001 - 0.16 + 0.5),
    "goldstein-price": (1 + 19) * (30 + 6.25 * 76.75),
    "branin": (8 - 20.4 / (4 * pi**2) + 10 / pi - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * cos(2) + 10,
    "six-hump-camel": (4 - 13.125 + 39.0625 / 3) * 6.25 - 3.75 + 5 * 2.25,
    "mccormick": sin(6.5) + 0.25 - 5.25 + 7.5 + 1,
    "three-hump-camel": 8 - 16.8 + 64 / 6 - 3 + 2.25,
    "monkey-saddle": 0.216,
    "saddle": 0.81 - 1e-6,
    "goh-banana": 2.21**2 + 20 * (2.559 - 1.4641) ** 2,
    "griewank": 1 + 100 / 4000 - cos(8) * cos(6 / sqrt(2)),
    "levy-13": 49 + 16,
    "easom": -(cos(1) ** 2) * exp(-2 * (1 - pi) ** 2),
    "dupont": 0.633**2 + 1.214**2 - 2 * exp(-(0.367**2 + 1.214**2) / 0.2) - 3 * exp(-(1.633**2 + 1.214**2) / 0.2),
}
"""f at the default start, worked out from the formula on paper."""

PRINTED = {
    "beale": ([0], [14.203125, 9.8645], []),
    "himmelblau": ([0] * 4, [13.312, 67.719, 104.015, 178.337], [181.6165]),
    "ackley": ([0] + [2.57993] * 4 + [3.57445] * 4, [3.25247] * 4, [4.60893] * 4),
    "rastrigin": ([0] + [0.994959] * 4 + [1.989918] * 4, [20.25127] * 4, [40.50255] * 4),
    "booth": ([0], [], []),
    "matyas": ([0], [], []),
    "styblinski-tang": ([-78.332331, -64.195612, -64.195612, -50.058893], [-38.9706] * 2 + [-24.8338] * 2, [0.391225]),
    "goldstein-price": ([3, 30, 84, 840], [35, 99, 980, 990], [1155]),
    "branin": ([0.3978873577] * 3, [19.602113] * 2, []),
    "six-hump-camel": (
        [-1.0316285] * 2 + [-0.2154638] * 2 + [2.104250] * 2,
        [0, 0.543719, 0.543719, 2.229357, 2.229357, 2.229471, 2.229471],
        [2.496295] * 2,
    ),
    "mccormick": ([-1.913222955, 1.228370], [1.913223], []),
    "three-hump-camel": ([0, 0.298638, 0.298638], [0.877362] * 2, []),
    "monkey-saddle": ([], [0], []),
    "saddle": ([], [0], []),
    "goh-banana": ([0], [], []),
    "griewank": ([0] + [0.00739604] * 4, [], [2.00247] * 2),
    "levy-13": ([0], [], []),
    "easom": ([-1], [], []),
    "dupont": ([-2.063090252, -1.092731999], [-0.0313742733], []),
}
"""f at the minima, saddles and maxima, in their order, as the literature prints it."""

KINDS = ("minima", "saddles", "maxima")
CRITICAL = [
    (name, kind, i) for name, record in FUNCTIONS.items() for kind in KINDS for i in range(len(getattr(record, kind)))
]


def value_gradient_hessian(name, point):
    value = FUNCTIONS[name].value
    return value(point), jax.grad(value)(point), jax.hessian(value)(point)


compiled = jax.jit(value_gradient_hessian, static_argnums=0)


def test_the_tables_hold_every_function():
    assert set(AT_STARTS) == set(PRINTED) == set(FUNCTIONS)
    assert all(
        tuple(len(v) for v in PRINTED[n]) == tuple(len(getattr(FUNCTIONS[n], k)) for k in KINDS) for n in PRINTED
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_at_the_start_is_the_one_worked_out_by_hand(name, key):
    problem = planar(name, dtype=jnp.float64)
    np.testing.assert_allclose(problem.loss(problem.init(key), (), key), AT_STARTS[name], rtol=1e-12)
    np.testing.assert_allclose(planar(name).loss(planar(name).init(key), (), key), AT_STARTS[name], rtol=1e-5)


@pytest.mark.parametrize(("name", "kind", "i"), CRITICAL)
def test_critical_points_are_critical_and_of_their_kind(name, kind, i):
    value, gradient, hessian = compiled(name, jnp.array(getattr(FUNCTIONS[name], kind)[i]))
    printed = PRINTED[name][KINDS.index(kind)][i]
    np.testing.assert_allclose(value, printed, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(gradient, 0, atol=1e-10)
    assert CLASSIFIED[kind](np.linalg.eigvalsh(hessian)) != (name == "monkey-saddle")


CLASSIFIED = {
    "minima": lambda eigenvalues: (eigenvalues > 0).all(),
    "saddles": lambda eigenvalues: eigenvalues[0] < 0 < eigenvalues[1],
    "maxima": lambda eigenvalues: (eigenvalues < 0).all(),
}
"""What the eigenvalues of the Hessian, smallest first, say of the point; all are zero at the monkey's saddle."""


def test_the_monkey_saddle_is_flat_to_second_order():
    _, gradient, hessian = compiled("monkey-saddle", jnp.zeros(2))
    np.testing.assert_array_equal(gradient, 0)
    np.testing.assert_array_equal(hessian, 0)


@pytest.mark.parametrize(
    ("name", "eigenvalues"),
    [
        ("beale", [0.3014, 0.3014 * 162.5]),
        ("booth", [2, 18]),
        ("matyas", [0.04, 1]),
        ("goldstein-price", [402.8, 965.2]),
        ("mccormick", [sqrt(3), 4]),
        ("rastrigin", [396.78, 396.78]),
        ("styblinski-tang", [34.58, 34.58]),
        ("dupont", [30.20, 31.40]),
        ("easom", [3, 3]),
    ],
)
def test_curvature_at_the_global_minimum_is_the_printed_one(name, eigenvalues):
    hessian = compiled(name, jnp.array(FUNCTIONS[name].minima[0]))[2]
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), eigenvalues, rtol=1e-3)


def within(record, point):
    return all(low <= x <= high for x, (low, high) in zip(point, record.domain, strict=True))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_floor_is_attained_and_nothing_in_the_domain_lies_below(name, rng):
    record = FUNCTIONS[name]
    assert all(within(record, p) for p in (*record.starts, *record.minima, *record.saddles, *record.maxima))
    (x_low, x_high), (y_low, y_high) = record.domain
    grid = np.meshgrid(np.linspace(x_low, x_high, 401), np.linspace(y_low, y_high, 401))
    values = np.asarray(record.formula(*(jnp.asarray(axis) for axis in grid)))
    lowest = PRINTED[name][0][0] if record.minima else -np.inf
    assert values.min() >= lowest - 1e-7
    if record.floor is not None:
        np.testing.assert_allclose(compiled(name, jnp.array(record.minima[0]))[0], record.floor, atol=1e-14, rtol=1e-15)


@pytest.mark.parametrize("name", [name for name, record in FUNCTIONS.items() if record.floor is None])
def test_functions_without_a_floor_fall_for_ever(name):
    depth = [
        min(FUNCTIONS[name].value(r * jnp.array(d)) for d in ((-1.0, -1.0), (-1.0, 0.0), (0.0, 1.0)))
        for r in (1e2, 1e4)
    ]
    assert depth[1] < 50 * depth[0] < -1000


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_formula_takes_whole_grids_and_keeps_their_dtype(name, rng):
    record = FUNCTIONS[name]
    for dtype in ("bfloat16", "float32", "float64"):
        points = jnp.asarray(rng.uniform(-1, 1, (2, 3, 4)), dtype)
        values = record.formula(points[0], points[1])
        assert values.shape == (3, 4)
        assert values.dtype == dtype
    np.testing.assert_allclose(values[1, 2], record.value(points[:, 1, 2]), rtol=1e-12)


def test_ackley_has_a_gradient_at_its_cusp():
    for dtype in (jnp.float32, jnp.float64):
        _, gradient, hessian = compiled("ackley", jnp.zeros(2, dtype))
        np.testing.assert_array_equal(gradient, 0)
        assert np.isfinite(hessian).all()
    near = compiled("ackley", jnp.array([1e-9, 0.0]))[1]
    np.testing.assert_allclose(near, [20 * 0.2 / sqrt(2), 0], atol=1e-6)


def test_the_saddle_holds_who_walks_along_its_ridge():
    _, stuck, _ = compiled("saddle", jnp.array(FUNCTIONS["saddle"].starts[1]))
    _, escapes, _ = compiled("saddle", jnp.array(FUNCTIONS["saddle"].starts[0]))
    assert stuck[1] == 0
    assert escapes[1] < 0


# --- the problem ------------------------------------------------------------------------------------------------------


def test_a_start_may_be_given_and_traced(key):
    starts = jnp.array([[0.0, 0.0], [1.0, 3.0]])
    losses = jax.vmap(lambda s: (p := planar("booth", start=s)).loss(p.init(key), (), key))(starts)
    np.testing.assert_array_equal(losses, [74, 0])


def test_random_starts_fill_the_domain():
    record = FUNCTIONS["branin"]
    problem = problems.get("branin", random_start=True)
    points = np.asarray(jax.vmap(problem.init)(jax.random.split(jax.random.key(0), 4000)), np.float64)
    for x, (low, high) in zip(points.T, record.domain, strict=True):
        assert low <= x.min() < low + 0.02 * (high - low)
        assert high >= x.max() > high - 0.02 * (high - low)
        assert abs(x.mean() - (low + high) / 2) < 4 * (high - low) / sqrt(12 * len(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "rosenbrok"}, "unknown planar function 'rosenbrok'; known are: beale, "),
        ({"name": "beale", "start": (1.0, 2.0, 3.0)}, r"start must be a point of shape \(2,\), got shape \(3,\)"),
        ({"name": "beale", "start": (1.0, 2.0), "random_start": True}, "start or random_start, not both"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        planar(**arguments)
