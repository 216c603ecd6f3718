"""Where films lie and which they are: URIs in what we write, paths where we open them, hashes of their content."""

import hashlib
import os
import string
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlparse

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.films import FAR, about_film, fetched_film


def as_uri(source: str) -> str:
    """A path, taken literally, or a URI as a URI of nothing but ASCII, whatever bytes a file's name is made of.

    The path is made absolute, but links in it are kept.
    """
    if "://" in source:
        return quote(os.fsencode(source), safe=string.punctuation)
    return "file://" + quote(os.fsencode(os.path.abspath(source)))  # noqa: PTH100 - resolve() follows links


def local_path(uri: str) -> Path:
    """The file that a URI names; of a film in a bucket a copy, fetched if it is not here yet.

    Raises:
        RecordingFailed: "unsupported-scheme", "missing" if there is no such file, "storage" if it cannot be had.
    """
    if is_far(uri):
        return fetched_film(uri)
    path = Path(os.fsdecode(unquote_to_bytes(urlparse(uri).path)))
    if not path.exists():
        raise RecordingFailed("missing", f"there is no file {path}")
    if not path.is_file():
        raise RecordingFailed("unreadable", f"{path} is not a file")
    return path


def seen_film(uri: str) -> tuple[int, int]:
    """How large the film is that a URI names, bytes, and when it was written, ns; it is not opened, nor fetched.

    Raises:
        RecordingFailed: as `local_path`.
    """
    if is_far(uri):
        about = about_film(uri)
        return about.size, about.mtime_ns
    about = local_path(uri).stat()
    return about.st_size, about.st_mtime_ns


def is_far(uri: str) -> bool:
    """Whether a film lies in a bucket.

    Raises:
        RecordingFailed: "unsupported-scheme": it lies where we read nothing.
    """
    scheme = urlparse(uri).scheme
    if scheme not in ("file", *FAR):
        raise RecordingFailed(
            "unsupported-scheme", f"'{scheme}:' cannot be read; fetch the film first, then give the file"
        )
    return scheme != "file"


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_of(path: Path) -> str:
    """The md5 of a file's content, in hex digits: what old lists tell of files, no safeguard."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
