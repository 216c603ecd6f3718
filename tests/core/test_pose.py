"""Angles and rotations: the signs that the pictures show, and the arithmetic of the head-pose field."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from phonoscope.core.errors import RecordingFailed
from phonoscope.core.faces import TrackArrays, TrackTable
from phonoscope.core.pose import COLUMNS, angles_of, apart_deg, head_rotations, rotation_of, turned_deg

MIRROR = np.diag([-1.0, 1.0, 1.0])  # of left and right, in the face and in the picture alike
NOSE, CROWN = np.array([0, 0, -1.0]), np.array([0, -1.0, 0])  # out of the face, and up, in directions of the face

yaw = st.floats(-89.9, 89.9)
turn = st.floats(-179.9, 179.9)
heads = st.tuples(yaw, turn, turn).map(np.array)
rotations = st.integers(0, 2**31).map(lambda seed: Rotation.random(rng=np.random.default_rng(seed)).as_matrix())


def turned_in_the_plane(angle_deg: float) -> np.ndarray:
    """The picture turned anticlockwise, as a rotation of the camera's directions."""
    return Rotation.from_euler("z", -angle_deg, degrees=True).as_matrix()


def test_a_head_that_faces_the_camera_upright_has_no_angles():
    assert rotation_of(np.zeros(3)).tolist() == np.eye(3).tolist()
    assert angles_of(np.eye(3)).tolist() == [0, 0, 0]


@given(st.floats(1, 89))
def test_signs_are_those_of_the_picture(angle):
    x, y = 0, 1
    assert (rotation_of(np.array([angle, 0, 0])) @ NOSE)[x] < 0  # yaw: the nose goes left
    assert (rotation_of(np.array([0, angle, 0])) @ NOSE)[y] > 0  # pitch: the nose goes down
    assert (rotation_of(np.array([0, 0, angle])) @ CROWN)[x] < 0  # roll: the crown goes left


@given(heads)
def test_angles_come_back_from_their_rotation(angles):
    np.testing.assert_allclose(turned_deg(angles_of(rotation_of(angles)), angles), 0, atol=1e-6)


@given(st.one_of(rotations, st.sampled_from([-90.0, 90.0]).map(lambda y: rotation_of(np.array([y, 20.0, 30.0])))))
def test_a_rotation_comes_back_from_its_angles_also_in_exact_profile(rotation):
    np.testing.assert_allclose(rotation_of(angles_of(rotation)), rotation, atol=1e-6)


@given(heads)
def test_the_product_of_matrices_is_the_one_that_is_written_down(angles):
    yaw, pitch, roll = angles
    witness = Rotation.from_euler("ZYX", [-roll, yaw, pitch], degrees=True)  # capitals: Rz · Ry · Rx
    np.testing.assert_allclose(rotation_of(angles), witness.as_matrix(), atol=1e-12)


@given(heads)
def test_the_angles_are_those_of_3ddfa_v2_whose_axes_have_y_up_and_z_towards_the_viewer(angles):
    flip = np.diag([1.0, -1.0, -1.0])
    r = flip @ rotation_of(angles) @ flip
    yaw, pitch, roll = np.arcsin(r[2, 0]), np.arctan2(r[2, 1], r[2, 2]), np.arctan2(r[1, 0], r[0, 0])
    np.testing.assert_allclose(turned_deg(np.rad2deg([yaw, pitch, roll]), angles), 0, atol=1e-5)


@given(heads)
def test_a_mirror_flips_yaw_and_roll_and_leaves_pitch(angles):
    mirrored = MIRROR @ rotation_of(angles) @ MIRROR
    np.testing.assert_allclose(turned_deg(angles_of(mirrored), angles * [-1, 1, -1]), 0, atol=1e-6)


@given(heads, turn)
def test_turning_the_picture_in_its_plane_adds_to_roll_alone_whatever_the_pose(angles, by):
    seen = angles_of(turned_in_the_plane(by) @ rotation_of(angles))
    np.testing.assert_allclose(turned_deg(seen, angles + np.array([0, 0, by])), 0, atol=1e-6)


@given(rotations, rotations)
def test_how_far_rotations_are_apart_is_the_angle_of_the_turn_between_them(a, b):
    witness = np.rad2deg((Rotation.from_matrix(a).inv() * Rotation.from_matrix(b)).magnitude())
    assert apart_deg(a, b) == pytest.approx(witness, abs=1e-6)
    assert apart_deg(a, b) == pytest.approx(apart_deg(b, a), abs=1e-6)


@given(rotations, st.floats(1e-4, 0.1))
def test_small_turns_are_not_lost_in_single_precision(rotation, by):
    after = Rotation.from_euler("y", by, degrees=True).as_matrix() @ rotation
    assert apart_deg(rotation.astype(np.float32), after.astype(np.float32)) == pytest.approx(by, abs=2e-5)


def test_missing_rotations_have_no_angles_and_say_nothing():
    some = np.stack([np.eye(3), np.full((3, 3), np.nan)])
    assert np.isnan(angles_of(some)).all(1).tolist() == [False, True]
    assert np.isnan(apart_deg(some[0], some[1]))


def test_angles_turn_the_shorter_way_round():
    assert turned_deg(np.array([179.0, -179.0, 10.0]), np.array([-179.0, 179.0, 40.0])).tolist() == [2, -2, 30]


def landmarks_of(points: float, rotation: float) -> TrackArrays:
    columns = dict.fromkeys(COLUMNS, np.full(3, rotation, np.float32))
    frames = TrackTable(np.zeros(3, np.int32), np.arange(3, dtype=np.int32), columns)
    return TrackArrays({0: np.full((3, 68, 2), points, np.float32)}, frames)


def test_flat_landmarks_say_so_but_faces_that_were_never_found_are_no_failure():
    with pytest.raises(RecordingFailed, match="landmarks are flat") as caught:
        head_rotations(landmarks_of(points=5, rotation=np.nan))
    assert caught.value.reason == "no-depth"
    assert "\n" not in str(caught.value)
    assert np.isnan(head_rotations(landmarks_of(points=np.nan, rotation=np.nan))).all()
    nobody = TrackTable(np.zeros(0, np.int32), np.zeros(0, np.int32), dict.fromkeys(COLUMNS, np.zeros(0, np.float32)))
    assert head_rotations(TrackArrays({}, nobody)).shape == (0, 3, 3)
