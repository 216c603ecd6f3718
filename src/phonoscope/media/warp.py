"""Affine warps of single planes, in the convention that pixel centres lie at +0.5."""

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
    matrix = np.vstack([matrix, [0, 0, 1]]).astype(np.float64)
    back = np.linalg.inv(matrix)
    block = max(1, int(np.sqrt(abs(np.linalg.det(back[:2, :2]))) + 1e-9))
    corners = back @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    x0, x1 = _needed(corners[0], plane.shape[1], block)
    y0, y1 = _needed(corners[1], plane.shape[0], block)
    if x0 >= x1 or y0 >= y1:
        return np.full(size, border, np.uint8)
    region = _blocks(plane[y0:y1, x0:x1], block)
    if table is not None:
        region = cv2.LUT(np.ascontiguousarray(region), table)
    region_to_plane = np.array([[block, 0, x0], [0, block, y0], [0, 0, 1]], np.float64)
    to_centres, from_centres = np.eye(3), np.eye(3)
    to_centres[:2, 2], from_centres[:2, 2] = -0.5, 0.5  # cv2 has pixel centres at whole numbers
    whole = to_centres @ matrix @ region_to_plane @ from_centres
    return cv2.warpAffine(
        region, whole[:2], (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )


def _needed(at: np.ndarray, length: int, block: int) -> tuple[int, int]:
    """The run of pixels [start, stop) that these coordinates span, with room for interpolation, in whole blocks."""
    start = max(0, int(np.floor(at.min())) - 2 * block)
    stop = min(length, int(np.ceil(at.max())) + 2 * block)
    return start - start % block, stop


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
