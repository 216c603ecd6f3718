"""What was read last, kept as long as there is room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np

Arrays = tuple[np.ndarray, ...]


class Kept:
    """Arrays by what they are of; several threads may ask, and one reads."""

    def __init__(self) -> None:
        self._arrays: OrderedDict[Hashable, Arrays] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, of: Hashable, read: Callable[[], Arrays], most_bytes: int) -> Arrays:
        """What is kept, or what `read` gives; then as much of what was asked for longest ago goes as must."""
        with self._lock:
            if of not in self._arrays:
                found = read()
                self._arrays[of] = found
                self._bytes += _bytes(found)
            self._arrays.move_to_end(of)
            while self._bytes > most_bytes and len(self._arrays) > 1:
                self._bytes -= _bytes(self._arrays.popitem(last=False)[1])
            return self._arrays[of]


def _bytes(arrays: Arrays) -> int:
    return sum(it.nbytes for it in arrays)
