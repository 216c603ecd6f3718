"""Drawing people from the neck down, and the table that they sit at."""

import numpy as np

from phonoscope.testing.puppet.anatomy import mirrored
from phonoscope.testing.puppet.looks import Look, mix
from phonoscope.testing.puppet.shapes import Canvas, Colour, smooth

_WOOD: Colour = (0.55, 0.40, 0.29)
_NECK = np.array([(-0.54, 0.80), (-0.52, 1.30), (-0.52, 1.62), (-0.58, 1.86), (-0.63, 2.02)])
_SHOULDER = np.array(
    [(-0.60, 1.90), (-1.20, 2.06), (-1.75, 2.30), (-2.10, 2.75), (-2.26, 3.6), (-2.36, 5.5), (-2.4, 12.0)]
)


def draw_neck(canvas: Canvas, look: Look) -> None:
    """The neck, dark under the chin, in face units."""
    neck = np.concatenate([smooth(_NECK, closed=False), smooth(mirrored(_NECK), closed=False)])
    part = Canvas(np.zeros_like(canvas.paint), canvas.left, canvas.top, canvas.scale)
    part.polygon(neck, mix(look.skin, look.shade, 0.22))
    shadow = mix(look.shade, (0.35, 0.16, 0.16), 0.35)
    part.glow((0.10, 1.44), (0.75, 0.24), shadow, 0.80)
    part.glow((0.62, 1.6), (0.22, 0.15), shadow, 0.40)
    canvas.paste(part)


def draw_body(canvas: Canvas, look: Look) -> None:
    """Neck, shoulders and shirt, in face units."""
    shirt, dark, bright = look.shirt, mix(look.shirt, (0.08, 0.06, 0.12), 0.42), mix(look.shirt, (1, 1, 1), 0.16)
    torso = np.concatenate([smooth(_SHOULDER, closed=False), smooth(mirrored(_SHOULDER), closed=False)])
    canvas.polygon(torso, shirt)
    for side in (-1, 1):
        fold = np.array([(1.42, 3.0), (1.50, 3.8), (1.58, 5.0), (1.62, 12.0)]) * (side, 1)
        canvas.line(smooth(fold, closed=False), np.linspace(0.012, 0.04, 13), dark, 0.55, soft=0.10)
    canvas.line(smooth(_SHOULDER[1:4] + np.array((0.10, 0.14)), closed=False), 0.05, bright, 0.8, soft=0.2)
    if look.collar:
        _draw_collar(canvas, look, dark, bright)
    else:
        _draw_neckline(canvas, look, dark)


def _draw_neckline(canvas: Canvas, look: Look, dark: Colour) -> None:
    """A round neckline."""
    turn = np.linspace(0.12, np.pi - 0.12, 13)
    rim = np.stack([0.66 * np.cos(turn), 1.90 + 0.30 * np.sin(turn)], 1)
    canvas.polygon(rim, mix(look.skin, look.shade, 0.22))
    draw_neck(canvas.window(-1, 0.7, 1, 2.1), look)
    canvas.line(rim, np.interp(np.arange(13), (0, 2, 10, 12), (0.012, 0.034, 0.034, 0.012)), dark, 0.55, soft=0.01)


def _draw_collar(canvas: Canvas, look: Look, dark: Colour, bright: Colour) -> None:
    """An open shirt collar."""
    opening = np.array([(-0.60, 1.86), (0.60, 1.86), (0, 2.62)])
    canvas.polygon(opening, mix(look.skin, look.shade, 0.22))
    draw_neck(canvas.window(-1, 0.7, 1, 2.1), look)
    canvas.line(np.array([(0, 2.60), (0, 12.0)]), 0.014, dark, 0.6, soft=0.03)
    for side in (-1, 1):
        flap = np.array([(0.56, 1.72), (0.74, 1.84), (0.62, 2.52), (0.30, 2.40), (0.02, 2.64)]) * (side, 1)
        canvas.polygon(flap + np.array((0, 0.05)), dark, 0.5, soft=0.08)
        canvas.polygon(flap, bright)


def draw_desk(canvas: Canvas, top: float, aspect: float) -> None:
    """A table along the bottom of the picture, with mugs on it; units of the picture's height."""
    left, right = canvas.left - 1, canvas.left + canvas.paint.shape[2] / canvas.scale + 1
    bottom = canvas.top + canvas.paint.shape[1] / canvas.scale + 1

    def band(above: float, below: float, colour: Colour, opacity: float = 1.0, soft: float = 0.0) -> None:
        canvas.polygon(np.array([(left, above), (right, above), (right, below), (left, below)]), colour, opacity, soft)

    band(top - 0.015, top + 0.02, (0.12, 0.08, 0.08), 0.35, 0.05)
    band(top, bottom, _WOOD)
    band(top, top + 0.012, mix(_WOOD, (1, 0.95, 0.85), 0.35))
    band(top + 0.14, bottom, mix(_WOOD, (0.1, 0.05, 0.05), 0.35), 0.7, 0.2)
    for x, tone in ((0.36, (0.86, 0.84, 0.78)), (0.635, (0.25, 0.42, 0.46))):
        _draw_mug(canvas, x * aspect, top, tone)


def _draw_mug(canvas: Canvas, x: float, top: float, tone: Colour) -> None:
    turn = np.linspace(-1.2, 1.2, 9)
    canvas.ellipse((x, top + 0.052), (0.05, 0.012), (0.1, 0.06, 0.05), 0.4, soft=0.02)
    canvas.line(np.stack([x + 0.028 + 0.022 * np.cos(turn), top + 0.008 + 0.022 * np.sin(turn)], 1), 0.005, tone)
    mug = np.array([(-0.032, -0.035), (0.032, -0.035), (0.029, 0.05), (-0.029, 0.05)]) + np.array((x, top))
    canvas.polygon(mug, tone)
    canvas.ellipse((x, top - 0.035), (0.032, 0.007), mix(tone, (0.1, 0.05, 0.05), 0.6))
