"""A head that can be shown: what never moves is painted once, eyes and mouth anew when they change."""

from dataclasses import dataclass, field

import numpy as np

from phonoscope.testing.puppet import body, hair, skin
from phonoscope.testing.puppet.anatomy import JAW_DROP, REACH
from phonoscope.testing.puppet.looks import Look, mix
from phonoscope.testing.puppet.shapes import Canvas, Plane, distance_to_ellipse, smooth

_WHITE = (0.96, 0.95, 0.93)
_DARK = (0.16, 0.09, 0.08)
_INSIDE = (0.27, 0.07, 0.08)
_TEETH = (0.95, 0.93, 0.89)
_TONGUE = (0.72, 0.33, 0.33)


def draw_head(look: Look, scale: float) -> Canvas:
    """A head that looks ahead, without eyes, brows and mouth; `scale` px a face unit."""
    canvas = Canvas.blank(*REACH, scale)
    hair.draw_back(canvas, look)
    if look.haircut in ("bob", "long"):  # their back would hide the body's own neck
        body.draw_neck(canvas.window(-1, 0.7, 1, 1.84), look)
    canvas.paste(skin.draw_skin(look, scale))
    hair.draw_front(canvas, look)
    return canvas


@dataclass(slots=True, eq=False)
class Face:
    """A head with its features at given points."""

    look: Look
    canvas: Canvas
    picture: np.ndarray  # (H, W, 4) uint8, premultiplied: the canvas as last shown
    clean: tuple[np.ndarray, np.ndarray]  # paint under the eyes, under the mouth
    shown: dict[str, bytes] = field(default_factory=dict)  # what eyes and mouth were last drawn from

    @property
    def corners(self) -> np.ndarray:
        """Corners of a rectangle that holds all of the head however it turns and opens its mouth, (4, 2) face units."""
        painted = self.picture[..., 3] > 0
        x, y = (np.flatnonzero(painted.any(axis)) / self.canvas.scale for axis in (0, 1))
        left, right = self.canvas.left + x[0] - 0.08, self.canvas.left + x[-1] + 0.08
        top, bottom = self.canvas.top + y[0] - 0.05, self.canvas.top + y[-1] + 0.05 + JAW_DROP
        return np.array([(left, top), (right, top), (left, bottom), (right, bottom)])

    @classmethod
    def of(cls, look: Look, scale: float) -> "Face":
        """Draw it; `scale` px a face unit."""
        canvas = draw_head(look, scale)
        clean = _eyes_of(canvas).paint.copy(), _lips_of(canvas).paint.copy()
        return cls(look, canvas, canvas.bytes(), clean)

    def show(self, points: np.ndarray, gaze: float) -> None:
        """Put eyes, brows and mouth at these 68 points, in place of those shown before."""
        if self._is_new("eyes", np.append(points[17:48], gaze)):
            eyes = _eyes_of(self.canvas)
            eyes.paint[...] = self.clean[0]
            for first in (36, 42):
                _draw_eye(eyes, self.look, points[first : first + 6], gaze)
            hair.draw_brows(eyes, self.look, points[17:27])
            if self.look.glasses:
                hair.draw_glasses(eyes)
            self._copy(eyes)
        if self._is_new("lips", points[48:]):
            lips = _lips_of(self.canvas)
            lips.paint[...] = self.clean[1]
            _draw_mouth(lips, self.look, points[48:])
            self._copy(lips)

    def _is_new(self, part: str, drawn_from: np.ndarray) -> bool:
        key = drawn_from.tobytes()
        changed = self.shown.get(part) != key
        self.shown[part] = key
        return changed

    def _copy(self, part: Canvas) -> None:
        x, y = (round((a - b) * part.scale) for a, b in ((part.left, self.canvas.left), (part.top, self.canvas.top)))
        height, width = part.paint.shape[1:]
        self.picture[y : y + height, x : x + width] = part.bytes()


def _eyes_of(canvas: Canvas) -> Canvas:
    return canvas.window(-0.86, -0.60, 0.86, 0.34)


def _lips_of(canvas: Canvas) -> Canvas:
    return canvas.window(-0.58, 0.74, 0.58, 1.62)


