"""MFCC: mel-frequency cepstral coefficients, by the recipes that the field's models were trained on.

No two of them agree, and a model fed with another's numbers fails quietly: so a recipe has a name and is one
value, and each gives what its reference gives.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from phonoscope.core.mel import cosines, lifter, psf_filters, slaney_filters, viseme_filters
from phonoscope.core.series import Series

PREEMPHASIS = 0.97
CHUNK = 256  # rows worked on at a time: they fit a processor's cache, and memory stays the same for an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How sound becomes MFCC, choice by choice."""

    window_s: Fraction  # s of sound that a row sees
    step_s: Fraction  # s from row to row
    follows_fps: bool = False  # window and step are made 25/fps as long, so that four rows fall on a video frame
    edges: Literal["pad", "centre", "drop"]  # zeros fill the last row; zeros around all; only rows that are full
    scale: float = 1.0  # by which samples in [-1, 1] are multiplied
    preemphasis: Literal["signal", "row", "none"] = "none"  # where x[n] - 0.97·x[n-1] starts
    taper: Callable[[int], np.ndarray] | None = None  # None: rectangular
    nfft: int | None = None  # None: the window's length; a longer window is cut
    power: float = 1.0  # by which |spectrum|² is multiplied
    filters: Callable[[int, int], np.ndarray]  # (nfft, sample rate) -> (M, nfft // 2 + 1)
    log: float  # by which the natural logarithm is multiplied
    floor: float = 0.0  # least power a filter gives; 0: only nothing at all is raised, to 2.2e-16
    top_db: float | None = None  # dB below the loudest filter of the whole sound at which others are raised
    kept: range = range(13)  # cosine coefficients
    lifter: int = 0
    energy: bool = False  # the logarithm of the row's power replaces coefficient 0
    deltas: Literal["none", "two-widths", "delta-delta"] = "none"

    @property
    def width(self) -> int:
        """Numbers a row."""
        return len(self.kept) * (1 if self.deltas == "none" else 3)


