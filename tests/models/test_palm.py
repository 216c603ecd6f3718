"""The palm detector: where its answers count from, and what it finds on real film."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.geometry import areas, intersection
from phonoscope.models.backends.palm import INPUT, Palm, anchors
from phonoscope.models.cards import Card
from phonoscope.models.protocols import HandDetector


def check_types(palm: Palm) -> HandDetector:
    """For the type checker."""
    return palm


@pytest.fixture(scope="module")
def palm(from_index: Callable[[Card], Path]) -> Palm:
    return Palm(from_index(Palm.card))


def published_anchors() -> np.ndarray:
    """MediaPipe's own loop over layers, which gathers those of equal stride before it walks over cells."""
    strides, made, layer = (8, 16, 16, 16), [], 0
    while layer < len(strides):
        same = layer
        while same < len(strides) and strides[same] == strides[layer]:
            same += 1
        cells, a_cell = INPUT // strides[layer], 2 * (same - layer)
        for y in range(cells):
            for x in range(cells):
                made += [((x + 0.5) / cells, (y + 0.5) / cells)] * a_cell
        layer = same
    return np.array(made) * INPUT


def test_answers_count_from_the_published_anchors() -> None:
    assert anchors().shape == (2016, 2)
    np.testing.assert_allclose(anchors(), published_anchors(), atol=1e-4)


def test_an_empty_picture_has_no_hands(palm: Palm) -> None:
    boxes, scores = palm(np.zeros((INPUT, INPUT, 3), np.uint8))
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))
    assert boxes.dtype == scores.dtype == np.float32


@pytest.mark.parametrize("wrong", [np.zeros((96, 96, 3), np.uint8), np.zeros((INPUT, INPUT, 3), np.float32)])
def test_other_pictures_are_refused(palm: Palm, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected an image \(192, 192, 3\) uint8"):
        palm(wrong)


def picture_of(film: Path, number: int) -> np.ndarray:
    import av

    with av.open(str(film)) as opened:
        return next(islice(opened.decode(video=0), number, None)).to_ndarray(format="rgb24")


def square(picture: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """A square of a picture as the network wants it."""
    import cv2

    return cv2.resize(picture[top : top + side, left : left + side], (INPUT, INPUT), interpolation=cv2.INTER_AREA)


@pytest.mark.real
def test_a_fist_before_a_chin_is_found_where_it_is(palm: Palm, shared_data: Path) -> None:
    picture = picture_of(shared_data / "b_multi_face" / "mpiigaze_video03.mp4", 40)
    left, top, side = 440, 20, 240
    fist = (np.array([[520, 145, 580, 205]]) - [left, top, left, top]) * INPUT / side  # as seen by a person
    boxes, scores = palm(square(picture, left, top, side))
    shared = intersection(fist, boxes)[0] / areas(boxes)
    assert scores[shared > 0.7].max(initial=0) > 0.7
    assert (np.diff(scores) <= 0).all()


@pytest.mark.real
@pytest.mark.parametrize("name", ["hdtf_KatieHill", "may_5s", "retalking_face1", "retalking_face5"])
def test_talking_heads_without_hands_have_none(palm: Palm, shared_data: Path, name: str) -> None:
    picture = picture_of(shared_data / "a_talking_head" / f"{name}.mp4", 10)
    boxes, _ = palm(square(picture, 0, 0, min(picture.shape[:2])))
    assert len(boxes) == 0
