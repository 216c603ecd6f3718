"""When one person of a recording speaks alone, and whose face that is."""

from collections.abc import Iterator

import numpy as np

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks, TrackTable
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import rows_of
from phonoscope.data.right_face import face_of
from phonoscope.store.recording import StoredRecording

PAUSE = 12  # frames without a word up to which a person is taken to go on speaking
HEARD = 1  # label of a face that speaks and is heard, as AVA numbers them


def alone_in(stored: StoredRecording, tracks: Tracks) -> Iterator[tuple[Track, Span, int | None]]:
    """The stretches of a recording in which one person is heard alone: whose face, when, and the catalogue's row.

    Raises:
        UsageError: there are several faces, and nobody knows who speaks.
    """
    fresh = stored.fresh
    if rows := rows_of(stored):
        for row in rows:
            face = face_of(row, stored)
            if face and face[1]:
                yield face[1], face[0], row.row
        return
    if "labels" in fresh:
        speaks = {track.id: _labelled(track, stored.load("labels")) for track in tracks}
    elif len(tracks) == 1:
        (track,) = tracks
        yield track, track.span, None
        return
    elif "asd" in fresh:
        scores: TrackTable = stored.load("asd")
        speaks = {track.id: scores.of(track.id, "score") > 0 for track in tracks}
    else:
        raise UsageError(f"{len(tracks)} faces, and nobody knows who speaks: `phonoscope run asd` tells")
    crowd = np.zeros(stored.recording.num_frames, np.int32)
    for track in tracks:
        crowd[track.start : track.span.stop] += speaks[track.id]
    for track in tracks:
        mine = speaks[track.id]
        others = crowd[track.start : track.span.stop] - mine > 0
        for span in going_on(mine & ~others, others):
            yield track, Span(track.start + span.start, track.start + span.stop), None


def going_on(speaks: np.ndarray, broken: np.ndarray) -> list[Span]:
    """The stretches in which somebody speaks (T,) bool, across pauses of up to 12 frames without one that is `broken`.

    Args:
        broken: (T,) bool, frames that no stretch may hold.
    """
    at = np.flatnonzero(speaks)
    if not len(at):
        return []
    bad = np.concatenate([[0], np.cumsum(broken)])
    apart = (np.diff(at) > PAUSE + 1) | (bad[at[1:]] > bad[at[:-1]])
    return [Span(int(run[0]), int(run[-1]) + 1) for run in np.split(at, np.flatnonzero(apart) + 1)]


def _labelled(track: Track, labels: TrackTable) -> np.ndarray:
    """Whether a track is labelled to speak and be heard, (T,) bool; between labels, as the nearest has it."""
    frames, label = labels.frame[labels.track == track.id], labels.of(track.id, "label")
    if not len(frames):
        return np.zeros(len(track), bool)
    every = np.arange(track.start, track.span.stop)
    after = np.minimum(np.searchsorted(frames, every), len(frames) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(every - frames[before] <= frames[after] - every, before, after)
    return label[nearest] == HEARD
