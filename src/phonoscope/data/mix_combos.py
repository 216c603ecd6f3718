"""Which pieces are heard together: numbered combinations, of which some are taken by lot, however many there are."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np

Thing = TypeVar("Thing")


class Combos(Generic[Thing]):
    """All ways to take `choose` things, each of another group; each way has a number from 0 on."""

    def __init__(self, groups: Sequence[Sequence[Thing]], choose: int) -> None:
        self._groups, self._choose = groups, choose
        ways = [[1] * (len(groups) + 1)]  # by how many are still to be taken, and by the first group to take them from
        for _ in range(choose):
            row = [0]
            for at in range(len(groups) - 1, -1, -1):
                row.append(row[-1] + len(groups[at]) * ways[-1][at + 1])
            ways.append(row[::-1])
        self._ways = ways

    @property
    def total(self) -> int:
        """How many there are: more than `len` could tell, if need be."""
        return self._ways[self._choose][0]

    def __getitem__(self, number: int) -> list[Thing]:
        """The things of one of them, in the order of their groups."""
        if not 0 <= number < self.total:
            raise IndexError(number)
        taken = []
        for left in range(self._choose, 0, -1):
            ways = self._ways[left]
            group = bisect_left(ways, -number, key=lambda it: -it) - 1  # the last from which there are ways enough
            which, number = divmod(number - ways[group + 1], self._ways[left - 1][group + 1])
            taken.append(self._groups[group][which])
        return taken


def by_lot(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """`count` different numbers below `total`, in random order; all of them if there are no more."""
    count = min(count, total)
    if total <= 2 * count:
        return rng.permutation(total)[:count].tolist()
    size = total.bit_length() // 8 + 9  # so many bytes that every number is as likely as any other
    found: dict[int, None] = {}
    while len(found) < count:
        found[int.from_bytes(rng.bytes(size)) % total] = None
    return [*found]


def shared_out(count: int, weights: Mapping[str, int], most: Mapping[str, int]) -> dict[str, int]:
    """`count` things among names by their weights, to none more than `most`; what one cannot take goes to the others.

    Each of positive weight gets one, as far as there are so many.
    """
    given = dict.fromkeys(weights, 0)
    order = [name for name in weights if weights[name] > 0]
    for _ in range(min(count, sum(most[name] for name in order))):
        open_ = [name for name in order if given[name] < most[name]]
        short = min(open_, key=lambda name: (given[name] / weights[name], order.index(name)))
        given[short] += 1
    return given
