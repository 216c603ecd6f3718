"""Drawing the frames of a scene: what stands still once a shot, heads warped onto it frame by frame."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from phonoscope.testing.puppet import anatomy, camera, motion
from phonoscope.testing.puppet.backdrop import draw_backdrop
from phonoscope.testing.puppet.face import Face
from phonoscope.testing.puppet.looks import look

if TYPE_CHECKING:
    from phonoscope.core.time import Span
    from phonoscope.testing.puppet.scene import Scene, Seat, Shot


def frames(scene: "Scene") -> Iterator[np.ndarray]:
    """The pictures of a scene, (H, W, 3) uint8 RGB each."""
    for span, shot in zip(scene.spans, scene.shots, strict=True):
        yield from _shot_frames(scene, shot, span)


def _shot_frames(scene: "Scene", shot: "Shot", span: "Span") -> Iterator[np.ndarray]:
    views, brightness = camera.views(scene, shot), camera.brightness(shot)
    backdrop, to_backdrop = draw_backdrop(scene, shot, views)
    actors = [_Actor(scene, shot, seat, span, views) for seat in shot.seats]
    still = cv2.warpAffine(backdrop, *_to_frame(scene, views[0], to_backdrop)) if shot.camera is None else None
    for number in range(shot.num_frames):
        if still is not None:
            frame = still.copy()
        else:
            frame = cv2.warpAffine(backdrop, *_to_frame(scene, views[number], to_backdrop))
        for actor in actors:
            actor.draw(frame, number)
        if brightness[number] < 1:
            frame = cv2.LUT(frame, np.round(np.arange(256) * brightness[number]).astype(np.uint8))
        yield frame


def _to_frame(scene: "Scene", view: np.ndarray, to_backdrop: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Backdrop pixels to frame pixels for OpenCV, whose pixel centres lie at whole numbers."""
    matrix = camera.chain(view, camera.invert(to_backdrop))
    matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
    return matrix, (scene.width, scene.height)


class _Actor:
    """One head throughout one shot."""

    def __init__(self, scene: "Scene", shot: "Shot", seat: "Seat", span: "Span", views: np.ndarray) -> None:
        head = scene.heads[seat.head]
        person = look(head.seed)
        self.pose = motion.pose(head.seed, scene.utterance(seat.head), scene.times_s(span), seat.yaw_deg)
        self.matrix = camera.chain(views, camera.seat_matrix(seat, person), anatomy.sway(self.pose))
        scale = np.sqrt(np.linalg.det(self.matrix[:, :, :2]).max())
        self.face = Face.of(person, float(scale) * 1.1)  # a little finer than shown: resampling then keeps edges crisp
        self.corners = self.face.corners

    def draw(self, frame: np.ndarray, number: int) -> None:
        """Paint the head, as it is in the shot's frame `number`, onto the frame."""
        corners = camera.move(self.matrix[number], self.corners)
        size = frame.shape[1], frame.shape[0]
        left, top = (int(np.clip(np.floor(v), 0, limit)) for v, limit in zip(corners.min(0), size, strict=True))
        right, bottom = (int(np.clip(np.ceil(v), 0, limit)) for v, limit in zip(corners.max(0), size, strict=True))
        if right <= left or bottom <= top:
            return
        now = self.pose[number : number + 1]
        self.face.show(anatomy.face_points(self.face.look, now)[0], float(now.gaze[0]))
        sprite = self._sprite(number, left, top, right, bottom)
        part = frame[top:bottom, left:right]
        clear = cv2.cvtColor(255 - cv2.extractChannel(sprite, 3), cv2.COLOR_GRAY2RGB)
        part[...] = cv2.add(cv2.multiply(part, clear, scale=1 / 255), cv2.cvtColor(sprite, cv2.COLOR_RGBA2RGB))

    def _sprite(self, number: int, left: int, top: int, right: int, bottom: int) -> np.ndarray:
        """The head in a window of the frame, premultiplied, (H, W, 4) uint8."""
        back = camera.invert(self.matrix[number]).astype(np.float32)
        x = np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5)
        y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
        u, v = (row[0] * x + row[1] * y + row[2] for row in back)
        bend = (
            curve[number : number + 1].astype(np.float32) for curve in (self.pose.open, self.pose.yaw, self.pose.pitch)
        )
        u, v = anatomy.unwarp(u, v, *bend)
        canvas = self.face.canvas
        u, v = ((u - canvas.left) * canvas.scale - 0.5, (v - canvas.top) * canvas.scale - 0.5)
        return cv2.remap(self.face.picture, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR)
