"""Drawing hair, brows, beards and glasses."""

import numpy as np

from phonoscope.testing.puppet.anatomy import mirrored, outline
from phonoscope.testing.puppet.looks import Look, mix
from phonoscope.testing.puppet.shapes import Canvas, Colour, smooth

_BLACK: Colour = (0, 0, 0)
# Half of a cap of hair, from beside the ear over the crown, and half of the hairline back down.
_CROWN = np.array([(-1.04, 0.05), (-1.13, -0.35), (-1.10, -0.82), (-0.90, -1.25), (-0.52, -1.54), (0, -1.63)])
_HAIRLINE = np.array([(0, -0.93), (-0.42, -0.93), (-0.74, -0.78), (-0.88, -0.48), (-0.94, -0.15), (-0.97, 0.08)])


_LOCK = np.array(
    [
        (-1.10, -0.80),
        (-0.93, -0.52),
        (-0.93, 0.10),
        (-0.98, 0.60),
        (-0.93, 0),
        (-1.20, -0.1),
        (-1.28, 0.3),
        (-1.22, -0.5),
    ]
)  # its fifth and sixth point hang as far down as the hair does


def draw_back(canvas: Canvas, look: Look) -> None:
    """What lies behind the face."""
    dark = mix(look.hair, _BLACK, 0.28)
    if look.haircut in ("bob", "long"):
        end = 1.25 if look.haircut == "bob" else 2.12
        outside = [(0, -1.66), (-0.62, -1.56), (-1.08, -1.15), (-1.27, -0.4), (-1.30, 0.4), (-1.22, end - 0.15)]
        half = np.array([*outside, (-0.95, end), (-0.58, end - 0.10), (-0.46, min(end - 0.25, 1.78))])
        canvas.polygon(smooth(np.concatenate([half, mirrored(half[1:])]), closed=True), dark)
    if look.haircut == "bun":
        canvas.ellipse((0.1, -1.72), (0.40, 0.36), dark)
        canvas.ellipse((0.06, -1.76), (0.30, 0.26), look.hair, soft=0.1)
    if look.haircut == "curly":
        _draw_curls(canvas, dark, 1.24, 0.30, -0.08)


def draw_front(canvas: Canvas, look: Look) -> None:
    """What lies before the forehead."""
    if look.haircut == "bald":
        _draw_fringe(canvas, look)
        return
    dome = smooth(np.concatenate([_CROWN, mirrored(_CROWN[:-1])]), closed=False)
    cap = np.concatenate([dome, smooth(_hairline(look.haircut), closed=False)])
    canvas.polygon(cap + np.array((0, 0.03)), look.shade, 0.5, soft=0.08)
    canvas.polygon(cap, look.hair)
    if look.haircut in ("bob", "long"):
        _draw_side_locks(canvas, look)
    if look.haircut == "curly":
        _draw_curls(canvas, look.hair, 1.08, 0.22, 0.04)
    _draw_strands(canvas, look)


def _hairline(haircut: str) -> np.ndarray:
    """The lower edge of the hair over the forehead, from right to left, (11, 2) face units."""
    line = np.concatenate([mirrored(_HAIRLINE)[:-1], _HAIRLINE])
    x = line[:, 0]
    if haircut == "parted":
        line[:, 1] += 0.16 * np.exp(-(((x - 0.45) / 0.4) ** 2)) - 0.10 * np.exp(-(((x + 0.40) / 0.22) ** 2))
    elif haircut == "bob":
        line[:, 1] += 0.20 * np.exp(-((x / 0.6) ** 4))
    elif haircut == "long":
        line[:, 1] -= 0.16 * np.exp(-((x / 0.22) ** 2))
    return line


def _draw_side_locks(canvas: Canvas, look: Look) -> None:
    """Hair that falls before the ears."""
    lock = _LOCK.copy()
    lock[4:6, 1] += 1.15 if look.haircut == "bob" else 2.06
    seam = lock[1:5] - np.array((0.10, 0))
    for side in (-1, 1):
        canvas.polygon(smooth(lock * (side, 1), closed=True), look.hair)
        canvas.line(smooth(seam * (side, 1), closed=False), 0.012, mix(look.hair, _BLACK, 0.3), 0.5, soft=0.03)


