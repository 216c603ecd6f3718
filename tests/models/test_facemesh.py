"""The face mesh: laws of its tables, and the network on real people and under turns and mirrors."""

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.faces import Track
from phonoscope.core.pose import apart_deg
from phonoscope.media.picture import Picture
from phonoscope.models.backends.facemesh import EYES, FaceMesh, map_68, points_of, template
from phonoscope.models.backends.facemesh import rotation_of as mesh_rotation
from phonoscope.models.cards import Card
from phonoscope.models.follow import Follower
from phonoscope.models.follow import turned as turned_by
from phonoscope.models.weights import weights
from phonoscope.testing import puppet

MIRROR_68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
)  # fmt: skip
MIRROR = np.diag([-1.0, 1.0, 1.0])  # left and right of the picture exchanged


def mirror_of_vertices() -> np.ndarray:
    rest, _ = template()
    return ((rest * [-1, 1, 1])[:, None] - rest[None]).__pow__(2).sum(axis=-1).argmin(axis=1)


@given(st.integers(0, 100), st.lists(st.floats(-3, 3), min_size=6, max_size=6))
def test_points_follow_every_affine_map_of_the_picture(seed, numbers):
    mesh = np.random.default_rng(seed).uniform(0, 192, (468, 3))
    linear, shift = np.array(numbers[:4]).reshape(2, 2), np.array(numbers[4:])
    moved = np.column_stack([mesh[:, :2] @ linear.T + shift, mesh[:, 2]])
    np.testing.assert_allclose(points_of(moved), points_of(mesh) @ linear.T + shift, atol=2e-3)


def test_few_vertices_make_a_point_and_their_weights_sum_to_one():
    weights = map_68()
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    assert (weights != 0).sum(axis=1).max() <= 40
    assert np.abs(weights).sum(axis=1).max() < 6  # noise of single vertices is not blown up


def test_left_mirrors_right():
    rest, stable = template()
    mirror = mirror_of_vertices()
    assert (mirror[mirror] == np.arange(468)).all()
    np.testing.assert_allclose(rest[mirror], rest * [-1, 1, 1], atol=2e-4)
    assert (stable[mirror] == stable).all()
    np.testing.assert_allclose(map_68()[MIRROR_68][:, mirror], map_68(), atol=2e-3)


def test_points_of_the_template_lie_as_in_a_face():
    points = points_of(template()[0])
    assert (np.diff(points[:17, 0]) > 0).all()  # along the jaw, from the person's right
    assert points[36, 0] < points[39, 0] < points[42, 0] < points[45, 0]
    assert points[19, 1] < points[37, 1] < points[41, 1] < points[33, 1] < points[51, 1] < points[57, 1] < points[8, 1]
    np.testing.assert_allclose(points[[27, 30, 33, 51, 8], 0], 0, atol=2e-3)


@given(st.integers(0, 1000), st.floats(1, 200), st.floats(-300, 300))
def test_the_rotation_of_a_turned_template_is_its_turn(seed, scale, shift):
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    np.testing.assert_allclose(mesh_rotation(scale * template()[0] @ turn.T + shift), turn, atol=1e-5)


def test_lips_and_jaw_do_not_turn_the_head():
    rest, stable = template()
    talking = rest.copy()
    talking[~stable] += np.random.default_rng(0).normal(0, 0.1, (int((~stable).sum()), 3))
    np.testing.assert_array_equal(mesh_rotation(talking), mesh_rotation(rest))
    assert not stable[[13, 14, 17, 152]].any()  # lips and chin


@pytest.fixture(scope="module")
def facemesh(from_index: Callable[[Card], Path]) -> FaceMesh:
    return FaceMesh(from_index(FaceMesh.card))


def test_loading_says_nothing_and_stderr_is_as_it_was(from_index, capfd):
    FaceMesh(from_index(FaceMesh.card))
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"


@pytest.mark.parametrize("image", [np.zeros((192, 192), np.uint8), np.zeros((192, 192, 3)), np.zeros((9, 9, 3), "u1")])
def test_what_is_no_picture_is_refused(facemesh: FaceMesh, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected an image"):
        facemesh(image)


def test_nothing_is_taken_for_a_face_where_there_is_none(facemesh: FaceMesh) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
    for image in (noise, np.zeros_like(noise), np.full_like(noise, 128)):
        assert facemesh(image).score < 0.5


@pytest.mark.parametrize("seed", [0, 3])
def test_points_of_a_puppet_lie_where_truth_has_them_and_its_lips_move_with_it(facemesh: FaceMesh, seed: int) -> None:
    scene = puppet.one_head(1.0, seed=seed, turns=((0.0, 1.0),))
    (track,), truth = scene.truth.tracks(), scene.truth.heads[0].landmarks
    follower = Follower(facemesh, track)
    points = np.stack([follower.see(Picture.from_rgb(rgb, frame)).points for frame, rgb in enumerate(scene.frames())])
    unit = np.linalg.norm(truth[:, 36] - truth[:, 45], axis=-1).mean()
    assert np.linalg.norm(points - truth, axis=-1)[:, 17:].mean() < 0.05 * unit
    ours, theirs = (rows[:, 66, 1] - rows[:, 62, 1] for rows in (points, truth))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.85


def shown(path: Path, every: int = 5, most: int = 6) -> Iterator[np.ndarray]:
    """Pictures of a film, (H, W, 3) uint8 RGB."""
    import av

    with av.open(str(path)) as film:
        for frame in islice(film.decode(video=0), 0, every * most, every):
            yield frame.to_ndarray(format="rgb24")


def one_face(shared_weights: Path, rgb: np.ndarray) -> np.ndarray:
    """The only face's box (4,) xyxy px by YuNet."""
    from phonoscope.models.backends.yunet import YuNet

    boxes, _, _ = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)(np.ascontiguousarray(rgb[..., ::-1]))
    return boxes[0]


