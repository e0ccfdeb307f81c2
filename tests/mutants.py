"""Source files of jaxdl with one line broken, in the place of the true ones.

A mutant is compiled beside the original, and its functions stand wherever a room of jaxdl holds the original's. Where
its line is no longer in the source, the test that asks for it says so: break the new line in the same way.
"""

import importlib
import pkgutil
import types
from collections.abc import Sequence
from pathlib import Path

import pytest


def room(package: types.ModuleType) -> list[types.ModuleType]:
    """A package and its modules: where a function of one of them may be held."""
    names = [f"{package.__name__}.{module.name}" for module in pkgutil.iter_modules(package.__path__)]
    return [package, *map(importlib.import_module, names)]


def install(
    module: str, line: str, broken: str, rooms: Sequence[types.ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Breaks ``line`` of ``jaxdl.module`` for the rest of the test, wherever ``rooms`` hold what it defines."""
    original = importlib.import_module(f"jaxdl.{module}")
    source = Path(original.__file__).read_text(encoding="utf-8")
    assert source.count(line) == 1, f"{line!r} is no longer one line of {original.__file__}"
    mutated = types.ModuleType(original.__name__)
    exec(compile(source.replace(line, broken), f"<{broken}>", "exec"), vars(mutated))
    for name, function in vars(original).items():
        if getattr(function, "__module__", None) == original.__name__:
            for holder in rooms:
                if vars(holder).get(name) is function:
                    monkeypatch.setattr(holder, name, getattr(mutated, name))
