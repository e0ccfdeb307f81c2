"""Disks that fail and processes that die: a fault at the n-th step that a write to disk takes.

Run as a program, ``python -m tests.faults OPERATION TEMPLATE OUT [MODULE LINE BROKEN]`` dies in one copy of the study
``TEMPLATE`` at every step of an operation, one copy per step, ``OUT/0``, ``OUT/1``, …; with a line of a module replaced
by a broken one, if asked.
"""

import contextlib
import errno
import importlib
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jaxdl import journal, store

DIED = 9
"""Exit status of a process that a fault killed."""


class File:
    """A file open for writing, whose every write is a step that leaves the first half of its bytes."""

    def __init__(self, file: Any, step: Callable[[str], None]) -> None:
        self.file, self.step = file, step

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> "File":
        return self

    def __exit__(self, *exception: object) -> None:
        self.file.close()

    def write(self, data: Any) -> None:
        data = bytes(data)
        half = len(data) // 2
        self.file.write(data[:half])
        self.file.flush()
        self.step("write")
        self.file.write(data[half:])

    def writelines(self, pieces: Any) -> None:
        for piece in pieces:
            self.write(piece)

    def truncate(self, size: int) -> None:
        self.step("truncate")
        self.file.truncate(size)


@contextlib.contextmanager
def fault(at: int | None, strike: Callable[[], None]) -> Iterator[list[str]]:
    """Calls ``strike`` before step number ``at``; yields the list of the steps' names, which grows.

    A step opens a file for writing, writes, truncates, renames, removes, flushes, or makes a folder. Flushing does
    nothing else, so that tests need not wait for the disk.
    """
    steps: list[str] = []

    def step(name: str) -> None:
        steps.append(name)
        if len(steps) - 1 == at:
            strike()

    def stepping(name: str) -> Callable[..., Any]:
        call = getattr(os, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            step(name)
            return call(*args, **kwargs)

        return called

    def opened(path: Any, mode: str = "r") -> Any:
        if mode == "rb":
            return open(path, mode)
        step("open")
        return File(open(path, mode), step) if mode != "ab" else open(path, mode)  # flock needs a file of its own

    with contextlib.ExitStack() as undo:
        for owner, name, new in (
            (os, "fsync", lambda descriptor: step("fsync")),
            *((os, name, stepping(name)) for name in ("replace", "mkdir", "unlink")),
            (store, "open", opened),
            (journal, "open", opened),
        ):
            undo.callback(setattr, owner, name, getattr(owner, name, open))
            setattr(owner, name, new)
        yield steps


def full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def die_everywhere(operation: Callable[[Path], Any], template: Path, out: Path) -> None:
    """Dies in ``out/0``, ``out/1``, …: a copy of the template for each step of the operation."""
    for at in itertools.count():
        shutil.copytree(template, out / str(at))
        child = os.fork()
        if child == 0:
            with fault(at, lambda: os._exit(DIED)):
                operation(out / str(at))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            return
        if status != DIED:
            raise RuntimeError(f"the operation failed by itself, with status {status}, at step {at}.")


def break_line(module: str, line: str, broken: str) -> None:
    """Replaces a line of a module that is imported."""
    mutated = importlib.import_module(module)
    source = Path(str(mutated.__file__)).read_text(encoding="utf-8")
    if line not in source:
        raise RuntimeError(f"{line!r} is not in {module}; break the new line in the same way.")
    exec(compile(source.replace(line, broken), f"<mutant of {module}>", "exec"), mutated.__dict__)


if __name__ == "__main__":
    name, template, out, *mutant = sys.argv[1:]
    if mutant:
        break_line(*mutant)
    operations = importlib.import_module("tests.studies").OPERATIONS
    die_everywhere(operations[name], Path(template), Path(out))
