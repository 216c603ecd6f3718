"""Drawing rooms: a wall in soft light with blurred things before it, in units of the picture's height."""

import cv2
import numpy as np

from phonoscope.testing.puppet.looks import mix
from phonoscope.testing.puppet.shapes import Canvas, Colour, smooth

_WALLS: tuple[Colour, ...] = (
    (0.61, 0.71, 0.71), (0.84, 0.77, 0.67), (0.67, 0.67, 0.76), (0.62, 0.69, 0.60), (0.82, 0.70, 0.64),
)  # fmt: skip
_BOOKS: tuple[Colour, ...] = (
    (0.62, 0.30, 0.25), (0.20, 0.38, 0.42), (0.85, 0.70, 0.42), (0.34, 0.42, 0.34), (0.38, 0.30, 0.42),
    (0.88, 0.84, 0.76),
)  # fmt: skip
_WOOD: Colour = (0.50, 0.36, 0.26)
_LEAF: Colour = (0.28, 0.44, 0.33)
_BLUR = 0.014  # of the picture's height: the room lies out of focus


def draw_room(canvas: Canvas, seed: int, aspect: float) -> None:
    """One of a few rooms; the picture covers 0…aspect by 0…1, the canvas may show more."""
    rng = np.random.default_rng([seed, 0xBAC])
    wall = _WALLS[seed % len(_WALLS)]
    canvas.fill(wall)
    canvas.glow((0.25 * aspect, 0.2), (0.5 * aspect, 0.6), mix(wall, (1, 1, 0.95), 0.55), 0.75)
    canvas.glow((0.95 * aspect, 1.0), (0.5 * aspect, 0.5), mix(wall, (0.2, 0.15, 0.2), 0.45), 0.55)
    side = -1 if rng.uniform() < 0.5 else 1
    near, far = (0.04, aspect - 0.42) if side < 0 else (aspect - 0.42, 0.04)
    first, second = _FURNITURE[seed % len(_FURNITURE)]
    first(canvas, near, rng)
    second(canvas, far, rng)
    _grain(canvas, rng)


def _box(
    canvas: Canvas, left: float, top: float, right: float, bottom: float, colour: Colour, opacity: float = 1.0
) -> None:
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    canvas.polygon(corners, colour, opacity, soft=_BLUR)


def _shelf(canvas: Canvas, left: float, rng: np.random.Generator) -> None:
    """Three boards of books."""
    for board in (0.20, 0.47, 0.74):
        x = left + 0.01
        while x < left + 0.34:
            thick, tall = rng.uniform(0.018, 0.034), rng.uniform(0.12, 0.19)
            book = mix(_BOOKS[rng.integers(len(_BOOKS))], (0.7, 0.68, 0.66), 0.25)
            _box(canvas, x, board - tall, x + thick, board, book)
            x += thick + 0.003
        _box(canvas, left - 0.02, board, left + 0.40, board + 0.022, _WOOD)
        _box(canvas, left - 0.02, board + 0.024, left + 0.40, board + 0.05, (0.2, 0.15, 0.15), 0.18)


def _window(canvas: Canvas, left: float, rng: np.random.Generator) -> None:
    """Daylight, a white frame, a curtain."""
    sky = mix((0.80, 0.90, 0.95), (1.0, 0.92, 0.80), float(rng.uniform(0, 0.7)))
    _box(canvas, left - 0.02, 0.04, left + 0.38, 0.66, (0.95, 0.94, 0.91))
    for x in (left, left + 0.19):
        _box(canvas, x, 0.06, x + 0.17, 0.64, sky)
        canvas.ellipse((x + 0.08, 0.62), (0.12, 0.10), mix(_LEAF, sky, 0.62), 0.0 if x == left else 0.7, soft=0.05)
    _box(canvas, left - 0.04, 0.66, left + 0.40, 0.69, (0.90, 0.88, 0.84))
    cloth = mix((0.86, 0.80, 0.74), sky, 0.15)
    for fold in range(4):
        x = left - 0.06 + 0.028 * fold
        _box(canvas, x, 0.0, x + 0.03, 0.84, mix(cloth, (0.5, 0.4, 0.4), 0.12 * (fold % 2)))
    canvas.glow((left + 0.2, 0.3), (0.35, 0.35), (1.0, 0.98, 0.92), 0.35)


