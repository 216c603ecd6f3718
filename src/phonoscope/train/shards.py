"""Training from tar shards: batches as a sequence for our loop, and as a dataset for anybody's `DataLoader`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, overload

import msgspec
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from phonoscope.core.errors import UsageError
from phonoscope.data.pack.about import About
from phonoscope.data.shard_feed import FeedParams, Place, batches_of, padded, places_in, read_sample


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


class ShardFeed(IterableDataset[ClipBatch]):
    """The batches of one epoch after the other; each `for` is an epoch, or the rest of one that was left early.

    `state_dict()` says where it is, `load_state_dict()` goes on exactly there. Give it to a `DataLoader` with
    `batch_size=None`. Several workers share the batches, and what comes out is in order; but each counts in a copy of
    its own: set `epoch`, and `batch` when you go on, before each epoch.

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
        self.epoch, self.batch = 0, 0  # the next one
        recipe = msgspec.json.encode([self.places, asdict(self.p)])
        self._of = hashlib.sha256(recipe).hexdigest()[:16]

    def epoch_of(self, number: int) -> ShardBatches:
        """The batches of an epoch, counted from 0."""
        return ShardBatches(self.folder, self.want, batches_of(self.places, self.p, number))

    def __iter__(self) -> Iterator[ClipBatch]:
        batches, worker = self.epoch_of(self.epoch), get_worker_info()
        first, step = (self.batch + worker.id, worker.num_workers) if worker else (self.batch, 1)
        for number in range(first, len(batches), step):
            read = batches[number]
            self.batch = number + 1
            yield read
        self.epoch, self.batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Which epoch it is in, how many of its batches have been given out, and of what: plain values."""
        return {"epoch": self.epoch, "batch": self.batch, "of": self._of}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a feed was whose state this is.

        Raises:
            UsageError: it was another feed: of other clips, or with other settings.
        """
        if state["of"] != self._of:
            raise UsageError("this state is of other shards or other settings: batches would not be the same")
        self.epoch, self.batch = state["epoch"], state["batch"]
