"""A journal: one line of JSON per event, each with its own checksum, only ever appended to.

A last line without its newline was torn by a death in the middle of a write: its event was never acknowledged, so it
does not exist and the next writer cuts it off. Any other line that fails its checksum is damage, and is reported.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxdl import store


class Journal(NamedTuple):
    """What a journal holds.

    Attributes:
      entries: the events of the intact lines, in order.
      damaged: the numbers of the damaged lines, the first line being 1.
      end: the byte after the last whole line; what follows is torn.
    """

    entries: list[Any]
    damaged: list[int]
    end: int


def read(path: Path) -> Journal:
    """Reads a journal; one that does not exist is empty.

    Example:
      >>> read(Path("no such journal"))
      Journal(entries=[], damaged=[], end=0)
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        text = b""
    entries, damaged = [], []
    *lines, torn = text.split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            entries.append(store.unseal(line))
        except ValueError:
            damaged.append(number)
    return Journal(entries, damaged, len(text) - len(torn))


def latest(entries: Sequence[Mapping[str, Any]], fields: tuple[str, ...]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """The last entry for each value of ``fields``, in the order in which these last entries stand.

    Example:
      >>> latest([{"block": 0, "rows": 1}, {"block": 1}, {"block": 0, "rows": 2}], ("block",))
      {(1,): {'block': 1}, (0,): {'block': 0, 'rows': 2}}
    """
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for entry in entries:
        place = tuple(entry[field] for field in fields)
        found.pop(place, None)
        found[place] = entry
    return found


def append(path: Path, event: Any, end: int) -> int:
    """Adds one event at byte ``end``, over a torn line if there is one, and waits until it is on the disk.

    Returns:
      The new end.

    Raises:
      OSError: it cannot be written, with one sentence that names the journal; append again at the same ``end`` later.
    """
    line = _line(event)
    with store.naming(path), open(path, "r+b") as file:
        file.truncate(end)
        file.seek(end)
        file.write(line)
        store.flush(file)
    return end + len(line)


def rewrite(path: Path, entries: list[Any]) -> int:
    """Replaces a journal, atomically, by one of these events; returns its end."""
    text = b"".join(map(_line, entries))
    store.commit(path.parent, {path.name: [text]})
    return len(text)


def _line(event: Any) -> bytes:
    return json.dumps(store.seal(event), separators=(",", ":")).encode() + b"\n"
