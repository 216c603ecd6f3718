"""Units: parts of a long film, cut between shots, that are looked at one by one, by whoever is free.

What is made of a unit lies in the recording's folder, under `units/<artifact>/<start>-<stop>/`, with a receipt of its
own, until those of all units are there and are put together. What is in the making lies under `.units/` until then.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.faces import Shots, Tracks
from phonoscope.core.media import Recording
from phonoscope.core.parts import joined, restricted
from phonoscope.core.time import Span
from phonoscope.flow.step import Step
from phonoscope.store.codecs import FRAMES
from phonoscope.store.lock import alone
from phonoscope.store.receipts import Receipt
from phonoscope.store.recording import StoredRecording
from phonoscope.store.tables import read_table, write_track_table

FOLDER, MAKING = "units", ".units"


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a film, and what is to be made of it; as text it is what executors move about."""

    recording: str  # id
    number: int  # from 1
    of: int  # how many the film has been cut into
    span: Span
    steps: tuple[str, ...]  # names

    def __str__(self) -> str:
        return f"{self.name} {_as_name(self.span)} {'+'.join(self.steps)}"

    @property
    def name(self) -> str:
        """The recording and which unit of it."""
        return f"{self.recording}#{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Unit":
        """The unit that was written so."""
        name, span, steps = text.split(" ")
        recording, _, place = name.rpartition("#")
        (number, of), (start, stop) = map(int, place.split("/")), map(int, span.split("-"))
        return cls(recording, number, of, Span(start, stop), tuple(steps.split("+")))

    def seen(self, step: Step, recording: Recording) -> Span:
        """The frames that a step sees of it."""
        around = step.apart.around if step.apart else 0
        return Span(max(0, self.span.start - around), min(recording.num_frames, self.span.stop + around))


def is_long(recording: Recording, minutes: float) -> bool:
    """Whether a film is worth cutting: longer than two units of so many minutes; none is if that is 0."""
    return 0 < 2 * 60 * minutes < recording.duration_s


def cut(shots: Shots, tracks: Tracks, num_frames: int, count: int) -> list[Span]:
    """At most `count` units of a film, as even as its shots allow; they tile it, and no shot and no track is cut.

    Each edge is the edge of a shot that is nearest to where units of equal length would meet, the earlier of two.
    """
    starts, stops = np.array([(track.span.start, track.span.stop) for track in tracks], np.int64).reshape(-1, 2).T
    edges = [span.start for span in shots.spans if not ((starts < span.start) & (span.start < stops)).any()]
    chosen = {min(edges, key=lambda edge: abs(edge - num_frames * k / count)) for k in range(1, count)}
    return [Span(a, b) for a, b in pairwise(sorted({0, *chosen, num_frames}))]


def units_of(stored: StoredRecording, minutes: float) -> list[Span]:
    """The units of a film, about so many minutes each: but one if it cannot be cut.

    Its shots must have been found; a film is not cut of which pictures are lost, since what stands for a lost one
    depends on where one begins to look, nor one in which one cannot begin in the middle.
    """
    recording, receipt = stored.recording, stored.receipts["shots"]
    if receipt.warnings or not _can_begin_anywhere(stored):
        return [recording.span]
    tracks = stored.load("tracks") if "tracks" in stored.fresh else Tracks()
    count = max(1, round(float(recording.duration_s) / (60 * minutes)))
    return cut(stored.load("shots"), tracks, recording.num_frames, count)


def _can_begin_anywhere(stored: StoredRecording) -> bool:
    from phonoscope.media.source import open_film

    try:
        with open_film(stored.source) as film:
            return film.trusted
    except RecordingFailed:  # whoever looks at it finds out, and says so
        return False


@dataclass(frozen=True, slots=True)
class Parts:
    """What is made of the units of a recording by one step, on its way to an artifact."""

    stored: StoredRecording
    step: str
    key: str  # of the artifact

    def at(self, span: Span) -> StoredRecording:
        """The folder for what is made of one unit."""
        return self.stored.below(f"{FOLDER}/{self.step}/{_as_name(span)}")

    def key_of(self, span: Span) -> str:
        """Identity of what is made of one unit."""
        return hashlib.sha256(f"{self.key} {_as_name(span)}".encode()).hexdigest()[:16]

    def has(self, span: Span) -> bool:
        """Whether it is there, made as the artifact is to be made now."""
        receipt = self.at(span).receipts.get(self.step)
        return receipt is not None and receipt.key == self.key_of(span) and self.at(span).path(self.step) is not None

    @contextmanager
    def folder(self, span: Span) -> Iterator[Path]:
        """An empty folder for files in the making of one unit; `save` gives it its name. The unit must be held."""
        room = self.stored.folder / MAKING / self.step / _as_name(span)
        room.mkdir(parents=True, exist_ok=True)
        with StoredRecording(room).part_folder(self.step) as part:
            yield part

    def save(self, span: Span, value: Any, receipt: Receipt) -> None:
        """Keep what was made of one unit, under the receipt that the whole would have had."""
        at = self.at(span)
        at.folder.mkdir(parents=True, exist_ok=True)
        at.save(self.step, restricted(value, span), replace(receipt, key=self.key_of(span), inputs={}))

    def join(self, spans: Sequence[Span], receipt: Callable[[float], Receipt]) -> None:
        """Make the artifact out of what was made of all units, and keep it.

        Args:
            receipt: given the seconds that it took in all.
        """
        parts = [self.at(span) for span in spans]
        seconds = sum(part.receipts[self.step].seconds for part in parts)
        places = [part.made(self.step) for part in parts]
        if places[0].is_dir():
            with self.stored.part_folder(self.step) as folder:
                _gather(places, folder)
                self.stored.save(self.step, folder, receipt(seconds))
        else:
            value = joined([part.load(self.step) for part in parts])
            self.stored.save(self.step, value, receipt(seconds))
        clear_units(self.stored, [self.step])


def clear_units(stored: StoredRecording, steps: Iterable[str]) -> None:
    """Take away what steps have made of units, of whichever cut, and what was in the making; it must be held."""
    making = stored.folder / MAKING
    if not (stored.has(FOLDER) or making.exists()):
        return
    for step in steps:
        stored.remove(f"{FOLDER}/{step}")
        shutil.rmtree(making / step, ignore_errors=True)
    for folder in (stored.folder / FOLDER, making):
        if folder.is_dir() and not any(it.is_dir() for it in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def hold_unit(stored: StoredRecording, span: Span) -> Iterator[None]:
    """Be the only one on this machine who looks at a unit; others may look at others meanwhile."""
    making = stored.folder / MAKING
    making.mkdir(exist_ok=True)
    with alone(making / f"{_as_name(span)}.lock"):
        yield


def _as_name(span: Span) -> str:
    return f"{span.start}-{span.stop}"


def _gather(folders: Sequence[Path], to: Path) -> None:
    """All files of folders, into an empty one; of tables of frames one is made. A file is not copied if it need not."""
    for folder in folders:
        for file in folder.iterdir():
            if file.name != FRAMES:
                _copy(file, to / file.name)
    tables = [read_table(folder / FRAMES) for folder in folders if (folder / FRAMES).exists()]
    if tables:
        write_track_table(to / FRAMES, joined(tables))


def _copy(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # not every file system knows links
        shutil.copyfile(file, to)
