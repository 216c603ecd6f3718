"""The face that AVSpeech's catalogue means, and in how many frames of a film a face was seen."""

import numpy as np

from phonoscope.core.faces import Track, Tracks
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import rows_of
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.steps.faces import FacesParams
from phonoscope.steps.lips import unseen
from phonoscope.store.folder import Store
from phonoscope.store.recording import StoredRecording

MARGIN_PX = 50.0  # by which a box is grown on each side before it must hold the catalogue's point, as the seed has it


def nearest_track(tracks: Tracks, span: Span, point: tuple[float, float]) -> Track | None:
    """The face that is nearest to a point over all frames of a span; None if no face comes near it.

    Of the tracks whose box, grown by 50 px on each side, holds the point in some frame, the one with the least mean
    distance from the point to the middle of its box; a frame without it counts as far as the farthest of all.

    Args:
        point: x and y, px.
    """
    candidates = [(track, *it) for track in tracks if (it := _distances(track, span, point)) is not None]
    far = max((away.max() for _, away, _ in candidates), default=0.0)
    near = [(away.sum() + far * (len(span) - len(away)), track) for track, away, holds in candidates if holds]
    return min(near, key=lambda it: (it[0], it[1].id))[1] if near else None


def seen_in(stored: StoredRecording, track: Track) -> np.ndarray:
    """In which frames of a track its face is there, (T,) bool.

    It is missing where the detector looked and did not find it: by default it looks at every fifth frame, and what
    lies between two frames in which it found the face counts as seen.
    """
    faces = stored.receipts.get("faces")
    every = (faces.params or {}).get("every") if faces else None  # a corpus gives tracks without faces
    return ~unseen(track.observed, (every or FacesParams().every) - 1)


def share_seen(seen: np.ndarray, track: Track, span: Span) -> float:
    """The share of the frames of a span in which a track's face is there, as `seen_in` has it."""
    both = track.span & span
    return float(seen[both.start - track.start : both.stop - track.start].sum() / len(span)) if both else 0.0


def face_of(row: Row, stored: StoredRecording) -> tuple[Span, Track | None, float] | None:
    """The frames of a row, the track of its face, and the share of the frames in which that face is there.

    No track, and a share of 0, if no face comes near the catalogue's point; nothing at all if the row lies beyond the
    end of the recording.

    Raises:
        UsageError: the recording has no fresh tracks.
    """
    recording = stored.recording
    span = row.span(recording)
    if span is None:
        return None
    track = nearest_track(stored.load("tracks"), span, (row.x * recording.width, row.y * recording.height))
    return span, track, share_seen(seen_in(stored, track), track, span) if track else 0.0


def validity(store: Store) -> dict[int, float]:
    """Of each row that the store knows, by number: in which share of its frames the right face is there.

    Raises:
        UsageError: a recording has no fresh tracks.
    """
    told = ((row, face_of(row, store[id])) for id in store for row in rows_of(store[id]))
    return {row.row: found[2] if found else 0.0 for row, found in sorted(told, key=lambda it: it[0].row)}


def _distances(track: Track, span: Span, point: tuple[float, float]) -> tuple[np.ndarray, bool] | None:
    """How far the middle of a face is from a point in the frames that it shares with a span, px, and if it is near."""
    both = track.span & span
    if both is None:
        return None
    box = np.asarray(track.box[both.start - track.start : both.stop - track.start], np.float64)
    low, high = box[:, :2] - MARGIN_PX, box[:, 2:] + MARGIN_PX
    holds = ((low <= point) & (point <= high)).all(1)
    return np.linalg.norm((box[:, :2] + box[:, 2:]) / 2 - point, axis=1), bool(holds.any())
