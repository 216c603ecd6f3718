"""Lips: how each face's mouth looks and moves, frame by frame, as networks that part voices are shown it."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.align import face_crop
from phonoscope.core.along import Passing, blank_table
from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import POLICIES
from phonoscope.core.media import Picture, Recording
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.protocols import LipEncoder

FPS = Fraction(25)  # frames a second: what every LipEncoder sees
PIECE = 500  # frames of a face that are encoded at once, and let go


@dataclass(frozen=True, slots=True, kw_only=True)
class LipsParams:
    """Which model looks, and when a face counts as missing."""

    model: str = "auto"  # a lip encoder by name; auto: the one that needs no weights
    max_gap: int = 9  # frames in a row without a detection up to which a face is taken to be there

    def __post_init__(self) -> None:
        within("lips.max_gap", self.max_gap, 0)


@step(version=1, apart=Apart())
def lips(film: Film, tracks: Tracks, recording: Recording, encoder: LipEncoder, p: LipsParams) -> Look[TrackArrays]:
    """Arrays along tracks, (T, width) float32, NaN where a face is missing.

    Beside them, a row a frame of a track: "missing" bool, the face was not detected for more than `max_gap` frames.
    A look at the film, which encodes faces piece by piece: an hour of a face takes no more pictures than 20 s of it.

    Raises:
        UsageError: the film does not run at 25 frames a second.
        ValueError: the film leaves out a frame of a track, or ends before one, or the encoder gives something else.
    """
    if recording.fps != FPS:
        raise UsageError(
            f"lips are read at 25 frames a second, this recording has {float(recording.fps):.5g}: make the store at "
            "--clock.fps 25"
        )
    faces = {track.id: _Face(track, encoder) for track in tracks}
    passing = Passing(tracks)
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            for track in passing.at(picture.frame):
                faces[track.id].see(picture)
        batch = yield
    if unfinished := [id for id, face in faces.items() if not face.over]:
        raise ValueError(f"the film ended before these tracks did: {', '.join(map(str, sorted(unfinished)))}")
    frames, starts = blank_table(tracks)
    missing = np.zeros(len(frames.track), bool)
    arrays = {}
    for track in tracks:
        lost = unseen(track.observed, p.max_gap)
        missing[starts[track.id] :][: len(track)] = lost
        arrays[track.id] = np.where(lost[:, None], np.float32(np.nan), np.concatenate(faces[track.id].rows))
    return TrackArrays(arrays, TrackTable(frames.track, frames.frame, {"missing": missing}))


def unseen(observed: np.ndarray, max_gap: int) -> np.ndarray:
    """Where a face is not there: (T,) bool, of runs of more than `max_gap` frames in which it was not observed."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], observed, [True]]).astype(np.int8)))
    lost = np.zeros(len(observed), bool)
    for start, stop in edges.reshape(-1, 2):
        lost[start:stop] = stop - start > max_gap
    return lost


class _Face:
    """One track: what of it is encoded, and the faces that wait, with as many around them as the encoder must see."""

    def __init__(self, track: Track, encoder: LipEncoder) -> None:
        self.rows: list[np.ndarray] = []  # (≤ PIECE, width) each
        self._track, self._encoder = track, encoder
        self._crop, _ = face_crop(track, encoder.policy, encoder.size)
        self._faces: list[np.ndarray] = []  # (size, size) uint8
        self._first = self._made = 0  # frame of the track that the first of them shows; frames that have rows

    @property
    def over(self) -> bool:
        return self._made == len(self._track)

    def see(self, picture: Picture) -> None:
        """Cut the face out of the track's next picture; encode a piece if it is whole."""
        at, due = picture.frame - self._track.start, self._first + len(self._faces)
        if at != due:
            raise ValueError(f"track {self._track.id} needs frame {self._track.start + due}, got {picture.frame}")
        crop = self._crop
        self._faces.append(picture.crop_grey(crop.matrix[at], crop.size, POLICIES[crop.policy].border))
        if at + 1 == len(self._track):
            self._encode(at + 1)
        elif at + 1 == self._made + PIECE + self._encoder.context:
            self._encode(self._made + PIECE)

    def _encode(self, stop: int) -> None:
        made = self._encoder(np.stack(self._faces))
        wanted = (len(self._faces), self._encoder.width)
        if made.shape != wanted or not np.isfinite(made).all():
            raise ValueError(f"{self._encoder.card.name} must give {wanted} finite numbers, got {made.shape}")
        self.rows.append(made[self._made - self._first : stop - self._first])
        keep = max(stop - self._encoder.context, 0)
        del self._faces[: keep - self._first]
        self._first, self._made = keep, stop
