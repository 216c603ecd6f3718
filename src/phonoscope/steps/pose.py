"""Pose: which way each head is turned, in three angles."""

import numpy as np

from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.pose import angles_of, head_rotations
from phonoscope.flow.step import step


@step(version=1)
def pose(landmarks: TrackArrays) -> TrackTable:
    """Columns "yaw_deg", "pitch_deg" and "roll_deg" float32, row for row as in `landmarks.frames`; NaN where missing.

    Positive: the face turns to the left of the picture, looks down, leans anticlockwise as seen (as 3DDFA_V2).

    Raises:
        RecordingFailed: "no-depth", if the landmarker sees none.
    """
    angles = angles_of(head_rotations(landmarks)).astype(np.float32)
    columns = {name: angles[:, at] for at, name in enumerate(("yaw_deg", "pitch_deg", "roll_deg"))}
    return TrackTable(landmarks.frames.track, landmarks.frames.frame, columns)