def _hann(length: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


_PSF = Recipe(
    window_s=Fraction(25, 1000), step_s=Fraction(10, 1000), edges="pad",
    preemphasis="signal", nfft=512, power=1 / 512, filters=psf_filters, log=1.0, lifter=22, energy=True,
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = {
    # python_speech_features 0.6 on 16-bit samples, as TalkNet, Light-ASD and LR-ASD are fed
    "psf": replace(_PSF, follows_fps=True, scale=32768.0),
    # talking-face models: on samples in [-1, 1], with slopes of the statics over ±1 and over ±2 rows
    "psf39": replace(_PSF, deltas="two-widths"),
    # the same with a slope of slopes in the third place
    "psf39_true": replace(_PSF, deltas="delta-delta"),
    # librosa 0.11 with windows of 25 ms, steps of 10 ms and else its defaults, on double-precision samples
    "librosa": Recipe(
        window_s=Fraction(25, 1000), step_s=Fraction(10, 1000), edges="centre",
        taper=_hann, filters=slaney_filters, log=10 / np.log(10), floor=1e-10, top_db=80.0,
    ),
    # the SVM and the DNN of Viseme-Classification, before its z-score
    "viseme": Recipe(
        window_s=Fraction(16, 1000), step_s=Fraction(8, 1000), edges="drop", preemphasis="row",
        taper=np.hamming, nfft=512, power=1 / 512, filters=viseme_filters, log=20 / np.log(10),
        kept=range(1, 14), lifter=23,
    ),
}  # fmt: skip


def mfcc(audio: np.ndarray, sample_rate: int, recipe: str = "psf", fps: Fraction | None = None) -> Series:
    """MFCC of a sound, (T, 13) or (T, 39) float64, with the rate of its rows and the centre of the first.

    Args:
        audio: (N,) float in [-1, 1]; none gives no rows.
        sample_rate: Hz.
        recipe: a name in `RECIPES`.
        fps: video frames a second; only "psf" minds it, and takes 25 if it is not given. Rows are a whole number
            of samples apart, so their rate is four a frame only where that divides (`rate` says what it is).

    Raises:
        ValueError: there is no such recipe, `audio` is not one row of floats, or a row would be no sample long.
    """
    if recipe not in RECIPES:
        raise ValueError(f"no MFCC recipe '{recipe}'; there are {', '.join(RECIPES)}")
    if audio.ndim != 1 or not np.issubdtype(audio.dtype, np.floating):
        raise ValueError(f"audio must be (N,) float in [-1, 1], got {audio.shape} {audio.dtype}")
    how = RECIPES[recipe]
    window, step = _lengths(how, sample_rate, fps)
    if step < 1:
        raise ValueError(f"'{recipe}' needs more than {sample_rate} samples a second")
    loudest = _loudest(audio, sample_rate, how, window, step) if how.top_db is not None else None
    values = np.empty((_count(len(audio), window, step, how), len(how.kept)))
    for at, mel, power in _mels(audio, sample_rate, how, window, step):
        values[at : at + len(mel)] = _cepstra(mel, power, how, loudest)
    start = Fraction(0) if how.edges == "centre" else Fraction(window, 2 * sample_rate)
    return Series(_with_deltas(values, how), Fraction(sample_rate, step), start)


def fit_rows(values: np.ndarray, rows: int, how: Literal["wrap", "edge"] = "wrap") -> np.ndarray:
    """Exactly `rows` of the rows (T, ...): cut, or filled up from the start ("wrap") or with the last one ("edge").

    "wrap" is what TalkNet and its kin were trained with.

    Raises:
        ValueError: there is nothing to fill up with.
    """
    if len(values) == 0 and rows > 0:
        raise ValueError(f"cannot make {rows} rows out of none")
    wanted = np.arange(rows)
    return values[wanted % len(values) if how == "wrap" else np.minimum(wanted, len(values) - 1)]


def delta(values: np.ndarray, reach: int) -> np.ndarray:
    """Slope along time, (T, D), fitted over `reach` rows on either side; the ends are repeated.

    Source: `delta` of python_speech_features 0.6, MIT.
    """
    if len(values) == 0:
        return values
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    rises = (i * (padded[reach + i :][: len(values)] - padded[reach - i :][: len(values)]) for i in range(1, reach + 1))
    return sum(rises, np.zeros(values.shape)) / (2 * sum(i * i for i in range(1, reach + 1)))


def _lengths(how: Recipe, sample_rate: int, fps: Fraction | None) -> tuple[int, int]:
    """Window and step in samples; librosa's recipe rounds down, the others to the nearest, halves up."""
    stretch = Fraction(25) / fps if how.follows_fps and fps else Fraction(1)
    half = Fraction(0) if how.edges == "centre" else Fraction(1, 2)
    window, step = ((s * stretch * sample_rate + half).__floor__() for s in (how.window_s, how.step_s))
    return window, step


def _count(samples: int, window: int, step: int, how: Recipe) -> int:
    """How many rows that many samples give."""
    if samples == 0:
        return 0
    if how.edges == "centre":
        return 1 + samples // step
    beyond = samples - window
    return max(1, 1 - (-beyond // step)) if how.edges == "pad" else max(0, 1 + beyond // step)


def _mels(
    audio: np.ndarray, sample_rate: int, how: Recipe, window: int, step: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each chunk of rows: where it starts, its filters' powers (n, M) and its rows' powers (n,)."""
    nfft = how.nfft or window
    filters = how.filters(nfft, sample_rate).T
    taper = how.taper(window) if how.taper else None
    lead = nfft // 2 if how.edges == "centre" else 0
    count = _count(len(audio), window, step, how)
    for at in range(0, count, CHUNK):
        stop = min(at + CHUNK, count)
        sound = _excerpt(audio, at * step - lead, (stop - 1) * step - lead + window, how)
        rows = np.lib.stride_tricks.sliding_window_view(sound, window)[::step]
        if how.preemphasis == "row":
            rows = np.concatenate([rows[:, :1], rows[:, 1:] - PREEMPHASIS * rows[:, :-1]], 1)
        spectrum = np.fft.rfft(rows if taper is None else rows * taper, nfft)
        power = (spectrum.real**2 + spectrum.imag**2) * how.power
        yield at, power @ filters, power.sum(1)


def _excerpt(audio: np.ndarray, start: int, stop: int, how: Recipe) -> np.ndarray:
    """Samples [start, stop) as the recipe wants them, float64, zeros where there are none."""
    first, last = max(start, 0), min(stop, len(audio))
    before = max(first - 1, 0)
    heard = audio[before:last].astype(np.float64) * how.scale
    sound = np.zeros(stop - start)
    sound[first - start : last - start] = heard[first - before :]
    if how.preemphasis == "signal":  # ahead of the padding: no edge arises where the sound stops
        sound[before + 1 - start : last - start] -= PREEMPHASIS * heard[:-1]
    return sound


def _log(power: np.ndarray, how: Recipe) -> np.ndarray:
    lifted = np.maximum(power, how.floor) if how.floor else np.where(power == 0, np.finfo(np.float64).eps, power)
    return how.log * np.log(lifted)


def _loudest(audio: np.ndarray, sample_rate: int, how: Recipe, window: int, step: int) -> float:
    """The greatest level of any filter in any row; a pass of its own, so that no row must wait for the last one."""
    tops = (mel.max() for _, mel, _ in _mels(audio, sample_rate, how, window, step))
    return float(_log(np.array(max(tops, default=0.0)), how))


def _cepstra(mel: np.ndarray, power: np.ndarray, how: Recipe, loudest: float | None) -> np.ndarray:
    """Cepstral coefficients (n, 13) of filters' powers (n, M) and rows' powers (n,)."""
    level = _log(mel, how)
    if loudest is not None and how.top_db is not None:
        level = np.maximum(level, loudest - how.top_db)
    cepstra = level @ cosines(mel.shape[1], how.kept).T * lifter(len(how.kept), how.lifter)
    if how.energy:
        cepstra[:, 0] = _log(power, how)
    return cepstra


def _with_deltas(values: np.ndarray, how: Recipe) -> np.ndarray:
    if how.deltas == "none":
        return values
    if how.deltas == "two-widths":
        return np.concatenate([values, delta(values, 1), delta(values, 2)], 1)
    slope = delta(values, 2)
    return np.concatenate([values, slope, delta(slope, 2)], 1)
