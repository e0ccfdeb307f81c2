"""Where a result came from: versions and devices, stored with every Dataset and printed on every figure."""

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import jax


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    found = {name: metadata.version(name) for name in ("jaxdl", "jax", "jaxlib", "optax", "flax", "numpy")}
    return {"python": platform.python_version(), **found}


def environment() -> dict[str, str | int]:
    """Versions, and the devices in use. Starts JAX's backend."""
    return {
        **versions(),
        "backend": jax.default_backend(),
        "device_kind": jax.devices()[0].device_kind,
        "device_count": jax.device_count(),
        "cpu_cores": os.cpu_count() or 1,
        "platform": platform.platform(terse=True),
    }


def differences(stored: Mapping[str, Any]) -> list[str]:
    """What of a stored :func:`environment` that numbers may depend on is not so here, one phrase each."""
    here = environment()
    decisive = ("jaxdl", "jax", "jaxlib", "backend", "device_kind")
    return [f"{name} {stored.get(name)}, here {here[name]}" for name in decisive if stored.get(name) != here[name]]


def digest(text: str) -> str:
    """SHA-256 of a program's text, in which addresses of Python objects differ from process to process.

    >>> digest("f = <function at 0x7f01>") == digest("f = <function at 0x7f02>")
    True
    """
    return hashlib.sha256(re.sub(r"0x[0-9a-f]+", "0x", text).encode()).hexdigest()
