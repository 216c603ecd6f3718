"""Drawing: signed distances become anti-aliased paint on a premultiplied canvas."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]  # red, green, blue in 0…1


Pair = tuple[float, float]  # x and y
Plane = tuple[np.ndarray, np.ndarray]  # where pixel centres lie: x (1, W), y (H, 1)


def distance_to_ellipse(at: Plane, centre: Pair, radii: Pair) -> np.ndarray:
    """Signed distance to an ellipse, (H, W), negative inside; first-order exact, which is enough for an edge."""
    x, y = (at[0] - centre[0]) / radii[0], (at[1] - centre[1]) / radii[1]
    size = np.sqrt(x * x + y * y)
    slope = np.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2)
    return np.where(slope > 1e-6, size * (size - 1) / np.maximum(slope, 1e-6), -min(radii))


def distance_to_polygon(at: Plane, corners: np.ndarray) -> np.ndarray:
    """Signed distance to a closed polygon (K, 2), (H, W), negative inside (even-odd rule)."""
    x, y = at
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
    outside = np.ones(nearest.shape, bool)
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        np.minimum(nearest, _away_from_edge(at, a, b)[1], out=nearest)
        if a[1] != b[1]:
            crosses = (y >= a[1]) != (y >= b[1])
            outside ^= crosses & (x < a[0] + (y - a[1]) * ((b[0] - a[0]) / (b[1] - a[1])))
    return np.where(outside, 1, -1) * np.sqrt(nearest)


def distance_to_line(at: Plane, points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Signed distance to a brush stroke through points (K, 2) whose half width at each is given, (H, W)."""
    nearest = np.full(np.broadcast_shapes(at[0].shape, at[1].shape), np.inf, np.float32)
    for a, b, wide_a, wide_b in zip(points, points[1:], widths, widths[1:], strict=False):
        along, squared = _away_from_edge(at, a, b)
        np.minimum(nearest, np.sqrt(squared) - wide_a - along * (wide_b - wide_a), out=nearest)
    return nearest