def _pictures(canvas: Canvas, left: float, rng: np.random.Generator) -> None:
    """Two framed prints of hills and suns."""
    for x, y, wide, high in ((left + 0.02, 0.10, 0.20, 0.27), (left + 0.25, 0.17, 0.14, 0.18)):
        sun, hill = (_BOOKS[number] for number in rng.permutation(5)[:2])
        _box(canvas, x + 0.008, y + 0.012, x + wide + 0.008, y + high + 0.012, (0.2, 0.16, 0.16), 0.25)
        _box(canvas, x, y, x + wide, y + high, (0.30, 0.24, 0.21))
        _box(canvas, x + 0.012, y + 0.012, x + wide - 0.012, y + high - 0.012, (0.94, 0.91, 0.85))
        canvas.ellipse((x + 0.6 * wide, y + 0.42 * high), (0.18 * wide, 0.18 * wide), sun, soft=_BLUR)
        slope = np.array([(0.16, 0.78), (0.45, 0.50), (0.65, 0.66), (0.84, 0.55), (0.84, 0.86), (0.16, 0.86)])
        canvas.polygon(slope * (wide, high) + np.array((x, y)), hill, soft=_BLUR)


def _plant(canvas: Canvas, left: float, rng: np.random.Generator) -> None:
    """Broad leaves in a pot."""
    foot = np.array([left + 0.20, 0.86])
    for turn in np.linspace(-1.25, 1.25, 9) + rng.uniform(-0.08, 0.08, 9):
        reach = 0.42 - 0.10 * abs(turn)
        along, across = np.array([np.sin(turn), -np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])
        shape = np.array([(0, 0), (0.4, 0.035), (0.7, 0.062), (1.0, 0.0), (0.7, -0.062), (0.4, -0.035)])
        leaf = foot + reach * shape[:, :1] * along + shape[:, 1:] * across
        tone = mix(_LEAF, (0.62, 0.74, 0.50), float(rng.uniform(0, 0.45)))
        canvas.polygon(smooth(leaf, closed=True), tone, soft=_BLUR)
        canvas.line(np.array([foot, foot + 0.9 * reach * along]), 0.002, mix(tone, (1, 1, 0.9), 0.3), 0.6, soft=_BLUR)
    pot = np.array([(-0.075, 0), (0.075, 0), (0.055, 0.2), (-0.055, 0.2)]) + foot
    canvas.polygon(pot, (0.76, 0.48, 0.37), soft=_BLUR)


def _lamp(canvas: Canvas, left: float, rng: np.random.Generator) -> None:
    """A standing lamp, lit."""
    x, y = left + 0.20, 0.30 + float(rng.uniform(-0.04, 0.04))
    canvas.glow((x, y), (0.26, 0.26), (1.0, 0.93, 0.76), 0.55)
    _box(canvas, x - 0.006, y, x + 0.006, 1.2, (0.30, 0.25, 0.23))
    shade = np.array([(-0.06, -0.10), (0.06, -0.10), (0.11, 0.07), (-0.11, 0.07)]) + np.array((x, y))
    canvas.polygon(shade, (0.98, 0.90, 0.72), soft=_BLUR)


def _grain(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fine plaster: texture for whoever follows the camera."""
    height, width = canvas.paint.shape[1:]
    for cells, strength in ((5, 0.005), (2, 0.006)):
        noise = rng.standard_normal((-(-height // cells) + 1, -(-width // cells) + 1)).astype(np.float32)
        canvas.paint[:3] += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)


_FURNITURE = ((_shelf, _plant), (_window, _lamp), (_pictures, _plant), (_window, _pictures), (_shelf, _lamp))
