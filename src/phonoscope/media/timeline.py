"""When the sound of a film is heard, measured from the timestamps and lengths of its decoded frames."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import numpy as np

HOLE_S = 0.008  # in a stream of even timestamps, a longer jump is a hole
UNEVEN_HOLE_S = 0.030  # in one whose timestamps are often uneven
FIT_S = 0.020  # how far a straight run may stray from its timestamps, beyond jitter, before it is split
DRIFT_S = 0.005  # timestamps that run away from the samples by more than this are followed


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of sound without a hole."""

    first: int  # its first sample, counted over all samples that the decoder gives
    samples: int
    rate: int  # Hz, as the stream says
    start: Fraction  # s after the first picture
    true_rate: Fraction  # samples a second on the film's own clock

    @property
    def stop(self) -> Fraction:
        """When it ends, s after the first picture."""
        return self.start + self.samples / self.true_rate


@dataclass(frozen=True, slots=True)
class Timeline:
    """All the sound of a film, in order of decoding."""

    segments: tuple[Segment, ...] = ()
    damaged: int = 0  # packets that could not be decoded

    def sounds_within(self, length_s: Fraction) -> bool:
        """Whether anything is heard in the first `length_s` seconds of the picture."""
        return any(segment.start < length_s and segment.stop > 0 for segment in self.segments)


@dataclass(slots=True)
class Heard:
    """Timestamps of decoded sound, collected frame by frame."""

    time_base: Fraction
    pts: list[int | None] = field(default_factory=list)
    samples: list[int] = field(default_factory=list)
    rate: list[int] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)  # something before it was lost
    damaged: int = 0
    _lost: bool = False

    def lose(self) -> None:
        """Note that a packet could not be decoded."""
        self.damaged += 1
        self._lost = True

    def add(self, pts: int | None, samples: int, rate: int) -> None:
        """Note a decoded frame."""
        self.pts.append(pts)
        self.samples.append(samples)
        self.rate.append(rate)
        self.fresh.append(self._lost)
        self._lost = False

    def timeline(self, picture_start: Fraction) -> Timeline:
        """What was heard, as runs of sound; times count from the first picture, which is shown at `picture_start` s."""
        if not self.samples:
            return Timeline((), self.damaged)
        samples = np.array(self.samples, np.int64)
        rate = np.array(self.rate, np.int64)
        start = self._starts(samples, rate)
        origin = self._first() * self.time_base - picture_start
        first = np.concatenate([[0], np.cumsum(samples)])
        gaps = np.diff(start) - (samples / rate)[:-1]
        jumps = (np.abs(gaps) > _hole_s(gaps)) | (np.diff(rate) != 0)
        fresh = np.array(self.fresh) | np.concatenate([[True], jumps])
        edges = [*np.flatnonzero(fresh).tolist(), len(samples)]
        segments: list[Segment] = []
        fit_s = max(FIT_S, _jitter_s(gaps))
        for begin, end in pairwise(edges):
            for a, b in _straight_runs(start, first, rate, begin, end, fit_s):
                offset_s, true_rate = _line(start, first, rate, a, b, float(self.time_base))
                at = origin + Fraction(offset_s).limit_denominator(10**9)
                segments.append(Segment(int(first[a]), int(first[b] - first[a]), int(rate[a]), at, true_rate))
        return Timeline(tuple(segments), self.damaged)

    def _first(self) -> int:
        return next((pts for pts in self.pts if pts is not None), 0)

    def _starts(self, samples: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """Seconds from the first known timestamp to each frame; a frame without one follows the frame before it."""
        origin, tick = self._first(), float(self.time_base)
        start = np.array([np.nan if pts is None else (pts - origin) * tick for pts in self.pts])
        for i in np.flatnonzero(np.isnan(start)):
            start[i] = start[i - 1] + samples[i - 1] / rate[i - 1] if i else 0.0
        return start


def _jitter_s(gaps: np.ndarray) -> float:
    """How far most timestamps of a stream are off without meaning it; holes, being few, do not count."""
    return 4 * float(np.median(np.abs(gaps))) if len(gaps) else 0.0


def _hole_s(gaps: np.ndarray) -> float:
    """How large a jump is a hole in this stream."""
    often = 4 * float(np.quantile(np.abs(gaps), 0.95)) if len(gaps) else 0.0
    return max(min(HOLE_S + often, UNEVEN_HOLE_S), HOLE_S + _jitter_s(gaps))


def _strays(start: np.ndarray, first: np.ndarray, rate: np.ndarray, a: int, b: int) -> np.ndarray:
    """How far the timestamps of frames a…b-1 lie behind a steady run of samples from frame a on, s."""
    return (start[a:b] - start[a]) - (first[a:b] - first[a]) / rate[a]


def _slope(strays: np.ndarray, played: np.ndarray, tick: float) -> tuple[float, float]:
    """Offset (s) and slope of a line through the strays, by medians of its ends; slope 0 unless it is plain."""
    tenth = max(1, len(strays) // 10)
    head, tail = float(np.median(strays[:tenth])), float(np.median(strays[-tenth:]))
    if len(strays) < 20 or abs(tail - head) <= DRIFT_S + 2 * tick:
        return float(np.median(strays)), 0.0
    at_head, at_tail = float(np.median(played[:tenth])), float(np.median(played[-tenth:]))
    slope = (tail - head) / (at_tail - at_head)
    return float(np.median(strays - slope * played)), slope


def _line(
    start: np.ndarray, first: np.ndarray, rate: np.ndarray, a: int, b: int, tick: float
) -> tuple[float, Fraction]:
    """When frames a…b-1 begin, s, and how many of their samples pass in a second."""
    offset_s, slope = _slope(_strays(start, first, rate, a, b), (first[a:b] - first[a]) / rate[a], tick)
    nominal = Fraction(int(rate[a]))
    true_rate = nominal if slope == 0 else Fraction(int(rate[a]) / (1 + slope)).limit_denominator(1000)
    return float(start[a]) + offset_s, true_rate


def _straight_runs(
    start: np.ndarray, first: np.ndarray, rate: np.ndarray, a: int, b: int, fit_s: float
) -> list[tuple[int, int]]:
    """Frames a…b-1 cut into runs, each close to a straight line: where the timestamps jump most, else in the middle."""
    todo, runs = [(a, b)], []
    while todo:
        a, b = todo.pop()
        strays, played = _strays(start, first, rate, a, b), (first[a:b] - first[a]) / rate[a]
        offset_s, slope = _slope(strays, played, 0.0)
        if b - a < 8 or np.abs(strays - offset_s - slope * played).max() <= fit_s:
            runs.append((a, b))
            continue
        jumps = np.abs(np.diff(strays))
        cut = a + 1 + int(np.argmax(jumps)) if jumps.max() > DRIFT_S else (a + b) // 2
        todo += [(cut, b), (a, cut)]
    return runs
