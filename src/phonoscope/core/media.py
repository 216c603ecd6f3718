"""A recording: one film, with one clock for its pictures and its sound."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from phonoscope.core.time import Span


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be done with a recording."""

    licence: str = ""
    consent: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    """A film as we know it: where it lies, how it is timed, what was odd about it."""

    id: str  # slug of the name, a dash, the first 8 hex digits of the content's sha256
    source: str  # URI; read, never written
    sha256: str
    fps: Fraction  # of the recording's clock, not of the source
    num_frames: int
    width: int  # px, upright
    height: int  # px, upright
    sample_rate: int  # Hz; 0 if there is no sound
    num_samples: int  # 0 if there is no sound
    av_start: Fraction  # s by which sound starts after picture in the source; already compensated
    rights: Rights = Rights()
    notes: tuple[str, ...] = field(default=())

    @property
    def span(self) -> Span:
        """All frames."""
        return Span(0, self.num_frames)

    @property
    def duration_s(self) -> Fraction:
        """Length on the clock, seconds."""
        return Fraction(self.num_frames) / self.fps


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Which source frame is shown at each tick of the recording's clock."""

    pts: np.ndarray  # (num_frames,) int64, in units of time_base; never decreases
    time_base: Fraction  # s

    def __len__(self) -> int:
        return len(self.pts)


class Picture(Protocol):
    """One frame of a recording, upright; whatever is asked of it twice is worked out once.

    Matrices map source px to crop px, both with pixel centres at +0.5.
    """

    @property
    def frame(self) -> int:
        """Its number in the recording."""
        ...

    @property
    def width(self) -> int:
        """Upright, px."""
        ...

    @property
    def height(self) -> int:
        """Upright, px."""
        ...

    def bgr(self, size: tuple[int, int]) -> np.ndarray:
        """Small colour picture (h, w, 3) uint8 for detectors: fast, colours near enough."""
        ...

    def hsv(self, size: tuple[int, int]) -> np.ndarray:
        """The same as hue (0-179), saturation and value, (h, w, 3) uint8."""
        ...

    def luma(self, size: tuple[int, int]) -> np.ndarray:
        """Small grey picture (h, w) uint8, full range."""
        ...

    def rgb(self) -> np.ndarray:
        """The whole picture (H, W, 3) uint8 in its true colours."""
        ...

    def crop_grey(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        """What a crop (2, 3) sees, (h, w) uint8 full-range grey."""
        ...

    def crop_rgb(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        """What a crop (2, 3) sees, (h, w, 3) uint8 RGB."""
        ...

    def crop_yuv(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> Any:
        """The same in the colours that it was filmed in, as a frame for `media.encode`; sides are even."""
        ...
