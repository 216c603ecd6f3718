"""Boxes on pictures: faces, tracks and who speaks."""

from collections.abc import Callable

import numpy as np

from phonoscope.core.faces import Faces, Tracks, TrackTable
from phonoscope.media.canvas import BLUE, SPEAKING, Mark, hue
from phonoscope.store.recording import StoredRecording

Marks = Callable[[int], list[Mark]]
"""What is to be drawn on a frame."""


def marks_of(stored: StoredRecording, name: str) -> tuple[Marks, np.ndarray]:
    """What `faces`, `tracks` or `asd` draw on each frame, and the frames that have something, (N,) sorted.

    Raises:
        UsageError: it has not been made, or is stale.
    """
    if name == "faces":
        every = (stored.receipts["faces"].params or {}).get("every", 1)
        faces: Faces = stored.load("faces")
        return face_marks(faces, every), np.unique(faces.frame)
    tracks: Tracks = stored.load("tracks")
    scores = stored.load("asd") if name == "asd" or "asd" in stored.fresh else None
    frames = [np.arange(track.span.start, track.span.stop) for track in tracks]
    return track_marks(tracks, scores), np.unique(np.concatenate([np.zeros(0, int), *frames]))


def face_marks(faces: Faces, every: int) -> Marks:
    """Faces with the detector's score; between two looks the last one's faces stay."""

    def at(frame: int) -> list[Mark]:
        last = np.searchsorted(faces.frame, frame, side="right")
        if not last or faces.frame[last - 1] < frame // every * every:
            return []
        rows = np.flatnonzero(faces.frame == faces.frame[last - 1])
        return [Mark(faces.box[row], f"{faces.score[row]:.2f}", BLUE) for row in rows]

    return at


def track_marks(tracks: Tracks, scores: TrackTable | None) -> Marks:
    """Tracks with their id and speaking score; green where it is above 0."""
    score = {track.id: scores.of(track.id, "score") for track in tracks} if scores else {}

    def at(frame: int) -> list[Mark]:
        marks = []
        for track in tracks:
            row = frame - track.start
            if not 0 <= row < len(track):
                continue
            said = score.get(track.id)
            speaks = said is not None and said[row] > 0
            label = f"{track.id}" if said is None else f"{track.id}  {said[row]:+.1f}"
            marks.append(Mark(track.box[row], label, SPEAKING if speaks else hue(track.id)))
        return marks

    return at
