"""Drawing what stands still in a shot: the room, and people from the neck down."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from phonoscope.testing.puppet import filming
from phonoscope.testing.puppet.anatomy import mirrored
from phonoscope.testing.puppet.look import Look, look, mix
from phonoscope.testing.puppet.shapes import Canvas, Colour, smooth

if TYPE_CHECKING:
    from phonoscope.testing.puppet.scene import Scene, Shot

_WALLS: tuple[Colour, ...] = ((0.62, 0.70, 0.70), (0.83, 0.76, 0.66), (0.66, 0.66, 0.74), (0.60, 0.67, 0.58), (0.80, 0.68, 0.62))


def draw_plate(scene: "Scene", shot: "Shot", camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All that the camera will see but the heads, (H, W, 3) uint8, and the unmoved picture px to plate px, (2, 3)."""
    frame = np.array([(0, 0), (scene.width, 0), (0, scene.height), (scene.width, scene.height)], float)
    seen = filming.move(filming.invert(camera), frame[None]).reshape(-1, 2)
    (left, top), (right, bottom) = seen.min(0) - 2, seen.max(0) + 2
    canvas = Canvas.blank(left, top, right, bottom, float(camera[:, 0, 0].max()))
    draw_room(canvas, shot.backdrop, scene.width, scene.height)
    for seat in shot.seats:
        person = look(scene.heads[seat.head].seed)
        matrix = filming.seat_matrix(seat, person)
        unit = matrix[0, 0]
        part = Canvas(canvas.paint, (left - matrix[0, 2]) / unit, (top - matrix[1, 2]) / unit, canvas.scale * unit)
        draw_body(part, person)
    if shot.desk is not None:
        _draw_desk(canvas, shot.desk, bottom)
    to_plate = np.array([[canvas.scale, 0, -left * canvas.scale], [0, canvas.scale, -top * canvas.scale]])
    return np.ascontiguousarray(canvas.bytes()[..., :3]), to_plate


def draw_room(canvas: Canvas, seed: int, width: int, height: int) -> None:
    """A wall in soft light with a few things on it."""
    rng = np.random.default_rng([seed, 0xBAC])
    wall = _WALLS[seed % len(_WALLS)]
    canvas.fill(wall)
    canvas.glow((0.3 * width, 0.2 * height), (0.5 * width, 0.6 * height), mix(wall, (1, 1, 0.95), 0.5), 0.7)
    canvas.glow((0.9 * width, 1.0 * height), (0.4 * width, 0.5 * height), mix(wall, (0.2, 0.15, 0.2), 0.5), 0.5)
    _grain(canvas, rng)


def _grain(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fine plaster: texture for whoever follows the camera."""
    height, width = canvas.paint.shape[1:]
    for cells, strength in ((5, 0.005), (2, 0.008)):
        noise = rng.standard_normal((-(-height // cells) + 1, -(-width // cells) + 1)).astype(np.float32)
        canvas.paint[:3] += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def _draw_desk(canvas: Canvas, top: float, bottom: float) -> None:
    right = canvas.left + canvas.paint.shape[2] / canvas.scale
    tone = (0.45, 0.31, 0.22)
    canvas.polygon(np.array([(canvas.left - 9, top), (right + 9, top), (right + 9, bottom + 9), (canvas.left - 9, bottom + 9)]), tone)


def draw_body(canvas: Canvas, person: Look) -> None:
    """Neck, shoulders and shirt, in face units."""
    shirt = person.shirt
    neck = np.array([(-0.52, 0.9), (-0.50, 1.7), (-0.66, 2.05), (0.66, 2.05), (0.50, 1.7), (0.52, 0.9)])
    half = np.array([(-0.52, 1.93), (-1.3, 2.12), (-1.95, 2.42), (-2.3, 3.1), (-2.45, 5.0), (-2.5, 12.0)])
    torso = np.concatenate([smooth(half, closed=False), smooth(mirrored(half), closed=False)])
    canvas.polygon(torso, shirt)
    canvas.polygon(neck, mix(person.skin, person.shade, 0.35))
