"""Motion: known turns and shifts come out at their speed, and nothing is made up where a face is missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.pose import rotation_of
from phonoscope.steps.motion import COLUMNS, MotionParams, motion

FPS = 30000 / 1001
LENGTH = 12


def steady(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotations (T, 3, 3) of a head whose angles each change by so many degrees a second."""
    return rotation_of(np.arange(LENGTH)[:, None] / FPS * np.array([yaw, pitch, roll]))


@pytest.fixture
def still(drawn) -> np.ndarray:
    """The same points in every frame, (T, 68, 2)."""
    return np.repeat(drawn[:1], LENGTH, 0)


def speeds(landmarks_of, recording, points, rotations, reach=1) -> dict[str, np.ndarray]:
    made = motion(landmarks_of({3: points}, {3: rotations}), recording, MotionParams(reach=reach))
    assert tuple(made.columns) == COLUMNS
    assert all(column.dtype == np.float32 for column in made.columns.values())
    return dict(made.columns)


@given(st.sampled_from([0, 1, 2]), st.floats(-100, 100), st.integers(1, 4))
def test_a_head_that_turns_steadily_about_one_axis_has_that_speed_in_every_frame(
    landmarks_of, recording, drawn, axis, speed, reach
):
    points = np.repeat(drawn[:1], LENGTH, 0)
    made = speeds(landmarks_of, recording, points, steady(*np.eye(3)[axis] * speed), reach)
    for at, name in enumerate(("yaw_deg_s", "pitch_deg_s", "roll_deg_s")):
        np.testing.assert_allclose(made[name], speed if at == axis else 0, atol=1e-3)
    np.testing.assert_allclose(made["angular_deg_s"], abs(speed), atol=1e-3)


@given(st.integers(0, 2**31), st.floats(0, 300))
def test_the_speed_of_turning_does_not_depend_on_the_axis_or_on_where_the_head_looks(
    landmarks_of, recording, drawn, seed, speed
):
    rng = np.random.default_rng(seed)
    axis = rng.normal(size=3)
    turns = Rotation.from_rotvec(np.outer(np.arange(LENGTH) / FPS * np.deg2rad(speed), axis / np.linalg.norm(axis)))
    rotations = (turns * Rotation.random(rng=rng)).as_matrix()
    made = speeds(landmarks_of, recording, np.repeat(drawn[:1], LENGTH, 0), rotations)
    np.testing.assert_allclose(made["angular_deg_s"], speed, atol=1e-2)


def test_a_head_that_leans_past_upside_down_turns_on_and_does_not_whirl_back(landmarks_of, recording, still):
    made = speeds(landmarks_of, recording, still, rotation_of(np.array([0, 0, 175.0])) @ steady(0, 0, 90))
    np.testing.assert_allclose(made["roll_deg_s"], 90, atol=1e-2)


@given(st.floats(0.5, 8), st.floats(-40, 40), st.floats(-40, 40))
def test_a_face_that_moves_by_so_many_widths_a_second_does_so_at_any_size(
    landmarks_of, recording, drawn, size, right, down
):
    width = np.linalg.norm(drawn[0, 16] - drawn[0, 0])
    shift = np.arange(LENGTH)[:, None, None] / FPS * np.array([right, down]) * width / 40
    made = speeds(landmarks_of, recording, size * (drawn[:1] + shift), np.tile(np.eye(3), (LENGTH, 1, 1)))
    np.testing.assert_allclose(made["translation_widths_s"], np.hypot(right, down) / 40, rtol=1e-3, atol=1e-3)


def test_mouth_and_brows_do_not_move_the_face(landmarks_of, recording, still):
    still[::2, 48:68] += 5
    still[::2, 17:27] -= 5
    made = speeds(landmarks_of, recording, still, steady(0, 0, 0))
    assert (made["translation_widths_s"] == 0).all()


def test_a_moment_in_profile_does_not_make_the_face_narrow_and_fast(landmarks_of, recording, still):
    still += np.arange(LENGTH)[:, None, None]
    plain = speeds(landmarks_of, recording, still, steady(0, 0, 0))["translation_widths_s"]
    still[4:6, 0] = still[4:6, 16]  # both ends of the jaw in one place
    made = speeds(landmarks_of, recording, still, steady(0, 0, 0))["translation_widths_s"]
    np.testing.assert_allclose(made, plain)


@pytest.mark.parametrize(("reach", "silent"), [(1, [4, 5, 6]), (2, [3, 4, 5, 6, 7])])
def test_missing_frames_are_not_bridged(landmarks_of, recording, still, reach, silent):
    rotations = steady(10, 20, 30)
    still[5], rotations[5] = np.nan, np.nan
    for name, column in speeds(landmarks_of, recording, still, rotations, reach).items():
        assert np.flatnonzero(np.isnan(column)).tolist() == silent, name


def test_a_single_frame_has_no_speed_and_tracks_do_not_touch(landmarks_of, recording, still):
    rotations = {0: steady(50, 0, 0), 1: steady(0, 0, 0), 2: steady(9, 9, 9)[:1]}
    points = {0: still, 1: still + 100, 2: still[:1]}
    made = motion(landmarks_of(points, rotations), recording, MotionParams())
    assert made.of(0, "angular_deg_s") == pytest.approx(np.full(LENGTH, 50), abs=1e-3)
    assert made.of(1, "angular_deg_s") == pytest.approx(np.zeros(LENGTH), abs=1e-3)
    assert all(np.isnan(made.of(2, name)).all() for name in COLUMNS)


def test_flat_landmarks_are_a_failure_and_no_faces_are_none(landmarks_of, recording, still):
    with pytest.raises(RecordingFailed, match="how heads are turned"):
        motion(landmarks_of({0: still}), recording, MotionParams())
    assert len(motion(landmarks_of({}), recording, MotionParams()).track) == 0
