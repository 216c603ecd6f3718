"""One recording of a store: a folder, a file an artifact, and the film that it was made of."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.align import any_crop
from phonoscope.core.clips import Listed
from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.geometry import POLICIES
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.codecs import CODECS, FOLDER_CODECS, READERS, read_folder, read_recording, series_clock
from phonoscope.store.fetched import Fetched
from phonoscope.store.files import as_json, sync, whole_file
from phonoscope.store.mirror import Mirror
from phonoscope.store.receipts import BY_CORPUS, FOLDERS, Receipt, read_receipts, stale_in, write_receipts
from phonoscope.store.shared import opened
from phonoscope.store.tables import read_table
from phonoscope.store.uri import local_path, sha256_of

LISTED = "listed.json"


class StoredRecording:
    """One recording of a store: its pictures, its sound, and everything that steps have made of them.

    Of one in a bucket `folder` is a mirror, and a file is fetched when its path is asked for, not before.
    """

    def __init__(self, folder: Path, mirror: Mirror | None = None) -> None:
        self.folder, self._mirror = folder, mirror

    def __repr__(self) -> str:
        return f"<recording {self.folder.name}>"

    @cached_property
    def recording(self) -> Recording:
        """What it is."""
        return read_recording(self.folder / "recording.json")

    @cached_property
    def clock(self) -> Clock:
        """Which source frame each of its frames is."""
        return read_table(self._fetched(self.folder / "clock.parquet"))

    @cached_property
    def source(self) -> Path:
        """The film itself.

        Raises:
            RecordingFailed: it is no longer where it was ("missing"), or another film lies there ("changed").
        """
        path, receipt = local_path(self.recording.source), self.receipts.get("recording")
        about, seen = path.stat(), (receipt.params if receipt else None) or {}
        unseen = (about.st_size, about.st_mtime_ns) != (seen.get("bytes"), seen.get("mtime_ns"))
        if unseen and sha256_of(path) != self.recording.sha256:
            raise RecordingFailed("changed", f"{path} is no longer the film that was taken in: prepare it anew")
        return path

    def frames(self, span: Span | None = None) -> np.ndarray:
        """Pictures (T, H, W, 3) uint8 RGB, upright, straight from the film.

        Raises:
            UsageError: the recording ends before `span` does.
        """
        from phonoscope.media.video import frames

        return frames(self.source, self.clock, self._within(span))

    def crops(
        self,
        track: int,
        policy: str = "asd",
        span: Span | None = None,
        *,
        grey: bool = False,
        expand: float | None = None,
        size: int | None = None,
    ) -> np.ndarray:
        """One face cut out by a named policy, (T, h, w, 3) uint8 RGB, or (T, h, w) if `grey`.

        "aligned" goes by landmarks; frames without any are cut where the face was before and after.

        Args:
            span: frames of the recording; those where the track is. By default the whole track.
            expand: how much wider than the face, if not as the policy has it.
            size: px, side of the crop, if not the policy's.

        Raises:
            UsageError: there are no fresh tracks, or landmarks where they are needed, or the track is not in all of
                `span`.
        """
        from phonoscope.media.video import decode

        points = self.load("landmarks")[track] if policy == "aligned" else None
        crop, _ = any_crop(self.load("tracks")[track], policy, expand, size, points)
        span = _within(span, crop.span, f"track {track} of '{self.folder.name}'")
        border = POLICIES[policy].border
        cut = []
        for picture in decode(self.source, self.clock, [span]):
            matrix = crop.matrix[picture.frame - crop.start]
            sample = picture.crop_grey if grey else picture.crop_rgb
            cut.append(sample(matrix, crop.size, border))
        return np.stack(cut)

    def audio(self, span: Span | None = None) -> np.ndarray:
        """Sound (N,) float32 under `span`, or all of it.

        Raises:
            UsageError: the film has no sound, or the recording ends before `span` does.
        """
        import soundfile

        path = self.made("audio")
        under = self._within(span).samples(self.recording.fps, self.recording.sample_rate)
        return soundfile.read(path, start=under.start, stop=under.stop, dtype="float32")[0]

    @cached_property
    def listed(self) -> Listed | None:
        """How the corpus lists it that it was taken in from; None if from none."""
        path = self.folder / LISTED
        return msgspec.json.decode(path.read_bytes(), type=Listed) if path.exists() else None

    def list_as(self, listed: Listed) -> None:
        """Write down how a corpus lists it."""
        with whole_file(self.folder / LISTED) as part:
            part.write_bytes(as_json(listed))
        self.__dict__.pop("listed", None)

    @property
    def receipts(self) -> dict[str, Receipt]:
        """What there is, and how it was made."""
        return read_receipts(self.folder)

    @property
    def stale(self) -> dict[str, str]:
        """Artifacts that were made from what is no longer there, each with the input that has changed or gone."""
        return stale_in(self.receipts)

    @property
    def places(self) -> Mapping[str, Path]:
        """Where the artifacts lie that are whole, fresh or stale."""
        return self._places(self.receipts)

    @property
    def fresh(self) -> Mapping[str, Path]:
        """Where the artifacts lie that are whole and were made from what is there now."""
        receipts = self.receipts
        old = stale_in(receipts)
        return self._places({name: receipt for name, receipt in receipts.items() if name not in old})

    @property
    def standing(self) -> tuple[list[str], list[str]]:
        """The names of its artifacts that are whole and fresh, and of those that are stale, from one look."""
        receipts = self.receipts
        old = stale_in(receipts)
        return sorted(self._places(receipts).keys() - old.keys()), sorted(old)

    def load(self, name: str) -> Any:
        """An artifact, as the type that its step returns; a folder of films or pictures as its path.

        Raises:
            UsageError: it has not been made, is damaged or lost in part, or was made from what is no longer there.
        """
        if name == "recording":
            return self.recording
        path = self.made(name)
        try:
            return read_folder(path) if path.is_dir() else READERS[path.suffix](path)
        except (ValueError, EOFError, RuntimeError, OSError) as error:  # Arrow's, NumPy's and libsndfile's for damage
            if isinstance(error, OSError) and error.errno:
                raise
            again = f"delete it, and `phonoscope run {name} {opened(self.folder.parents[1])[1]}` makes it anew"
            raise UsageError(f"{path} is damaged ({' '.join(str(error).split())}): {again}") from error

    def made(self, name: str) -> Path:
        """Where an artifact lies that is whole and fresh.

        Raises:
            UsageError: as `load`.
        """
        if name == "audio" and not self.recording.num_samples:
            raise UsageError(f"recording '{self.folder.name}' has no sound")
        path = self.path(name)
        if path is None:
            raise UsageError(f"recording '{self.folder.name}' has no '{name}'; it has {', '.join(self.fresh)}")
        if changed := self.stale.get(name):
            again = f"`phonoscope run {name} {opened(self.folder.parents[1])[1]}` makes it anew"
            if self.receipts[name].step == BY_CORPUS:
                again = "give its labels again"
            raise UsageError(f"'{self.folder.name}': '{name}' was made from other {changed}: {again}")
        return path

    def path(self, name: str) -> Path | None:
        """Where an artifact lies, fresh or stale; None if it has not been made, or if a part of it is lost."""
        receipt = self.receipts.get(name)
        place = self._place(name, receipt, self.has) if receipt else None
        return self._fetched(place) if place else None

    def has(self, file: str) -> bool:
        """Whether it has a file or folder of this name, here or in its bucket; nothing is fetched."""
        return self._mirror.has(file) if self._mirror else (self.folder / file).exists()

    def file(self, name: str) -> Path:
        """Where a file lies that is no artifact, as what a corpus tells of the recording; there may be none."""
        return self._mirror.fetch(name) if self._mirror else self.folder / name

    def below(self, folder: str) -> "StoredRecording":
        """What lies in a folder of its own within the recording, as parts of an artifact do; fetched, all of it."""
        return StoredRecording(self._mirror.fetch(folder) if self._mirror else self.folder / folder)

    def remove(self, folder: str) -> None:
        """Take away a folder within the recording, which must be held."""
        if self._mirror and self._mirror.has(folder):
            self._mirror.forget(folder)
        shutil.rmtree(self.folder / folder, ignore_errors=True)

    def save(self, name: str, value: Any, receipt: Receipt) -> None:
        """Keep an artifact, then its receipt."""
        if write := FOLDER_CODECS.get(type(value)):
            with self.part_folder(name) as part:
                write(part, value)
                self.save(name, part, receipt)
            return
        self.forget(name)
        if isinstance(value, Path):
            receipt = replace(receipt, files=tuple(sorted(file.name for file in value.iterdir())))
            _swap_folder(value, self.folder / FOLDERS.get(name, name))
        else:
            codec = CODECS[type(value)]
            path = self.folder / f"{name}{codec.suffix}"
            if isinstance(value, Series):
                with whole_file(path.with_suffix(".json")) as part:
                    part.write_bytes(series_clock(value))
            with whole_file(path) as part:
                codec.write(part, value)
        write_receipts(self.folder, {**self.receipts, name: receipt})

    def forget(self, name: str) -> None:
        """Take the receipt of an artifact away, before it is made anew."""
        receipts = self.receipts
        if receipts.pop(name, None):
            write_receipts(self.folder, receipts)

    def _places(self, receipts: Mapping[str, Receipt]) -> Mapping[str, Path]:
        has = self._mirror.has if self._mirror else _lister(self.folder)
        found = {name: self._place(name, receipt, has) for name, receipt in receipts.items()}
        places = {name: place for name, place in found.items() if place}
        return Fetched(places, self._fetched) if self._mirror else places

    def _fetched(self, place: Path) -> Path:
        """The same place, at which there is now what the recording has there."""
        if self._mirror and place.suffix == ".npy":
            self._mirror.fetch(place.with_suffix(".json").name)
        return self._mirror.fetch(place.name) if self._mirror else place

    def _place(self, name: str, receipt: Receipt, has: Callable[[str], bool]) -> Path | None:
        """Where an artifact lies if all of it is there."""
        if name == "recording":
            return self.folder / "recording.json"
        files = [] if name in FOLDERS else [f"{name}{suffix}" for suffix in READERS]
        folders = [] if name in FOLDERS.values() else [FOLDERS.get(name, name)]  # `crops/` is no lost `crops.parquet`
        place = next((it for it in files + folders if has(it)), None)
        if place is None or (place.endswith(".npy") and not has(f"{place[:-4]}.json")):
            return None
        return self.folder / place if all(has(f"{place}/{file}") for file in receipt.files) else None

    def _within(self, span: Span | None) -> Span:
        """`span`, or all of the recording."""
        return _within(span, self.recording.span, f"recording '{self.folder.name}'")

    @contextmanager
    def part_folder(self, name: str) -> Iterator[Path]:
        """An empty folder for files in the making; `save` gives it its name."""
        part = self.folder / f".{FOLDERS.get(name, name)}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _within(span: Span | None, whole: Span, what: str) -> Span:
    """`span`, or the whole.

    Raises:
        UsageError: `span` goes beyond the whole.
    """
    if span is None or span & whole == span:
        return span or whole
    raise UsageError(f"{what} has frames {whole.start} to {whole.stop - 1}, asked for [{span.start}, {span.stop})")


def _lister(folder: Path) -> Callable[[str], bool]:
    """Whether there is a file in a folder, or in one within it, of which each is looked into once."""
    names: dict[str, set[str]] = {}

    def has(file: str) -> bool:
        place, _, name = file.rpartition("/")
        if place not in names:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder / place) as there:
                names[place] = {entry.name for entry in there}
        return name in names.setdefault(place, set())

    return has


def _swap_folder(part: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    for file in part.iterdir():
        sync(file)
    sync(part)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
