"""``jaxdl sweep --list`` and ``--verify``: what stands in folders of studies, and whether it can be repeated."""

import contextlib
import functools
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxdl.sweeps import record
from jaxdl.sweeps.audit import TOLERANCE
from jaxdl.sweeps.definition import define

if TYPE_CHECKING:
    from rich.console import Console


def show(folders: Sequence[Path], console: "Console") -> None:
    """Prints a table of the studies in and below folders.

    Raises:
      FileNotFoundError: a folder that is none.
    """
    from rich.table import Table

    found = [study for folder in folders for study in below(folder)]
    if not found:
        say(console, f"No studies below {', '.join(map(str, folders))}.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("study", "problem", "optimizers"):
        table.add_column(name, overflow="fold")
    for name in ("runs done", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("versions", overflow="fold")
    damaged = []
    for folder in found:
        try:
            summary = record.summary(folder)
            table.add_row(*_cells(summary))
            damaged += summary.damaged
        except (ValueError, OSError) as error:
            damaged.append(str(error))
    console.print(table, highlight=False)
    for sentence in damaged:
        say(console, sentence)


def below(folder: Path) -> Iterator[Path]:
    """Folders of studies in and below ``folder``, by name; what lies in a study is not searched.

    Raises:
      FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} to list; studies lie where --out put them.")
    for path, inside, _ in os.walk(folder):
        inside.sort()
        if record.exists(path):
            inside.clear()
            yield Path(path)


def _cells(summary: "record.Summary") -> list[str]:
    versions = [" ".join(f"{name} {made[name]}" for name in ("jaxdl", "jax")) for made in summary.environments]
    return [
        str(summary.folder),
        summary.problem,
        summary.optimizers,
        f"{summary.done}/{summary.total}",
        _size(summary.bytes),
        ", ".join(versions),
    ]


def _size(count: int) -> str:
    """Bytes with a unit of powers of ten."""
    for scale, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} B"


def verify(folder: Path, call: Mapping[str, Any], count: int, console: "Console") -> int:
    """Repeats random runs of the study in ``folder`` and says how they compare with what is stored.

    Args:
      folder: Of the study.
      call: The arguments of ``jaxdl.sweep`` that made it.
      count: How many runs.
      console: Where to say it.

    Returns:
      Exit code: 0 where all agree, 1 where one does not or the study is damaged.

    Raises:
      ValueError: no run of the study is finished.
    """
    own_interval = {name: value for name, value in call.items() if name != "record_every"}
    found = record.verify(folder, functools.partial(define, **own_interval), count)
    agree = found.identical or found.difference <= TOLERANCE
    how = (
        "the same bit for bit"
        if found.identical
        else f"{'within' if agree else 'beyond'} {TOLERANCE:g} of what is stored, the largest difference is "
        f"{found.difference:.2g}"
    )
    runs = "1 run" if len(found.names) == 1 else f"{len(found.names)} runs"
    say(console, f"{runs} of {folder} repeated: {how}.")
    if not agree:
        say(console, "On other versions or another device a run at the edge of stability takes another course.")
    for sentence in found.damaged:
        say(console, sentence)
    if found.damaged:
        say(console, f"What is lost is run again by jaxdl sweep --resume {folder}")
    return 0 if agree and not found.damaged else 1


@contextlib.contextmanager
def warned(console: "Console") -> Iterator[None]:
    """Says warnings, such as of damage to a study, as sentences and not as lines of Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", record.DamageWarning)
        warnings.showwarning = lambda message, *_: say(console, str(message))
        yield


def say(console: "Console", sentence: str) -> None:
    """Prints a sentence as it is: no markup, no colours, no line breaks that would cut a path."""
    console.print(sentence, soft_wrap=True, highlight=False, markup=False)
