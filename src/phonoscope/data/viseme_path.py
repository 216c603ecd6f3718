"""The likeliest path through states that last: Viterbi's algorithm where no state may be left too soon."""

from dataclasses import dataclass

import numpy as np


def likeliest(scores: np.ndarray, hold: np.ndarray, at_ends: np.ndarray, change_cost: float) -> np.ndarray:
    """The state of each row, (T,) int8, whose scores less the cost of each change sum to the most.

    A path that is too short for some state stays in one. The same scores give the same path.

    Args:
        scores: (T, C) nats.
        hold: (C,) int, rows that a state lasts at least.
        at_ends: (C,) int, the same of what begins with the first row or ends with the last; at most `hold`.
    Source: Viterbi: "Error bounds for convolutional codes", IEEE Trans. Inf. Theory 13, 1967; with minimum durations,
    Ferguson: "Variable duration models for speech", 1980.
    """
    stop = len(scores)
    if stop < at_ends.max(initial=1):
        return np.full(stop, scores.sum(0).argmax(), np.int8)
    paths = _forward(scores, hold, at_ends, change_cost)
    made = np.empty(stop, np.int8)
    now, first = _ending(scores, hold, at_ends, change_cost, paths)
    while True:
        made[first:stop] = now
        if first == 0:
            return made
        stop, now = first, int(paths.state[first])
        first = paths.begin(stop, now)


@dataclass(frozen=True, slots=True)
class _Paths:
    """The best paths through the first t rows, t from 0 to T."""

    total: np.ndarray  # (T + 1,) nats, of the best one
    state: np.ndarray  # (T + 1,) int8, that it ends in
    changed: np.ndarray  # (T + 1, C) bool: the best one that ends in this state has been in it no longer than it must
    hold: np.ndarray  # (C,) int rows

    def begin(self, stop: int, state: int) -> int:
        """The row at which the best path through `stop` rows that ends in a state came into it."""
        while stop and not self.changed[stop, state]:
            stop -= 1
        return stop - int(self.hold[state]) if stop else 0


def _forward(scores: np.ndarray, hold: np.ndarray, at_ends: np.ndarray, change_cost: float) -> _Paths:
    count, states = scores.shape
    entered = _entered(scores, hold, change_cost)
    ahead = int(hold.max())  # totals of so many rows before the first, from where no path comes
    total, state = np.full(ahead + count + 1, -np.inf), np.zeros(count + 1, np.int8)
    changed = np.zeros((count + 1, states), bool)
    best, alone, back = np.full(states, -np.inf), np.zeros(states), ahead - hold
    for t in range(1, count + 1):
        new = total[back + t] + entered[t]
        best += scores[t - 1]
        np.greater(new, best, out=changed[t])
        np.maximum(new, best, out=best)
        if t <= ahead:
            alone += scores[t - 1]
            best = np.where(at_ends == t, alone, best)
        state[t] = now = best.argmax()
        total[ahead + t] = best[now]
    return _Paths(total[ahead:], state, changed, hold)


def _entered(scores: np.ndarray, hold: np.ndarray, change_cost: float) -> np.ndarray:
    """What it brings to have changed into each state just as many rows ago as it lasts at least, (T + 1, C)."""
    sums = np.concatenate([np.zeros((1, scores.shape[1])), np.cumsum(scores, 0)])
    made = np.zeros_like(sums)
    for state, rows in enumerate(hold.tolist()):
        made[rows:, state] = sums[rows:, state] - sums[: max(0, len(sums) - rows), state] - change_cost
    return made


def _ending(
    scores: np.ndarray, hold: np.ndarray, at_ends: np.ndarray, change_cost: float, paths: _Paths
) -> tuple[int, int]:
    """The state that the best path ends in, and the row at which it begins: later than a hold allows, at the end."""
    count = len(scores)
    best, now = paths.total[count], int(paths.state[count])
    first = paths.begin(count, now)
    for state in range(scores.shape[1]):
        for begin in range(max(1, count - int(hold[state]) + 1), count - int(at_ends[state]) + 1):
            total = paths.total[begin] - change_cost + scores[begin:, state].sum()
            if total > best:
                best, now, first = total, state, begin
    return now, first
