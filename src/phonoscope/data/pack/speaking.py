"""Who speaks in a clip: scores, smoothed for those who look at them, and the runs above a threshold."""

import numpy as np

from phonoscope.core.faces import TrackTable
from phonoscope.core.time import Span
from phonoscope.data.pack.clips import TrackClip


def scores_of(asd: TrackTable, clip: TrackClip) -> np.ndarray:
    """Log-odds of speaking in every frame of a clip, (T,) float64.

    Raises:
        ValueError: the scores lack some of its frames.
    """
    mine = asd.track == clip.track.id
    mine[mine] = (asd.frame[mine] >= clip.span.start) & (asd.frame[mine] < clip.span.stop)
    scores = asd.columns["score"][mine].astype(np.float64)
    if len(scores) != len(clip.span):
        raise ValueError(f"{clip.name} has {len(clip.span)} frames, but {len(scores)} scores")
    return scores


def probability(log_odds: np.ndarray) -> np.ndarray:
    """Probability of speaking, 0 to 1, of log-odds (T,)."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(log_odds, np.float64)))  # which never overflows


def smoothed(values: np.ndarray, width: int, recursive: bool = False) -> np.ndarray:
    """Means of (T,) over `width` rows around each, (T,); fewer at the ends, and an even width is the odd one below.

    Args:
        recursive: each mean takes the means before it for the values before it, as AnnoTheia does in place.
    """
    side = (width - 1) // 2
    made = np.array(values, np.float64)
    seen = made if recursive else made.copy()
    for row in range(len(made)):
        made[row] = seen[max(0, row - side) : row + side + 1].mean()
    return made


def runs(above: np.ndarray, start: int = 0) -> list[Span]:
    """The runs of rows (T,) bool that are true, as frames; row 0 is frame `start`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(above, bool), [False]]).astype(np.int8)))
    return [Span(start + a, start + b) for a, b in edges.reshape(-1, 2).tolist()]


def bridged(spans: list[Span], gap: int) -> list[Span]:
    """The same with holes of `gap` frames or fewer filled."""
    made: list[Span] = []
    for span in spans:
        if made and span.start - made[-1].stop <= gap:
            made[-1] = Span(made[-1].start, span.stop)
        else:
            made.append(span)
    return made
