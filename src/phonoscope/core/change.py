"""How much the picture changes: what cuts are found by, and what makes a detector look again."""

import numpy as np

from phonoscope.core.media import Picture, Recording

WIDTH = 256  # px: what PySceneDetect shrinks pictures to before it compares them


def small_size(recording: Recording, width: int = WIDTH) -> tuple[int, int]:
    """Size (h, w) at which pictures are compared; small films are not enlarged."""
    shrink = max(1.0, recording.width / width)
    return max(1, round(recording.height / shrink)), max(1, round(recording.width / shrink))


def small_hsv(picture: Picture, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """Hue, saturation and value of every `stride`-th pixel each way, (h, w, 3) int16, ready to be subtracted."""
    return picture.hsv(size)[::stride, ::stride].astype(np.int16)


def change(before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of two pictures' hue, saturation and value, 0-255."""
    return float(np.abs(after - before).mean())
