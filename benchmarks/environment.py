"""Where a measurement was made: stored beside the numbers, without which they mean nothing."""

import importlib.util
import os
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxdl import provenance


def environment() -> dict[str, Any]:
    """Versions, devices, CPU model and the load when the measurement began."""
    peers = {name: metadata.version(name) if importlib.util.find_spec(name) else None for name in ("torch", "keras")}
    return {**provenance.environment(), **peers, "cpu_model": _cpu_model(), "load_average": os.getloadavg()[0]}


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
