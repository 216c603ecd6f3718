"""Where films lie: URIs in what we write down, paths where we open them."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from phonoscope.core.errors import RecordingFailed


def as_uri(source: str) -> str:
    """A path or URI as a URI; the path is made absolute, but links in it are kept."""
    return source if "://" in source else Path(source).expanduser().absolute().as_uri()


def local_path(uri: str) -> Path:
    """The file that a URI names.

    Raises:
        RecordingFailed: "unsupported-scheme", or "missing" if there is no such file.
    """
    parts = urlparse(uri)
    if parts.scheme != "file":
        raise RecordingFailed(
            "unsupported-scheme", f"'{parts.scheme}:' cannot be read: give a file of this machine, or fetch the film first"
        )
    path = Path(unquote(parts.path))
    if not path.exists():
        raise RecordingFailed("missing", f"there is no file {path}")
    if not path.is_file():
        raise RecordingFailed("unreadable", f"{path} is not a file")
    return path
