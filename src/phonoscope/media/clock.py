"""The clock of a recording, from the timestamps of its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from phonoscope.core.media import Clock
from phonoscope.core.time import frames_of, nearest_frames

NTSC = Fraction(1000, 1001)
USUAL = tuple(map(Fraction, (5, 10, 12, 15, 20, 24 * NTSC, 24, 25, 30 * NTSC, 30, 48, 50, 60 * NTSC, 60, 100, 120)))
MAX_HOLE_S = 600  # a longer time without a picture is a broken timestamp, not a still scene


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """When the pictures of a film are shown, in its own units."""

    pts: np.ndarray  # (N,) int64, strictly increasing
    time_base: Fraction  # s
    last_duration: int  # of the last picture, in units of time_base; 0 if unknown

    @property
    def step(self) -> Fraction:
        """Median time from picture to picture, s; 0 if there is but one."""
        return Fraction(float(np.median(np.diff(self.pts)))) * self.time_base if len(self.pts) > 1 else Fraction(0)

    @property
    def start(self) -> Fraction:
        """When the first picture is shown, s."""
        return int(self.pts[0]) * self.time_base


def clock_of(stamps: Stamps, fps: Fraction) -> Clock:
    """Which picture is shown at each tick k/fps after the first: the nearest in time, the later of two.

    The film ends when the last picture does: after its own duration, or after the median step where that is
    unknown or not a quarter of it (some writers put 1 there).
    """
    last = stamps.last_duration * stamps.time_base
    if not stamps.step / 4 < last <= MAX_HOLE_S:
        last = stamps.step or 1 / fps
    length = int(stamps.pts[-1] - stamps.pts[0]) * stamps.time_base + last
    index = nearest_frames(stamps.pts, stamps.time_base, fps, frames_of(length, fps))
    return Clock(stamps.pts[index], stamps.time_base)


def own_rate(stamps: Stamps, told: Sequence[Fraction | None]) -> Fraction:
    """The rate at which a film is filmed: that which it tells, if each picture has a tick of its own at that rate.

    Of a film whose rate varies, the usual rate that is nearest to most of its steps.

    Args:
        told: what the film's headers say, the most trusted first.
    """
    usual = min(USUAL, key=lambda rate: abs(float(stamps.step or Fraction(1, 25)) * float(rate) - 1))
    since = stamps.pts - stamps.pts[0]
    mean = (len(since) - 1) / (int(since[-1]) * stamps.time_base) if len(since) > 1 else usual
    near = min(USUAL, key=lambda rate: abs(float(rate / mean) - 1))
    rates = (rate for rate in (*told, near, mean.limit_denominator(1001)) if rate)
    return next((rate for rate in rates if has_ticks(stamps, rate)), usual)


def own_clock(stamps: Stamps, fps: Fraction) -> Clock:
    """The clock of a film's own rate: each picture once, in order; one of a film whose rate varies, as `clock_of`."""
    return Clock(stamps.pts, stamps.time_base) if has_ticks(stamps, fps) else clock_of(stamps, fps)


def has_ticks(stamps: Stamps, fps: Fraction) -> bool:
    """Whether picture k is nearest to tick k/fps, for each k: then a clock at `fps` shows each of them once."""
    tick = float(1 / (fps * stamps.time_base))  # source time units
    away = stamps.pts - stamps.pts[0] - np.arange(len(stamps.pts)) * tick
    return bool(np.abs(away).max() < tick / 2)


def longest_run(stamps: Stamps) -> tuple[Stamps, Fraction]:
    """The pictures between two absurd holes of which there are most, and the longest hole left out, s (0: none)."""
    limit = int(MAX_HOLE_S / stamps.time_base)
    steps = np.diff(stamps.pts)
    holes = np.flatnonzero(steps > limit)
    if not len(holes):
        return stamps, Fraction(0)
    edges = np.concatenate([[0], holes + 1, [len(stamps.pts)]])
    run = int(np.argmax(np.diff(edges)))
    last = run == len(edges) - 2
    kept = Stamps(stamps.pts[edges[run] : edges[run + 1]], stamps.time_base, stamps.last_duration if last else 0)
    return kept, int(steps[holes].max()) * stamps.time_base


def steady(stamps: Stamps) -> bool:
    """Whether the pictures follow each other at one rate, give or take a rounding of the timestamps."""
    if len(stamps.pts) < 3:
        return True
    even = np.linspace(stamps.pts[0], stamps.pts[-1], len(stamps.pts))
    step = (stamps.pts[-1] - stamps.pts[0]) / (len(stamps.pts) - 1)
    return bool(np.abs(stamps.pts - even).max() <= max(1.5, 0.1 * step))
