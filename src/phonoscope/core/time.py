"""Time: frames and samples are integers, rates are fractions; seconds appear only at the edges."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open run of video frames [start, stop) on a recording's own clock."""

    start: int  # frames, inclusive
    stop: int  # frames, exclusive

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"span must satisfy 0 <= start < stop, got start={self.start}, stop={self.stop}")

    def __len__(self) -> int:
        return self.stop - self.start

    def __and__(self, other: "Span") -> "Span | None":
        """The frames that both hold, or None."""
        start, stop = max(self.start, other.start), min(self.stop, other.stop)
        return Span(start, stop) if start < stop else None

    def samples(self, fps: Fraction, sample_rate: int) -> slice:
        """Audio samples under this span; neighbouring spans share an edge exactly."""
        return slice(sample_at(self.start, fps, sample_rate), sample_at(self.stop, fps, sample_rate))


def sample_at(frame: int, fps: Fraction, sample_rate: int) -> int:
    """The audio sample at which video frame `frame` begins (ties to even)."""
    return round(Fraction(frame * sample_rate) / fps)


def merge_spans(spans: list[Span]) -> list[Span]:
    """The same frames as sorted spans that neither overlap nor touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].stop:
            merged[-1] = Span(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    return merged


def frames_of(duration_s: Fraction, fps: Fraction) -> int:
    """How many ticks of a clock at `fps` a film of `duration_s` seconds fills: the nearest, at least one."""
    return max(1, (duration_s * fps * 2 + 1).__floor__() // 2)


def nearest_frames(pts: np.ndarray, time_base: Fraction, fps: Fraction, count: int) -> np.ndarray:
    """Index of the source frame nearest in time to k/fps, (count,) int64, for k = 0…count-1.

    Time 0 is `pts[0]`; a tie goes to the later frame. All arithmetic is in integers, so nothing drifts.

    Args:
        pts: (N,) int64, strictly increasing, in units of `time_base` seconds.

    Raises:
        ValueError: `pts` is empty or does not increase.
    """
    if len(pts) == 0 or (np.diff(pts) <= 0).any():
        raise ValueError(f"timestamps must be strictly increasing and not empty, got {len(pts)} of them")
    tick = 1 / (fps * time_base)  # source time units a clock tick
    longest = 2 * max(int(pts[-1] - pts[0]) * tick.denominator, count * tick.numerator)
    whole = np.int64 if longest < 2**62 else object  # Python's own numbers where 64 bits would overflow
    since_start = (np.asarray(pts, np.int64) - int(pts[0])).astype(whole) * tick.denominator
    midpoints_doubled = since_start[:-1] + since_start[1:]
    ticks_doubled = 2 * np.arange(count).astype(whole) * tick.numerator
    return np.searchsorted(midpoints_doubled, ticks_doubled, side="right")