def _away_from_edge(at: Plane, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along an edge the nearest point of it lies, 0…1, and its squared distance, (H, W) each."""
    (ax, ay), (ex, ey) = a.astype(np.float32), (b - a).astype(np.float32)
    x, y = at[0] - ax, at[1] - ay
    size = np.maximum(ex * ex + ey * ey, np.float32(1e-12))
    along = np.clip(x * (ex / size) + y * (ey / size), np.float32(0), np.float32(1))
    return along, (x - along * ex) ** 2 + (y - along * ey) ** 2


def smooth(points: np.ndarray, closed: bool, steps: int = 4) -> np.ndarray:
    """A Catmull-Rom curve through points (K, 2), `steps` times as many; it passes through every one of them."""
    points = np.asarray(points, np.float64)
    ends = points[[-1]], points[:2]
    if not closed:
        ends = 2 * points[[0]] - points[[1]], 2 * points[[-1]] - points[[-2]]
    padded = np.concatenate([ends[0], points, ends[1]])
    before, start, stop, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    before, start, stop, after = (p[:, None] for p in (before, start, stop, after))
    curve = start + t / 2 * (
        stop - before + t * (2 * before - 5 * start + 4 * stop - after + t * (3 * (start - stop) + after - before))
    )
    return curve.reshape(-1, 2) if closed else np.concatenate([curve.reshape(-1, 2), points[-1:]])


@dataclass(slots=True, eq=False)
class Canvas:
    """A premultiplied picture of a rectangle of the plane; shapes are given in the plane's own units."""

    paint: np.ndarray  # (4, H, W) float32: red, green, blue times opacity, and opacity
    left: float  # of pixel column 0's left edge
    top: float
    scale: float  # px a unit

    @classmethod
    def blank(cls, left: float, top: float, right: float, bottom: float, scale: float) -> "Canvas":
        """A transparent canvas that covers the rectangle."""
        size = int(np.ceil((bottom - top) * scale)), int(np.ceil((right - left) * scale))
        return cls(np.zeros((4, *size), np.float32), left, top, scale)

    def window(self, left: float, top: float, right: float, bottom: float) -> "Canvas":
        """The part of this canvas under a rectangle, sharing its paint; empty if they do not meet."""
        height, width = self.paint.shape[1:]
        x0, x1 = (int(np.clip((x - self.left) * self.scale, 0, width)) for x in (left, right + 1 / self.scale))
        y0, y1 = (int(np.clip((y - self.top) * self.scale, 0, height)) for y in (top, bottom + 1 / self.scale))
        return Canvas(self.paint[:, y0:y1, x0:x1], self.left + x0 / self.scale, self.top + y0 / self.scale, self.scale)

    def around(self, points: np.ndarray, reach: float) -> "Canvas":
        """The part of this canvas no farther than `reach` units from the bounding box of points (K, 2)."""
        margin = reach + 2 / self.scale
        (left, top), (right, bottom) = points.min(0) - margin, points.max(0) + margin
        return self.window(left, top, right, bottom)

    def plane(self) -> Plane:
        """Where the pixel centres lie, x (1, W) and y (H, 1) float32."""
        height, width = self.paint.shape[1:]
        x = self.left + (np.arange(width)[None] + 0.5) / self.scale
        y = self.top + (np.arange(height)[:, None] + 0.5) / self.scale
        return x.astype(np.float32), y.astype(np.float32)

    def cover(self, distance: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """How much of each pixel lies inside, (H, W) in 0…1; `soft` widens the edge, in units of the plane."""
        return np.clip(np.float32(0.5) - distance / np.float32(soft + 1 / self.scale), np.float32(0), np.float32(1))

    def lay(self, colour: Colour, alpha: np.ndarray) -> None:
        """Paint a colour over what is there."""
        self.paint *= 1 - alpha
        for layer, value in zip(self.paint, (*colour, 1.0), strict=True):
            layer += alpha * np.float32(value)

    def tint(self, colour: Colour, alpha: np.ndarray) -> None:
        """Paint a colour only where there is paint already: shade and blush keep the silhouette."""
        for layer, value in zip(self.paint, colour, strict=False):
            layer += alpha * (self.paint[3] * np.float32(value) - layer)

    def paste(self, other: "Canvas") -> None:
        """Lay another canvas of the same place and scale over this one."""
        self.paint *= 1 - other.paint[3]
        self.paint += other.paint

    def fill(self, colour: Colour) -> None:
        """Cover everything."""
        self.paint[...] = np.array([*colour, 1.0], np.float32)[:, None, None]

    def polygon(self, corners: np.ndarray, colour: Colour, opacity: float = 1.0, soft: float = 0.0) -> None:
        """A filled polygon (K, 2)."""
        part = self.around(corners, soft)
        if part.paint.size:
            part.lay(colour, opacity * part.cover(distance_to_polygon(part.plane(), corners), soft))

    def stain(self, corners: np.ndarray, colour: Colour, opacity: float, soft: float) -> None:
        """A filled polygon (K, 2), only where there is paint already."""
        part = self.around(corners, soft)
        if part.paint.size:
            part.tint(colour, opacity * part.cover(distance_to_polygon(part.plane(), corners), soft))

    def ellipse(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
    ) -> None:
        """A filled ellipse."""
        part = self.around(np.array([centre]), max(radii) + soft)
        if part.paint.size:
            part.lay(colour, opacity * part.cover(distance_to_ellipse(part.plane(), centre, radii), soft))

    def line(
        self, points: np.ndarray, widths: np.ndarray | float, colour: Colour, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """A brush stroke through points (K, 2) with a half width, or one at each point, (K,)."""
        wide = np.broadcast_to(np.asarray(widths, np.float32), len(points))
        part = self.around(points, float(wide.max()) + soft)
        if part.paint.size:
            part.lay(colour, opacity * part.cover(distance_to_line(part.plane(), points, wide), soft))

    def glow(self, centre: Pair, radii: Pair, colour: Colour, opacity: float) -> None:
        """A soft round stain (a Gaussian whose spreads are the radii), only where there is paint."""
        part = self.window(*(np.array(centre) - 3 * np.array(radii)), *(np.array(centre) + 3 * np.array(radii)))
        if part.paint.size:
            bells = [np.exp(-(((v - c) / r) ** 2) / 2) for v, c, r in zip(part.plane(), centre, radii, strict=True)]
            part.tint(colour, opacity * bells[0] * bells[1])

    def bytes(self) -> np.ndarray:
        """The picture as it is, (H, W, 4) uint8, premultiplied."""
        return np.ascontiguousarray(np.round(np.clip(self.paint, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0))