def seen(facemesh: FaceMesh, rgb: np.ndarray, box: np.ndarray):
    track = Track(0, 0, np.asarray(box, np.float32)[None], np.ones(1, np.float32), np.ones(1, bool))
    return Follower(facemesh, track).see(Picture.from_rgb(rgb))


def lean_deg(rotation: np.ndarray) -> float:
    """By how much a head leans clockwise as seen: the lean of its own x axis, which is right in the picture."""
    return float(np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0])))


def rolled(angle_deg: float) -> np.ndarray:
    """The rotation (3, 3) that leans a head clockwise."""
    turn = np.eye(3)
    turn[:2, :2] = turned_by(angle_deg)
    return turn


CLIPS = ("hdtf_KatieHill.mp4", "may_5s.mp4", "retalking_face5.mp4", "voxceleb2_00473.mp4", "voxceleb2_741400104.mp4")


@pytest.mark.real
@pytest.mark.parametrize("clip", CLIPS)
def test_turning_the_picture_turns_roll_by_as_much(facemesh, shared_data, shared_weights, clip):
    import cv2

    for rgb in shown(shared_data / "a_talking_head" / clip, every=20, most=3):
        height, width = rgb.shape[:2]
        box = one_face(shared_weights, rgb)
        middle = (box[:2] + box[2:]) / 2
        upright = seen(facemesh, rgb, box)
        for turn in (-30, -15, 15, 30):
            matrix = cv2.getRotationMatrix2D(tuple(map(float, middle - 0.5)), -turn, 1)  # cv2 turns the other way
            turned = seen(facemesh, cv2.warpAffine(rgb, matrix, (width, height), flags=cv2.INTER_CUBIC), box)
            assert abs(lean_deg(turned.rotation) - lean_deg(upright.rotation) - turn) < 1.5
            assert apart_deg(turned.rotation, rolled(turn) @ upright.rotation) < 3


@pytest.mark.real
@pytest.mark.parametrize("clip", CLIPS)
def test_a_mirror_flips_yaw_and_roll_and_swaps_the_points(facemesh, shared_data, shared_weights, clip):
    for rgb in shown(shared_data / "a_talking_head" / clip, every=20, most=3):
        width, box = rgb.shape[1], one_face(shared_weights, rgb)
        here = seen(facemesh, rgb, box)
        there = seen(facemesh, np.ascontiguousarray(rgb[:, ::-1]), [width - box[2], box[1], width - box[0], box[3]])
        # the network itself is not quite even-handed: hence 5 degrees, and 3 % of the distance of the eyes
        assert apart_deg(there.rotation, MIRROR @ here.rotation @ MIRROR) < 5
        apart = np.linalg.norm((there.points * [-1, 1] + [width, 0])[MIRROR_68] - here.points, axis=1)
        assert apart.mean() < 0.03 * np.linalg.norm(here.mesh[EYES[0], :2] - here.mesh[EYES[1], :2])


@pytest.mark.real
def test_five_points_of_a_detector_lie_where_the_68_have_them(facemesh, shared_data, shared_weights):
    from phonoscope.models.backends.yunet import YuNet

    detector = YuNet(shared_weights / "yunet_n.onnx", min_score=0.6)
    for clip in CLIPS:
        for rgb in shown(shared_data / "a_talking_head" / clip, every=20, most=2):
            boxes, _, five = detector(np.ascontiguousarray(rgb[..., ::-1]))
            points = seen(facemesh, rgb, boxes[0]).points
            ours = np.stack([points[36:42].mean(0), points[42:48].mean(0), points[30], points[48], points[54]])
            apart = np.linalg.norm(ours - five[0], axis=1) / np.linalg.norm(points[36] - points[45])
            assert apart.mean() < 0.12


@pytest.mark.real
def test_either_detectors_box_leads_to_the_same_face(facemesh, shared_data, shared_weights):
    """YuNet's is tight and tall, BlazeFace's square, from the brows to above the chin."""
    rgb = next(shown(shared_data / "a_talking_head" / "hdtf_KatieHill.mp4"))
    x0, y0, x1, y1 = one_face(shared_weights, rgb)
    square = np.array([x0 - 0.05 * (x1 - x0), y1 - 1.15 * (x1 - x0), x1 + 0.05 * (x1 - x0), y1 - 0.05 * (x1 - x0)])
    one, other = (seen(facemesh, rgb, box) for box in (np.array([x0, y0, x1, y1]), square))
    apart = np.linalg.norm(one.points - other.points, axis=1).mean()
    assert apart < 0.02 * np.linalg.norm(one.points[36] - one.points[45])


@pytest.mark.real
def test_the_same_picture_gives_the_same_bytes(facemesh, shared_data, shared_weights):
    rgb = next(shown(shared_data / "a_talking_head" / "may_5s.mp4"))
    box = one_face(shared_weights, rgb)
    again = FaceMesh(weights(FaceMesh.card))
    one, other = seen(facemesh, rgb, box), seen(again, rgb, box)
    assert one.mesh.tobytes() == other.mesh.tobytes()
    assert one.points.tobytes() == other.points.tobytes()
