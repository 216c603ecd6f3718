"""The default face detector, against OpenCV's own decoder of the same network and on scenes with a known truth."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.geometry import iou
from phonoscope.models.backends.yunet import MAX_IOU, YuNet, padded

Scene = list[tuple[np.ndarray, np.ndarray]]


@given(st.integers(1, 70), st.integers(1, 70))
def test_padding_keeps_the_picture_and_fills_up_to_multiples_of_32_with_black(height: int, width: int) -> None:
    image = np.random.default_rng(height * 100 + width).integers(1, 256, (height, width, 3), np.uint8)
    batch = padded(image)
    assert batch.dtype == np.float32
    assert all(
        side % 32 == 0 and 0 <= side - true < 32 for side, true in zip(batch.shape[2:], (height, width), strict=True)
    )
    assert np.array_equal(batch[0, :, :height, :width].transpose(1, 2, 0), image)
    assert batch.sum() == image.sum()


@pytest.fixture(scope="module")
def yunet(shared_weights: Path) -> YuNet:
    return YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)


@pytest.mark.real
def test_it_finds_every_face_and_nothing_else_in_scenes_of_three(yunet: YuNet, scene: Scene) -> None:
    import cv2

    for image, truth in scene:
        for scale in (1.0, 0.5):
            boxes, scores, points = yunet(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
            assert (iou(truth * scale, boxes).max(axis=1) > 0.7).all()
            assert len(boxes) == 3
            assert (scores[:-1] >= scores[1:]).all()
            inside = (points > boxes[:, None, :2]) & (points < boxes[:, None, 2:])
            assert inside.mean() > 0.95  # an eye of a turned head may lie on the edge


@pytest.mark.real
def test_right_and_left_are_the_persons_own(yunet: YuNet, scene: Scene) -> None:
    _, _, points = yunet(scene[0][0])
    right_eye, left_eye, nose, right_corner, left_corner = np.moveaxis(points, 1, 0)
    assert (right_eye[:, 0] < left_eye[:, 0]).all()  # to the left in the picture of a person who faces us
    assert (right_corner[:, 0] < left_corner[:, 0]).all()
    assert (right_eye[:, 1] < nose[:, 1]).all()
    assert (nose[:, 1] < left_corner[:, 1]).all()


@pytest.mark.real
def test_opencv_decodes_the_same_faces_from_the_same_network(yunet: YuNet, shared_weights: Path, scene: Scene) -> None:
    import cv2

    image = scene[0][0][:704]  # both sides are multiples of 32, so OpenCV pads nothing
    witness = cv2.FaceDetectorYN.create(str(shared_weights / "yunet_n.onnx"), "", (1280, 704), 0.6, MAX_IOU, 5000)
    _, rows = witness.detect(image)
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    boxes, scores, points = yunet(image)
    assert np.allclose(boxes, np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1), atol=1e-2)
    assert np.allclose(points, rows[:, 4:14].reshape(-1, 5, 2), atol=1e-2)
    assert np.allclose(scores, rows[:, 14], atol=1e-4)


@pytest.mark.real
def test_boxes_move_with_the_picture(yunet: YuNet, scene: Scene) -> None:
    image = scene[0][0]
    moved = np.pad(image, ((64, 0), (96, 0), (0, 0)), constant_values=96)
    boxes, _, points = yunet(image)
    moved_boxes, _, moved_points = yunet(moved)
    match = iou(boxes + np.array([96, 64, 96, 64], np.float32), moved_boxes).argmax(axis=1)
    assert np.allclose(moved_boxes[match], boxes + np.array([96, 64, 96, 64]), atol=0.5)
    assert np.allclose(moved_points[match], points + np.array([96, 64]), atol=0.5)


@pytest.mark.real
@pytest.mark.parametrize("shape", [(1, 1), (37, 501), (360, 640)])
def test_an_empty_picture_of_any_size_has_no_face(yunet: YuNet, shape: tuple[int, int]) -> None:
    boxes, scores, points = yunet(np.full((*shape, 3), 128, np.uint8))
    assert (boxes.shape, scores.shape, points.shape) == ((0, 4), (0,), (0, 5, 2))
    assert boxes.dtype == scores.dtype == points.dtype == np.float32


@pytest.mark.real
def test_the_same_picture_gives_the_same_bytes(yunet: YuNet, shared_weights: Path, scene: Scene) -> None:
    again = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)
    for one, other in zip(yunet(scene[0][0]), again(scene[0][0]), strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.real
@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(yunet: YuNet, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected an image"):
        yunet(image)