def _draw_strands(canvas: Canvas, look: Look) -> None:
    """A few lighter and darker locks, and the light on the crown."""
    bright, dark = mix(look.hair, (1, 0.93, 0.8), 0.28), mix(look.hair, _BLACK, 0.35)
    thick = np.interp(np.arange(9), (0, 3, 4, 8), (0.004, 0.02, 0.02, 0.004))
    for x in (-0.62, -0.34, -0.08, 0.20, 0.48, 0.72):
        lock = np.array([(0.55 * x + 0.05, -1.50), (0.9 * x, -1.30), (1.12 * x, -1.02)])
        canvas.line(smooth(lock, closed=False), thick, bright if x < 0.3 else dark, 0.35, soft=0.03)


def _draw_curls(canvas: Canvas, tone: Colour, reach: float, size: float, start: float) -> None:
    for number, turn in enumerate(np.linspace(start, 1 - start, 15) * np.pi):
        radius = size * (0.85 + 0.1 * (number % 3))
        centre = (-reach * np.cos(turn), -0.42 - 1.08 * reach * np.sin(turn))
        canvas.ellipse(centre, (radius, radius), tone)


def _draw_fringe(canvas: Canvas, look: Look) -> None:
    """A bald head: a little hair over the ears, and light on the crown."""
    canvas.glow((-0.25, -1.00), (0.26, 0.14), look.light, 0.65)
    lock = np.array(
        [(1.04, 0.10), (1.11, -0.30), (1.02, -0.72), (0.90, -0.80), (0.88, -0.50), (0.93, -0.15), (0.97, 0.06)]
    )
    for side in (-1, 1):
        canvas.polygon(smooth(lock * (side, 1), closed=True), look.hair, soft=0.03)


def draw_beard(canvas: Canvas, look: Look) -> None:
    """A short beard along the jaw and over the lip."""
    jaw = outline(look)[:17]
    upper = np.array([(0.97, 0.20), (0.84, 0.66), (0.58, 0.92), (0.36, 0.76), (0.12, 0.75), (0, 0.77)])
    inner = smooth(np.concatenate([upper, mirrored(upper[:-1])]), closed=False)
    area = np.concatenate([smooth(jaw[1:-1], closed=False), inner])
    tone = mix(look.hair, look.shade, 0.30)
    canvas.stain(area, tone, 0.45, soft=0.22)
    canvas.stain(area + np.array((0, 0.03)), tone, 0.45, soft=0.08)
    lips = np.array(
        [(-0.40, 1.0), (-0.22, 0.90), (0, 0.915), (0.22, 0.90), (0.40, 1.0), (0.22, 1.14), (0, 1.17), (-0.22, 1.14)]
    )
    canvas.stain(smooth(lips * (1, look.length) - np.array((0, 0.04)), closed=True), look.skin, 0.75, soft=0.10)


def draw_brows(canvas: Canvas, look: Look, brows: np.ndarray) -> None:
    """Both brows through their ten points."""
    thick = 0.042 * look.brow * np.array([0.35, 0.6, 0.8, 0.95, 1.0, 1.0, 1.0, 0.95, 0.9])
    tone = mix(look.hair, look.shade, 0.25)
    left = smooth(brows[:5], closed=False, steps=2)
    right = smooth(brows[5:], closed=False, steps=2)
    canvas.line(left, thick, tone, 0.9, soft=0.025)
    canvas.line(right, thick[::-1], tone, 0.9, soft=0.025)


def draw_glasses(canvas: Canvas) -> None:
    """Round thin rims."""
    turn = np.linspace(0, 2 * np.pi, 25)
    tone = (0.17, 0.14, 0.14)
    for side in (-1, 1):
        rim = np.stack([side * 0.46 + 0.30 * np.cos(turn), 0.02 + 0.27 * np.sin(turn)], 1)
        canvas.line(rim, 0.012, tone, 0.9)
    canvas.line(np.array([(-0.17, -0.02), (0, -0.06), (0.17, -0.02)]), 0.014, tone, 0.9)
