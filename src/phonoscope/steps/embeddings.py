"""Embeddings: what a face looks like, in numbers that are near each other for one person; of a few frames or all."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.align import any_crop
from phonoscope.core.along import blank_table
from phonoscope.core.checks import within
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import POLICIES, Crop
from phonoscope.core.media import Picture
from phonoscope.core.time import Span
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.protocols import FaceEmbedder

FRONTAL = "r22"  # of the head's rotation: cosine of the angle between where the nose points and the camera


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingsParams:
    """Which model, and how many faces of a track it is shown."""

    model: str = "auto"  # a face embedder by name; auto: the best whose weights can be had
    weights: str = ""  # of a network: vggface2, or a file, your own for example; by default those of its card
    per_track: int = 5  # faces of each track that are embedded, spread over it; fewer if it is short; 0: all known
    max_turned_deg: float = 40.0  # degrees; faces turned further from the camera are left out, unless per_track is 0

    def __post_init__(self) -> None:
        within("embeddings.per_track", self.per_track, 0)
        within("embeddings.max_turned_deg", self.max_turned_deg, 0, 180)


@step(version=2, apart=Apart())
def embeddings(
    film: Film, tracks: Tracks, landmarks: TrackArrays | None, embedder: FaceEmbedder, p: EmbeddingsParams
) -> Look[TrackArrays]:
    """Arrays along tracks, (T, width) float32: `per_track` rows of each are embeddings, all others NaN.

    The frames where the face is known (by landmarks, which look at each frame; without any by the detector), and not
    turned too far, are parted into so many stretches of equal length; of each the frame is embedded in which the head
    faces the camera most, or the middle one where the landmarks tell of no turning. If `per_track` is 0, each frame is
    embedded where the face is known, however turned. Only those frames are asked of the film. Beside the arrays, a row
    a frame of a track: "missing" bool, that the face is not known there.

    Args:
        landmarks: those of the tracks; an embedder that wants "aligned" faces cannot do without.

    Raises:
        ValueError: the film leaves out a frame that is asked for, or the embedder gives something else.
    """
    arrays = {track.id: np.full((len(track), embedder.width), np.nan, np.float32) for track in tracks}
    due: dict[int, list[Crop]] = {}
    frames, starts = blank_table(tracks)
    missing = np.zeros(len(frames.track), bool)
    for track in tracks:
        points = landmarks[track.id] if landmarks else None
        crop, lost = any_crop(track, embedder.policy, embedder.expand, embedder.size, points)
        lost = lost | (~track.observed if points is None else np.isnan(points).any(axis=(1, 2)))
        missing[starts[track.id] : starts[track.id] + len(track)] = lost
        for row in _rows(track, ~lost, landmarks, p):
            due.setdefault(track.start + row, []).append(crop)
    batch = yield [Span(frame, frame + 1) for frame in sorted(due)]
    while batch:
        for picture in batch:
            crops = due.pop(picture.frame)
            rows = [picture.frame - crop.start for crop in crops]
            faces = [_cut(picture, crop, row) for crop, row in zip(crops, rows, strict=True)]
            made = _checked(embedder(np.stack(faces)), len(faces), embedder)
            for crop, row, embedding in zip(crops, rows, made, strict=True):
                arrays[crop.track][row] = embedding
        batch = yield
    if due:
        raise ValueError(f"the film left out frames that were asked for: {', '.join(map(str, sorted(due)[:5]))}")
    return TrackArrays(arrays, TrackTable(frames.track, frames.frame, {"missing": missing}))


def _rows(track: Track, known: np.ndarray, landmarks: TrackArrays | None, p: EmbeddingsParams) -> list[int]:
    """The rows of a track, in order, that are to be embedded, of those where its face is known, (T,) bool."""
    if not p.per_track:
        return np.flatnonzero(known).tolist()
    facing = np.full(len(track), np.nan)
    if landmarks and FRONTAL in landmarks.frames.columns:
        facing = landmarks.frames.of(track.id, FRONTAL)
    turned = facing < np.cos(np.radians(p.max_turned_deg))  # what is not known, NaN, is no reason
    return chosen(known & ~turned, facing, p.per_track)


def chosen(known: np.ndarray, facing: np.ndarray, count: int) -> list[int]:
    """The rows to embed of a track, in order: one of each of `count` equal stretches of those that are known.

    Args:
        known: (T,) bool, where there is a face to embed.
        facing: (T,) how much it faces the camera, the more the better; NaN: unknown.
    """
    rows = np.flatnonzero(known)
    made: list[int] = []
    for stretch in np.array_split(rows, min(count, len(rows))) if len(rows) else ():
        middle = len(stretch) // 2
        there = facing[stretch]
        made.append(int(stretch[middle if np.isnan(there).all() else np.nanargmax(there)]))
    return made


def _cut(picture: Picture, crop: Crop, row: int) -> np.ndarray:
    return picture.crop_rgb(crop.matrix[row], crop.size, POLICIES[crop.policy].border)


def _checked(made: np.ndarray, count: int, embedder: FaceEmbedder) -> np.ndarray:
    if made.shape != (count, embedder.width) or not np.isfinite(made).all():
        raise ValueError(f"{embedder.card.name} must give ({count}, {embedder.width}) finite numbers, got {made.shape}")
    return made
