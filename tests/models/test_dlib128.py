"""dlib's embedding of faces: an optional backend; near for one person, far for two."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phonoscope.core.align import any_crop
from phonoscope.core.faces import Track
from phonoscope.media.picture import Picture
from phonoscope.models.backends.dlib128 import SIDE, WIDTH, Dlib128
from phonoscope.models.follow import Follower
from phonoscope.models.protocols import FaceEmbedder
from phonoscope.models.registry import load
from phonoscope.models.weights import where
from phonoscope.steps.people import PeopleParams

SAME = (("voxceleb2_00002.mp4", "voxceleb2_517600055.mp4"), ("voxceleb2_741400104.mp4", "voxceleb2_741400163.mp4"))
OTHERS = ("grid_lbax4n.mpg", "may_5s.mp4")

Seen = tuple[np.ndarray, Track, np.ndarray]  # a picture (H, W, 3), the face in it, its points (68, 2)


def test_its_card_says_whose_faces_it_has_learnt_from():
    assert "for research" in Dlib128.card.notes


@pytest.fixture(scope="module")
def dlib128(of_dlib) -> Dlib128:
    return of_dlib("dlib128")


def check_types(dlib128: Dlib128) -> FaceEmbedder:
    """For the type checker."""
    return dlib128


def test_a_face_gives_the_same_numbers_whatever_stands_beside_it(dlib128):
    faces = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    made = dlib128(faces)
    assert (made.shape, made.dtype) == ((2, WIDTH), np.float32)
    np.testing.assert_array_equal(dlib128(faces[::-1])[::-1], made)
    np.testing.assert_array_equal(dlib128(faces[:1]), made[:1])
    assert dlib128(faces[:0]).shape == (0, WIDTH)


@pytest.mark.parametrize("faces", [np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((1, SIDE, SIDE, 3), np.float32)])
def test_what_are_no_faces_is_refused(dlib128, faces):
    with pytest.raises(ValueError, match="expected faces"):
        dlib128(faces)


def test_weights_are_those_of_the_card(dlib128):
    assert Path(str(where(Dlib128.card)).split(" ", 1)[1]).stat().st_size == Dlib128.card.size


@pytest.fixture(scope="module")
def seen(shared_data, shared_weights) -> dict[str, list[Seen]]:
    """Of each clip what there is in its first picture and in the one a second later."""
    import av

    from phonoscope.models.backends.yunet import YuNet

    detector, landmarker = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6), load("facemesh")

    def look(rgb: np.ndarray) -> Seen:
        boxes, _, _ = detector(np.ascontiguousarray(rgb[..., ::-1]))
        track = Track(0, 0, boxes[:1], np.ones(1, np.float32), np.ones(1, bool))
        return rgb, track, Follower(landmarker, track).see(Picture.from_rgb(rgb)).points

    found = {}
    for clip in (*(name for pair in SAME for name in pair), *OTHERS):
        with av.open(str(shared_data / "a_talking_head" / clip)) as film:
            found[clip] = [
                look(it.to_ndarray(format="rgb24")) for k, it in enumerate(film.decode(video=0)) if k in (0, 25)
            ]
    return found


def cut(rgb: np.ndarray, track: Track, points: np.ndarray) -> np.ndarray:
    """The face as the network is shown it."""
    crop, _ = any_crop(track, Dlib128.policy, Dlib128.expand, SIDE, points[None])
    return Picture.from_rgb(rgb).crop_rgb(crop.matrix[0], crop.size, 0)


@pytest.mark.real
def test_one_person_is_near_and_two_are_far(dlib128, seen):
    """Also one person in two clips; by the threshold of `people`, the same."""
    made = {clip: dlib128(np.stack([cut(*it) for it in pictures])) for clip, pictures in seen.items()}
    means = {clip: rows.mean(0) for clip, rows in made.items()}
    for clip, rows in made.items():
        assert np.linalg.norm(rows[0] - rows[1]) < 0.5
        for other, mean in means.items():
            apart = np.linalg.norm(means[clip] - mean)
            one = clip == other or any({clip, other} == {*pair} for pair in SAME)
            assert (apart <= PeopleParams().threshold) == one, (clip, other, apart)


@pytest.mark.real
def test_aligned_faces_are_nearly_what_dlib_cuts_out_for_itself(dlib128, seen):
    """Embeddings of ours and of `dlib.get_face_chip` by the same points are nearer than two faces of one person."""
    dlib: Any = import_module("dlib")
    apart: list[float] = []
    for pictures in seen.values():
        for rgb, track, points in pictures:
            box = dlib.rectangle(*(int(side) for side in track.box[0]))
            whole = dlib.full_object_detection(box, dlib.points([dlib.point(*map(int, it)) for it in points]))
            theirs = dlib.get_face_chip(np.ascontiguousarray(rgb), whole, SIDE, 0.25)
            ours, other = dlib128(np.stack([cut(rgb, track, points), theirs]))
            apart.append(float(np.linalg.norm(ours - other)))
    assert np.median(apart) < 0.25
    assert max(apart) < 0.4  # of two faces of one clip: 0.27 in the median, at most 0.50
