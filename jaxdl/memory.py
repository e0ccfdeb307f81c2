"""How much memory there is: on the machine, in its control group, or on devices that have memory of their own."""

import os
from pathlib import Path
from typing import NamedTuple

import jax

from jaxdl import checks

SHARE = 0.5
"""Part of the free memory that one job takes unless told otherwise: its results and other programs need some too."""
CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Where Linux says how much memory this process and its kin may use."""


class Affine(NamedTuple):
    """Bytes of n like things: ``fixed`` + n · ``each``."""

    fixed: float
    each: float

    @classmethod
    def through(cls, first: tuple[int, float], second: tuple[int, float]) -> "Affine":
        """From two counts and their bytes."""
        (n, bytes_n), (m, bytes_m) = first, second
        each = (bytes_m - bytes_n) / (m - n)
        return cls(bytes_n - n * each, each)

    def at(self, count: int) -> float:
        """Bytes of ``count``."""
        return self.fixed + count * self.each

    def most(self, budget: float) -> int:
        """How many fit; 0 where none does.

        >>> Affine.through((2, 120), (3, 130)).most(150)
        5
        """
        return max(0, int((budget - self.fixed) // max(self.each, 1)))


def budget(memory: int | None, share: float = SHARE) -> int:
    """Bytes that a job may take.

    Args:
      memory: What the caller allows; None for ``share`` of what is free now.
      share: Part of the free memory, in [0, 1].

    Raises:
      ValueError: ``memory`` is not a whole number of at least 1.
    """
    if memory is not None:
        checks.positive_integer(memory=memory)
        return memory
    return int(share * free())


def free() -> int:
    """Bytes that are free on the machine or, where the devices have memory of their own, on all of them together."""
    known = [device.memory_stats() for device in jax.local_devices()] if jax.default_backend() != "cpu" else []
    if known and all(known):
        return sum(stats["bytes_limit"] - stats["bytes_in_use"] for stats in known if stats)
    return min(_machine(), _control_group())


def _machine() -> int:
    """What the operating system calls available; where it does not say, all that is built in."""
    known = Path("/proc/meminfo")
    if known.exists():
        for line in known.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_group() -> int:
    """What is left of the limit of a container; a very large number where there is none."""
    try:
        limit, used = ((CONTROL_GROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        return max(0, int(limit) - int(used))
    except (OSError, ValueError):  # no such file; or the word "max"
        return 2**62
