"""Figures of viseme tracks against the truth: pure functions on rows of 10 ms."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from phonoscope.core.visemes import NOT_SCORED, VISEMES
from phonoscope.metrics.confusion import confusion

PP = VISEMES.index("PP")
REACH = 10  # rows within which a boundary of the truth must have its like to be measured
NEAR = 3  # rows by which a closure may come early or late


def confused(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(15, 15) counts of rows that are scored."""
    counts = truth != NOT_SCORED
    return confusion(truth[counts].astype(int), said[counts].astype(int), len(VISEMES))


def boundary_errors(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    """How far each change of the truth is from the nearest change of what was said, in rows; at most `REACH`."""
    changes, ours = (np.flatnonzero(np.diff(it)) for it in (truth, said))
    changes = np.array([at for at in changes if NOT_SCORED not in truth[at : at + 2]], int)
    if not len(changes) or not len(ours):
        return np.full(len(changes), float(REACH))
    return np.minimum(np.abs(changes[:, None] - ours[None]).min(1), REACH).astype(float)


def closures(truth: np.ndarray, said: np.ndarray) -> tuple[int, int]:
    """How many closures of p, b and m there are, and how many of them what was said shows within `NEAR` rows."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (truth == PP).astype(int), [0]])))
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    shown = sum(bool((said[max(0, start - NEAR) : stop + NEAR] == PP).any()) for start, stop in spans)
    return len(spans), shown


def interval(people: Mapping[str, Sequence[float]], figure: Callable[[np.ndarray], float]) -> tuple[float, float]:
    """Between which a figure of all people lies in 95 of 100 draws of as many people, with replacement.

    Args:
        people: what each of them adds up to, (K,) numbers a person.
        figure: of the sum (K,) of those drawn.
    """
    rng = np.random.default_rng(0)
    sums = np.array(list(people.values()), float)
    drawn = [figure(sums[rng.integers(len(sums), size=len(sums))].sum(0)) for _ in range(2000)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)
