"""Test functions of two variables, with everything a picture or a test of them needs.

The formulas are in ``formulas.py``. Critical points were polished by Newton's method in float64. Of a function with a
whole lattice of them (Ackley, Rastrigin, Griewank, Lévy, Easom) only some nearest to the global minimum are listed.

Targets were set by runs of 500 steps from the first start, each of the six optimizers at 33 learning rates: a rounded
loss that the tuned best of them reach, with room to spare. Where all of them end in a local minimum (Rastrigin,
Styblinski–Tang, Griewank, McCormick) the target lies just above the best of those.
"""

from collections.abc import Callable, Mapping
from math import pi
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from jaxdl import checks
from jaxdl.problems import formulas
from jaxdl.problems.analytic import from_function
from jaxdl.problems.problem import Problem
from jaxdl.typing import Key, Params

Point: TypeAlias = tuple[float, float]
Points: TypeAlias = tuple[Point, ...]


class PlanarFunction(NamedTuple):
    """A function of two variables and what is known about it.

    Attributes:
      formula: ``formula(x, y)``, elementwise, from ``formulas.py``; ``value`` takes a point.
      domain: ``((x low, x high), (y low, y high))`` for the plot and for random starts.
      starts: Where runs begin; the first is the default.
      minima: Global ones first, then local ones.
      saddles: Points of zero gradient that are neither minimum nor maximum.
      maxima: Local maxima.
      floor: Infimum, None where there is none.
      target: Loss that counts as solved from the first start.
      source: Where the function comes from.
    """

    formula: Callable[[jax.Array, jax.Array], jax.Array]
    domain: tuple[Point, Point]
    starts: Points
    minima: Points = ()
    saddles: Points = ()
    maxima: Points = ()
    floor: float | None = 0.0
    target: float | None = None
    source: str = "Surjanovic and Bingham, Virtual library of simulation experiments (sfu.ca/~ssurjano)"

    def value(self, point: jax.Array) -> jax.Array:
        """The value at a point of shape ``(2,)``. Shape ``()``, the point's dtype."""
        return self.formula(point[0], point[1])


def planar(name: str, start: Any = None, random_start: bool = False, dtype: Any = jnp.float32) -> Problem:
    """A problem from one of :data:`FUNCTIONS`; the parameters are the point, shape ``(2,)``.

    Args:
      name: One of the names in :data:`FUNCTIONS`.
      start: Point of shape ``(2,)`` to start at, maybe traced; the first of the function's ``starts`` by default. All
        seeds then give the same run.
      random_start: Whether to draw the start uniformly from the function's domain with the run's key.
      dtype: dtype of the parameters.

    Returns:
      The problem.

    Raises:
      ValueError: an unknown name, a start of another shape, or both ``start`` and ``random_start``.

    >>> problem = planar("booth", start=(1.0, 3.0))
    >>> print(problem.metrics(problem.init(jax.random.key(0)), ())["loss"], problem.floor)
    0.0 0.0
    """
    checks.known("planar function", name, FUNCTIONS)
    record = FUNCTIONS[name]
    if random_start and start is not None:
        raise ValueError("give start or random_start, not both.")
    point = jnp.asarray(record.starts[0] if start is None else start)
    if point.shape != (2,):
        raise ValueError(f"start must be a point of shape (2,), got shape {point.shape}.")
    low, high = (jnp.asarray(bounds, dtype) for bounds in zip(*record.domain, strict=True))

    def init(key: Key) -> Params:
        return low + (high - low) * jax.random.uniform(key, (2,), dtype) if random_start else point.astype(dtype)

    return from_function(name, record.value, init, floor=record.floor, target=record.target)


def _square(bound: float) -> tuple[Point, Point]:
    return ((-bound, bound), (-bound, bound))


def _antipodes(x: float, y: float) -> Points:
    return ((x, y), (-x, -y))


def _on_axes(r: float) -> Points:
    return ((r, 0.0), (0.0, r), (-r, 0.0), (0.0, -r))


def _on_diagonals(x: float, y: float) -> Points:
    return ((x, y), (-x, y), (-x, -y), (x, -y))


