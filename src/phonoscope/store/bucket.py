"""A bucket: objects by name, each whole or not there; whatever goes wrong on the way is tried again, then told."""

import errno
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.store.driver import About, Driver

TRIES = 6  # of a request, in all
FIRST_WAIT_S = 0.1  # before the second try; twice as long before each further one
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
EXTRAS = {"s3": "s3", "s3a": "s3"}  # scheme -> the extra that reads it

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Bucket:
    """What lies below one URI.

    Every method raises RecordingFailed ("storage") once a request has failed for good, in one line.
    """

    uri: str
    path: str  # as the driver names it
    driver: Driver

    def get(self, name: str) -> tuple[bytes, str] | None:
        """Content and tag of an object; None if there is none."""
        return self._tried("read", name, lambda path: _unless_missing(lambda: self.driver.get(path)))

    def about(self, name: str) -> About | None:
        """What can be told of an object without reading it; None if there is none."""
        return self._tried("looked at", name, lambda path: _unless_missing(lambda: self.driver.about(path)))

    def put(self, name: str, content: bytes, seen: str | None = None) -> str:
        """Write an object; its new tag.

        Args:
            seen: write only if this is its tag; NEW: only if there is none.

        Raises:
            Conflict: another writer was first, or our own try whose answer got lost: look what is there now.
        """
        return self._tried("written", name, lambda path: self.driver.put(path, content, seen))

    def upload(self, name: str, file: Path) -> None:
        """A file as an object."""
        self._tried("written", name, lambda path: self.driver.upload(path, file))

    def download(self, name: str, file: Path) -> bool:
        """An object as a file; False, and no file worth reading, if there is no such object."""
        done = self._tried("read", name, lambda path: _unless_missing(lambda: (self.driver.download(path, file),)))
        return done is not None

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; those that are not there are none."""
        if gone := sorted({f"{self.path}/{name}" for name in names}):
            self._tried("removed", "", lambda _: self.driver.delete(gone))

    def below(self, prefix: str = "", most: int | None = None) -> list[str]:
        """The names of objects below a name, by a listing: dear, so never a matter of course."""
        found = self._tried("listed", prefix, lambda path: self.driver.names(path.rstrip("/") + "/", most))
        return [it.removeprefix(f"{self.path}/") for it in found]

    def _tried(self, done: str, name: str, request: Callable[[str], Value]) -> Value:
        said = ""
        for tries in range(TRIES):
            if tries:
                time.sleep(FIRST_WAIT_S * 2 ** (tries - 1))
            try:
                return request(f"{self.path}/{name}" if name else self.path)
            except (FileNotFoundError, PermissionError) as error:  # asking again does not help
                raise self._failed(done, name, str(error)) from error
            except self.driver.faults as error:
                if getattr(error, "errno", None) in FULL:  # of the disk here
                    raise
                said = " ".join(str(error).split()) or type(error).__name__
        raise self._failed(done, name, f"{said}; tried {TRIES} times")

    def _failed(self, done: str, name: str, why: str) -> RecordingFailed:
        return RecordingFailed("storage", f"{self.uri}{'/' if name else ''}{name} could not be {done}: {why}")


def _unless_missing(request: Callable[[], Value]) -> Value | None:
    try:
        return request()
    except FileNotFoundError:
        return None


@cache
def bucket_at(uri: str) -> Bucket:
    """The bucket at a URI such as s3://bucket/films; nothing is asked of it yet.

    Credentials, endpoint and everything else are fsspec's: its configuration, or the environment (docs/storage.md).

    Raises:
        UsageError: nothing here reads such URIs.
    """
    import fsspec
    from fsspec.config import conf

    scheme = urlparse(uri).scheme
    try:
        kind = fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        mend = f"pip install 'phonoscope[{EXTRAS[scheme]}]'" if scheme in EXTRAS else " ".join(str(error).split())
        raise UsageError(f"'{scheme}:' cannot be read without more: {mend}") from None
    except ValueError:
        raise UsageError(f"'{scheme}:' cannot be read: give a folder, or a URI as s3://bucket/films") from None
    if scheme in EXTRAS:
        from phonoscope.store.s3 import S3, options

        return Bucket(uri, kind._strip_protocol(uri), S3(fsspec.filesystem(scheme, **options(conf.get(scheme, {})))))
    from phonoscope.store.any_bucket import AnyBucket

    return Bucket(uri, kind._strip_protocol(uri), AnyBucket(fsspec.filesystem(scheme, use_listings_cache=False)))
