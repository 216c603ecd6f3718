"""One recording of a store: a folder, a file an artifact, and the film that it was made of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope.core.errors import PhonoscopeError, UsageError
from phonoscope.core.geometry import POLICIES, crop_track
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.codecs import CODECS, READERS, read_audio, read_recording, series_clock
from phonoscope.store.receipts import Receipt, read_receipts, sync, whole_file, write_receipts
from phonoscope.store.tables import read_table
from phonoscope.store.uri import local_path

FOLDERS = {"crop_video": "crops"}  # artifacts that are folders of files, where the folder has another name


class StoredRecording:
    """One recording of a store: its pictures, its sound, and everything that steps have made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<recording {self.folder.name}>"

    @cached_property
    def recording(self) -> Recording:
        """What it is."""
        return read_recording(self.folder / "recording.json")

    @cached_property
    def clock(self) -> Clock:
        """Which source frame each of its frames is."""
        return read_table(self.folder / "clock.parquet")

    @property
    def source(self) -> Path:
        """The film itself.

        Raises:
            RecordingFailed: it is no longer where it was.
        """
        return local_path(self.recording.source)

    def frames(self, span: Span | None = None) -> np.ndarray:
        """Pictures (T, H, W, 3) uint8 RGB, upright, straight from the film."""
        from phonoscope.media.video import frames

        return frames(self.source, self.clock, span or self.recording.span)

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

        Args:
            span: frames of the recording; those where the track is. By default the whole track.
            expand: how much wider than the face, if not as the policy has it.
            size: px, side of the crop, if not the policy's.
        """
        from phonoscope.media.video import decode

        crop = crop_track(self.load("tracks")[track], policy, expand, size)
        span = span or crop.span
        if (span & crop.span) != span:
            raise UsageError(f"track {track} covers {crop.span}, asked for {span}")
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
            PhonoscopeError: the film has no sound.
        """
        import soundfile

        if not self.recording.num_samples:
            raise PhonoscopeError(f"{self.recording.id} has no sound")
        span = span or self.recording.span
        under = span.samples(self.recording.fps, self.recording.sample_rate)
        return soundfile.read(self.folder / "audio.flac", start=under.start, stop=under.stop, dtype="float32")[0]

    @property
    def receipts(self) -> dict[str, Receipt]:
        """What there is, and how it was made."""
        return read_receipts(self.folder)

    def load(self, name: str) -> Any:
        """An artifact, as the type that its step returns; a folder of files as its path.

        Raises:
            UsageError: it has not been made.
        """
        if name == "recording":
            return self.recording
        if name == "audio":
            return read_audio(self.folder / "audio.flac")
        path = self.path(name)
        if path is None:
            made = ", ".join(self.receipts)
            raise UsageError(f"recording '{self.folder.name}' has no '{name}'; it has {made}")
        return path if path.is_dir() else READERS[path.suffix](path)

    def path(self, name: str) -> Path | None:
        """Where an artifact lies, or None if it has not been made."""
        if name not in self.receipts:
            return None
        if name == "recording":
            return self.folder / "recording.json"
        places = [self.folder / f"{name}{suffix}" for suffix in READERS] if name not in FOLDERS else []
        places.append(self.folder / FOLDERS.get(name, name))
        return next((place for place in places if place.exists()), None)

    def save(self, name: str, value: Any, receipt: Receipt) -> None:
        """Keep an artifact, then its receipt."""
        self.forget(name)
        if isinstance(value, Path):
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
