"""Fixtures of the tests of studies on disk."""

import shutil
from pathlib import Path

import jax
import pytest

from jaxdl.sweeps import plan, rows
from tests.sweeps.recorded import sweep


@pytest.fixture
def short_chunks(monkeypatch):
    """Several chunks a run, each of them on the disk before the next."""
    monkeypatch.setattr(plan, "CHUNK_SECONDS", 0.0)
    monkeypatch.setattr(jax, "local_device_count", lambda: 2)  # every device compiles anew
    monkeypatch.setattr(rows, "PATIENCE", 0.0)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A finished study, to be copied."""
    folder = tmp_path_factory.mktemp("record") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CHUNK_SECONDS", 0.0)
        patch.setattr(jax, "local_device_count", lambda: 2)
        sweep(folder)
    return folder


@pytest.fixture
def folder(template, tmp_path):
    """A copy of a finished study."""
    return Path(shutil.copytree(template, tmp_path / "study"))
