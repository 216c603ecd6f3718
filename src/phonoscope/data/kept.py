"""What was asked for last, kept as long as there is room."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np


class Kept:
    """The arrays that were asked for last, `most` of them and at most so many bytes; threads may share one."""

    def __init__(self, most: int = 48, most_bytes: int = 1 << 29) -> None:  # each may hold a file open: macOS has 256
        self.most, self.most_bytes = most, most_bytes
        self._kept: OrderedDict[Any, tuple[np.ndarray, ...]] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process begins with none."""
        return Kept, (self.most, self.most_bytes)

    def get(self, key: Any, make: Callable[[], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """What `key` stands for, made if it is not here."""
        with self._lock:
            arrays = self._kept.get(key)
        if arrays is None:
            arrays = make()
        with self._lock:
            self._kept[key] = arrays
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and (len(self._kept) > self.most or self._bytes() > self.most_bytes):
                self._kept.popitem(last=False)
        return arrays

    def _bytes(self) -> int:
        return sum(it.nbytes for arrays in self._kept.values() for it in arrays)
