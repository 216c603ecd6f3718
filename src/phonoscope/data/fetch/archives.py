"""AVA's annotations: two archives, checked, unpacked into a folder a set."""

import os
import shutil
import tarfile
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath

from phonoscope.core.errors import UsageError
from phonoscope.data.fetch.outcome import FetchFailed, failed
from phonoscope.data.split import TRAINING, VALIDATION
from phonoscope.store.uri import md5_of

TIMEOUT_S, BLOCK = 20, 1 << 20
BASE = "https://research.google.com/ava/download/"


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive holds; the sum is that of ava_asd's authors."""

    split: str
    md5: str


# What other people call AVA's "test" annotations is its validation set: the labels of its test set are not public.
ARCHIVES: Mapping[str, Archive] = {
    "ava_activespeaker_train_v1.0.tar.bz2": Archive(TRAINING, "0e6ebaacfb3a554199e319e0c26a1ec0"),
    "ava_activespeaker_val_v1.0.tar.bz2": Archive(VALIDATION, "c00210f1d62caaf32759afb92b4562cc"),
}


def labels(
    to: Path,
    given: tuple[str, ...] = (),
    known: Mapping[str, Archive] = ARCHIVES,
    tell: Callable[[str, int, int], object] = lambda name, done, of: None,
) -> dict[str, int]:
    """Tables of labels in `to/training` and `to/validation`, and how many each holds.

    Args:
        given: archives, as URLs or files, by their published names; by default both, from where they are published.

    Raises:
        UsageError: one is no archive that we know, or not the published one.
        FetchFailed: it cannot be had.
    """
    made = {}
    for source in given or tuple(BASE + name for name in known):
        name = PurePosixPath(source).name
        if name not in known:
            raise UsageError(f"'{source}' is none of AVA's archives: expected {', '.join(known)}")
        folder = to / known[name].split
        if not folder.is_dir():
            ours = "://" in source
            path = _fetched(source, to / f".{name}.part", tell) if ours else Path(source)
            _checked(path, known[name].md5, source)
            _unpack(path, folder)
            if ours:
                path.unlink()
        made[known[name].split] = len(list(folder.glob("*.csv")))
    return made


def _fetched(url: str, part: Path, tell: Callable[[str, int, int], object]) -> Path:
    """The file behind a URL, from where an earlier try has stopped."""
    part.parent.mkdir(parents=True, exist_ok=True)
    there = part.stat().st_size if part.exists() else 0
    wanted = urllib.request.Request(url, headers={"Range": f"bytes={there}-"} if there else {})  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(wanted, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the caller's URL
            if answer.status != 206:
                there = 0
            of = there + int(answer.headers.get("Content-Length") or 0)
            with part.open("ab" if there else "wb") as file:
                while block := answer.read(BLOCK):
                    file.write(block)
                    tell(PurePosixPath(url).name, file.tell(), of)
                file.flush()
                os.fsync(file.fileno())
    except (OSError, HTTPException) as error:
        if getattr(error, "code", 0) == 416:  # all of it was there
            return part
        raise failed(error) from error
    if of > part.stat().st_size:
        raise FetchFailed("network", f"'{url}' broke off after {part.stat().st_size} of {of} bytes: try again")
    return part


def _checked(path: Path, md5: str, source: str) -> None:
    if not path.is_file():
        raise UsageError(f"there is no file '{path}'")
    found = md5_of(path)
    if found != md5:
        if path.name.endswith(".part"):
            path.unlink()
        raise UsageError(f"'{source}' has md5 {found}, the published archive {md5}: fetch it anew")


def _unpack(path: Path, folder: Path) -> None:
    """All tables of an archive, flat, in a folder that appears whole."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".csv") and (source := archive.extractfile(member)):
                    with (part / PurePosixPath(member.name).name).open("wb") as table:
                        shutil.copyfileobj(source, table)
    except (tarfile.TarError, EOFError) as error:
        raise UsageError(f"'{path}' cannot be unpacked: {error}") from None
    part.rename(folder)
