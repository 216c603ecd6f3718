"""Files that are whole or not there, whenever whoever writes them is killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place to write what will be `path` once it is whole: part file, fsync, rename.

    Whoever reads `path` sees the old content or the new one, never half of it, whenever the writer is killed.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        try:
            yield part
        except Exception as error:
            if getattr(error, "errno", None) is None:  # NumPy and libsndfile do not say that the disk is full
                _probe(part)
            raise
        sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_if_new(path: Path, content: bytes) -> None:
    """A whole file with this content; one that has it already is not touched."""
    if not path.exists() or path.read_bytes() != content:
        with whole_file(path) as part:
            part.write_bytes(content)


def as_json(value: Any) -> bytes:
    """JSON that people can read, ending in a line break."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def _probe(part: Path) -> None:
    """Raise the OSError that keeps us from writing, if there is one; `part` is spoilt."""
    with part.open("ab") as file:
        file.write(bytes(1 << 16))


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk before we go on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
