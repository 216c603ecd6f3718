"""Following a face along its track: squares and the way back, restarts, and whose face it is."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.faces import Track, Tracks
from phonoscope.media.picture import Picture
from phonoscope.models.follow import Follower, Followers, around, from_square, to_square, turned
from phonoscope.models.protocols import FaceShape, Square
from phonoscope.testing.fakes import FakeLandmarker

squares = st.builds(Square, st.floats(-50, 700), st.floats(-50, 400), st.floats(20, 400), st.floats(-180, 180))


def shape_of(seed: int = 0) -> FaceShape:
    rng = np.random.default_rng(seed)
    mesh = rng.uniform(0, 192, (468, 3)).astype(np.float32)
    return FaceShape(mesh[:68, :2].copy(), 0.9, mesh, np.eye(3, dtype=np.float32))


def bright(*boxes: tuple[int, int, int, int], frame: int = 0) -> Picture:
    """A grey picture 320 × 240 with bright boxes xyxy in it."""
    rgb = np.full((240, 320, 3), 60, np.uint8)
    for x0, y0, x1, y1 in boxes:
        rgb[y0:y1, x0:x1] = 250
    return Picture.from_rgb(rgb, frame)


def track_of(*boxes: tuple[float, float, float, float], start: int = 0, id: int = 0) -> Track:
    count = len(boxes)
    return Track(id, start, np.array(boxes, np.float32), np.ones(count, np.float32), np.ones(count, bool))


class Watched(FakeLandmarker):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, image: np.ndarray) -> FaceShape:
        self.asked += 1
        return super().__call__(image)


@given(squares)
def test_the_way_into_a_square_and_back_ends_where_it_began(square):
    seen = shape_of()
    back = from_square(seen, square, 192)
    matrix = to_square(square, 192)
    again = back.points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(again, seen.points, atol=0.05)
    np.testing.assert_allclose(back.mesh[:68, :2], back.points, atol=1e-3)
    np.testing.assert_allclose(back.mesh[:, 2], seen.mesh[:, 2] * square.side / 192, rtol=1e-5)


@given(st.floats(-180, 180))
def test_the_lean_of_the_square_is_put_back_into_the_rotation(lean):
    """Clockwise, as seen: x of the face, which is right in the picture, comes to point down."""
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0].astype(np.float32)
    seen = from_square(replace(shape_of(), rotation=rotation), Square(0, 0, 100, lean), 192)
    cosine, sine = np.cos(np.radians(lean)), np.sin(np.radians(lean))
    np.testing.assert_allclose(seen.rotation[0], cosine * rotation[0] - sine * rotation[1], atol=1e-6)
    np.testing.assert_allclose(seen.rotation[1], sine * rotation[0] + cosine * rotation[1], atol=1e-6)
    np.testing.assert_array_equal(seen.rotation[2], rotation[2])


@given(st.floats(-179, 179), st.floats(0.1, 10), st.integers(0, 5))
def test_a_square_turns_shifts_and_grows_with_the_face(angle, scale, seed):
    points = np.random.default_rng(seed).uniform(0, 100, (20, 2))
    right, left = np.array([30.0, 50.0]), np.array([70.0, 50.0])
    upright = around(points, right, left, 1.5)
    move = lambda it: scale * it @ turned(angle).T + [5, -3]  # noqa: E731
    moved = around(move(points), move(right), move(left), 1.5)
    assert upright.angle_deg == 0
    np.testing.assert_allclose(moved.angle_deg, angle, atol=1e-6)
    np.testing.assert_allclose(moved.side, scale * upright.side)
    np.testing.assert_allclose([moved.x, moved.y], move(np.array([upright.x, upright.y])), atol=1e-6)


def test_the_first_picture_is_looked_at_twice_the_others_once():
    landmarker = Watched()
    follower = Follower(landmarker, track_of(*[(100, 80, 140, 130)] * 3))
    asked = []
    for frame in range(3):
        follower.see(bright((100, 80, 140, 130), frame=frame))
        asked.append(landmarker.asked)
    assert asked == [2, 3, 4]
    assert follower.over


def test_points_lie_on_the_face_that_moves():
    boxes = [(100 + 6 * k, 80 + 2 * k, 140 + 6 * k, 130 + 2 * k) for k in range(8)]
    follower = Follower(FakeLandmarker(), track_of(*boxes))
    for frame, box in enumerate(boxes):
        shape = follower.see(bright(box, frame=frame))
        low, high = shape.mesh[:, :2].min(axis=0), shape.mesh[:, :2].max(axis=0)
        np.testing.assert_allclose([*low, *high], box, atol=2.5)


def test_a_fast_face_is_looked_at_again_by_a_landmarker_that_lags_behind():
    """It takes the face to be half as far from the middle of the square as it is, as networks do of what is far off."""

    class Lagging(Watched):
        def __call__(self, image: np.ndarray) -> FaceShape:
            found, middle = super().__call__(image), np.float32([self.size / 2, self.size / 2])
            back = (found.mesh[:, :2].min(axis=0) + found.mesh[:, :2].max(axis=0)) / 2 - middle
            return replace(found, points=found.points - back / 2, mesh=found.mesh - np.append(back, np.float32(0)) / 2)

    boxes = [(60 + 14 * k, 80, 100 + 14 * k, 130) for k in range(12)]
    follower = Follower(Lagging(), track_of(*boxes))
    for frame, box in enumerate(boxes):
        mesh = follower.see(bright(box, frame=frame)).mesh
        middle = (mesh[:, :2].min(axis=0) + mesh[:, :2].max(axis=0)) / 2
        assert abs(middle[0] - (box[0] + box[2]) / 2) < 7  # unmended it would lag by 14


def test_a_face_that_goes_is_marked_and_found_again():
    landmarker, box = Watched(), (100, 80, 140, 130)
    follower = Follower(landmarker, track_of(*[box] * 4))
    shapes = [follower.see(bright(*seen, frame=k)) for k, seen in enumerate([(box,), (), (), (box,)])]
    assert [np.isnan(shape.points).all() for shape in shapes] == [False, True, True, False]
    assert [np.isnan(shape.mesh).all() and np.isnan(shape.rotation).all() for shape in shapes] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [shape.score for shape in shapes] == [1, 0, 0, 1]


def test_it_does_not_slip_onto_a_neighbour():
    """The face leaves while another stands where it was looked for."""
    mine, neighbour = (100, 80, 140, 130), (150, 80, 190, 130)
    follower = Follower(FakeLandmarker(), track_of(mine, mine, mine))
    follower.see(bright(mine, frame=0))
    lost = follower.see(bright(neighbour, frame=1))
    assert np.isnan(lost.points).all()
    assert lost.score == 0
    assert np.isfinite(follower.see(bright(mine, frame=2)).points).all()


def test_a_jump_is_followed_by_the_tracks_box_within_the_same_frame():
    here, there = (20, 20, 60, 70), (240, 150, 280, 200)
    follower = Follower(FakeLandmarker(), track_of(here, there))
    follower.see(bright(here, frame=0))
    assert np.isfinite(follower.see(bright(there, frame=1)).points).all()


def test_a_frame_left_out_or_too_many_are_refused():
    follower = Follower(FakeLandmarker(), track_of((10, 10, 50, 50), start=5, id=3))
    with pytest.raises(ValueError, match="track 3 needs frame 5, got 6"):
        follower.see(bright(frame=6))
    follower.see(bright(frame=5))
    with pytest.raises(ValueError, match="track 3 needs no more pictures, got 6"):
        follower.see(bright(frame=6))


def test_each_track_is_seen_from_its_first_frame_to_its_last_whatever_the_others_do():
    box = (100, 80, 140, 130)
    tracks = Tracks((track_of(*[box] * 3, start=1, id=7), track_of(*[box] * 2, start=2, id=4)))
    followers = Followers(FakeLandmarker(), tracks)
    seen = [[(id, row) for id, row, _ in followers.see(bright(box, frame=frame))] for frame in range(5)]
    assert seen == [[], [(7, 0)], [(7, 1), (4, 0)], [(7, 2), (4, 1)], []]
    followers.end()
    early = Followers(FakeLandmarker(), tracks)
    list(early.see(bright(box, frame=1)))
    with pytest.raises(ValueError, match="ended before these tracks did: 4, 7"):
        early.end()


def test_a_landmarker_without_depth_is_followed_too():
    class Flat(FakeLandmarker):
        backend_kind: ClassVar[str] = "face_landmarker"

        def __call__(self, image: np.ndarray) -> FaceShape:
            found = super().__call__(image)
            return replace(found, mesh=np.zeros((0, 3), np.float32), rotation=np.full((3, 3), np.nan, np.float32))

        def next(self, shape: FaceShape) -> Square:
            return around(shape.points, shape.points[36], shape.points[45], 1.5)

    follower = Follower(Flat(), track_of((100, 80, 140, 130)))
    shape = follower.see(bright((100, 80, 140, 130)))
    assert np.isfinite(shape.points).all()
    assert shape.mesh.shape == (0, 3)
    assert np.isnan(shape.rotation).all()
