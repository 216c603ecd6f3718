"""Where films lie: URIs in what we write down, paths where we open them."""

import os
from pathlib import Path
from urllib.parse import unquote, urlparse

from phonoscope.core.errors import RecordingFailed


def as_uri(source: str) -> str:
    """A path or URI as a URI; the path is made absolute, but links in it are kept."""
    return source if "://" in source else Path(os.path.abspath(Path(source).expanduser())).as_uri()  # noqa: PTH100 - resolve() follows links


def local_path(uri: str) -> Path:
    """The file that a URI names.

    Raises:
        RecordingFailed: "unsupported-scheme", or "missing" if there is no such file.
    """
    parts = urlparse(uri)
    if parts.scheme != "file":
        raise RecordingFailed(
            "unsupported-scheme", f"'{parts.scheme}:' cannot be read; fetch the film first, then give the file"
        )
    path = Path(unquote(parts.path))
    if not path.exists():
        raise RecordingFailed("missing", f"there is no file {path}")
    if not path.is_file():
        raise RecordingFailed("unreadable", f"{path} is not a file")
    return path
