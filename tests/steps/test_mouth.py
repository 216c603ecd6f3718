"""The mouth: measured in the face's own unit, and its motion with that of the head taken out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.steps.mouth import COLUMNS, MOVING, MouthParams, mouth
from phonoscope.testing.puppet import one_head
from phonoscope.testing.puppet.truth import truth_of

FPS = 30000 / 1001


def measured(landmarks_of, recording, points, reach=1) -> dict[str, np.ndarray]:
    made = mouth(landmarks_of({4: points}), recording, MouthParams(reach=reach))
    assert tuple(made.columns) == COLUMNS
    assert all(column.dtype == np.float32 for column in made.columns.values())
    return dict(made.columns)


def moved(points: np.ndarray, size: np.ndarray, angle_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Points (T, 68, 2) grown, turned and shifted frame by frame."""
    at = (points[..., 0] + 1j * points[..., 1]) * (size * np.exp(1j * np.deg2rad(angle_deg)))[:, None]
    return np.stack([at.real, at.imag], -1) + shift[:, None]


def test_opening_and_width_are_those_of_the_points(landmarks_of, recording, drawn):
    made = measured(landmarks_of, recording, drawn)
    eyes = np.median(np.linalg.norm(drawn[:, 36] - drawn[:, 45], axis=1))
    gap, width = (np.linalg.norm(drawn[:, a] - drawn[:, b], axis=1) for a, b in ((62, 66), (48, 54)))
    np.testing.assert_allclose(made["opening"], gap / eyes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(made["width"], width / eyes, rtol=1e-5)


def test_opening_follows_the_true_mouth_of_a_drawn_head(landmarks_of, recording):
    head = truth_of(one_head(4.0, seed=3)).heads[0]
    made = measured(landmarks_of, recording, head.landmarks)
    assert np.corrcoef(made["opening"], head.open)[0, 1] > 0.98
    talks = head.talking
    assert np.median(made["lower_face"][talks]) > 5 * np.median(made["lower_face"][~talks])


@given(st.floats(0.3, 5), st.floats(-180, 180), st.floats(-500, 500))
def test_size_place_and_lean_of_the_whole_film_change_nothing(landmarks_of, recording, drawn, size, angle, shift):
    one = np.ones(len(drawn))
    there = moved(drawn, size * one, angle * one, np.full((len(drawn), 2), shift))
    before, after = (measured(landmarks_of, recording, points) for points in (drawn, there))
    for name in COLUMNS:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=2e-3)


@given(st.integers(0, 2**31))
def test_a_head_that_moves_turns_and_nears_with_a_still_face_has_no_motion_of_the_lower_face(
    landmarks_of, recording, drawn, seed
):
    rng = np.random.default_rng(seed)
    still = np.repeat(drawn[:1], 20, 0)
    wild = moved(still, rng.uniform(0.5, 2, 20), rng.uniform(-90, 90, 20), rng.uniform(-200, 200, (20, 2)))
    assert measured(landmarks_of, recording, wild)["lower_face"].max() < 1e-3


@given(st.floats(0.1, 3), st.integers(1, 3), st.floats(-40, 40))
def test_a_jaw_that_sinks_at_a_known_speed_has_that_speed_however_the_head_moves(
    landmarks_of, recording, drawn, speed, reach, spin
):
    still = np.repeat(drawn[:1], 15, 0)
    eyes = np.linalg.norm(still[0, 36] - still[0, 45])
    frame = np.arange(15)
    still[:, MOVING, 1] += (frame * speed * eyes / FPS)[:, None]
    points = moved(still, np.ones(15), frame * spin / 15, frame[:, None] * np.array([3.0, -2.0]))
    made = measured(landmarks_of, recording, points, reach)["lower_face"]
    np.testing.assert_allclose(made, speed, rtol=2e-3)


def test_a_moment_in_profile_does_not_make_the_mouth_gape(landmarks_of, recording, drawn):
    turned = drawn.copy()
    turned[10:15, :, 0] = turned[10:15, :, 0].mean(1, keepdims=True)  # seen from the side all x are near each other
    before, after = (measured(landmarks_of, recording, points)["opening"] for points in (drawn, turned))
    assert after[10:15].max() <= before[10:15].max() + 0.01


def test_missing_frames_are_not_bridged(landmarks_of, recording, drawn):
    drawn = drawn[:12].copy()
    drawn[5] = np.nan
    made = measured(landmarks_of, recording, drawn)
    gone = {name: np.flatnonzero(np.isnan(column)).tolist() for name, column in made.items()}
    assert gone == {"opening": [5], "width": [5], "lower_face": [4, 5, 6]}


def test_a_face_that_was_never_found_has_no_mouth(landmarks_of, recording):
    made = mouth(landmarks_of({0: np.full((3, 68, 2), np.nan)}), recording, MouthParams())
    assert all(np.isnan(column).all() for column in made.columns.values())
    assert len(mouth(landmarks_of({}), recording, MouthParams()).track) == 0
