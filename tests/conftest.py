"""Strict JAX for the whole suite: a test that passes here passes under every looser setting.

Double precision is on, shapes never broadcast across ranks, dtypes never mix, four CPU devices are simulated, and every
warning is an error unless a dependency is known to emit it.
"""

import contextlib
import os
from collections.abc import Iterator

import jax
import numpy as np
import pytest

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
os.environ.setdefault("KERAS_BACKEND", "jax")  # wherever a test imports Keras first: by default it asks for TensorFlow

DEPENDENCY_WARNINGS: tuple[str, ...] = ()
"""Filters for what dependencies emit and we cannot change, each with its message."""


def pytest_configure(config: pytest.Config) -> None:
    for line in ("error", *DEPENDENCY_WARNINGS):
        config.addinivalue_line("filterwarnings", line)


@contextlib.contextmanager
def peer() -> Iterator[None]:
    """Loose promotion, for the calls into optax and Flax that raise under strict; never around our own code alone."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every test."""
    return np.random.default_rng(0)


@pytest.fixture
def key() -> jax.Array:
    """A random key, the same in every test."""
    return jax.random.key(0)


@pytest.fixture
def quick_compilation() -> Iterator[None]:
    """XLA's optimisations off: for tests that compile much and compute little, half the time; not for bitwise ones."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(autouse=True, scope="module")
def _forgotten_programs() -> Iterator[None]:
    """No module's compiled programs outlive it: a worker that keeps them all grows by gigabytes and slows down."""
    yield
    jax.clear_caches()
