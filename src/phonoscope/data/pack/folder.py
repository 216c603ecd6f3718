"""The folder that a layout is packed into: what lies there whole, and how a clip gets there.

`pack.jsonl` has a line a change: what was made of a clip, from what. A clip's files are first written below `.part`,
then renamed into place one by one, then their line follows: no line, no clip. `clips.csv` is made of those lines.
"""

import csv
import io
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from phonoscope.core.checks import folder_here
from phonoscope.core.errors import UsageError
from phonoscope.store.files import sync, write_if_new
from phonoscope.store.folder import must_be_empty
from phonoscope.store.lines import add_line, lines_of
from phonoscope.store.lock import alone

LEDGER, LIST, PARTS = "pack.jsonl", "clips.csv", ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One part of a clip, such as its film or its landmarks: what it was made from, and its files."""

    key: str  # hash of the recipe
    files: dict[str, int]  # path below the folder -> bytes, or, of a folder, how many files are in it


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedClip:
    """A clip that lies in the folder."""

    clip: str
    layout: str
    recording: str  # id
    track: int | None  # None: of all its tracks
    start: int  # frame of the recording that is its first
    frames: int
    missing: int | None = None  # frames in which landmarks or pose are not known; None: it has neither
    x: int | None = None  # px of the recording's upright picture, left edge of the crop; None: nothing is cut out
    y: int | None = None  # px, upper edge of the crop
    side: int | None = None  # px, of the crop
    parts: dict[str, Made] = field(default_factory=dict)  # none: it has been taken away


ROW = ("clip", "recording", "track", "start", "frames", "missing", "x", "y", "side")


class PackFolder:
    """A folder of packed clips. Several processes may fill one, each with recordings of its own.

    Raises:
        UsageError: the folder holds something else, or another layout.
    """

    def __init__(self, root: Path | str, layout: str) -> None:
        self.root, self.layout = folder_here("--to", root), layout
        self.clips: dict[str, PackedClip] = {}
        self._read = 0  # bytes of the ledger
        if self.root.exists() and not self.root.is_dir():
            raise UsageError(f"'{root}' is a file: give a new or empty folder to --to")
        if self.root.exists() and not (self.root / LEDGER).exists():
            must_be_empty(self.root)
        self._catch_up()
        if other := next((clip.layout for clip in self.clips.values() if clip.layout != layout), None):
            raise UsageError(f"'{root}' holds clips in the layout '{other}': give another folder to --to")

    def has(self, clip: str, part: str, key: str) -> bool:
        """Whether a part of a clip lies here whole, and was made from what `key` stands for."""
        made = self.clips[clip].parts.get(part) if clip in self.clips else None
        return made is not None and made.key == key and all(self._size(it) == size for it, size in made.files.items())

    @contextmanager
    def hold(self, recording: str) -> Iterator[None]:
        """Be the only one to pack a recording into this folder; what a killed predecessor left is removed first."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.root / LEDGER).exists():  # by it the folder is known to be ours, however soon we are killed
            (self.root / LEDGER).touch()
        with alone(self.root / f".{recording}.lock"):
            self._catch_up()
            with self._tidying() as parts:
                for debris in parts.glob(f"{recording}*"):
                    if debris.name.partition("_")[0] == recording:  # ids hold no _, with which names of clips go on
                        shutil.rmtree(debris)
            yield

    @contextmanager
    def part(self, clip: str) -> Iterator[Path]:
        """An empty folder in which a clip's files are made, each at its path; `keep` takes them from there."""
        part = self.root / PARTS / clip
        with self._tidying():
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
        try:
            yield part
        finally:
            with self._tidying():
                shutil.rmtree(part, ignore_errors=True)

    def keep(self, clip: PackedClip, made: Mapping[str, tuple[str, list[str]]], part: Path) -> None:
        """Give a clip's new files their places, then put it down.

        Args:
            clip: what it is; its `parts` are those of before that stay.
            made: name of a part -> its key, and the paths of its files, which lie in the folder `part`.
        """
        paths = [path for _, files in made.values() for path in files]
        for path in paths:
            _sync_all(part / path)
        new = {name: Made(key=key, files={p: _size(part / p) for p in files}) for name, (key, files) in made.items()}
        self._forget(clip, {*paths})
        for path in paths:
            self._place(part, path)
        for folder in sorted({(self.root / path).parent for path in paths}):
            sync(folder)
        self._write(replace(clip, parts={**clip.parts, **new}))

    def discard(self, clip: str) -> None:
        """Take a clip away."""
        if clip in self.clips:
            self._forget(replace(self.clips[clip], parts={}), set())

    def forget(self, recordings: Collection[str]) -> None:
        """Take away the clips of recordings that their store was told to forget."""
        for name in [name for name, clip in self.clips.items() if clip.recording in recordings]:
            with self.hold(self.clips[name].recording):
                self.discard(name)

    def files(self) -> list[Path]:
        """Every file that lies here of every clip, by path."""
        with alone(self.root / ".lock"):
            self._catch_up()
        paths = {path for clip in self.clips.values() for made in clip.parts.values() for path in made.files}
        return [self.root / path for path in sorted(paths)]

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """A file that is made of all clips, whole; one that has this content already is not touched."""
        with alone(self.root / ".lock"):
            write_if_new(self.root / path, b"".join(parts))

    def join(self, path: str) -> None:
        """The same of a file that is every clip's files one after the other, by path."""
        self.write(path, (file.read_bytes() for file in self.files()))

    def write_list(self) -> Path:
        """`clips.csv`, a row a clip that lies here, by name."""
        with alone(self.root / ".lock"):
            self._catch_up()
            text = io.StringIO()
            rows = csv.DictWriter(text, ROW, extrasaction="ignore", lineterminator="\n")
            rows.writeheader()
            rows.writerows(msgspec.to_builtins(self.clips[name]) for name in sorted(self.clips))
            write_if_new(self.root / LIST, text.getvalue().encode())
        return self.root / LIST

    @contextmanager
    def _tidying(self) -> Iterator[Path]:
        """The folder of parts, which goes with the last of them: nobody else makes or removes one meanwhile."""
        with alone(self.root / ".lock"):
            yield self.root / PARTS
            with suppress(OSError):  # it is not there, or not empty
                (self.root / PARTS).rmdir()

    def _forget(self, clip: PackedClip, but: set[str]) -> None:
        """Put down that of a clip only its `parts` are left, then remove the files of the others, but for `but`."""
        if before := self.clips.get(clip.clip):
            self._write(replace(before, parts=clip.parts))
            stay = {path for made in clip.parts.values() for path in made.files} | but
            for path in {path for made in before.parts.values() for path in made.files} - stay:
                _remove(self.root / path)

    def _place(self, part: Path, path: str) -> None:
        """Rename a finished file or folder to where it belongs."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():  # only an empty folder can be renamed over
            place.rename(part / ".old")
            (part / path).rename(place)
            shutil.rmtree(part / ".old")
        else:
            (part / path).replace(place)

    def _write(self, clip: PackedClip) -> None:
        with alone(self.root / ".lock"):
            add_line(self.root / LEDGER, clip)
        self._take(clip)

    def _catch_up(self) -> None:
        """Learn what was put down since we last looked, by us or by others."""
        try:
            with (self.root / LEDGER).open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except FileNotFoundError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self._read += len(whole)
        for clip in lines_of(whole, PackedClip):
            self._take(clip)

    def _take(self, clip: PackedClip) -> None:
        if clip.parts:
            self.clips[clip.clip] = clip
        else:
            self.clips.pop(clip.clip, None)

    def _size(self, path: str) -> int:
        return _size(self.root / path)


def _size(path: Path) -> int:
    """Bytes of a file, number of files in a folder, -1 if there is neither."""
    if path.is_dir():
        with os.scandir(path) as files:
            return sum(1 for _ in files)
    return path.stat().st_size if path.exists() else -1


def _sync_all(path: Path) -> None:
    for file in path.iterdir() if path.is_dir() else ():
        sync(file)
    sync(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
