"""One picture of a film, and the views of it that steps ask for."""

from collections.abc import Callable

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation

from phonoscope.media.colour import yuv_to_bgr
from phonoscope.media.planes import LEVELS, Planes, planes_of
from phonoscope.media.upright import Upright
from phonoscope.media.warp import resize, warp

LIKE_FFMPEG = Interpolation.BICUBIC  # its own default: the same bytes as `ffmpeg -pix_fmt rgb24`
TWICE = np.diag([2.0, 2.0, 1.0])  # chroma px -> luma px


class Shown:
    """A decoded picture and what was already computed from it; ticks that show the same picture share it."""

    __slots__ = ("_frame", "_made", "stored", "upright")

    def __init__(self, frame: VideoFrame, stored: tuple[int, int], upright: Upright) -> None:
        """A frame that is shown at the size `stored` (w, h), before it is turned upright."""
        self._frame, self.stored, self.upright = frame, stored, upright
        self._made: dict[tuple[str, int, int], np.ndarray] = {}

    @property
    def frame(self) -> VideoFrame:
        """The picture at its stored size."""
        if (self._frame.width, self._frame.height) != self.stored:  # the film changed size in its middle
            self._frame = self._frame.reformat(*self.stored, interpolation=Interpolation.BICUBIC, threads=1)
        return self._frame

    def once(self, kind: str, size: tuple[int, int], make: Callable[["Shown", int, int], np.ndarray]) -> np.ndarray:
        """What `make` makes of it for an upright size (h, w), computed but once."""
        key = (kind, *size)
        if key not in self._made:
            self._made[key] = make(self, *self.upright.size(size[1], size[0]))
        return self._made[key]

    def planes(self) -> Planes:
        """Its planes, as stored."""
        return planes_of(self.frame)


class Picture:
    """One frame of a recording's clock. Sizes are (h, w) px; everything is upright; nothing may be written to."""

    __slots__ = ("_shown", "frame")

    def __init__(self, frame: int, shown: Shown) -> None:
        self.frame = frame
        self._shown = shown

    @classmethod
    def from_rgb(cls, rgb: np.ndarray, frame: int = 0) -> "Picture":
        """A picture made of an array (H, W, 3) uint8, as frame number `frame`."""
        made = VideoFrame.from_ndarray(np.ascontiguousarray(rgb, np.uint8), "rgb24")
        return cls(frame, Shown(made, (made.width, made.height), Upright()))

    @property
    def width(self) -> int:
        """Upright width, px."""
        return self._shown.upright.size(*self._shown.stored)[0]

    @property
    def height(self) -> int:
        """Upright height, px."""
        return self._shown.upright.size(*self._shown.stored)[1]

    def bgr(self, size: tuple[int, int]) -> np.ndarray:
        """The picture at another size, (h, w, 3) uint8 BGR, quickly: for detectors, not for measuring colour."""
        return self._shown.once("bgr", size, _bgr)

    def hsv(self, size: tuple[int, int]) -> np.ndarray:
        """The same as hue (0-179), saturation and value, (h, w, 3) uint8."""
        return self._shown.once("hsv", size, lambda *_: cv2.cvtColor(self.bgr(size), cv2.COLOR_BGR2HSV))

    def luma(self, size: tuple[int, int]) -> np.ndarray:
        """The picture at another size in grey, (h, w) uint8, black 0 and white 255."""
        return self._shown.once("luma", size, _luma)

    def rgb(self) -> np.ndarray:
        """The whole picture in true colour, (H, W, 3) uint8 RGB, with the film's own matrix and range."""
        return self._shown.once("rgb", (self.height, self.width), _rgb)

    def crop_grey(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        """A piece of the picture in grey, (h, w) uint8, black 0 and white 255.

        Args:
            matrix: (2, 3), upright px -> crop px.
            border: grey outside the picture.
        """
        planes = self._shown.planes()
        return warp(planes.y, self._from_stored(matrix), size, border, None if planes.full else LEVELS.expand)

    def crop_yuv(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> VideoFrame:
        """The same in colour, as a video frame: yuv420p, limited range, for encoding.

        Raises:
            ValueError: a side is odd.
        """
        height, width = size
        if height % 2 or width % 2:
            raise ValueError(f"a yuv420p picture has even sides, got {width} × {height}")
        planes, on_luma = self._shown.planes(), self._from_stored(matrix)
        on_chroma = 0.5 * on_luma @ TWICE
        tables = (LEVELS.shrink, LEVELS.shrink_chroma) if planes.full else (None, None)
        packed = np.empty(height * width * 3 // 2, np.uint8)
        luma, chroma = height * width, height * width // 4
        packed[:luma] = warp(planes.y, on_luma, size, int(LEVELS.shrink[border]), tables[0]).ravel()
        for at, plane in ((luma, planes.u), (luma + chroma, planes.v)):
            packed[at : at + chroma] = warp(plane, on_chroma, (height // 2, width // 2), 128, tables[1]).ravel()
        frame = VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), "yuv420p")
        frame.color_range = ColorRange.MPEG
        frame.colorspace = self._shown.frame.colorspace
        return frame

    def crop_rgb(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        """The same in true colour, (h, w, 3) uint8 RGB, within 1 of FFmpeg's; grey `border` outside the picture."""
        planes, on_luma = self._shown.planes(), self._from_stored(matrix)
        outside = border if planes.full else int(LEVELS.shrink[border])
        y = warp(planes.y, on_luma, size, outside)
        u, v = (warp(plane, on_luma @ TWICE, size, 128) for plane in (planes.u, planes.v))
        to_rgb = yuv_to_bgr(self._shown.frame.colorspace, planes.full)[::-1]
        return cv2.transform(cv2.merge([y, u, v]), to_rgb)

    def _from_stored(self, matrix: np.ndarray) -> np.ndarray:
        return np.asarray(matrix, np.float64) @ self._shown.upright.matrix(*self._shown.stored)


def _luma(shown: Shown, width: int, height: int) -> np.ndarray:
    planes = shown.planes()
    grey = resize(planes.y, width, height)
    return shown.upright.turn(grey if planes.full else cv2.LUT(grey, LEVELS.expand))


def _bgr(shown: Shown, width: int, height: int) -> np.ndarray:
    planes = shown.planes()
    yuv = cv2.merge([resize(plane, width, height) for plane in (planes.y, planes.u, planes.v)])
    return shown.upright.turn(cv2.transform(yuv, yuv_to_bgr(shown.frame.colorspace, planes.full)))


def _rgb(shown: Shown, _width: int, _height: int) -> np.ndarray:
    frame = shown.frame.reformat(format="rgb24", dst_color_range="JPEG", interpolation=LIKE_FFMPEG, threads=1)
    return shown.upright.turn(frame.to_ndarray())
