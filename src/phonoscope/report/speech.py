"""Where a track speaks, as runs that can be drawn."""

from typing import NamedTuple

import numpy as np

SURER = (1.0, 2.0)  # log-odds at which a run is drawn stronger: 73 % and 88 %


class Run(NamedTuple):
    """A stretch in which somebody speaks."""

    start: int  # frame
    stop: int  # frame, exclusive
    level: int  # 1 to 3, how surely


def speech_runs(score: np.ndarray, start: int, cell: int = 1) -> tuple[Run, ...]:
    """Stretches with scores above 0, from log-odds (T,) of frames from `start` on.

    Args:
        cell: frames that are drawn as one, by their mean.
    """
    if not len(score):
        return ()
    edges = np.append(np.arange(0, len(score), cell), len(score))
    mean = np.add.reduceat(score.astype(np.float64), edges[:-1]) / np.diff(edges)
    level = np.where(mean > 0, np.digitize(mean, SURER) + 1, 0)
    turns = np.flatnonzero(np.diff(level)) + 1
    first, last = np.append(0, turns), np.append(turns, len(level))
    runs = zip((start + edges[first]).tolist(), (start + edges[last]).tolist(), level[first].tolist(), strict=True)
    return tuple(Run(*run) for run in runs if run[2])
