"""Spectra: sound cut into rows that overlap, and the Fourier transform of each, a chunk of rows at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

PREEMPHASIS = 0.97
CHUNK = 256  # rows worked on at a time: they fit a processor's cache, and memory stays the same for an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How sound is cut into rows and made ready to be transformed, choice by choice."""

    window_s: Fraction = Fraction(25, 1000)  # s of sound that a row sees
    step_s: Fraction = Fraction(10, 1000)  # s from row to row
    follows_fps: bool = False  # window and step are made 25/fps as long, so that four rows fall on a video frame
    rounds: Literal["nearest", "down"] = "nearest"  # window and step to whole samples; halves go up
    edges: Literal["pad", "centre", "mirror", "drop"]  # zeros fill the last row; row k is centred at k steps, before
    # the sound are zeros; or the sound's start, mirrored; only rows that are full
    tail_s: Fraction = Fraction(0)  # s of zeros that count as sound, behind it
    scale: float = 1.0  # by which samples in [-1, 1] are multiplied
    level: bool = False  # the mean of a row is taken from it
    preemphasis: Literal["signal", "row", "row-edge", "none"] = "none"  # where x[n] - 0.97·x[n-1] starts: with the
    # sound; with each row; with each row, whose first sample is preceded by itself
    taper: Callable[[int], np.ndarray] | None = None  # None: rectangular
    nfft: int | Literal["window", "power-of-two"] = "window"  # samples transformed; a longer window is cut

    def rows(self, samples: int, sample_rate: int, fps: Fraction | None = None) -> "Rows":
        """Where the rows of so many samples lie.

        Args:
            sample_rate: Hz.
            fps: video frames a second, 25 if not given; only a cut that follows them minds.

        Raises:
            ValueError: a row would be no sample long.
        """
        stretch = Fraction(25) / fps if self.follows_fps and fps else Fraction(1)
        half = Fraction(1, 2) if self.rounds == "nearest" else Fraction(0)
        times_s = (self.window_s * stretch, self.step_s * stretch, self.tail_s)
        window, step, tail = ((time_s * sample_rate + half).__floor__() for time_s in times_s)
        if step < 1:
            raise ValueError(f"rows {float(times_s[1])} s apart need more than {sample_rate} samples a second")
        nfft = self._transformed(window)
        lead = nfft // 2 if self.edges in ("centre", "mirror") else 0
        return Rows(self._count(samples, window, step, tail), window, step, lead, nfft, sample_rate)

    def _transformed(self, window: int) -> int:
        if self.nfft == "power-of-two":
            return 1 << (window - 1).bit_length()
        return window if self.nfft == "window" else self.nfft

    def _count(self, samples: int, window: int, step: int, tail: int) -> int:
        if samples == 0:
            return 0
        if self.edges in ("centre", "mirror"):
            return 1 + samples // step
        beyond = samples + tail - window
        return max(1, 1 - (-beyond // step)) if self.edges == "pad" else max(0, 1 + beyond // step)


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows of one sound lie."""

    count: int
    window: int  # samples that each sees
    step: int  # samples from one to the next
    lead: int  # samples by which the first begins before the sound
    nfft: int  # samples transformed
    sample_rate: int  # Hz

    @property
    def rate(self) -> Fraction:
        """Rows a second."""
        return Fraction(self.sample_rate, self.step)

    @property
    def start(self) -> Fraction:
        """Centre of row 0, s."""
        return Fraction(0) if self.lead else Fraction(self.window, 2 * self.sample_rate)


def spectra(audio: np.ndarray, rows: Rows, cut: Cut) -> Iterator[tuple[int, np.ndarray]]:
    """For each chunk of rows: the number of its first, and their spectra (n, nfft // 2 + 1) complex128.

    The next chunk overwrites them.

    Args:
        audio: (N,) float in [-1, 1], of as many samples as `rows` was made for.
    """
    taper = cut.taper(rows.window) if cut.taper else None
    size = min(CHUNK, rows.count)
    # written again and again: fresh memory for each chunk would cost more than the transforms
    made = np.empty((size, rows.nfft // 2 + 1), np.complex128)
    ready = np.empty((size, rows.window))
    for at in range(0, rows.count, CHUNK):
        count = min(CHUNK, rows.count - at)
        first = at * rows.step - rows.lead
        sound = _excerpt(audio, first, first + (count - 1) * rows.step + rows.window, cut)
        stride = sound.strides[0]
        seen = np.lib.stride_tricks.as_strided(sound, (count, rows.window), (stride * rows.step, stride))
        yield at, np.fft.rfft(_ready(seen, cut, taper, ready[:count]), rows.nfft, out=made[:count])


def _ready(rows: np.ndarray, cut: Cut, taper: np.ndarray | None, out: np.ndarray) -> np.ndarray:
    """Rows (n, window) as they are to be transformed, in `out` unless nothing is to be done to them."""
    if cut.level:
        rows = np.subtract(rows, rows.mean(1, keepdims=True), out=out)
    if cut.preemphasis in ("row", "row-edge"):
        before = PREEMPHASIS * rows[:, :-1]
        first = rows[:, 0] * (1 - PREEMPHASIS if cut.preemphasis == "row-edge" else 1)
        np.subtract(rows[:, 1:], before, out=out[:, 1:])
        out[:, 0] = first
        rows = out
    return rows if taper is None else np.multiply(rows, taper, out=out)


def _excerpt(audio: np.ndarray, start: int, stop: int, cut: Cut) -> np.ndarray:
    """Samples [start, stop) as they are cut, float64, zeros where there are none."""
    first, last = max(start, 0), min(stop, len(audio))
    before = max(first - 1, 0)
    heard = audio[before:last].astype(np.float64) * cut.scale
    sound = np.zeros(stop - start)
    sound[first - start : last - start] = heard[first - before :]
    if cut.preemphasis == "signal":  # ahead of the padding: no edge arises where the sound stops
        sound[before + 1 - start : last - start] -= PREEMPHASIS * heard[:-1]
    if cut.edges == "mirror" and start < 0:
        mirrored = audio[1 : 1 - start][::-1].astype(np.float64) * cut.scale
        sound[-start - len(mirrored) : -start] = mirrored
    return sound


def checked(audio: np.ndarray) -> np.ndarray:
    """The sound itself.

    Raises:
        ValueError: it is not one row of floats.
    """
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(f"audio must be (N,) float in [-1, 1], got {audio.shape} {audio.dtype}")
    return audio


def hann(length: int) -> np.ndarray:
    """Hann's window, (length,), periodic: the first half of it and the second make one."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def povey(length: int) -> np.ndarray:
    """Kaldi's window, (length,): Hann's to the power of 0.85, symmetric."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length - 1))) ** 0.85
