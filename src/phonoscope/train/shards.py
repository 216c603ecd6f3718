"""Training from tar shards: batches as a sequence for our loop, and as a dataset for anybody's `DataLoader`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import overload

import msgspec
import torch
from torch import Tensor

from phonoscope.data.pack.about import About
from phonoscope.data.shard_feed import FeedParams, batches_of, padded
from phonoscope.data.shard_reading import Place, places_in, read_sample
from phonoscope.train.feed import Feed


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """B clips of similar length."""

    about: tuple[About, ...]
    tensors: Mapping[str, Tensor]  # ending -> (B, longest T, …), zeros behind the end of the shorter ones
    lengths: Mapping[str, Tensor]  # ending -> (B,) int64, T of each

    def to(self, place: torch.device) -> "ClipBatch":
        """The same on another device."""
        tensors, lengths = ({name: it.to(place) for name, it in many.items()} for many in (self.tensors, self.lengths))
        return ClipBatch(self.about, tensors, lengths)


class ShardBatches(Sequence[ClipBatch]):
    """The batches of one epoch, each read when it is asked for: what `Task.examples` gives."""

    def __init__(self, folder: Path | str, want: Sequence[str], batches: Sequence[Sequence[Place]]) -> None:
        self.folder, self.want, self.batches = Path(folder), tuple(want), batches

    def __len__(self) -> int:
        return len(self.batches)

    @overload
    def __getitem__(self, number: int) -> ClipBatch: ...
    @overload
    def __getitem__(self, number: slice) -> "ShardBatches": ...
    def __getitem__(self, number: int | slice) -> "ClipBatch | ShardBatches":
        if isinstance(number, slice):
            return ShardBatches(self.folder, self.want, self.batches[number])
        samples = [read_sample(self.folder, place, self.want) for place in self.batches[number]]
        tensors: dict[str, Tensor] = {}
        lengths: dict[str, Tensor] = {}
        for ending in self.want:
            if all(ending in it.arrays for it in samples):
                whole, count = padded([it.arrays[ending] for it in samples])
                tensors[ending], lengths[ending] = torch.from_numpy(whole), torch.from_numpy(count)
        return ClipBatch(tuple(it.about for it in samples), tensors, lengths)


class ShardFeed(Feed[ClipBatch]):
    """The batches of clips of one epoch after the other, see `Feed`.

    Raises:
        UsageError: the folder holds no tar shards of the set.
    """

    def __init__(
        self,
        folder: Path | str,
        split: str = "train",
        want: Sequence[str] = ("wav", "mp4"),
        p: FeedParams | None = None,
    ) -> None:
        """A feed at the first batch of epoch 0; `want` are endings of the files that are read of each clip."""
        self.folder, self.want, self.p = Path(folder), tuple(want), p or FeedParams()
        self.places = places_in(folder, split)
        recipe = msgspec.json.encode([self.places, asdict(self.p)])
        super().__init__(self._batches_of, hashlib.sha256(recipe).hexdigest()[:16])

    def _batches_of(self, epoch: int) -> ShardBatches:
        """The batches of an epoch, counted from 0."""
        return ShardBatches(self.folder, self.want, batches_of(self.places, self.p, epoch))