def _between(at: Plane, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Signed distance to what lies between two curves that run left to right, (H, W); first-order exact."""
    x, y = at[0][0], at[1]
    top, bottom = (np.interp(x, *curve.T).astype(np.float32) for curve in (upper, lower))
    per_px = 1 / max(float(x[1] - x[0]), 1e-6) if len(x) > 1 else 0.0
    steep_top, steep_bottom = (np.hypot(1, np.gradient(curve) * per_px).astype(np.float32) for curve in (top, bottom))
    sides = np.maximum(upper[0, 0] - x, x - upper[-1, 0]).astype(np.float32)
    return np.maximum(np.maximum((top - y) / steep_top, (y - bottom) / steep_bottom), sides)


def _curve(points: np.ndarray) -> np.ndarray:
    return smooth(points, closed=False, steps=5)


def _draw_eye(canvas: Canvas, look: Look, eye: np.ndarray, gaze: float) -> None:
    upper, lower = _curve(eye[[0, 1, 2, 3]]), _curve(eye[[0, 5, 4, 3]])
    part = canvas.window(eye[0, 0] - 0.1, -0.30, eye[3, 0] + 0.1, 0.2)
    at = part.plane()
    inside = part.cover(_between(at, upper, lower))
    centre = (float(eye[[0, 3], 0].mean()) + 0.045 * gaze, -0.022)
    iris = distance_to_ellipse(at, centre, (0.106, 0.106))
    lid = np.interp(at[0][0], *upper.T).astype(np.float32)
    part.lay(_WHITE, inside)
    part.lay(mix(look.eyes, _DARK, 0.45), inside * part.cover(iris))
    part.lay(look.eyes, 0.85 * inside * part.cover(iris + 0.022, 0.025))
    part.lay((0.04, 0.03, 0.03), inside * part.cover(iris + 0.058))
    part.lay(look.shade, 0.40 * inside * part.cover(at[1] - lid - 0.035, 0.06))  # the lid's shadow on the eyeball
    part.lay((1, 1, 1), 0.9 * inside * part.cover(distance_to_ellipse(at, (centre[0] - 0.035, -0.055), (0.023, 0.023))))
    part.line(upper[::2], 0.016, mix(_DARK, look.hair, 0.25), 0.95, soft=0.008)
    part.line(lower[::3], 0.006, look.shade, 0.45, soft=0.012)
    part.line(upper[::3] - (0, 0.055), 0.006, look.shade, 0.55, soft=0.015)


def _draw_mouth(canvas: Canvas, look: Look, mouth: np.ndarray) -> None:
    top, bottom = _curve(mouth[0:7]), _curve(mouth[[0, 11, 10, 9, 8, 7, 6]])
    inner_top, inner_bottom = _curve(mouth[12:17]), _curve(mouth[[12, 19, 18, 17, 16]])
    x, y = at = canvas.plane()
    opening = _between(at, inner_top, inner_bottom)
    lips = canvas.cover(_between(at, top, bottom), soft=0.014)
    middle = np.interp(x[0], *inner_top.T).astype(np.float32)
    lower_lip = lips * canvas.cover(middle - y)
    canvas.lay(mix(look.lips, look.shade, 0.40), lips)
    canvas.lay(look.lips, lower_lip)
    shine = np.exp(-((x / 0.14) ** 2) - ((y - mouth[9, 1] + 0.078) / 0.028) ** 2)
    canvas.lay(look.light, 0.38 * lower_lip * shine)
    inside = canvas.cover(opening)
    canvas.lay(_INSIDE, inside)
    _draw_teeth_and_tongue(canvas, mouth, inside)
    seam = np.clip(1 - np.abs(opening) * canvas.scale / 1.2, 0, 1)
    canvas.lay(mix(_DARK, look.lips, 0.35), 0.75 * seam * lips)


def _draw_teeth_and_tongue(canvas: Canvas, mouth: np.ndarray, inside: np.ndarray) -> None:
    (x, y), gap = canvas.plane(), float(mouth[18, 1] - mouth[14, 1])
    edge = mouth[14, 1] + min(0.085, 0.38 * gap) - 0.25 * x * x
    canvas.lay(_TEETH, inside * canvas.cover(y - edge, 0.012) * canvas.cover(np.abs(x) - 0.26, 0.08))
    tongue = distance_to_ellipse((x, y), (0.0, float(mouth[18, 1]) + 0.02), (0.19, 0.30 * gap + 0.01))
    canvas.lay(_TONGUE, inside * canvas.cover(tongue, 0.03))
