"""Clips read out of tar shards: where each lies, and those of its files that are asked for."""

import csv
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.data.pack.about import About
from phonoscope.data.pack.members import ABOUT, FILM, SOUND
from phonoscope.data.pack.shard_folder import LIST

TARS = 64  # shards whose tables of contents are remembered
TOLD = 4096  # clips of which it is remembered what is told of them


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies, and what `clips.csv` says of it."""

    shard: str  # path below the folder
    clip: str
    seconds: float
    split: str = ""
    recording: str = ""  # id
    track: int = 0
    start: int = 0  # frame of the recording that is its first
    frames: int = 0
    speaker: str = ""
    files: tuple[str, ...] = ()  # endings of what there is of it; none: it was packed before they were listed


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A clip with those of its files that were asked for."""

    about: About
    arrays: Mapping[str, np.ndarray]  # ending -> wav: (N,) float32; mp4: (T, h, w, 3) uint8 RGB; .npy: as it is


def holds_shards(folder: Path | str) -> bool:
    """Whether a folder is one that clips were packed into as shards."""
    path = Path(folder) / LIST
    if not path.is_file():
        return False
    with path.open(newline="", encoding="utf-8") as file:
        return "shard" in (csv.DictReader(file).fieldnames or ())


def places_in(folder: Path | str, split: str | None = None) -> tuple[Place, ...]:
    """The clips of a set, or of all sets, in the order of the shards.

    Raises:
        UsageError: it is no folder of tar shards, or has none of the set.
    """
    path = Path(folder) / LIST
    if not path.is_file():
        raise UsageError(
            f"'{folder}' holds no shards: `phonoscope pack STORE --as webdataset --to {folder}` writes some"
        )
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("shard", "").endswith(".tar")]
    found = tuple(_place(row) for row in rows if split in (None, row["split"]))
    if not found:
        has = ", ".join(sorted({row["split"] for row in rows})) or "no tar shards"
        raise UsageError(f"'{folder}' has no clips of the set '{split or 'any'}'; it has {has}")
    return found


def _place(row: Mapping[str, str]) -> Place:
    track, start, frames = (int(row.get(name) or 0) for name in ("track", "start", "frames"))
    return Place(
        row["shard"], row["clip"], float(row["seconds"]), row["split"], row.get("recording") or "", track, start,
        frames, row.get("speaker") or "", tuple((row.get("files") or "").split()),
    )  # fmt: skip


def read_sample(folder: Path, place: Place, want: Sequence[str]) -> Sample:
    """A clip out of its shard; of its files only those that are wanted are read, and those it does not have left out.

    Args:
        want: endings: "wav", "mp4", "mfcc.npy" …

    Raises:
        UsageError: the shard does not hold the clip: it is of an earlier time than `clips.csv`.
    """
    there = _files(folder, place)
    mine = [ending for ending in want if f"{place.clip}.{ending}" in there]
    return Sample(read_about(folder, place), {it: array_of(it, _content(folder, place, it)) for it in mine})


@lru_cache(maxsize=TOLD)
def read_about(folder: Path, place: Place) -> About:
    """What is told of a clip.

    Raises:
        UsageError: as `read_sample`.
    """
    return msgspec.json.decode(_content(folder, place, ABOUT), type=About)


def mapped(folder: Path, place: Place, ending: str) -> np.ndarray:
    """An array of a clip straight out of its shard: what is not looked at is not read.

    Raises:
        UsageError: as `read_sample`, or the clip has no such file.
    """
    path, (first, _) = folder / place.shard, _place_of(folder, place, ending)
    with path.open("rb") as file:
        file.seek(first)
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


def array_of(ending: str, content: bytes) -> np.ndarray:
    """What a file of a clip holds: samples (N,) float32, pictures (T, h, w, 3) uint8 RGB, or the array that it is."""
    if ending == SOUND:
        import soundfile

        return soundfile.read(io.BytesIO(content), dtype="float32")[0]
    if ending == FILM:
        import av

        with av.open(io.BytesIO(content), "r") as film:
            film.streams.video[0].codec_context.thread_count = 1
            return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])
    return np.load(io.BytesIO(content), allow_pickle=False)


def _content(folder: Path, place: Place, ending: str) -> bytes:
    start, size = _place_of(folder, place, ending)
    with (folder / place.shard).open("rb") as file:
        file.seek(start)
        return file.read(size)


def _place_of(folder: Path, place: Place, ending: str) -> tuple[int, int]:
    """Where in its shard a file of a clip begins, and how many bytes it has."""
    there = _files(folder, place)
    if f"{place.clip}.{ending}" not in there:
        raise UsageError(f"'{folder / place.shard}' has no '{place.clip}.{ending}': pack the folder again")
    return there[f"{place.clip}.{ending}"]


def _files(folder: Path, place: Place) -> Mapping[str, tuple[int, int]]:
    """What a clip's shard holds, if it holds the clip."""
    path = folder / place.shard
    stat = path.stat()
    there = _contents(path, stat.st_mtime_ns, stat.st_size)
    if f"{place.clip}.{ABOUT}" not in there:
        raise UsageError(f"'{path}' does not hold '{place.clip}': pack the folder again")
    return there


@lru_cache(maxsize=TARS)
def _contents(path: Path, _changed: int, _bytes: int) -> dict[str, tuple[int, int]]:
    """Where each file of a tar lies: its first byte and how many there are."""
    with tarfile.open(path, "r:") as tar:
        return {it.name: (it.offset_data, it.size) for it in tar}
