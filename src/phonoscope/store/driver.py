"""What a kind of object store must do for us, one try at a time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NEW = ""  # the tag of an object that is not there yet


class Conflict(Exception):
    """Another writer has changed the object since we saw it."""


@dataclass(frozen=True, slots=True)
class About:
    """An object, unopened."""

    size: int  # bytes
    mtime_ns: int  # when it was written, since 1970; 0 if the store does not say
    tag: str  # another content has another tag


class Driver(Protocol):
    """One kind of object store, one try at a time: a missing object is a FileNotFoundError."""

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """What a try may end with that may go well the next time."""
        ...

    def get(self, path: str) -> tuple[bytes, str]:
        """Content and tag."""
        ...

    def put(self, path: str, content: bytes, seen: str | None) -> str:
        """The tag of what was written, if the object's was `seen` (NEW: there was none; None: whatever there was).

        Raises:
            Conflict: it was not.
        """
        ...

    def about(self, path: str) -> About:
        """What can be told without reading it."""
        ...

    def upload(self, path: str, file: Path) -> None:
        """A file as an object."""
        ...

    def download(self, path: str, file: Path) -> None:
        """An object as a file."""
        ...

    def delete(self, paths: list[str]) -> None:
        """Remove objects; those that are not there are none."""
        ...

    def names(self, path: str, most: int | None) -> list[str]:
        """Objects below a path, as paths; at most so many. This is a listing: dear, and slow."""
        ...
