"""Mesh: the surface of every face in every frame of its track, with depth."""

from dataclasses import dataclass

import numpy as np

from phonoscope.core.along import blank_table
from phonoscope.core.checks import within
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackArrays, Tracks
from phonoscope.flow.step import Apart, step
from phonoscope.flow.streams import Film, Look
from phonoscope.models.follow import Followers
from phonoscope.models.protocols import FaceLandmarker, FaceShape

VERTICES = 468  # of MediaPipe's topology, which is what this artifact promises


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshParams:
    """Which model looks, and what it must be sure of."""

    model: str = "auto"  # a face landmarker that knows depth; auto: the best whose weights can be had
    min_score: float = 0.5  # confidence, 0 to 1, below which the face counts as not to be seen

    def __post_init__(self) -> None:
        within("mesh.min_score", self.min_score, 0, 1)


@step(version=1, apart=Apart())
def mesh(film: Film, tracks: Tracks, landmarker: FaceLandmarker, p: MeshParams) -> Look[TrackArrays]:
    """Vertices (T, 468, 3) float32 px a track, row k for its frame k; NaN where the face is not to be seen.

    x goes right, y down, z away from the camera, from the middle of the face. Beside them, a row a frame of a track:
    "score" float32.

    Raises:
        UsageError: the landmarker knows no depth.
        ValueError: the film leaves out a frame of a track.
    """
    followers = Followers(landmarker, tracks, p.min_score)
    vertices = {track.id: np.full((len(track), VERTICES, 3), np.nan, np.float32) for track in tracks}
    frames, starts = blank_table(tracks, "score")
    batch = yield [track.span for track in tracks]
    while batch:
        for picture in batch:
            for track, row, shape in followers.see(picture):
                vertices[track][row] = _checked(shape, landmarker)
                frames.columns["score"][starts[track] + row] = shape.score
        batch = yield
    followers.end()
    return TrackArrays(vertices, frames)


def _checked(shape: FaceShape, landmarker: FaceLandmarker) -> np.ndarray:
    if shape.mesh.shape != (VERTICES, 3):
        raise UsageError(f"'{landmarker.card.name}' gives no mesh of {VERTICES} vertices: use --mesh.model facemesh")
    return shape.mesh
