"""A part of the work for each machine of many."""

import hashlib
from dataclasses import dataclass

from phonoscope.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Shard:
    """The `index`-th of `count` parts, counted from 1; every item is in exactly one, the same on every machine.

    Raises:
        UsageError: there is no such part.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(f"there is no part {self.index} of {self.count}; the first of four is 1/4, the last 4/4")

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """A shard from "2/8".

        Raises:
            UsageError: it is written otherwise.
        """
        index, slash, count = text.partition("/")
        if not (slash and index.isdecimal() and count.isdecimal()):
            raise UsageError(f"a shard is written 'i/n', as in 2/8; got '{text}'")
        return cls(int(index), int(count))

    def __contains__(self, item: str) -> bool:
        """Whether a film's URI, or a recording's id, belongs to this part."""
        digest = hashlib.sha256(item.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.index - 1
