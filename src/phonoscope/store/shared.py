"""Files of a store as a whole, which several may change: in a folder, or in a bucket of which the folder is a mirror.

A folder is a mirror if `.bucket` in it says of what. The file in the bucket is then the truth: it is read anew each
time, and changed only if nobody else has changed it since.
"""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.bucket import TRIES, Bucket, bucket_at
from phonoscope.store.driver import NEW, Conflict
from phonoscope.store.files import whole_file
from phonoscope.store.home import home
from phonoscope.store.lock import alone

MARK = ".bucket"
TURNS = 10 * TRIES  # that others may be first


def opened(where: Path | str) -> tuple[Path, str]:
    """The folder of a store and what people call it; of a URI a mirror, below the folder of what can be had again."""
    given = str(where)
    if "://" not in given:
        mark = Path(given) / MARK
        return Path(given), mark.read_text(encoding="utf-8") if mark.exists() else given
    uri = given.rstrip("/")
    parts = urlparse(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path)), unquote(parts.path)
    bucket_at(uri)  # what nothing can read is found out before a folder is made
    slug = re.sub(r"[^a-z0-9]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-")[-60:]
    root = home() / "stores" / f"{slug}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}"
    if not (root / MARK).exists():
        (root / "recordings").mkdir(parents=True, exist_ok=True)
        with alone(root / f"{MARK}.lock"):
            if not (root / MARK).exists():
                with whole_file(root / MARK) as part:
                    part.write_text(uri, encoding="utf-8")
    return root, uri


def bucket_of(root: Path) -> Bucket | None:
    """The bucket of which a store's folder is a mirror; None if it is the store itself."""
    mark = root / MARK
    return bucket_at(mark.read_text(encoding="utf-8")) if mark.exists() else None


def latest(root: Path, name: str) -> Path:
    """Where a file of the store lies, as it is now; there may be none."""
    if bucket := bucket_of(root):
        with alone(root / f".{name}.lock"):
            _fetch(bucket, root, name)
    return root / name


def rewrite(root: Path, name: str, change: Callable[[Path], object]) -> None:
    """Change a file of the store as a whole, in turn with everybody else who does.

    Args:
        change: is given the file's path, where there may be none, and leaves it whole. In a bucket it may have to be
            called again, if another machine was first.
    """
    bucket = bucket_of(root)
    if bucket is None:
        with alone(root / ".lock"):
            change(root / name)
        return
    with alone(root / f".{name}.lock"):
        for _ in range(TURNS):
            before, tag = _fetch(bucket, root, name)
            change(root / name)
            after = (root / name).read_bytes() if (root / name).exists() else None
            if after is None or after == before or _put(bucket, name, after, tag):
                return
    raise RecordingFailed("storage", f"{bucket.uri}/{name}: others were first {TURNS} times; try again")


def publish(root: Path, name: str) -> None:
    """Have a file that anybody may make anew, such as a page, in the bucket as well; the last one stays."""
    if bucket := bucket_of(root):
        bucket.upload(name, root / name)


def remove(root: Path, name: str) -> None:
    """Take a file of the store away."""
    (root / name).unlink(missing_ok=True)
    if bucket := bucket_of(root):
        bucket.delete([name])


def _fetch(bucket: Bucket, root: Path, name: str) -> tuple[bytes | None, str]:
    """Content and tag of a file in the bucket, which is now in the mirror as well."""
    found = bucket.get(name)
    if found is None:
        (root / name).unlink(missing_ok=True)
        return None, NEW
    with whole_file(root / name) as part:
        part.write_bytes(found[0])
    return found


def _put(bucket: Bucket, name: str, content: bytes, tag: str) -> bool:
    """Whether the content is in the bucket, ours or, as it may be that our own answer got lost, the same."""
    try:
        bucket.put(name, content, tag)
    except Conflict:
        found = bucket.get(name)
        return found is not None and found[0] == content
    return True
