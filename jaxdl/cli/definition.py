"""What a folder of ``jaxdl landscape`` was asked for, and the learning rates that were selected in it.

It is written before any work, so that the same command goes on where it ended and another is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxdl import provenance, store

FILE = "definition.json"


def begin(out: Path, asked: Mapping[str, Any]) -> dict[str, float] | None:
    """Makes a folder belong to a command, or finds that it does.

    Args:
      out: The folder; it is there.
      asked: The options that say what is drawn, by name; values as JSON has them.

    Returns:
      The learning rates that an earlier run of the command selected there, by optimizer; None where there are none.

    Raises:
      ValueError: the folder belongs to another command, or was made with other versions or another kind of device.
    """
    if not (out / FILE).exists():
        keep(out, asked)
        return None
    stored = store.read_sealed(out / FILE)
    was = stored["asked"]
    options = {
        name.replace("_", "-"): (was.get(name), value) for name, value in asked.items() if was.get(name) != value
    }
    differ = [f"--{name} {_words(before)}, here {_words(now)}" for name, (before, now) in options.items()]
    if differ or (differ := provenance.differences(stored["environment"])):
        raise ValueError(
            f"the folder {str(out)!r} holds a landscape made with {'; '.join(differ)}; "
            "choose another --out, or remove that folder."
        )
    rates: dict[str, float] | None = stored["rates"]
    return rates


def keep(out: Path, asked: Mapping[str, Any], rates: Mapping[str, float] | None = None) -> None:
    """Writes what the folder is for and, once they are known, the learning rates."""
    environment = provenance.environment()
    store.write_sealed(out / FILE, {"asked": dict(asked), "environment": environment, "rates": rates and dict(rates)})


def _words(value: Any) -> str:
    """As it is typed."""
    if isinstance(value, list):
        return " ".join(map(str, value)) or "selected"
    return str(value)
