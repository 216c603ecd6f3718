"""Batches of clips out of tar shards: in an order that a seed gives, similar lengths together, each when asked for.

The order is worked out from `clips.csv` alone, without reading a shard: so any batch can be had at any time, and going
on from one is exact. While it is walked through, shards are read nearly one after the other.
"""

import csv
import io
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.data.pack.about import About
from phonoscope.data.pack.members import ABOUT, FILM, SOUND
from phonoscope.data.pack.shard_folder import LIST

TARS = 64  # shards whose tables of contents are remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedParams:
    """How clips become batches."""

    batch: int = 8  # clips at most
    batch_s: float = 0.0  # s of the longest clip times their number, at most; 0: any
    buffer: int = 1000  # clips among which the next one is drawn; 1: in the order of the shards
    buckets: int = 8  # classes of length, clips of one class make a batch; 1: any with any
    seed: int = 0
    rank: int = 0  # which of several that share the batches of an epoch
    ranks: int = 1  # how many share them

    def __post_init__(self) -> None:
        for name in ("batch", "buffer", "buckets", "ranks"):
            within(name, getattr(self, name), 1)
        within("batch_s", self.batch_s, 0)
        within("rank", self.rank, 0, self.ranks - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a clip lies."""

    shard: str  # path below the folder
    clip: str
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A clip with those of its files that were asked for."""

    about: About
    arrays: Mapping[str, np.ndarray]  # ending -> wav: (N,) float32; mp4: (T, h, w, 3) uint8 RGB; .npy: as it is


def places_in(folder: Path | str, split: str) -> tuple[Place, ...]:
    """The clips of a set, in the order of the shards.

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
    found = tuple(Place(it["shard"], it["clip"], float(it["seconds"])) for it in rows if it["split"] == split)
    if not found:
        has = ", ".join(sorted({row["split"] for row in rows})) or "no tar shards"
        raise UsageError(f"'{folder}' has no clips of the set '{split}'; it has {has}")
    return found


def batches_of(places: Sequence[Place], p: FeedParams, epoch: int) -> list[list[Place]]:
    """The batches of an epoch, every clip in one: the same for the same arguments.

    Shards are shuffled; through a buffer the next clip is drawn at random; it waits in the bucket of its length until a
    batch is full. What waits at the end makes batches that are not full. Of several ranks each has as many; up to
    `ranks - 1` batches, the last, are therefore left out.
    """
    rng = np.random.default_rng([p.seed, epoch])
    edges = np.quantile([it.seconds for it in places], np.arange(1, p.buckets) / p.buckets)
    waiting: dict[int, list[Place]] = defaultdict(list)
    made: list[list[Place]] = []
    for place in _drawn(places, p.buffer, rng):
        mine = waiting[int(np.searchsorted(edges, place.seconds, side="right"))]
        longest = max(place.seconds, *(it.seconds for it in mine), 0.0)
        if mine and p.batch_s and longest * (len(mine) + 1) > p.batch_s:
            made.append([*mine])
            mine.clear()
        mine.append(place)
        if len(mine) == p.batch:
            made.append([*mine])
            mine.clear()
    made += [mine for _, mine in sorted(waiting.items()) if mine]
    return made[p.rank : len(made) - len(made) % p.ranks : p.ranks]


def _drawn(places: Sequence[Place], buffer: int, rng: np.random.Generator) -> Iterator[Place]:
    """All clips, shards in random order, each drawn from among the next `buffer`."""
    shards: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        shards[place.shard].append(place)
    names = [*shards]
    coming = (place for number in rng.permutation(len(names)) for place in shards[names[number]])
    held: list[Place] = []
    for place in coming:
        held.append(place)
        if len(held) == buffer:
            yield _taken(held, rng)
    while held:
        yield _taken(held, rng)


def _taken(held: list[Place], rng: np.random.Generator) -> Place:
    """One of them, which is then no longer there; the last takes its place."""
    at = int(rng.integers(len(held)))
    held[at], held[-1] = held[-1], held[at]
    return held.pop()


def read_sample(folder: Path, place: Place, want: Sequence[str]) -> Sample:
    """A clip out of its shard; of its files only those that are wanted are read, and those it does not have left out.

    Args:
        want: endings: "wav", "mp4", "mfcc.npy" …

    Raises:
        UsageError: the shard does not hold the clip: it is of an earlier time than `clips.csv`.
    """
    path = folder / place.shard
    stat = path.stat()
    there = _contents(path, stat.st_mtime_ns, stat.st_size)
    if f"{place.clip}.{ABOUT}" not in there:
        raise UsageError(f"'{path}' does not hold '{place.clip}': pack the folder again")
    with path.open("rb") as file:

        def content(ending: str) -> bytes:
            start, size = there[f"{place.clip}.{ending}"]
            file.seek(start)
            return file.read(size)

        about = msgspec.json.decode(content(ABOUT), type=About)
        mine = [ending for ending in want if f"{place.clip}.{ending}" in there]
        return Sample(about, {ending: array_of(ending, content(ending)) for ending in mine})


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


@lru_cache(maxsize=TARS)
def _contents(path: Path, _changed: int, _bytes: int) -> dict[str, tuple[int, int]]:
    """Where each file of a tar lies: its first byte and how many there are."""
    with tarfile.open(path, "r:") as tar:
        return {it.name: (it.offset_data, it.size) for it in tar}


def padded(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Arrays (T, …) as one, (B, longest T, …), filled up with zeros, and their lengths, (B,) int64.

    Raises:
        ValueError: they differ in more than their length.
    """
    if len({(it.shape[1:], it.dtype) for it in arrays}) > 1:
        shapes = ", ".join(sorted({str(it.shape[1:]) for it in arrays}))
        raise ValueError(
            f"clips of one batch differ in shape ({shapes}): pack films of one size, --webdataset.size 224"
        )
    lengths = np.array([len(it) for it in arrays], np.int64)
    whole = np.zeros((len(arrays), int(lengths.max()), *arrays[0].shape[1:]), arrays[0].dtype)
    for row, it in zip(whole, arrays, strict=True):
        row[: len(it)] = it
    return whole, lengths
