"""dlib's landmarks: an optional backend without depth."""

from pathlib import Path

import numpy as np
import pytest

from phonoscope.core.faces import Track
from phonoscope.media.picture import Picture
from phonoscope.models.backends.dlib68 import FRAME, MARGIN, RISE, SIDE, Dlib68
from phonoscope.models.follow import Follower
from phonoscope.models.protocols import FaceShape
from phonoscope.models.registry import load
from phonoscope.models.weights import where


def test_its_card_says_that_its_weights_are_not_for_sale():
    assert "excludes commercial use" in Dlib68.card.licence


@pytest.fixture(scope="module")
def dlib68(of_dlib) -> Dlib68:
    return of_dlib("dlib68")


def test_square_and_box_agree_with_dlibs_own_frame(dlib68):
    """A box as dlib's detector would give it leads to a square in which the predictor's box lies where that box is."""
    square = dlib68.first(np.array([100, 100, 200, 200], np.float32))
    extent = square.side / MARGIN
    assert square.y - RISE * extent == pytest.approx(150)
    assert FRAME * extent == pytest.approx(97)
    assert square.angle_deg == 0


@pytest.mark.real
def test_its_points_are_near_the_meshs(dlib68, shared_data, shared_weights):
    import av

    from phonoscope.models.backends.yunet import YuNet

    detector, mesh = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6), load("facemesh")
    for clip in ("hdtf_KatieHill.mp4", "may_5s.mp4", "retalking_face5.mp4"):
        with av.open(str(shared_data / "a_talking_head" / clip)) as film:
            rgb = next(film.decode(video=0)).to_ndarray(format="rgb24")
        boxes, _, _ = detector(np.ascontiguousarray(rgb[..., ::-1]))
        track = Track(0, 0, boxes[:1], np.ones(1, np.float32), np.ones(1, bool))
        here, there = (Follower(model, track).see(Picture.from_rgb(rgb)) for model in (dlib68, mesh))
        apart = np.linalg.norm(here.points - there.points, axis=1) / np.linalg.norm(here.points[36] - here.points[45])
        assert apart.mean() < 0.05
        assert here.mesh.shape == (0, 3)
        assert np.isnan(here.rotation).all()


def test_its_answer_is_68_points_in_the_picture_and_it_is_always_sure(dlib68):
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    shape = dlib68(image)
    assert isinstance(shape, FaceShape)
    assert (shape.points.shape, shape.points.dtype, shape.score) == ((68, 2), np.float32, 1.0)


@pytest.mark.parametrize("image", [np.zeros((SIDE, SIDE), np.uint8), np.zeros((9, 9, 3), np.uint8)])
def test_what_is_no_picture_is_refused(dlib68, image):
    with pytest.raises(ValueError, match="expected an image"):
        dlib68(image)


def test_weights_are_those_of_the_card(dlib68):
    assert Path(str(where(Dlib68.card)).split(" ", 1)[1]).stat().st_size == Dlib68.card.size
