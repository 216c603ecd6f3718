"""Artifacts as files that other programs can read, one codec a type; a file says itself what it holds."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from phonoscope.core.faces import Faces, Shots, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import Crops
from phonoscope.core.media import Clock, Recording
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.tables import read_table, write_clock, write_crops, write_faces, write_track_table, write_tracks


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type of artifact lies on disk."""

    suffix: str
    write: Callable[[Path, Any], None]
    read: Callable[[Path], Any]


def write_recording(path: Path, recording: Recording) -> None:
    """`recording.json`; fractions as text."""
    text = msgspec.json.encode(recording, enc_hook=str)
    path.write_bytes(msgspec.json.format(text, indent=1) + b"\n")


def read_recording(path: Path) -> Recording:
    """A recording as `write_recording` left it."""
    return msgspec.json.decode(path.read_bytes(), type=Recording, dec_hook=lambda kind, text: kind(text))


def write_shots(path: Path, shots: Shots) -> None:
    """`shots.csv`: start_frame, stop_frame, start_s, stop_s."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["start_frame", "stop_frame", "start_s", "stop_s"])
        for span in shots.spans:
            times = (f"{float(frame / shots.fps):.6f}" for frame in (span.start, span.stop))
            rows.writerow([span.start, span.stop, *times])


def read_shots(path: Path) -> Shots:
    """Shots as `write_shots` left them; the rate is that of the recording beside them."""
    with path.open(newline="", encoding="utf-8") as file:
        spans = tuple(Span(int(row["start_frame"]), int(row["stop_frame"])) for row in csv.DictReader(file))
    return Shots(spans, read_recording(path.with_name("recording.json")).fps)


def write_series(path: Path, series: Series) -> None:
    """`<name>.npy` with the values; `<name>.json` beside it with rate and start."""
    with path.open("wb") as file:
        np.save(file, series.values, allow_pickle=False)


def series_clock(series: Series) -> bytes:
    """What stands in the `.json` beside a series."""
    clock = {"rate": str(series.rate), "start": str(series.start), "shape": list(series.values.shape)}
    return msgspec.json.encode(clock) + b"\n"


def read_series(path: Path) -> Series:
    """A series as `write_series` left it; the values are mapped from disk, not read."""
    clock = msgspec.json.decode(path.with_suffix(".json").read_bytes())
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    return Series(values, Fraction(clock["rate"]), Fraction(clock["start"]))


def read_audio(path: Path) -> Series:
    """Sound as a series (N,) float32 in [-1, 1]; sample i stands for the instant i / rate seconds."""
    import soundfile

    values, rate = soundfile.read(path, dtype="float32")
    return Series(values, Fraction(rate), Fraction(0))


def write_track_arrays(folder: Path, value: TrackArrays) -> None:
    """`<track>.npy` a track, and `frames.parquet` with a row for every frame of every track, into an empty folder."""
    for track, rows in value.arrays.items():
        np.save(folder / f"{track}.npy", rows, allow_pickle=False)
    write_track_table(folder / FRAMES, value.frames)


def read_track_arrays(folder: Path) -> TrackArrays:
    """Arrays as `write_track_arrays` left them; they are mapped from disk, not read, and one by one if very many."""
    frames = read_table(folder / FRAMES)
    arrays = _Mapped(folder, tuple(np.unique(frames.track).tolist()))
    for id in arrays.ids:
        _ = arrays[id]  # what is damaged or lost is found out now
    return TrackArrays(arrays if len(arrays) > MAPPED else dict(arrays), frames)


@dataclass(frozen=True, slots=True)
class _Mapped(Mapping[int, np.ndarray]):
    """Arrays of a folder, each mapped from disk when it is asked for."""

    folder: Path
    ids: tuple[int, ...]

    def __getitem__(self, id: int) -> np.ndarray:
        if id not in self.ids:
            raise KeyError(id)
        return np.load(self.folder / f"{id}.npy", mmap_mode="r", allow_pickle=False)

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


def read_folder(folder: Path) -> Any:
    """A folder of files as the type that it holds, or its path where it holds films and pictures."""
    if (folder / FRAMES).exists():
        return read_track_arrays(folder)
    arrays = [*folder.glob("*.npy")]
    if len(arrays) == 1 and arrays[0].with_suffix(".json").exists():
        return read_series(arrays[0])
    return folder


MAPPED = 48  # arrays of one folder at a time: each holds a file open, and macOS lets a process open 256 in all
FRAMES = "frames.parquet"  # by its name a folder is known to hold arrays along tracks

FOLDER_CODECS: Mapping[type, Callable[[Path, Any], None]] = {TrackArrays: write_track_arrays}

CODECS: Mapping[type, Codec] = {
    Recording: Codec(".json", write_recording, read_recording),
    Clock: Codec(".parquet", write_clock, read_table),
    Shots: Codec(".csv", write_shots, read_shots),
    Faces: Codec(".parquet", write_faces, read_table),
    Tracks: Codec(".parquet", write_tracks, read_table),
    Crops: Codec(".parquet", write_crops, read_table),
    TrackTable: Codec(".parquet", write_track_table, read_table),
    Series: Codec(".npy", write_series, read_series),
}

READERS: Mapping[str, Callable[[Path], Any]] = {
    ".parquet": read_table,
    ".csv": read_shots,
    ".npy": read_series,
    ".flac": read_audio,
}
