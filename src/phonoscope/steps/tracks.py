"""Tracks: one face followed through one shot."""

from dataclasses import dataclass, field

import numpy as np

from phonoscope.core.checks import within
from phonoscope.core.faces import Faces, Shots, Track, Tracks
from phonoscope.core.geometry import iou
from phonoscope.core.time import Span
from phonoscope.flow.step import step


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksParams:
    """What counts as the same face, and which tracks are kept."""

    min_iou: float = 0.2  # overlap with where the face is expected, below which it is another face
    max_gap: int = 15  # frames without a detection that are bridged
    min_len: int = 10  # frames; shorter tracks are dropped
    min_size: int = 20  # px, mean of the longer sides; smaller tracks are dropped

    def __post_init__(self) -> None:
        within("tracks.min_iou", self.min_iou, 0, 1)
        within("tracks.max_gap", self.max_gap, 0)
        within("tracks.min_len", self.min_len, 1)
        within("tracks.min_size", self.min_size, 0)


@dataclass(slots=True)
class _Open:
    """A track in the making."""

    frames: list[int]
    rows: list[int]  # of the faces
    speed: np.ndarray = field(default_factory=lambda: np.zeros(4))  # px a frame, of each edge


@step(version=1)
def tracks(faces: Faces, shots: Shots, p: TracksParams) -> Tracks:
    """Faces joined into tracks: one-to-one in every frame, gaps bridged and marked, never across a shot.

    Detections are assigned to where tracks are expected, all at once and for the largest total overlap
    (Kuhn, "The Hungarian method for the assignment problem", 1955). Ids count in order of appearance, from the left.
    """
    done = [track for shot in shots.spans for track in _follow(faces, shot, p)]
    kept = [t for t in (_closed(faces, track) for track in done) if len(t) >= p.min_len and _size(t) >= p.min_size]
    kept.sort(key=lambda t: (t.start, float(t.box[0, 0])))
    return Tracks(tuple(Track(id, t.start, t.box, t.score, t.observed) for id, t in enumerate(kept)))


def _follow(faces: Faces, shot: Span, p: TracksParams) -> list[_Open]:
    first, last = np.searchsorted(faces.frame, [shot.start, shot.stop])
    alive: list[_Open] = []
    done: list[_Open] = []
    for frame in np.unique(faces.frame[first:last]).tolist():
        done += [track for track in alive if frame - track.frames[-1] - 1 > p.max_gap]
        alive = [track for track in alive if frame - track.frames[-1] - 1 <= p.max_gap]
        rows = np.arange(*np.searchsorted(faces.frame, [frame, frame + 1]))
        pairs = match(_expected(faces, alive, frame), faces.box[rows].astype(np.float64), p.min_iou)
        for track, row in pairs:
            _extend(faces, alive[track], frame, int(rows[row]))
        taken = {row for _, row in pairs}
        alive += [_Open([frame], [int(row)]) for k, row in enumerate(rows) if k not in taken]
    return done + alive


def _expected(faces: Faces, alive: list[_Open], frame: int) -> np.ndarray:
    boxes = [faces.box[track.rows[-1]] + track.speed * (frame - track.frames[-1]) for track in alive]
    return np.array(boxes, np.float64).reshape(-1, 4)


def _extend(faces: Faces, track: _Open, frame: int, row: int) -> None:
    step = (faces.box[row] - faces.box[track.rows[-1]]).astype(np.float64) / (frame - track.frames[-1])
    centre = np.tile((step[:2] + step[2:]) / 2, 2)
    track.speed = 0.5 * track.speed + 0.5 * centre
    track.frames.append(frame)
    track.rows.append(row)


def match(expected: np.ndarray, found: np.ndarray, min_iou: float) -> list[tuple[int, int]]:
    """Pairs (row of expected, row of found) of boxes (N, 4) and (M, 4), each row in one pair at most."""
    if not len(expected) or not len(found):
        return []
    overlap = iou(expected, found)
    overlap[overlap < min_iou] = 0
    pairs = np.argwhere(overlap)
    if any(len(np.unique(rows)) < len(rows) for rows in pairs.T):  # else nothing is to be decided
        from scipy.optimize import linear_sum_assignment  # late: it takes longer to import than tracks take to make

        pairs = np.stack(linear_sum_assignment(overlap, maximize=True), 1)
    return [(int(a), int(b)) for a, b in pairs if overlap[a, b] > 0]


def _closed(faces: Faces, track: _Open) -> Track:
    """A box for every frame: detected where the face was seen, in between on straight lines."""
    seen = np.array(track.frames)
    every = np.arange(seen[0], seen[-1] + 1)
    box = np.stack([np.interp(every, seen, faces.box[track.rows, edge]) for edge in range(4)], 1)
    observed = np.isin(every, seen)
    score = np.full(len(every), np.nan, np.float32)
    score[observed] = faces.score[track.rows]
    return Track(-1, int(seen[0]), box.astype(np.float32), score, observed)


def _size(track: Track) -> float:
    return float(np.max(track.box[:, 2:] - track.box[:, :2], axis=1).mean())
