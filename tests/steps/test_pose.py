"""Pose as an artifact: the angles of the heads that landmarks know, row for row."""

import numpy as np
import pytest

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.pose import rotation_of
from phonoscope.steps.pose import pose

NAMES = ("yaw_deg", "pitch_deg", "roll_deg")


@pytest.fixture(scope="module")
def angles() -> dict[int, np.ndarray]:
    """Yaw, pitch, roll of two tracks, (T, 3)."""
    rng = np.random.default_rng(0)
    return {2: rng.uniform(-60, 60, (30, 3)), 5: rng.uniform(-60, 60, (4, 3))}


def test_angles_of_known_heads_stand_row_for_row_as_in_the_landmarks(landmarks_of, angles):
    points = {id: np.ones((len(rows), 68, 2)) for id, rows in angles.items()}
    landmarks = landmarks_of(points, {id: rotation_of(rows) for id, rows in angles.items()})
    made = pose(landmarks)
    assert made.track.tolist() == landmarks.frames.track.tolist()
    assert made.frame.tolist() == landmarks.frames.frame.tolist()
    assert tuple(made.columns) == NAMES
    for at, name in enumerate(NAMES):
        assert made.columns[name].dtype == np.float32
        np.testing.assert_allclose(made.of(5, name), angles[5][:, at], atol=1e-4)
        np.testing.assert_allclose(made.of(2, name), angles[2][:, at], atol=1e-4)


def test_where_the_face_is_missing_there_are_no_angles(landmarks_of, angles):
    rotations = rotation_of(angles[5])
    rotations[1] = np.nan
    points = np.where(np.isnan(rotations[:, :1, :1]), np.nan, np.ones((4, 68, 2)))
    made = pose(landmarks_of({5: points}, {5: rotations}))
    for name in NAMES:
        assert np.isnan(made.columns[name]).tolist() == [False, True, False, False]


def test_flat_landmarks_are_a_failure_and_no_faces_are_none(landmarks_of):
    with pytest.raises(RecordingFailed, match="how heads are turned"):
        pose(landmarks_of({0: np.ones((3, 68, 2))}))
    assert len(pose(landmarks_of({})).track) == 0
