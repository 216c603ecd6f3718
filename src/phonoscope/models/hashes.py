"""What a file holds, as a hash that is worked out once while the file stays as it is."""

import hashlib
from pathlib import Path

_hashes: dict[tuple[str, int, int], str] = {}  # path, size, mtime_ns -> sha256, of files hashed by this process


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content, in hex digits."""
    state = path.stat()
    key = (str(path), state.st_size, state.st_mtime_ns)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[key]
