"""The classical test functions of two variables, elementwise: x and y may be numbers or whole grids of one shape.

Each keeps the dtype that it is given. Where their critical points lie is in ``planar.py``.
"""

from math import e, pi, sqrt

import jax
import jax.numpy as jnp


def rosenbrock(x: jax.Array, y: jax.Array) -> jax.Array:
    """(1 − x)² + 100 (y − x²)²"""
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x: jax.Array, y: jax.Array) -> jax.Array:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²"""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def himmelblau(x: jax.Array, y: jax.Array) -> jax.Array:
    """(x² + y − 11)² + (x + y² − 7)²"""
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def ackley(x: jax.Array, y: jax.Array) -> jax.Array:
    """−20 exp(−0.2 √(½(x² + y²))) − exp(½(cos 2πx + cos 2πy)) + e + 20

    The minimum is a cusp: the root has no derivative there and autodiff would give NaN; here it gives zero.
    """
    mean_square = 0.5 * (x**2 + y**2)
    apart = mean_square > 0
    distance = jnp.where(apart, jnp.sqrt(jnp.where(apart, mean_square, 1)), 0)
    ripples = jnp.exp(0.5 * (jnp.cos(2 * pi * x) + jnp.cos(2 * pi * y)))
    return -20 * jnp.exp(-0.2 * distance) - ripples + e + 20


def rastrigin(x: jax.Array, y: jax.Array) -> jax.Array:
    """20 + x² + y² − 10 (cos 2πx + cos 2πy)"""
    return 20 + x**2 + y**2 - 10 * (jnp.cos(2 * pi * x) + jnp.cos(2 * pi * y))


def booth(x: jax.Array, y: jax.Array) -> jax.Array:
    """(x + 2y − 7)² + (2x + y − 5)²"""
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


def matyas(x: jax.Array, y: jax.Array) -> jax.Array:
    """0.26 (x² + y²) − 0.48 xy"""
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def styblinski_tang(x: jax.Array, y: jax.Array) -> jax.Array:
    """½ (x⁴ − 16x² + 5x + y⁴ − 16y² + 5y)"""
    return 0.5 * (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y)


def goldstein_price(x: jax.Array, y: jax.Array) -> jax.Array:
    """A · B

    with A = 1 + (x + y + 1)² (19 − 14x + 3x² − 14y + 6xy + 3y²)
    and B = 30 + (2x − 3y)² (18 − 32x + 12x² + 48y − 36xy + 27y²).
    """
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return a * b


def branin(x: jax.Array, y: jax.Array) -> jax.Array:
    """(y − 5.1x²/4π² + 5x/π − 6)² + 10 (1 − 1/8π) cos x + 10"""
    return (y - 5.1 / (4 * pi**2) * x**2 + 5 / pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * jnp.cos(x) + 10


def six_hump_camel(x: jax.Array, y: jax.Array) -> jax.Array:
    """(4 − 2.1x² + x⁴/3) x² + xy + (−4 + 4y²) y²"""
    return (4 - 2.1 * x**2 + x**4 / 3) * x**2 + x * y + (-4 + 4 * y**2) * y**2


def mccormick(x: jax.Array, y: jax.Array) -> jax.Array:
    """sin(x + y) + (x − y)² − 1.5x + 2.5y + 1"""
    return jnp.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


def three_hump_camel(x: jax.Array, y: jax.Array) -> jax.Array:
    """2x² − 1.05x⁴ + x⁶/6 + xy + y²"""
    return 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2


def monkey_saddle(x: jax.Array, y: jax.Array) -> jax.Array:
    """x³ − 3xy²"""
    return x**3 - 3 * x * y**2


def saddle(x: jax.Array, y: jax.Array) -> jax.Array:
    """x² − y²"""
    return x**2 - y**2


def goh_banana(x: jax.Array, y: jax.Array) -> jax.Array:
    """(1 − x)² + 20 (3y − x²)²"""
    return (1 - x) ** 2 + 20 * (3 * y - x**2) ** 2


def griewank(x: jax.Array, y: jax.Array) -> jax.Array:
    """1 + (x² + y²)/4000 − cos x cos(y/√2)"""
    return 1 + (x**2 + y**2) / 4000 - jnp.cos(x) * jnp.cos(y / sqrt(2))


def levy_13(x: jax.Array, y: jax.Array) -> jax.Array:
    """sin² 3πx + (x − 1)² (1 + sin² 3πy) + (y − 1)² (1 + sin² 2πy)"""
    return (
        jnp.sin(3 * pi * x) ** 2
        + (x - 1) ** 2 * (1 + jnp.sin(3 * pi * y) ** 2)
        + (y - 1) ** 2 * (1 + jnp.sin(2 * pi * y) ** 2)
    )


def easom(x: jax.Array, y: jax.Array) -> jax.Array:
    """−cos x cos y exp(−(x − π)² − (y − π)²)"""
    return -jnp.cos(x) * jnp.cos(y) * jnp.exp(-((x - pi) ** 2) - (y - pi) ** 2)


def dupont(x: jax.Array, y: jax.Array) -> jax.Array:
    """x² + y² − 2 exp(−((x − 1)² + y²)/0.2) − 3 exp(−((x + 1)² + y²)/0.2)"""
    shallow = 2 * jnp.exp(-((x - 1) ** 2 + y**2) / 0.2)
    deep = 3 * jnp.exp(-((x + 1) ** 2 + y**2) / 0.2)
    return x**2 + y**2 - shallow - deep
