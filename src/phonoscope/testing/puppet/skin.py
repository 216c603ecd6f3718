"""Drawing bare skin: an egg in soft light with ears, sockets, cheeks and a nose."""

import numpy as np

from phonoscope.testing.puppet import hair
from phonoscope.testing.puppet.anatomy import REACH, outline
from phonoscope.testing.puppet.looks import Look, mix
from phonoscope.testing.puppet.shapes import Canvas, smooth

_DARK = (0.16, 0.09, 0.08)
_BLUSH = (0.88, 0.38, 0.33)


def draw_skin(look: Look, scale: float) -> Canvas:
    """Head and ears without hair, eyes and mouth."""
    canvas = Canvas.blank(*REACH, scale)
    for side in (-1, 1):
        canvas.ellipse((side * 1.01, 0.14), (0.13, 0.27), mix(look.skin, look.shade, 0.25))
        canvas.ellipse((side * 1.03, 0.12), (0.065, 0.16), look.shade, 0.45, soft=0.05)
    canvas.polygon(smooth(outline(look), closed=True), look.skin)
    _shade(canvas, look)
    if look.beard:
        hair.draw_beard(canvas, look)
    _draw_nose(canvas, look)
    return canvas


def _shade(canvas: Canvas, look: Look) -> None:
    """Light from the upper left; then sockets, cheeks, chin and the hollow under the lip."""
    x, y = canvas.plane()
    x, y = x / 1.12, (y - 0.1) / 1.75
    lit = -0.35 * x - 0.30 * y + 0.89 * np.sqrt(np.clip(1 - x * x - y * y, 0, 1))
    canvas.tint(look.shade, 0.58 * np.clip((0.80 - lit) / 0.8, 0, 1))
    canvas.tint(look.light, 0.45 * np.clip((lit - 0.86) / 0.14, 0, 1))
    for side in (-1, 1):
        canvas.glow((side * 0.45, -0.02), (0.24, 0.15), look.shade, 0.36)
        canvas.glow((side * 0.20, 0.00), (0.07, 0.16), look.shade, 0.28)
        canvas.glow((side * 0.56, 0.56), (0.20, 0.15), _BLUSH, 0.22)
        canvas.glow((side * 0.52, 0.38), (0.17, 0.10), look.light, 0.30)
        _draw_lines_of_age(canvas, look, side)
    canvas.glow((0, 1.22 * look.length), (0.17, 0.05), look.shade, 0.40)
    canvas.glow((0, 1.42 * look.length), (0.15, 0.09), look.light, 0.25)
    canvas.glow((0, 0.77 * look.length), (0.035, 0.05), look.shade, 0.25)


def _draw_lines_of_age(canvas: Canvas, look: Look, side: int) -> None:
    strength = 0.10 + 0.4 * max(0.0, look.age - 0.4)
    fold = np.array([(0.25, 0.66), (0.38, 0.82), (0.46, 0.98)]) * (side, 1)
    canvas.line(smooth(fold, closed=False), np.linspace(0.006, 0.014, 9), look.shade, strength, soft=0.05)
    if look.age > 0.6:
        bag = np.array([(0.30, 0.14), (0.44, 0.185), (0.60, 0.14)]) * (side, 1)
        canvas.line(smooth(bag, closed=False), 0.006, look.shade, strength, soft=0.03)


def _draw_nose(canvas: Canvas, look: Look) -> None:
    wide = look.nose_width
    canvas.glow((0.13 * wide, 0.34), (0.06, 0.22), look.shade, 0.36)
    canvas.glow((-0.15 * wide, 0.30), (0.05, 0.20), look.shade, 0.18)
    canvas.glow((-0.015, 0.25), (0.05, 0.24), look.light, 0.50)
    canvas.glow((0, 0.70), (0.22 * wide, 0.045), look.shade, 0.50)
    canvas.glow((0, 0.54), (0.12 * wide, 0.09), mix(look.skin, _BLUSH, 0.3), 0.40)
    canvas.glow((-0.03, 0.50), (0.05, 0.05), look.light, 0.65)
    for side in (-1, 1):
        wing = np.array([(0.185, 0.53), (0.225, 0.60), (0.19, 0.655), (0.12, 0.655)]) * (side * wide, 1)
        canvas.line(smooth(wing, closed=False), np.linspace(0.008, 0.014, 13), look.shade, 0.60, soft=0.02)
        canvas.ellipse(
            (side * 0.105 * wide, 0.648), (0.056 * wide, 0.024), mix(look.shade, _DARK, 0.6), 0.85, soft=0.02
        )
