"""Fakes keep the promises of the protocols that they stand in for."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.models.protocols import FaceDetector, SpeakingScorer, VoiceDetector
from phonoscope.testing.fakes import FakeDetector, FakeScorer, FakeVoice


def check_types() -> tuple[FaceDetector, VoiceDetector, SpeakingScorer]:
    """For the type checker: each satisfies its protocol."""
    return FakeDetector(), FakeVoice(), FakeScorer()


@given(st.integers(5, 20), st.integers(5, 20), st.integers(0, 40), st.integers(0, 40))
def test_a_bright_patch_is_a_face_and_its_points_lie_in_it(height: int, width: int, y: int, x: int) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[y : y + height, x : x + width] = 255
    boxes, scores, points = FakeDetector()(image)
    assert boxes.tolist() == [[x, y, x + width, y + height]]
    assert scores.tolist() == [np.float32(0.9)]
    assert ((points > boxes[:, None, :2]) & (points < boxes[:, None, 2:])).all()
    assert points[0, 0, 0] < points[0, 1, 0]


def test_patches_that_do_not_touch_are_several_faces_the_largest_first() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[2:6, 2:6] = image[20:40, 20:40] = 255
    boxes, _, _ = FakeDetector()(image)
    assert boxes.tolist() == [[20, 20, 40, 40], [2, 2, 6, 6]]


def test_a_dark_picture_has_no_face() -> None:
    boxes, scores, points = FakeDetector()(np.zeros((8, 8, 3), np.uint8))
    assert (boxes.shape, scores.shape, points.shape) == ((0, 4), (0,), (0, 5, 2))
    assert boxes.dtype == scores.dtype == points.dtype == np.float32


def test_given_boxes_are_found_in_every_picture() -> None:
    detector = FakeDetector(np.array([[1, 2, 3, 4]]), score=0.7)
    for image in (np.zeros((8, 8, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)):
        boxes, scores, _ = detector(image)
        assert boxes.tolist() == [[1, 2, 3, 4]]
        assert scores.tolist() == [np.float32(0.7)]


@given(st.integers(0, 1000))
def test_the_fake_voice_has_a_row_for_every_10_ms_begun(samples: int) -> None:
    said = FakeVoice()(np.zeros(samples, np.float32))
    assert said.shape == (-(-samples // 160),)
    assert said.dtype == np.float32


def test_the_fake_voice_hears_what_is_loud() -> None:
    audio = np.concatenate([np.zeros(320), np.full(160, 0.5), np.zeros(10)]).astype(np.float32)
    assert (FakeVoice()(audio) > 0.5).tolist() == [False, False, True, False]


def test_the_fake_scorer_wants_both_a_moving_mouth_and_sound() -> None:
    faces = np.zeros((6, 112, 112), np.uint8)
    faces[[1, 3, 5], 80:] = 100  # the lower half changes from frame to frame
    audio = np.full(round(6 * 16000 / Fraction(25)), 0.1, np.float32)
    audio[: 3 * 640] = 0
    assert (FakeScorer()(faces, audio) > 0).tolist() == [False, False, False, True, True, True]
    assert (FakeScorer()(faces[:1].repeat(6, 0), audio) < 0).all()
    assert FakeScorer()(faces[:0], audio[:0]).shape == (0,)


@given(st.integers(2, 30), st.integers(0, 2**31))
def test_the_fake_scorer_in_pieces_with_context_equals_the_whole(frames: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    faces = generator.integers(0, 256, (frames, 112, 112), np.uint8)
    audio = generator.normal(0, 0.1, frames * 640).astype(np.float32)
    scorer, cut = FakeScorer(), frames // 2
    whole = scorer(faces, audio)
    tail = scorer(faces[cut - 1 :], audio[(cut - 1) * 640 :])[1:]
    assert np.array_equal(tail, whole[cut:])
