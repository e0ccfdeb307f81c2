"""What must be settled before JAX starts its backend: the number of CPU devices, and the compilation cache."""

import hashlib
import os
import platform
from pathlib import Path

import jax

from jaxdl import checks


def configure(*, devices: int | None = None, cache: str | os.PathLike[str] | bool | None = None) -> None:
    """Sets up JAX for sweeps. Importing jaxdl runs no JAX operation, so a program can call this first.

    Args:
      devices: Into how many devices to divide the CPU; one per core lets a sweep use every core. None leaves it as is.
      cache: Folder of JAX's persistent compilation cache; True for a folder in the user's cache directory, named after
        this machine's instruction set; None or False leaves it as is.

    Raises:
      ValueError: ``devices`` below 1.
      RuntimeError: JAX has started already, so that the number of devices can no longer change.
    """
    if devices is not None:
        checks.positive_integer(devices=devices)
        try:
            jax.config.update("jax_num_cpu_devices", devices)
        except RuntimeError as error:
            raise RuntimeError(
                f"jaxdl.configure(devices={devices}) must come before the first JAX operation; "
                f"JAX has started with {jax.device_count()} device(s)."
            ) from error
    if cache:
        folder = default_cache() if cache is True else Path(cache)
        folder.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def default_cache() -> Path:
    """``jaxdl/xla-<instruction set>`` in ``$XDG_CACHE_HOME`` or ``~/.cache``: compiled code is not portable."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "jaxdl" / f"xla-{_instruction_set()}"


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _instruction_set() -> str:
    """A short name of what the CPU can execute."""
    features = platform.machine() + platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        features += next((line for line in cpuinfo.read_text().splitlines() if line.startswith(("flags", "Feat"))), "")
    return f"{platform.machine()}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"
