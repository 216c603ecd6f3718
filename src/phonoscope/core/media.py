"""A recording: one film, with one clock for its pictures and its sound."""

from dataclasses import dataclass, field
from fractions import Fraction

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