FUNCTIONS: Mapping[str, PlanarFunction] = MappingProxyType(
    {
        "beale": PlanarFunction(
            formulas.beale,
            domain=_square(4.5),
            starts=((1.0, 1.0), (-3.0, 3.5)),
            minima=((3.0, 0.5),),
            saddles=((0.0, 1.0), (0.10053793732415835, -2.644513585023125)),
            source="Beale, 1958",
            target=1e-3,
        ),
        "himmelblau": PlanarFunction(
            formulas.himmelblau,
            domain=_square(5.0),
            starts=((0.0, 0.0), (-0.27, -0.92)),
            minima=(
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.2831859912861696),
                (3.5844283403304917, -1.8481265269644036),
            ),
            saddles=(
                (3.385154183607021, 0.0738518798377493),
                (0.08667750455539636, 2.884254701174776),
                (-3.0730257507643897, -0.08135304428796751),
                (-0.12796134673068005, -1.9537149802445766),
            ),
            maxima=((-0.2708445906673476, -0.9230385564799816),),
            source="Himmelblau, Applied nonlinear programming, 1972",
            target=1e-3,
        ),
        "ackley": PlanarFunction(
            formulas.ackley,
            domain=_square(5.0),
            starts=((4.0, 3.5),),
            minima=((0.0, 0.0), *_on_axes(0.9521665459501717), *_on_diagonals(0.9684776587077244, 0.9684776587077244)),
            saddles=_on_axes(0.6257806168564638),
            maxima=_on_diagonals(0.6730965201107377, 0.6730965201107377),
            source="Ackley, A connectionist machine for genetic hillclimbing, 1987",
            target=0.3,
        ),
        "rastrigin": PlanarFunction(
            formulas.rastrigin,
            domain=_square(5.12),
            starts=((-2.0, 3.5),),
            minima=((0.0, 0.0), *_on_axes(0.9949586376523348), *_on_diagonals(0.9949586376523348, 0.9949586376523348)),
            saddles=_on_axes(0.5025460365546747),
            maxima=_on_diagonals(0.5025460365546747, 0.5025460365546747),
            source="Rastrigin, 1974",
            target=9.0,
        ),
        "booth": PlanarFunction(
            formulas.booth, domain=_square(10.0), starts=((-8.0, 8.0),), minima=((1.0, 3.0),), target=1e-2
        ),
        "matyas": PlanarFunction(
            formulas.matyas, domain=_square(10.0), starts=((8.0, -6.0),), minima=((0.0, 0.0),), target=1e-3
        ),
        "styblinski-tang": PlanarFunction(
            formulas.styblinski_tang,
            domain=_square(5.0),
            starts=((0.2, 0.1), (0.0, 0.0)),
            minima=(
                (-2.9035340277711774, -2.9035340277711774),
                (-2.9035340277711774, 2.746802770990837),
                (2.746802770990837, -2.9035340277711774),
                (2.746802770990837, 2.746802770990837),
            ),
            saddles=(
                (-2.9035340277711774, 0.1567312567803401),
                (0.1567312567803401, -2.9035340277711774),
                (0.1567312567803401, 2.746802770990837),
                (2.746802770990837, 0.1567312567803401),
            ),
            maxima=((0.1567312567803401, 0.1567312567803401),),
            floor=-78.33233140754282,
            source="Styblinski and Tang, 1990",
            target=-64.1,
        ),
        "goldstein-price": PlanarFunction(
            formulas.goldstein_price,
            domain=_square(2.0),
            starts=((-0.5, 0.5),),
            minima=((0.0, -1.0), (-0.6, -0.4), (1.8, 0.2), (1.2, 0.8)),
            saddles=((-0.4, -0.6), (1.2, -0.2), (1.4, 0.6), (0.6, 0.4)),
            maxima=((0.8, 0.2),),
            floor=3.0,
            source="Goldstein and Price, 1971",
            target=3.01,
        ),
        "branin": PlanarFunction(
            formulas.branin,
            domain=((-5.0, 10.0), (0.0, 15.0)),
            starts=((2.0, 8.0),),
            minima=((-pi, 12.275), (pi, 2.275), (3 * pi, 2.475)),
            saddles=((0.0, 6.0), (2 * pi, 1.1)),
            floor=10 / (8 * pi),
            source="Branin, 1972",
            target=0.4,
        ),
        "six-hump-camel": PlanarFunction(
            formulas.six_hump_camel,
            domain=((-3.0, 3.0), (-2.0, 2.0)),
            starts=((-2.5, 1.5),),
            minima=(
                *_antipodes(0.08984201310031806, -0.7126564030207396),
                *_antipodes(1.7036067149699807, -0.7960835686726251),
                *_antipodes(1.6071047529201974, 0.5686514548841314),
            ),
            saddles=(
                (0.0, 0.0),
                *_antipodes(1.1092053368047865, -0.7682680925095399),
                *_antipodes(1.638067984189779, 0.2286740690443941),
                *_antipodes(1.296070267167109, 0.6050843880386585),
            ),
            maxima=_antipodes(1.2302298765166524, 0.16233458445899493),
            floor=-1.0316284534898774,
            source="Dixon and Szegő, 1978",
            target=-1.03,
        ),
        "mccormick": PlanarFunction(
            formulas.mccormick,
            domain=((-1.5, 4.0), (-3.0, 4.0)),
            starts=((3.5, 3.0),),
            minima=((0.5 - pi / 3, -0.5 - pi / 3), (0.5 + 2 * pi / 3, -0.5 + 2 * pi / 3)),
            saddles=((0.5 + pi / 3, -0.5 + pi / 3),),
            floor=None,  # along x = y it is sin 2x + x + 1; −1.9132 is the least value in the domain only
            source="McCormick, 1976",
            target=1.23,
        ),
        "three-hump-camel": PlanarFunction(
            formulas.three_hump_camel,
            domain=_square(5.0),
            starts=((2.0, -1.5),),
            minima=((0.0, 0.0), *_antipodes(1.747552345830289, -0.8737761729151445)),
            saddles=_antipodes(1.07054229182366, -0.53527114591183),
            target=1e-3,
        ),
        "monkey-saddle": PlanarFunction(
            formulas.monkey_saddle,
            domain=_square(1.0),
            starts=((0.6, 0.0), (0.6, 1e-3)),
            saddles=((0.0, 0.0),),
            floor=None,
        ),
        "saddle": PlanarFunction(
            formulas.saddle, domain=_square(1.0), starts=((0.9, 1e-3), (0.9, 0.0)), saddles=((0.0, 0.0),), floor=None
        ),
        "goh-banana": PlanarFunction(
            formulas.goh_banana,
            domain=((-2.0, 2.0), (-0.27, 1.07)),
            starts=((-1.21, 0.853),),
            minima=((1.0, 1 / 3),),
            source="Goh, Why momentum really works, Distill 2017",
            target=0.03,
        ),
        "griewank": PlanarFunction(
            formulas.griewank,
            domain=_square(10.0),
            starts=((8.0, 6.0),),
            minima=((0.0, 0.0), *_on_diagonals(3.1400226338955397, 4.438444480920714)),
            maxima=((3.1431642363549055, 0.0), (-3.1431642363549055, 0.0)),
            source="Griewank, 1981",
            target=0.028,
        ),
        "levy-13": PlanarFunction(
            formulas.levy_13, domain=_square(10.0), starts=((-6.0, 5.0),), minima=((1.0, 1.0),), target=0.5
        ),
        "easom": PlanarFunction(
            formulas.easom,
            domain=((-10.0, 15.0), (-10.0, 15.0)),
            starts=((1.0, 1.0),),
            minima=((pi, pi),),
            floor=-1.0,
            source="Easom, 1990",
            target=-0.99,
        ),
        "dupont": PlanarFunction(
            formulas.dupont,
            domain=_square(2.0),
            starts=((0.633, 1.214),),
            minima=((-0.9363006340109187, 0.0), (0.905317899160115, 0.0)),
            saddles=((0.06860243670809667, 0.0),),
            floor=-2.0630902517681946,
            source="Dupont, Optimization visualization, 2018 (bl.ocks.org/EmilienDupont)",
            target=-2.05,
        ),
    }
)
