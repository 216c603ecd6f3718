"""Whatever else fsspec reads and writes. Nothing here is conditional: two machines must not write to one recording."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from phonoscope.store.driver import NEW, About, Conflict


class AnyBucket:
    """One try at a time, through fsspec. A tag is the sha256 of the content: told by reading it."""

    faults = (OSError, TimeoutError)

    def __init__(self, fs: Any) -> None:
        self.fs = fs

    def get(self, path: str) -> tuple[bytes, str]:
        """Content and tag."""
        content = self.fs.cat_file(path)
        return content, _tag(content)

    def put(self, path: str, content: bytes, seen: str | None) -> str:
        """The tag of what was written. Between the look and the write another may come: the store offers no more."""
        if seen is not None:
            there = self.get(path)[1] if self.fs.exists(path) else NEW
            if there != seen:
                raise Conflict(path)
        self._make_room(path)
        self.fs.pipe_file(path, content)
        return _tag(content)

    def about(self, path: str) -> About:
        """Size and time, and both of them as a tag."""
        found = self.fs.info(path)
        when = found.get("mtime") or found.get("updated") or found.get("created") or 0
        seconds = when.timestamp() if isinstance(when, datetime) else float(when)
        return About(found["size"], int(seconds) * 10**9, f"{found['size']}-{int(seconds)}")

    def upload(self, path: str, file: Path) -> None:
        """A file as an object."""
        self._make_room(path)
        self.fs.put_file(str(file), path)

    def download(self, path: str, file: Path) -> None:
        """An object as a file."""
        self.fs.get_file(path, str(file))

    def delete(self, paths: list[str]) -> None:
        """One by one."""
        for path in paths:
            if self.fs.exists(path):
                self.fs.rm_file(path)

    def names(self, path: str, most: int | None) -> list[str]:
        """All at once."""
        return sorted(self.fs.find(path))[:most] if self.fs.exists(path) else []

    def _make_room(self, path: str) -> None:
        self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
