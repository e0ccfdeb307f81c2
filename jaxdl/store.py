"""Results on disk. A file or folder appears whole or not at all: it is written beside its place, then renamed.

:func:`replace` suffices for what can be made again. :func:`commit` is for what must outlive a loss of power: when it
returns, the bytes are on the disk and not only in the system's memory.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray


def check_writable(folder: str | os.PathLike[str]) -> Path:
    """Makes ``folder`` and proves that it can be written to, before any work is done.

    Raises:
      OSError: it cannot, with one sentence that names it.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OSError(f"cannot write to the folder {str(path)!r}: {error.strerror or error}.") from error
    return path


def check_makable(folder: str | os.PathLike[str]) -> None:
    """Proves that ``folder`` can be made, or written to where it is there; nothing is left behind.

    Raises:
      OSError: it cannot, with one sentence that names it.
    """
    nearest = Path(folder)
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    with naming(folder), tempfile.TemporaryDirectory(dir=nearest, prefix="."):
        pass


def replace(path: str | os.PathLike[str], write: Callable[[Path], Any]) -> Path:
    """Calls ``write(temporary path)`` and moves what it made to ``path``, over what stood there.

    The temporary path has the same suffix. If ``write`` fails, what stood at ``path`` still stands.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        made = Path(scratch) / f"new{path.suffix}"
        write(made)
        if path.is_dir():
            os.replace(path, Path(scratch) / f"old{path.suffix}")  # removed with the scratch folder
        os.replace(made, path)
    return path


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Writes UTF-8 text."""
    return replace(path, lambda made: made.write_text(text, encoding="utf-8"))


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    """Writes JSON; infinities and NaN, which JSON lacks, must have been turned into null."""
    return write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def commit(folder: str | os.PathLike[str], files: Mapping[str, Iterable[bytes | memoryview]]) -> None:
    """Writes files (name: the pieces of its bytes) into one folder, each whole or not at all.

    When it returns they are on the disk. Every file is written beside its place and flushed (fsync), then all are
    renamed in the order given, then the folder is flushed. The temporary names are fixed, so what a killed process left
    is overwritten by the next attempt; there must be one writer at a time.

    Raises:
      OSError: a file could not be written, with one sentence that names it. What stood in its place still stands.
    """
    folder = Path(folder)
    made = {folder / f".{name}.new": folder / name for name in files}
    try:
        for path, data in zip(made, files.values(), strict=True):
            with naming(made[path]), open(path, "wb") as file:
                file.writelines(data)
                flush(file)
        for path, target in made.items():
            with naming(target):
                os.replace(path, target)
        sync_folder(folder)
    except OSError:
        for path in made:  # a full disk gets its space back
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def flush(file: IO[bytes]) -> None:
    """Waits until what was written to ``file`` is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Waits until the names in ``folder`` (files made, renamed, removed) are on the disk."""
    with naming(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(folder: str | os.PathLike[str]) -> Path:
    """Makes ``folder`` and the missing ones above it; they are on the disk when it returns."""
    folder = Path(folder)
    if not folder.parent.exists():
        make_folder(folder.parent)
    with naming(folder):
        folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)  # also if it was there: whoever made it may have died before this line
    return folder


class LockedError(OSError):
    """Another process, or another part of this one, holds the lock."""


def lock(folder: str | os.PathLike[str]) -> IO[bytes]:
    """Takes the lock of a folder until the file that is returned is closed, or the process dies.

    Raises:
      LockedError: another holds it.
      OSError: the lock cannot be written.
    """
    import fcntl  # Linux and macOS

    path = Path(folder) / "lock"
    with naming(path):
        file = open(path, "ab")  # noqa: SIM115, the caller closes it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if not isinstance(error, BlockingIOError):
            raise OSError(f"cannot lock {str(path)!r}: {error.strerror or error}.") from error
        raise LockedError(f"{str(folder)!r} is being written to by another process; wait for it, or end it.") from None
    return file


@contextlib.contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an OSError inside into one sentence that names ``path``."""
    try:
        yield
    except OSError as error:
        raise OSError(f"cannot write {str(path)!r}: {error.strerror or error}.") from error


def seal(value: Any) -> dict[str, Any]:
    """Puts a checksum beside a JSON value.

    Example:
      >>> sealed = seal({"seeds": 3})
      >>> unseal(json.dumps(sealed))
      {'seeds': 3}

    Args:
      value: anything that JSON can hold; infinities and NaN must have been turned into null.

    Returns:
      ``{"content": value, "sha256": …}``, to be written as JSON in any layout; :func:`unseal` checks it.
    """
    value = json.loads(json.dumps(value, allow_nan=False))
    return {"content": value, "sha256": _digest(value)}


def unseal(text: str | bytes) -> Any:
    """The value that :func:`seal` put a checksum beside.

    Raises:
      ValueError: the text is not what was written.
    """
    sealed = json.loads(text)
    if not isinstance(sealed, dict) or set(sealed) != {"content", "sha256"}:
        raise ValueError('expected {"content": …, "sha256": …}.')
    if sealed["sha256"] != _digest(sealed["content"]):
        raise ValueError("the content does not match its checksum.")
    return sealed["content"]


def write_sealed(path: str | os.PathLike[str], value: Any) -> Any:
    """Writes JSON with its checksum, as :func:`commit` does; returns the value as JSON gives it back."""
    sealed = seal(value)
    text = json.dumps(sealed, indent=2, ensure_ascii=False) + "\n"
    commit(Path(path).parent, {Path(path).name: [text.encode()]})
    return sealed["content"]


def read_sealed(path: str | os.PathLike[str]) -> Any:
    """What :func:`write_sealed` wrote.

    Raises:
      ValueError: it is damaged, with one sentence that names it.
    """
    try:
        return unseal(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def _digest(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys and the layout of the file."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def save(dataset: "xarray.Dataset", path: str | os.PathLike[str]) -> Path:
    """Writes a Dataset as a zarr folder."""
    as_objects = _with_text(dataset, "U", object)  # fixed-width Unicode has no agreed form in zarr 3
    return replace(path, lambda made: as_objects.to_zarr(made, mode="w", consolidated=False))


def load(path: str | os.PathLike[str]) -> "xarray.Dataset":
    """Reads a Dataset that :func:`save` wrote, whole, into memory.

    Raises:
      FileNotFoundError: there is none at ``path``.
    """
    import xarray

    if not (Path(path) / "zarr.json").exists():
        raise FileNotFoundError(f"no stored results at {str(path)!r}; expected a zarr folder written by jaxdl.")
    with xarray.open_zarr(path, consolidated=False) as dataset:
        return _with_text(dataset.load(), "OT", str)


def _with_text(dataset: "xarray.Dataset", kinds: str, dtype: type) -> "xarray.Dataset":
    """Turns the variables whose dtype is of one of ``kinds`` to ``dtype``."""
    found = {name: v for name, v in dataset.variables.items() if v.dtype.kind in kinds}
    return dataset.assign({name: (v.dims, v.values.astype(object).astype(dtype), v.attrs) for name, v in found.items()})
