"""People: which tracks of a recording show one and the same person."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.flow.step import step

UNKNOWN = -1  # the person of a track that was never embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleParams:
    """How much alike one person is."""

    threshold: float = 0.5  # mean distance of embeddings up to which tracks are one person; a model has its own

    def __post_init__(self) -> None:
        within("people.threshold", self.threshold, 0)


@step(version=1)
def people(embeddings: TrackArrays, p: PeopleParams) -> TrackTable:
    """Column "person" int32, the same all along a track, row for row as in `embeddings.frames`.

    People count from 0 in order of appearance; -1: the track has no embedding. Tracks are joined by average linkage:
    two groups become one person while the mean distance between their tracks is at most `threshold`, the nearest
    groups first. A track is the mean of its embeddings. Tracks that share a frame are never one person.
    """
    frames = embeddings.frames
    ids, first, count = np.unique(frames.track, return_index=True, return_counts=True)
    start, person = frames.frame[first], np.full(len(ids), UNKNOWN, np.int32)
    means = [mean_of(embeddings[id]) for id in ids.tolist()]
    known = [at for at in np.lexsort((ids, start)) if not np.isnan(means[at]).any()]
    if known:
        first, stop = start[known], (start + count)[known]
        meet = (first[:, None] < stop) & (first < stop[:, None])
        person[known] = joined(np.stack([means[at] for at in known]), meet, p.threshold)
    return TrackTable(frames.track, frames.frame, {"person": np.repeat(person, count)})


def mean_of(rows: np.ndarray) -> np.ndarray:
    """The mean (D,) float64 of those rows of (T, D) that are embeddings; NaN if none is."""
    seen = rows[~np.isnan(rows[:, 0])]
    return seen.mean(axis=0, dtype=np.float64) if len(seen) else np.full(rows.shape[1], np.nan)


def joined(means: np.ndarray, apart: np.ndarray, threshold: float) -> np.ndarray:
    """Which of N things are one, (N,) int32 from 0 in order of first member, by average linkage of distances.

    Args:
        means: (N, D), what they look like; the distance is Euclidean.
        apart: (N, N) bool, symmetric: which can never be one; the diagonal is not looked at.
        threshold: mean distance of two groups up to which they become one.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    if len(means) < 2:
        return np.zeros(len(means), np.int32)
    distances = pdist(np.asarray(means, np.float64))
    # Two groups have fewer than N² pairs: a single pair that is so far keeps their mean distance above the threshold.
    distances[apart[np.triu_indices(len(means), 1)]] = (threshold + 1) * len(means) ** 2
    groups = fcluster(linkage(distances, "average"), threshold, "distance")
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first)).astype(np.int32)[group]
