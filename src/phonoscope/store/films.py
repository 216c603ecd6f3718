"""Films that lie in a bucket, as files: whole, checked, and kept until they change there."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.bucket import bucket_at
from phonoscope.store.driver import About
from phonoscope.store.home import home
from phonoscope.store.lock import alone

FAR = ("s3", "s3a", "gs", "gcs", "az", "abfs", "memory")  # schemes of what is no file of this machine


def about_film(uri: str) -> About:
    """What can be told of a film without fetching it.

    Raises:
        RecordingFailed: "missing" if there is none, "storage" if nobody answers.
    """
    folder, name = _parted(uri)
    about = bucket_at(folder).about(name)
    if about is None:
        raise RecordingFailed("missing", f"there is no {uri}")
    return about


def fetched_film(uri: str) -> Path:
    """A copy of a film, under its own name and with the time at which it was written there.

    It lies below `films` in the folder of what can be had again, and is used as long as the bucket's has not changed.

    Raises:
        RecordingFailed: as `about_film`.
    """
    about, (_, name) = about_film(uri), _parted(uri)
    slot = home() / "films" / hashlib.sha256(uri.encode()).hexdigest()[:16]
    path = slot / hashlib.sha256(about.tag.encode()).hexdigest()[:16] / name
    if path.exists() and path.stat().st_size == about.size:
        return path
    slot.mkdir(parents=True, exist_ok=True)
    with alone(slot.with_name(f".{slot.name}.lock")):
        if not (path.exists() and path.stat().st_size == about.size):
            _fetch(uri, about, path)
    return path


def _fetch(uri: str, about: About, path: Path) -> None:
    slot, (folder, name) = path.parent.parent, _parted(uri)
    for rest in slot.glob(".*"):  # of who was killed
        shutil.rmtree(rest, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=slot, prefix=".", ignore_cleanup_errors=True) as room:
        part = Path(room) / "film" / name
        part.parent.mkdir()
        there = bucket_at(folder).download(name, part)
        if not there or part.stat().st_size != about.size or about_film(uri) != about:
            raise RecordingFailed("storage", f"{uri} was changed while it was fetched: start again")
        os.utime(part, ns=(about.mtime_ns, about.mtime_ns))
        for other in slot.glob("[!.]*"):
            if other != path.parent:
                shutil.rmtree(other, ignore_errors=True)  # what it was before it changed
        path.parent.mkdir(exist_ok=True)
        part.replace(path)


def _parted(uri: str) -> tuple[str, str]:
    folder, _, name = unquote(uri).rpartition("/")
    return folder, name
