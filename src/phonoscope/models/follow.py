"""Following faces through the pictures of their tracks, with any landmarker."""

from collections.abc import Iterator
from dataclasses import replace
from math import hypot

import numpy as np

from phonoscope.core.faces import Track, Tracks
from phonoscope.core.media import Picture
from phonoscope.models.protocols import FaceLandmarker, FaceShape, Square

BORDER = 0  # grey level outside the picture, as MediaPipe has it
CLOSER = 4  # looks after the first at most, in one picture
SETTLED_DEG = 3.0  # change of lean up to which a face that was searched for is found
NEAR, ALIKE = 0.06, 1.08  # shift, in sides, and growth up to which a face is where it was: a network lags behind others


class Follower:
    """Sees the face of one track, picture by picture, in pixels of the film.

    Where it looks in a picture depends on the picture before, along the track only: so what it gives depends neither on
    other tracks nor on how pictures are batched.
    """

    def __init__(self, landmarker: FaceLandmarker, track: Track, min_score: float = 0.5) -> None:
        self.track = track
        self.seen = 0  # pictures of the track so far
        self._landmarker, self._min_score = landmarker, min_score
        self._square: Square | None = None  # where to look next; None: the face is lost, or has not been seen yet

    @property
    def over(self) -> bool:
        """Whether the track has ended."""
        return self.seen == len(self.track)

    def see(self, picture: Picture) -> FaceShape:
        """The face in the track's next picture; where its score is under `min_score`, all else is NaN.

        Looks where the face was, and again if it has moved far; if it is lost, at the track's box and then closer.

        Raises:
            ValueError: the picture is not the track's next one.
        """
        box = self._next_box(picture)
        if self._square is not None and (seen := self._follow(picture, self._square, box)) is not None:
            shape, self._square = seen
            return shape
        shape = self._find(picture, box)
        if shape.score < self._min_score:
            self._square = None
            return missing(shape)
        self._square = self._landmarker.next(shape)
        return shape

    def _next_box(self, picture: Picture) -> np.ndarray:
        at = picture.frame - self.track.start
        if self.over or at != self.seen:
            wanted = "no more pictures" if self.over else f"frame {self.track.start + self.seen}"
            raise ValueError(f"track {self.track.id} needs {wanted}, got {picture.frame}")
        self.seen += 1
        return self.track.box[at]

    def _follow(self, picture: Picture, square: Square, box: np.ndarray) -> tuple[FaceShape, Square] | None:
        """The face about where it was, and where to look next: looks again while it turns out to be elsewhere.

        None: it is lost.
        """
        shape = self._look(picture, square, box)
        for closer in range(1 + CLOSER):
            if shape.score < self._min_score:
                return None
            before, square = square, self._landmarker.next(shape)
            if closer == CLOSER or _about_there(before, square):
                break
            shape = self._look(picture, square, box)
        return shape, square

    def _find(self, picture: Picture, box: np.ndarray) -> FaceShape:
        """The face in a box: seen from there, then closer, and again while it turns out to lean more than thought."""
        square = self._landmarker.first(box)
        shape = self._look(picture, square, box)
        for _ in range(CLOSER):
            if shape.score < self._min_score:
                break
            lean, square = square.angle_deg, self._landmarker.next(shape)
            shape = self._look(picture, square, box)
            if abs(square.angle_deg - lean) <= SETTLED_DEG:
                break
        return shape

    def _look(self, picture: Picture, square: Square, box: np.ndarray) -> FaceShape:
        """What is seen in a square; its score is 0 if that is not this track's face but one beside it."""
        size = self._landmarker.size
        image = picture.crop_rgb(to_square(square, size), (size, size), BORDER)
        shape = from_square(self._landmarker(image), square, size)
        middle = shape.points.mean(axis=0)
        inside = bool((box[:2] <= middle).all() and (middle <= box[2:]).all())
        return shape if inside else replace(shape, score=0.0)


class Followers:
    """Sees the faces of all tracks, each from its first picture to its last."""

    def __init__(self, landmarker: FaceLandmarker, tracks: Tracks, min_score: float = 0.5) -> None:
        followers = [Follower(landmarker, track, min_score) for track in tracks]
        self._waiting = sorted(followers, key=lambda follower: follower.track.start, reverse=True)
        self._live: list[Follower] = []

    def see(self, picture: Picture) -> Iterator[tuple[int, int, FaceShape]]:
        """For each track with a face in this picture: its id, which of its frames this is, and the face.

        Raises:
            ValueError: a track needs another picture first.
        """
        while self._waiting and self._waiting[-1].track.start <= picture.frame:
            self._live.append(self._waiting.pop())
        for follower in self._live:
            row = follower.seen
            yield follower.track.id, row, follower.see(picture)
        self._live = [follower for follower in self._live if not follower.over]

    def end(self) -> None:
        """Nothing, if every track has been seen to its end.

        Raises:
            ValueError: the film ended before.
        """
        if unfinished := sorted(follower.track.id for follower in (*self._live, *self._waiting)):
            raise ValueError(f"the film ended before these tracks did: {', '.join(map(str, unfinished))}")


def _about_there(before: Square, after: Square) -> bool:
    growth = after.side / before.side
    return hypot(after.x - before.x, after.y - before.y) <= NEAR * before.side and 1 / ALIKE <= growth <= ALIKE


def around(points: np.ndarray, right_eye: np.ndarray, left_eye: np.ndarray, margin: float) -> Square:
    """A square `margin` times as large as points (N, 2) px are wide or high where the eyes (2,) are level."""
    x, y = (left_eye - right_eye).astype(np.float64)
    angle_deg = float(np.degrees(np.arctan2(y, x)))
    turn = turned(angle_deg)
    upright = points @ turn
    low, high = upright.min(axis=0), upright.max(axis=0)
    centre = turn @ (low + high) / 2
    return Square(float(centre[0]), float(centre[1]), margin * float((high - low).max()), angle_deg)


def to_square(square: Square, size: int) -> np.ndarray:
    """The map (2, 3) from px of the picture to px of the square, `size` px on each side, with the face upright."""
    scale = size / square.side
    linear = scale * turned(square.angle_deg).T
    return np.column_stack([linear, size / 2 - linear @ [square.x, square.y]])


def from_square(shape: FaceShape, square: Square, size: int) -> FaceShape:
    """A face seen in a square, in px of the picture and in directions of its camera."""
    turn = turned(square.angle_deg)
    linear, centre = turn * (square.side / size), np.array([square.x, square.y])
    mesh = shape.mesh.astype(np.float64) * (square.side / size)
    if len(mesh):
        mesh[:, :2] = (shape.mesh[:, :2] - size / 2) @ linear.T + centre
    lean = np.eye(3)
    lean[:2, :2] = turn
    return replace(
        shape,
        points=((shape.points - size / 2) @ linear.T + centre).astype(np.float32),
        mesh=mesh.astype(np.float32),
        rotation=(lean @ shape.rotation).astype(np.float32),
    )


def turned(angle_deg: float) -> np.ndarray:
    """The matrix (2, 2) that turns points clockwise, as seen in the picture."""
    angle = np.radians(angle_deg)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def missing(shape: FaceShape) -> FaceShape:
    """The same score, and nothing else: NaN of the same shapes."""
    return FaceShape(
        np.full_like(shape.points, np.nan),
        shape.score,
        np.full_like(shape.mesh, np.nan),
        np.full_like(shape.rotation, np.nan),
    )
