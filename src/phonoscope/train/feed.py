"""Batches loaded ahead, in their order: by threads, or by processes that PyTorch's `DataLoader` starts."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from phonoscope.core.errors import UsageError

T = TypeVar("T")


class Feed(IterableDataset[T]):
    """The batches of one epoch after the other; each `for` is an epoch, or the rest of one that was left early.

    `state_dict()` says where it is, `load_state_dict()` goes on exactly there. Give it to a `DataLoader` with
    `batch_size=None`. Several workers share the batches, and what comes out is in order; but each counts in a copy of
    its own: set `epoch`, and `batch` when you go on, before each epoch.
    """

    def __init__(self, epoch_of: Callable[[int], Sequence[T]], of: str, epoch: int = 0, batch: int = 0) -> None:
        """A feed at a batch of an epoch.

        Args:
            epoch_of: gives the batches of an epoch, such as `task.examples`; the same number gives the same.
            of: what the batches are made of; a state of others is refused.
        """
        self.epoch_of, self.of = epoch_of, of
        self.epoch, self.batch = epoch, batch  # the next one

    def __iter__(self) -> Iterator[T]:
        batches, worker = self.epoch_of(self.epoch), get_worker_info()
        first, step = (self.batch + worker.id, worker.num_workers) if worker else (self.batch, 1)
        for number in range(first, len(batches), step):
            read = batches[number]
            self.batch = number + 1
            yield read
        self.epoch, self.batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Which epoch it is in, how many of its batches have been given out, and of what: plain values."""
        return {"epoch": self.epoch, "batch": self.batch, "of": self.of}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a feed was whose state this is.

        Raises:
            UsageError: it was another feed: of other clips, or with other settings.
        """
        if state["of"] != self.of:
            raise UsageError("this state is of other shards or other settings: batches would not be the same")
        self.epoch, self.batch = state["epoch"], state["batch"]


def ahead(batches: Sequence[Any], first: int, workers: int, processes: int = 0) -> Iterator[Any]:
    """The batches from number `first` on; while one is used, the next ones are being loaded.

    Args:
        workers: threads that load, if there are no processes.
        processes: that load, started anew each time.

    Raises:
        UsageError: the batches cannot be handed to processes.
    """
    if not processes:
        yield from _by_threads(batches, first, workers)
        return
    try:
        pickle.dumps(batches)  # which is how they get there
    except (TypeError, AttributeError, pickle.PicklingError):
        raise UsageError("only examples of shards can be loaded by processes: give --workers threads instead") from None
    feed = Feed(partial(_these, batches), "", batch=first)
    # not forked: a copy of this process would wait for locks that threads of ours hold
    yield from DataLoader(feed, batch_size=None, num_workers=processes, multiprocessing_context="spawn")


def _these(batches: Sequence[Any], _epoch: int) -> Sequence[Any]:
    return batches


def _by_threads(batches: Sequence[Any], first: int, workers: int) -> Iterator[Any]:
    with ThreadPoolExecutor(workers) as threads:
        coming: deque[Future[Any]] = deque()
        try:
            for number in range(first, len(batches)):
                coming.append(threads.submit(batches.__getitem__, number))
                if len(coming) > workers:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
