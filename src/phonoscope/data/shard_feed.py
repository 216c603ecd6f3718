"""Batches of clips out of tar shards: in an order that a seed gives, similar lengths together, each when asked for.

The order is worked out from `clips.csv` alone, without reading a shard: so any batch can be had at any time, and going
on from one is exact. While it is walked through, shards are read nearly one after the other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from phonoscope.core.checks import within
from phonoscope.data.shard_reading import Place

T = TypeVar("T")


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
    for place in drawn(places, lambda it: it.shard, p.buffer, rng):
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


def drawn(places: Sequence[T], shard_of: Callable[[T], str], buffer: int, rng: np.random.Generator) -> Iterator[T]:
    """All of them, shards in random order, each drawn from among the next `buffer`: what is read is read in runs."""
    shards: dict[str, list[T]] = defaultdict(list)
    for place in places:
        shards[shard_of(place)].append(place)
    names = [*shards]
    coming = (place for number in rng.permutation(len(names)) for place in shards[names[number]])
    held: list[T] = []
    for place in coming:
        held.append(place)
        if len(held) == buffer:
            yield _taken(held, rng)
    while held:
        yield _taken(held, rng)


def _taken(held: list[T], rng: np.random.Generator) -> T:
    """One of them, which is then no longer there; the last takes its place."""
    at = int(rng.integers(len(held)))
    held[at], held[-1] = held[-1], held[at]
    return held.pop()


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
