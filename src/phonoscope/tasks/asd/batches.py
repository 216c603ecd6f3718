"""Batches: examples of like length, loaded together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope.data.shard_feed import drawn
from phonoscope.tasks.asd.examples import Arrays, Example, Examples
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams

WITHIN = 1000  # examples of shards that are in reach of each other: of more, shards are read nearly one after the other


def bucketed(lengths: Sequence[int], budget: int, rng: np.random.Generator | None = None) -> list[list[int]]:
    """Places of examples in batches: the longest first, as many as fit into `budget` frames if all were that long.

    Args:
        lengths: frames of each example.
        rng: by lot among examples of equal length, and then among batches; None: in the order that they stand in.

    Source: TalkNet's loader, which has examples of equal length in an order of its own, and lets its batches be drawn.
    """
    tie = rng.permutation(len(lengths)) if rng else np.arange(len(lengths))
    order = sorted(range(len(lengths)), key=lambda at: (-lengths[at], tie[at]))
    batches, start = [], 0
    while start < len(order):
        size = max(1, budget // max(lengths[order[start]], 1))
        batches.append(order[start : start + size])
        start += size
    return [batches[at] for at in rng.permutation(len(batches))] if rng else batches


def in_reach(
    lengths: Sequence[int],
    shards: Sequence[str],
    budget: int,
    rng: np.random.Generator | None = None,
    reach: int = WITHIN,
) -> list[list[int]]:
    """The same of examples that lie in shards: as `bucketed` of all if they are few, else of each `reach` of them.

    Args:
        shards: which shard each lies in.
    """
    if len(lengths) <= reach:
        return bucketed(lengths, budget, rng)
    every = range(len(lengths))
    order = [*drawn(every, lambda at: shards[at], reach, rng)] if rng else sorted(every, key=lambda at: shards[at])
    batches: list[list[int]] = []
    for first in range(0, len(order), reach):
        near = order[first : first + reach]
        batches += [[near[at] for at in each] for each in bucketed([lengths[at] for at in near], budget, rng)]
    return batches


def joined(loaded: Sequence[Arrays], how: str) -> Arrays:
    """Examples as one, every array with an axis for the example in front: (B, T, …).

    "mask": all as long as the longest; the others end with their last face and sound going on, of weight 0.
    "upstream": all cut to the shortest.
    """
    lengths = [len(it.labels) for it in loaded]
    length = min(lengths) if how == "upstream" else max(lengths)
    return Arrays(
        np.stack([_to(it.faces, length * len(it.faces) // len(it.labels)) for it in loaded]),
        np.stack([_to(it.mfcc, length * len(it.mfcc) // len(it.labels)) for it in loaded]),
        np.stack([_to(it.labels, length) for it in loaded]),
        np.stack([_to(it.weight, length, silent=True) for it in loaded]),
        np.stack([it.whole for it in loaded]),
    )


def _to(values: np.ndarray, count: int, silent: bool = False) -> np.ndarray:
    """Exactly `count` rows: cut, or the last one repeated, or zero if `silent`."""
    if len(values) >= count:
        return values[:count]
    more = np.zeros_like(values[-1:]) if silent else values[-1:]
    return np.concatenate([values, np.repeat(more, count - len(values), 0)])


@dataclass(frozen=True, slots=True)
class Batches(Sequence[Any]):
    """The batches of a split in an epoch; each is loaded, and varied, when it is asked for.

    The same number gives the same batch: what is left to chance is drawn from the seed, the epoch and that number.
    """

    material: Examples
    examples: Sequence[Example]
    groups: Sequence[Sequence[int]]
    how: str
    seed: tuple[int, int]
    augment: AugmentParams | None  # None: examples as they are
    made: Callable[[Arrays], Any]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, at: Any) -> Any:
        rng = np.random.default_rng([*self.seed, at])
        chosen = [self.examples[each] for each in self.groups[at]]
        if self.augment is None:
            return self.made(joined([self.material.load(it) for it in chosen], self.how))
        loaded = [self.material.vary(it, self.examples, rng, self.augment) for it in chosen]
        return self.made(joined(loaded, self.how))


def batches_of(
    material: Examples,
    split: str,
    epoch: int,
    p: ExamplesParams,
    augment: AugmentParams | None,
    seed: int,
    made: Callable[[Arrays], Any],
) -> Batches:
    """The batches of a split; with `augment` in an order, and varied, by lot of the seed and the epoch."""
    examples = material.examples.get(split, ())
    rng = np.random.default_rng([seed, epoch]) if augment else None
    lengths, shards = [it.num_frames for it in examples], [material.shards.get(it.video.id, "") for it in examples]
    groups = in_reach(lengths, shards, p.batch_frames, rng) if any(shards) else bucketed(lengths, p.batch_frames, rng)
    return Batches(material, examples, groups, p.bucket if augment else "mask", (seed, epoch), augment, made)
