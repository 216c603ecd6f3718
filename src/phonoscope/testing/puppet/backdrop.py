"""Drawing what stands still in a shot: the room, people from the neck down, a table."""

from typing import TYPE_CHECKING

import numpy as np

from phonoscope.testing.puppet import camera
from phonoscope.testing.puppet.body import draw_body, draw_desk
from phonoscope.testing.puppet.looks import look
from phonoscope.testing.puppet.room import draw_room
from phonoscope.testing.puppet.shapes import Canvas

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene, Shot


def draw_backdrop(scene: "Scene", shot: "Shot", views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All that the shot's views (T, 2, 3) will show but the heads.

    Returns:
        The picture, (H, W, 3) uint8, and where the unmoved picture's pixels lie in it, (2, 3).
    """
    frame = np.array([(0, 0), (scene.width, 0), (0, scene.height), (scene.width, scene.height)], float)
    seen = camera.move(camera.invert(views), frame[None]).reshape(-1, 2)
    (left, top), (right, bottom) = seen.min(0) - 2, seen.max(0) + 2
    canvas = Canvas.blank(left, top, right, bottom, float(views[:, 0, 0].max()))
    draw_room(_in_units(canvas, 0, 0, scene.height), shot.backdrop, scene.width / scene.height)
    for seat in shot.seats:
        person = look(scene.heads[seat.head].seed)
        (unit, _, x), (_, _, y) = camera.seat_matrix(seat, person)
        draw_body(_in_units(canvas, x, y, unit), person)
    if shot.desk is not None:
        draw_desk(_in_units(canvas, 0, 0, scene.height), shot.desk / scene.height, scene.width / scene.height)
    to_picture = np.array([[canvas.scale, 0, -left * canvas.scale], [0, canvas.scale, -top * canvas.scale]])
    return np.ascontiguousarray(canvas.bytes()[..., :3]), to_picture


def _in_units(canvas: Canvas, x: float, y: float, unit: float) -> Canvas:
    """The same paint, addressed in units of `unit` px from an origin at (x, y) px."""
    return Canvas(canvas.paint, (canvas.left - x) / unit, (canvas.top - y) / unit, canvas.scale * unit)
