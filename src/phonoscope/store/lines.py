"""Files of JSON lines: each line is whole or passed over, whenever whoever wrote it was killed."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from phonoscope.store.files import whole_file

Value = TypeVar("Value")


def read_lines(path: Path, kind: type[Value]) -> list[Value]:
    """What each line of a file says, none if there is no file; damaged lines are passed over."""
    return lines_of(path.read_bytes(), kind) if path.exists() else []


def lines_of(content: bytes, kind: type[Value]) -> list[Value]:
    """The same of what a file holds."""
    found = []
    for line in content.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=kind))
        except msgspec.DecodeError:  # half a line, whose writer was killed
            continue
    return found


def add_line(path: Path, value: Any) -> None:
    """Put a line down at the end of a file, on the disk before we go on; take turns with others who may add to it."""
    with path.open("ab+") as file:
        file.seek(max(0, file.tell() - 1))
        mend = b"" if file.read() in (b"", b"\n") else b"\n"  # a killed writer left half a line: do not go on in it
        file.write(mend + msgspec.json.encode(value) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def replace_lines(path: Path, values: Iterable[Any]) -> None:
    """Write a file of these values and nothing else, whole."""
    with whole_file(path) as part:
        part.write_bytes(b"".join(msgspec.json.encode(value) + b"\n" for value in values))
