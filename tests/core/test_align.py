"""Aligned crops show every face upright, of one size and in one place, whatever it does, and never invent one."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, sampled_from

from phonoscope.core.align import PATCH, STABLE, aligned, any_crop, face_crop
from phonoscope.core.faces import Track
from phonoscope.core.geometry import POLICIES, central, crop_track
from phonoscope.core.mean_face import MEAN_FACE
from phonoscope.models.backends.facemesh import points_of, template

STILL = list(STABLE)


def track_around(points: np.ndarray, start: int = 7) -> Track:
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    box = np.hstack([low, high]).astype(np.float32)
    return Track(3, start, box, np.ones(len(box), np.float32), np.ones(len(box), bool))


def moved(angle_deg: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The mean face turned (clockwise in the picture), scaled and shifted, (T, 68, 2)."""
    turn = np.exp(1j * np.radians(angle_deg)) * scale
    face = turn[:, None] * (MEAN_FACE @ [1, 1j])[None] + (shift @ [1, 1j])[:, None]
    return np.stack([face.real, face.imag], 2)


def wandering(length: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(length, 4)), 0)
    return moved(20 + 2 * walk[:, 0], np.exp(walk[:, 1] / 20), 300 + 5 * walk[:, 2:])


def seen(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.einsum("tij,tkj->tki", matrix[:, :, :2], points) + matrix[:, None, :, 2]


def test_the_mean_face_is_that_of_the_template():
    points = points_of(template()[0]).astype(np.float64)
    low, high = points.min(0), points.max(0)
    np.testing.assert_allclose(MEAN_FACE, [71, 73] + (points - low) / (high - low) * [123, 127], atol=0.006)


@given(angle_deg=floats(-170, 170), log_scale=floats(-2, 2), x=floats(-500, 2000), length=integers(1, 30))
def test_a_face_that_was_turned_scaled_and_shifted_comes_out_as_the_mean_face(angle_deg, log_scale, x, length):
    ones = np.ones(length)
    points = moved(angle_deg * ones, np.exp(log_scale) * ones, np.outer(ones, [x, 40.0]))
    matrix, missing = aligned(track_around(points), points)
    assert not missing.any()
    wanted = MEAN_FACE - MEAN_FACE.mean(0) + PATCH / 2
    np.testing.assert_allclose(seen(matrix, points), np.repeat(wanted[None], length, 0), atol=1e-6)


@given(length=integers(1, 40), seed=integers(0, 99))
def test_the_middle_of_the_points_is_the_middle_of_the_crop_and_nothing_is_skewed_or_mirrored(length, seed):
    points = wandering(length, seed)
    matrix, _ = aligned(track_around(points), points)
    np.testing.assert_allclose(seen(matrix, points).mean(axis=1), PATCH / 2, atol=1e-6)
    linear = matrix[:, :, :2]
    scale2 = np.linalg.det(linear)
    assert (scale2 > 0).all()
    np.testing.assert_allclose(linear @ linear.transpose(0, 2, 1), scale2[:, None, None] * np.eye(2), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_is_the_one_that_opencv_makes_of_eight_points_that_agree(seed):
    rng = np.random.default_rng(seed)
    points = wandering(1, seed) + rng.normal(0, 0.01, (1, 68, 2))
    matrix, _ = aligned(track_around(points), points)
    theirs, _ = cv2.estimateAffinePartial2D(points[0, STILL], MEAN_FACE[STILL], method=cv2.LMEDS)
    np.testing.assert_allclose(matrix[0, :, :2], theirs[:, :2], atol=2e-3)


def test_shapes_are_averaged_over_thirteen_frames_and_places_are_not():
    rng = np.random.default_rng(1)
    still = moved(np.zeros(60), np.ones(60), np.zeros((60, 2)))
    points = still + rng.normal(0, 1, still.shape) + np.arange(60)[:, None, None] * [3.0, 0.0]
    matrix, _ = aligned(track_around(points), points)
    angle = np.degrees(np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    alone = [aligned(track_around(points[k : k + 1]), points[k : k + 1])[0][0] for k in range(60)]
    angle_alone = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in alone])
    assert angle[6:-6].std() < 0.45 * angle_alone[6:-6].std()
    np.testing.assert_allclose(matrix[[0, -1]], [alone[0], alone[-1]], atol=1e-9)  # nothing lies before or after these
    np.testing.assert_allclose(seen(matrix, points).mean(axis=1), PATCH / 2, atol=1e-6)


@given(first=integers(1, 20), gap=integers(1, 12), last=integers(1, 20))
def test_frames_without_landmarks_are_masked_and_lean_on_their_neighbours_but_no_average_crosses_them(first, gap, last):
    length = first + gap + last
    points = wandering(length)
    track = track_around(points)
    points[first : first + gap] = np.nan
    matrix, missing = aligned(track, points)
    assert np.array_equal(np.flatnonzero(missing), np.arange(first, first + gap))
    for rows in (slice(0, first), slice(first + gap, length)):
        piece = Track(3, 0, track.box[rows], track.score[rows], track.observed[rows])
        np.testing.assert_allclose(matrix[rows], aligned(piece, points[rows])[0], atol=1e-9)
    size = np.sqrt(np.linalg.det(matrix[:, :, :2]) * (track.box[:, 2:] - track.box[:, :2]).max(axis=1) ** 2)
    low, high = sorted((size[first - 1], size[first + gap]))
    assert ((size[missing] >= low - 1e-6) & (size[missing] <= high + 1e-6)).all()


def test_a_turn_across_the_back_is_bridged_the_short_way():
    points = moved(np.array([170.0, 175, 180, 185, 190]), np.ones(5), np.full((5, 2), 50.0))
    track = track_around(points)
    points[2] = np.nan
    matrix, _ = aligned(track, points)
    assert abs(np.degrees(np.arctan2(matrix[2, 1, 0], matrix[2, 0, 0]))) == pytest.approx(180, abs=0.5)


def test_a_track_without_any_landmarks_is_cut_by_its_box_and_all_of_it_is_missing():
    points = wandering(9)
    track = track_around(points)
    crop, missing = any_crop(track, "aligned", points=np.full((9, 68, 2), np.nan))
    assert missing.all() and np.isfinite(crop.matrix).all()
    middle = (track.box[:, :2] + track.box[:, 2:]) / 2
    np.testing.assert_allclose(seen(crop.matrix, middle[:, None])[:, 0], PATCH / 2, atol=1e-3)


@given(policy=sampled_from(sorted(POLICIES)), size=sampled_from([48, 112, 160]), seed=integers(0, 20))
def test_every_policy_gives_a_face_at_every_size_with_the_same_thing_in_its_middle(policy, size, seed):
    points = wandering(15, seed)
    track = track_around(points)
    crop, missing = face_crop(track, policy, size, points)
    usual, _ = face_crop(track, policy, 112, points)
    assert crop.size == (size, size) and (crop.track, crop.start, crop.policy) == (3, 7, policy)
    assert len(crop) == len(missing) == 15 and not missing.any()
    middles = [it.to_source(np.full((15, 1, 2), it.size[0] / 2)) for it in (crop, usual)]
    np.testing.assert_allclose(*middles, atol=1e-6)
    np.testing.assert_allclose(crop.matrix[:, :, :2] / size, usual.matrix[:, :, :2] / 112, atol=1e-9)


def test_of_the_policy_asd_a_network_sees_the_middle_half():
    track = track_around(wandering(20))
    crop, _ = face_crop(track, "asd", 112)
    np.testing.assert_allclose(crop.matrix, central(crop_track(track, "asd"), 112).matrix)


@given(expand=floats(0, 2))
def test_a_wider_aligned_crop_shows_the_same_middle_smaller(expand):
    points = wandering(6)
    crop, _ = any_crop(track_around(points), "aligned", expand=expand, points=points)
    usual, _ = any_crop(track_around(points), "aligned", points=points)
    np.testing.assert_allclose(crop.matrix[:, :, :2] * (1 + expand), usual.matrix[:, :, :2])
    middles = [it.to_source(np.full((6, 1, 2), 56.0)) for it in (crop, usual)]
    np.testing.assert_allclose(*middles, atol=1e-6)


def test_aligned_crops_without_landmarks_say_what_is_needed():
    track = track_around(wandering(5))
    with pytest.raises(ValueError, match=r"'aligned' crops of track 3 need its landmarks \(5, 68, 2\), got none"):
        face_crop(track, "aligned", 112)
    with pytest.raises(ValueError, match=r"got \(4, 68, 2\)"):
        face_crop(track, "aligned", 112, np.zeros((4, 68, 2)))
    with pytest.raises(ValueError, match="'aligned' crops go by landmarks"):
        crop_track(track, "aligned")
