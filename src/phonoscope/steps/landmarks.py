"""Landmarks: the 68 points of every face in every frame of its track, and how the head is turned."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import blank_table
from phonoscope.core.checks import within
from phonoscope.core.faces import TrackArrays, Tracks
from phonoscope.core.pose import COLUMNS as ROTATION
from phonoscope.core.smooth import one_euro
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.follow import Followers
from phonoscope.models.protocols import FaceLandmarker

EYES = (36, 45)  # iBUG: outer corners; how far they lie apart is the measure of a face
COLUMNS = ("score", *ROTATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarksParams:
    """Which model looks, what it must be sure of, and whether its points are smoothed."""

    model: str = "auto"  # a face landmarker by name; auto: the best whose weights can be had
    min_score: float = 0.5  # confidence, 0 to 1, below which the face counts as not to be seen
    smooth_hz: float = 0.0  # Hz, cut-off of a One-Euro filter where nothing moves; 0: points are not smoothed
    smooth_beta: float = 5.0  # Hz by which that cut-off rises for each outer-eye distance a second

    def __post_init__(self) -> None:
        within("landmarks.min_score", self.min_score, 0, 1)
        within("landmarks.smooth_hz", self.smooth_hz, 0)
        within("landmarks.smooth_beta", self.smooth_beta, 0)


@step(version=1, apart=Apart())
def landmarks(film: Film, tracks: Tracks, landmarker: FaceLandmarker, p: LandmarksParams) -> Look[TrackArrays]:
    """Points (T, 68, 2) float32 px a track, row k for its frame k; NaN where the face is not to be seen.

    Beside them, a row a frame of a track: "score" float32, and the rotation from directions of the face to those of the
    camera, "r00" to "r22" float32; NaN where the face is not to be seen, or the model knows no depth.

    Raises:
        ValueError: the film leaves out a frame of a track.
    """
    followers = Followers(landmarker, tracks, p.min_score)
    points = {track.id: np.full((len(track), 68, 2), np.nan, np.float32) for track in tracks}
    frames, starts = blank_table(tracks, *COLUMNS)
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            for track, row, shape in followers.see(picture):
                points[track][row] = shape.points
                for column, value in zip(COLUMNS, (shape.score, *shape.rotation.flat), strict=True):
                    frames.columns[column][starts[track] + row] = value
        batch = yield
    followers.end()
    if p.smooth_hz > 0:
        rate = float(film.recording.fps)
        points = {id: _smooth(rows, rate, p.smooth_hz, p.smooth_beta) for id, rows in points.items()}
    return TrackArrays(points, frames)


def _smooth(points: np.ndarray, rate: float, smooth_hz: float, beta: float) -> np.ndarray:
    """Points (T, 68, 2) px, smoothed in units of the track's median outer-eye distance: large and near alike."""
    apart = np.linalg.norm(points[:, EYES[0]] - points[:, EYES[1]], axis=-1)
    if np.isnan(apart).all():
        return points
    unit = np.float32(np.nanmedian(apart))
    return one_euro(points / unit, rate, smooth_hz, beta) * unit
