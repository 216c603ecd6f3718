"""Shards: which clips go into which, by nothing but the sorted list of clips and how long they are."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from phonoscope.core.checks import within
from phonoscope.core.time import Span
from phonoscope.data.pack.about import About, check_sets
from phonoscope.data.pack.members import ClipsParams
from phonoscope.store.folder import Store

if TYPE_CHECKING:
    from phonoscope.data.pack.shard_folder import ShardFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardParams:
    """How clips are cut out, and how many go into a shard."""

    expand: float = 0.6  # how much wider than the face the square is, 0.6: by 60 %
    size: int = 0  # px, side of the films; 0: each as large as its square, in the film's own pixels
    film: bool = True  # films too; without them there are sound, words and arrays, and nothing is decoded
    shard_s: float = 1800.0  # s of clips that a shard holds at most, unless one clip is longer
    shard_clips: int = 10_000  # clips that a shard holds at most

    def __post_init__(self) -> None:
        _ = self.cut
        within("shard_s", self.shard_s, 1)
        within("shard_clips", self.shard_clips, 1)

    @property
    def cut(self) -> ClipsParams:
        """How clips are cut out."""
        return ClipsParams(expand=self.expand, size=self.size, film=self.film)


@dataclass(frozen=True, slots=True)
class ShardClip:
    """A clip that is to go into a shard."""

    split: str
    recording: str  # id
    name: str
    track: int
    span: Span
    seconds: Fraction
    key: str  # hash of what its files are made from


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """A shard that is to be."""

    name: str  # "train-000000"
    split: str
    clips: tuple[ShardClip, ...]
    key: str  # hash of what it is made from

    @property
    def seconds(self) -> Fraction:
        """How long its clips are together."""
        return sum((clip.seconds for clip in self.clips), Fraction(0))


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """A clip as files that have been written and are to go into a shard."""

    about: About
    files: dict[str, Path]  # by ending, sorted


@dataclass(frozen=True, slots=True)
class ShardKind:
    """A layout of shards."""

    name: str
    version: int
    place: str  # of a shard, such as "%s.tar"
    write: Callable[[Path, Iterable[ClipFiles]], None]  # writes a shard; clips come by name, each while it is looked at
    finish: "Callable[[ShardFolder], None]" = lambda folder: None  # makes of all shards together what there is of them
    params: type = ShardParams
    check: Callable[[Store, Sequence[str]], None] = check_sets  # that these recordings can be packed


def share_out(clips: Iterable[ShardClip], made_by: tuple[str, int], p: ShardParams) -> tuple[ShardPlan, ...]:
    """The clips in shards, by set, recording and name; one is full when the next clip would exceed what it may hold.

    Args:
        made_by: name of the layout and its version.
    """
    shards: list[ShardPlan] = []
    numbers: dict[str, int] = {}
    for split, mine in _fillings(sorted(clips, key=lambda it: (it.split, it.recording, it.name)), p):
        number = numbers[split] = numbers.get(split, -1) + 1
        recipe = [*made_by, [[clip.name, clip.key] for clip in mine]]
        key = hashlib.sha256(msgspec.json.encode(recipe)).hexdigest()[:16]
        shards.append(ShardPlan(f"{split}-{number:06d}", split, tuple(mine), key))
    return tuple(shards)


def _fillings(clips: Sequence[ShardClip], p: ShardParams) -> Iterator[tuple[str, list[ShardClip]]]:
    """What goes into each shard, with its set, of sorted clips."""
    mine: list[ShardClip] = []
    seconds = Fraction(0)
    for clip in clips:
        full = len(mine) >= p.shard_clips or seconds + clip.seconds > p.shard_s
        if mine and (full or clip.split != mine[0].split):
            yield mine[0].split, mine
            mine, seconds = [], Fraction(0)
        mine.append(clip)
        seconds += clip.seconds
    if mine:
        yield mine[0].split, mine
