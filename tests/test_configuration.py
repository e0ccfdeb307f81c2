"""What must be set before JAX starts."""

import subprocess
import sys

import jax
import pytest

import jaxdl
from jaxdl import configuration


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_importing_starts_no_backend_so_that_devices_can_be_set():
    done = python("import jaxdl; jaxdl.configure(devices=3); import jax; print(jax.device_count())")
    assert done.stdout.strip() == "3", done.stderr


def test_the_cache_is_filled_and_read(tmp_path):
    code = f"import jaxdl; jaxdl.configure(cache={str(tmp_path)!r}); import jax; jax.jit(lambda x: x * 3)(1.0)"
    assert python(code).returncode == 0
    first = {path.name for path in tmp_path.iterdir() if path.name.endswith("-cache")}
    assert first
    assert python(code).returncode == 0
    assert {path.name for path in tmp_path.iterdir() if path.name.endswith("-cache")} == first


def test_too_late_is_said():
    jax.devices()
    with pytest.raises(RuntimeError, match=r"configure\(devices=7\) must come before the first JAX operation"):
        jaxdl.configure(devices=7)


def test_devices_are_counted_from_one():
    with pytest.raises(ValueError, match="devices must be a whole number of at least 1, got 0"):
        jaxdl.configure(devices=0)


def test_the_default_cache_is_the_users_and_the_machines(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = configuration.default_cache()
    assert folder.parent == tmp_path / "jaxdl"
    assert folder.name.startswith("xla-")
    assert not folder.exists()


def test_cores_are_those_this_process_may_use():
    assert configuration.cores() >= 1
