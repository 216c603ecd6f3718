"""The planes of a decoded picture as arrays, whatever its format."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange

FULL_RANGE = ("yuvj420p", "yuvj422p", "yuvj444p", "yuvj440p", "yuvj411p")


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Luma and chroma as stored: views, valid as long as the frame that they were taken from."""

    y: np.ndarray  # (H, W) uint8
    u: np.ndarray  # (ceil(H/2), ceil(W/2)) uint8
    v: np.ndarray
    full: bool  # 0…255 rather than 16…235 (luma) and 16…240 (chroma)


def is_full(frame: VideoFrame) -> bool:
    """Whether a picture's grey goes from 0 to 255."""
    return frame.color_range == ColorRange.JPEG or frame.format.name in FULL_RANGE


def planes_of(frame: VideoFrame) -> Planes:
    """The planes of a picture: at no cost for 8-bit 4:2:0, else converted to it."""
    name = frame.format.name
    if name not in ("yuv420p", "yuvj420p", "nv12"):
        frame = frame.reformat(format="yuv420p", dst_color_range="MPEG", threads=1)
        return Planes(*(_view(plane, 1) for plane in frame.planes[:3]), full=False)
    if name == "nv12":
        chroma = _view(frame.planes[1], 2)
        u, v = (np.ascontiguousarray(chroma[:, c::2]) for c in (0, 1))
        return Planes(_view(frame.planes[0], 1), u, v, is_full(frame))
    y, u, v = (_view(plane, 1) for plane in frame.planes[:3])
    return Planes(y, u, v, is_full(frame))


def _view(plane: VideoPlane, channels: int) -> np.ndarray:
    """A plane as (H, W·channels) uint8, without the padding at the ends of its lines."""
    stride = plane.line_size
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, abs(stride))
    if stride < 0:  # stored from the bottom up
        rows = np.ascontiguousarray(rows[::-1])
    return rows[:, : plane.width * channels]


class Levels:
    """Tables from limited to full range and back, made once."""

    @cached_property
    def expand(self) -> np.ndarray:
        """Luma 16…235 as grey 0…255, (256,) uint8."""
        return np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)

    @cached_property
    def shrink(self) -> np.ndarray:
        """Grey 0…255 as luma 16…235, (256,) uint8."""
        return np.rint(np.arange(256) * (219 / 255) + 16).astype(np.uint8)

    @cached_property
    def shrink_chroma(self) -> np.ndarray:
        """Chroma 0…255 about 128 as 16…240, (256,) uint8."""
        return np.rint((np.arange(256) - 128) * (224 / 255) + 128).astype(np.uint8)


LEVELS = Levels()
