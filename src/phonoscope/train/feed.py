"""Batches loaded ahead by threads, in their order."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def ahead(batches: Sequence[Any], first: int, workers: int) -> Iterator[Any]:
    """The batches from number `first` on; while one is used, the next ones, as many as `workers`, are being loaded."""
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
