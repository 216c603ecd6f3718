"""Parts of a network that keep their weights, and need not work out twice what they have worked out once."""

import hashlib
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn

from phonoscope.core.errors import UsageError


def frozen_parts(network: nn.Module, names: str) -> list[nn.Module]:
    """The parts of a network that are named, commas between, with their parameters frozen.

    Raises:
        UsageError: it has no such part.
    """
    parts = dict(network.named_modules())
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in parts]:
        depth = {name: name.count(".") for name in parts if name}
        some = [name for name in depth if depth[name] == 0 or (depth[name] == 1 and any(parts[name].children()))]
        raise UsageError(f"the network has no part '{unknown[0]}' to freeze; it has {', '.join(some)}")
    for name in wanted:
        parts[name].requires_grad_(False)
    return [parts[name] for name in wanted]


class Remembering:
    """A part's `forward` (B, …) -> (B, …) that keeps what it gave, example by example; for parts that do not learn.

    Each example is worked out alone, so that what it gives does not depend, in its last bits, on which others are in
    its batch or have been remembered.
    """

    def __init__(self, part: nn.Module, most_bytes: int = 1 << 29) -> None:
        self.forward, self.most_bytes = part.forward, most_bytes
        self._kept: OrderedDict[bytes, Tensor] = OrderedDict()
        self._bytes = 0

    def __call__(self, given: Tensor, *more: Any) -> Tensor:
        """What `forward` gives; anything but one tensor is passed on to it."""
        if more or given.requires_grad:
            return self.forward(given, *more)
        return torch.cat([self._one(each) for each in given.split(1)])

    def _one(self, example: Tensor) -> Tensor:
        key = hashlib.blake2b(example.contiguous().numpy().tobytes(), digest_size=16).digest()
        if key not in self._kept:
            with torch.no_grad():
                self._kept[key] = self.forward(example)
            self._bytes += self._kept[key].nbytes
        self._kept.move_to_end(key)
        found = self._kept[key]
        while self._bytes > self.most_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found
