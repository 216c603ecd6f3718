"""Affine warps of single planes, in the convention that pixel centres lie at +0.5."""

from math import ceil, floor, sqrt

import cv2
import numpy as np


def warp(
    plane: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: int, table: np.ndarray | None = None
) -> np.ndarray:
    """A plane (H, W) uint8 seen through `matrix`, (h, w) uint8, bilinear.

    When it shrinks to less than half, the plane is first averaged over whole blocks, so that nothing aliases.

    Args:
        matrix: (2, 3), plane px -> result px.
        size: (h, w) of the result.
        border: value outside the plane.
        table: (256,) uint8 applied to the plane's values first.
    """
    height, width = size
    (a, b, c), (d, e, f) = np.asarray(matrix, np.float64).tolist()  # plain numbers: for so few, NumPy costs more
    det = a * e - b * d
    block = max(1, int(sqrt(1 / abs(det)) + 1e-9))
    x0, x1 = _needed((b * f - c * e) / det, width * e / det, -height * b / det, plane.shape[1], block)
    y0, y1 = _needed((c * d - a * f) / det, -width * d / det, height * a / det, plane.shape[0], block)
    if x0 >= x1 or y0 >= y1:
        return np.full(size, border, np.uint8)
    region = _blocks(plane[y0:y1, x0:x1], block)
    if table is not None:
        region = cv2.LUT(np.ascontiguousarray(region), table)
    x, y = x0 + block / 2, y0 + block / 2  # of the centre of the region's first pixel; cv2 has centres at whole numbers
    whole = np.array([[a * block, b * block, a * x + b * y + c - 0.5], [d * block, e * block, d * x + e * y + f - 0.5]])
    return cv2.warpAffine(
        region, whole, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )


def _needed(corner: float, along: float, down: float, length: int, block: int) -> tuple[int, int]:
    """The run of pixels [start, stop) that a parallelogram spans, with room for interpolation, in whole blocks.

    Args:
        corner: where its first corner lies.
        along, down: how far it reaches from there along its two sides.
    """
    low, high = corner + min(0.0, along) + min(0.0, down), corner + max(0.0, along) + max(0.0, down)
    start = max(0, floor(low) - 2 * block)
    return start - start % block, min(length, ceil(high) + 2 * block)


def _blocks(region: np.ndarray, block: int) -> np.ndarray:
    """Means over block × block px; the last ones repeat the edge where the region is no multiple."""
    if block == 1:
        return region
    short_y, short_x = -region.shape[0] % block, -region.shape[1] % block
    if short_y or short_x:
        region = cv2.copyMakeBorder(region, 0, short_y, 0, short_x, cv2.BORDER_REPLICATE)
    return cv2.resize(region, (region.shape[1] // block, region.shape[0] // block), interpolation=cv2.INTER_AREA)


def resize(plane: np.ndarray, width: int, height: int, into: np.ndarray | None = None) -> np.ndarray:
    """A plane at another size: averaged when it shrinks, interpolated when it grows."""
    while plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height and not (plane.shape[0] | plane.shape[1]) & 1:
        if plane.shape == (2 * height, 2 * width):
            break
        plane = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)  # 3× faster
    shrinks = width < plane.shape[1] or height < plane.shape[0]
    return cv2.resize(plane, (width, height), dst=into, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
