"""How much the picture changes: what cuts are found by, and what makes a detector look again."""

import numpy as np

from phonoscope.core.media import Picture, Recording

WIDTH = 256  # px: what PySceneDetect shrinks pictures to before it compares them


def small_size(recording: Recording, width: int = WIDTH) -> tuple[int, int]:
    """Size (h, w) at which pictures are compared; small films are not enlarged."""
    shrink = max(1.0, recording.width / width)
    return max(1, round(recording.height / shrink)), max(1, round(recording.width / shrink))


def small_hsv(picture: Picture, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """Hue, saturation and value of every `stride`-th pixel each way, (h, w, 3) uint8."""
    return np.ascontiguousarray(picture.hsv(size)[::stride, ::stride])


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of two small pictures' hue, saturation and value, (h, w, 3) uint8: 0-255."""
    apart = np.maximum(before, after) - np.minimum(before, after)  # as bytes: twice as fast as signed numbers
    return int(apart.sum(dtype=np.uint32)) / apart.size  # exact: such sums stay far below 2^32
