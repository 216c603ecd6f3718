"""A recording in a bucket, and its mirror: a folder as every store has it, in which lies what was needed so far.

In the bucket each file is an object named for its content, which never changes, and `files.json` says which files the
recording has: the only object that changes, by a write that fails if another machine was first. So a reader sees all
that a machine has made or nothing of it, and nobody has to list anything.

Here `.seen/ID.json` is the last `files.json` that we saw, and `.seen/ID.work` says that somebody is at work in the
folder, or was killed at it: it may then have what the bucket has not, and is left as it is.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from phonoscope.core.errors import RecordingFailed
from phonoscope.store.bucket import Bucket
from phonoscope.store.driver import NEW
from phonoscope.store.files import as_json, whole_file
from phonoscope.store.lock import alone, held
from phonoscope.store.receipts import FILE as RECEIPTS
from phonoscope.store.shared import bucket_of
from phonoscope.store.uri import sha256_of

if TYPE_CHECKING:
    from phonoscope.store.merge import Files

COMMIT = "files.json"
SMALL = ("recording.json", RECEIPTS, "listed.json")  # without which nothing else of a recording is looked at
EMPTY = ("", 0)  # what `files.json` says of an empty folder
AT_ONCE = 8  # requests
SPOILT = 3  # times that content may arrive that is not what was sent, before we give up


@dataclass(frozen=True, slots=True)
class Seen:
    """`files.json` as it was at some time."""

    tag: str = NEW
    files: "dict[str, tuple[str, int]]" = field(default_factory=dict)  # see Files


class Gone(Exception):
    """An object that `files.json` named is no longer there: another machine has made the artifact anew."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The mirror of one recording."""

    root: Path  # of the store's mirror
    id: str

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.root / "recordings" / self.id

    @property
    def bucket(self) -> Bucket:
        """Where they come from."""
        bucket = bucket_of(self.root)
        if bucket is None:
            raise ValueError(f"{self.root} is no mirror")
        return bucket

    def has(self, name: str) -> bool:
        """Whether the recording has a file or folder, here or in the bucket; nothing is fetched."""
        return (name != "" and (self.folder / name).exists()) or any(_within(it, name) for it in self.seen().files)

    def fetch(self, name: str) -> Path:
        """Where a file or folder of the recording lies, fetched if it is not here yet; there may be none.

        Raises:
            RecordingFailed: "storage": it cannot be had.
        """
        place = self.folder / name
        for again in (True, False):
            wanted = {it: about for it, about in self.seen().files.items() if _within(it, name)}
            if place.exists() or not wanted:
                break
            try:
                self._bring(name, wanted)
                break
            except Gone as error:
                if again and not self.working.exists():
                    self.refresh()
                    continue
                self.forget(name)
                said = f"{error} is no longer in {self.bucket.uri}: the same again makes it anew"
                raise RecordingFailed("storage", said) from None
        return place

    def forget(self, name: str) -> None:
        """Take a file or folder from what we know the recording to have; by the next commit it has it no more."""
        with self.turn():
            seen = self.seen()
            self.note(Seen(seen.tag, {it: about for it, about in seen.files.items() if not _within(it, name)}))

    def refresh(self) -> None:
        """See what the bucket has; what is outdated here goes. While somebody works in the folder it stays as it is.

        What somebody has left here who was killed stays as well, unless the bucket has moved on.
        """
        lock = self.folder.with_name(f".{self.id}.lock")  # of `Store.hold`
        for _ in range(2):  # what `files.json` names may be gone by the time that we ask for it
            busy = self.working.exists() and held(lock)
            if not busy:
                now = self.now()
                with self.turn():
                    if self.working.exists() and now.tag != self.seen().tag and not held(lock):
                        self.give_way(now)
                        self.working.unlink(missing_ok=True)
                    if not self.working.exists():
                        self.take(now)
            if self.fetch_small() or busy:
                break

    def give_way(self, now: Seen) -> None:
        """Remove what the bucket has not, or has otherwise: the bucket wins. Our turn must be taken."""
        for name in [*self.stamps()]:
            if self.about(name) != now.files.get(name):
                self.drop(name)
        self.note(now)

    def about(self, name: str) -> tuple[str, int]:
        """What `files.json` says of a file as it is here."""
        path = self.folder / name
        return EMPTY if name.endswith("/") or not path.exists() else (sha256_of(path), path.stat().st_size)

    def fetch_small(self) -> bool:
        """Have the files here that are always asked for; False if one is gone, and the recording not whole."""
        seen, whole = self.seen().files, True
        for name in SMALL:
            if name in seen and not (self.folder / name).exists():
                try:
                    self._bring(name, {name: seen[name]})
                except Gone:
                    whole = False
        return whole

    def _bring(self, name: str, wanted: "Files") -> None:
        """Put a file or folder in its place, whole, checked, and only if nobody else has put something there."""
        parts = self.root / ".parts"
        parts.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parts, ignore_cleanup_errors=True) as room:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda it: self._download(Path(room), *it), wanted.items()))
            with self.turn():
                seen = self.seen().files
                if any(seen.get(it) != about for it, about in wanted.items()):
                    raise Gone(name)
                place = self.folder / name
                place.parent.mkdir(parents=True, exist_ok=True)
                try:
                    if (Path(room) / name).is_dir():
                        (Path(room) / name).rename(place)
                    else:
                        os.link(Path(room) / name, place)  # a rename would put aside what a worker has just written
                except OSError:
                    if not place.exists():
                        raise

    def _download(self, room: Path, name: str, about: tuple[str, int]) -> None:
        place = room / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            place.mkdir(exist_ok=True)
            return
        for _ in range(SPOILT):
            if not self.bucket.download(self.object_of(name, about), place):
                raise Gone(name)
            if (place.stat().st_size, sha256_of(place)) == (about[1], about[0]):
                return
        object_ = f"{self.bucket.uri}/{self.object_of(name, about)}"
        raise RecordingFailed("storage", f"{object_} is not what was written: its sha256 differs in {SPOILT} tries")

    def object_of(self, name: str, about: tuple[str, int]) -> str:
        """The name of the object that holds a file."""
        return f"recordings/{self.id}/{about[0][:16]}/{name}"

    def now(self) -> Seen:
        """What `files.json` says now.

        Raises:
            RecordingFailed: "storage": it cannot be read.
        """
        name = f"recordings/{self.id}/{COMMIT}"
        found = self.bucket.get(name)
        if found is None:
            return Seen()
        try:
            return Seen(found[1], msgspec.json.decode(found[0], type=dict[str, tuple[str, int]]))
        except msgspec.DecodeError as error:
            raise RecordingFailed("storage", f"{self.bucket.uri}/{name} is damaged: {error}") from None

    def seen(self) -> Seen:
        """What it said when we last looked."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Seen)
        except FileNotFoundError:
            return Seen()

    def note(self, seen: Seen) -> None:
        """Remember what it says; our turn must be taken."""
        if seen.files:
            with whole_file(self._note) as part:
                part.write_bytes(as_json(seen))
        else:
            self._note.unlink(missing_ok=True)

    def take(self, now: Seen) -> None:
        """Remember what it says, and remove what is outdated here; our turn must be taken."""
        before = self.seen().files
        for name in [*self.stamps()]:
            if before.get(name) != now.files.get(name):
                self.drop(name)
        if not now.files:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.note(now)

    def drop(self, name: str) -> None:
        """Remove a file from the mirror, and with it the folder that it lies in: folders are here whole, or not."""
        inside, slash, _ = name.rpartition("/")
        if slash:
            shutil.rmtree(self.folder / inside, ignore_errors=True)
        else:
            (self.folder / name).unlink(missing_ok=True)

    def stamps(self) -> Mapping[str, tuple[int, int, int]]:
        """What is here: of each file which it is, how large, when written; of an artifact without files its folder."""
        return dict(_stamps(self.folder, ""))

    @property
    def working(self) -> Path:
        """Is there while somebody is at work, and after somebody was killed at it."""
        return self.root / ".seen" / f"{self.id}.work"

    @property
    def changed(self) -> Path:
        """Is there once we have changed the recording, until the index has been told."""
        return self.root / ".seen" / f"{self.id}.new"

    @property
    def _note(self) -> Path:
        return self.root / ".seen" / f"{self.id}.json"

    def turn(self) -> AbstractContextManager[None]:
        """Be the only one here who looks at these notes and changes them; nothing is asked of the bucket meanwhile."""
        (self.root / ".seen").mkdir(exist_ok=True)
        return alone(self.root / ".seen" / f"{self.id}.lock")


def _stamps(folder: Path, inside: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    if not folder.is_dir():
        return
    entries = [*os.scandir(folder)]
    if inside and not entries:
        yield inside, (0, 0, 0)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _stamps(Path(entry), f"{inside}{entry.name}/")
        else:
            about = entry.stat()
            yield f"{inside}{entry.name}", (about.st_ino, about.st_size, about.st_mtime_ns)


def _within(file: str, name: str) -> bool:
    return not name or file == name or file.startswith(f"{name}/")
