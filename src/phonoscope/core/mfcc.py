"""MFCC: mel-frequency cepstral coefficients, by the recipes that the field's models were trained on.

No two of them agree, and a model fed with another's numbers fails quietly: so a recipe has a name and is one
value, and each gives what its reference gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from phonoscope.core import fbank
from phonoscope.core.mel import cosines, lifter, psf_filters, slaney_filters, viseme_filters
from phonoscope.core.series import Series
from phonoscope.core.spectra import Cut, checked, hann


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How levels of filters become MFCC, choice by choice."""

    bank: fbank.Recipe
    kept: range = range(13)  # cosine coefficients
    lifter: int = 0
    energy: bool = False  # the logarithm of the row's power replaces coefficient 0
    deltas: Literal["none", "two-widths", "delta-delta"] = "none"

    @property
    def width(self) -> int:
        """Numbers a row."""
        return len(self.kept) * (1 if self.deltas == "none" else 3)


_PSF_CUT = Cut(edges="pad", preemphasis="signal", nfft=512)
_PSF = Recipe(bank=fbank.Recipe(cut=_PSF_CUT, power=1 / 512, filters=psf_filters), lifter=22, energy=True)

RECIPES: Mapping[str, Recipe] = {
    # python_speech_features 0.6 on 16-bit samples, as TalkNet, Light-ASD and LR-ASD are fed
    "psf": replace(_PSF, bank=replace(_PSF.bank, cut=replace(_PSF_CUT, follows_fps=True, scale=32768.0))),
    # on samples in [-1, 1], with their slope and the slope of it, each over ±2 rows
    "psf39": replace(_PSF, deltas="delta-delta"),
    # what talking_face_preprocessing gives for that: slopes of the statics over ±1 and over ±2 rows, no second one
    "psf39-upstream": replace(_PSF, deltas="two-widths"),
    # librosa 0.11 with windows of 25 ms, steps of 10 ms and else its defaults, on double-precision samples
    "librosa": Recipe(
        bank=fbank.Recipe(
            cut=Cut(rounds="down", edges="centre", taper=hann),
            filters=slaney_filters, floor=1e-10, log=10 / np.log(10), depth=80.0,
        ),
    ),
    # the SVM and the DNN of Viseme-Classification, before its z-score
    "viseme": Recipe(
        bank=fbank.Recipe(
            cut=Cut(
                window_s=Fraction(16, 1000), step_s=Fraction(8, 1000), edges="drop", preemphasis="row",
                taper=np.hamming, nfft=512,
            ),
            power=1 / 512, filters=viseme_filters, log=20 / np.log(10),
        ),
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
    how = RECIPES[recipe]
    rows = how.bank.cut.rows(len(checked(audio)), sample_rate, fps)
    banks = len(how.bank.filters(rows.nfft, sample_rate))
    transform = cosines(banks, how.kept).T * lifter(len(how.kept), how.lifter)
    values = np.empty((rows.count, len(how.kept)))
    for at, level in fbank.levels(audio, rows, how.bank, how.energy):
        cepstra = np.matmul(level[:, :banks], transform, out=values[at : at + len(level)])
        if how.energy:
            cepstra[:, 0] = level[:, -1]
    return Series(_with_deltas(values, how), rows.rate, rows.start)


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


def normalised(values: np.ndarray, spread: bool = True) -> np.ndarray:
    """Rows (T, D) less their mean over all of T and, unless `spread` is false, of deviation 1 in each coefficient.

    A coefficient that never varies becomes 0, not infinite.
    """
    if len(values) == 0:
        return values
    centred = values - values.mean(0)
    return centred / np.maximum(values.std(0), 1e-6) if spread else centred


def delta(values: np.ndarray, reach: int) -> np.ndarray:
    """Slope along time, (T, D), fitted over `reach` rows on either side; the ends are repeated.

    Source: `delta` of python_speech_features 0.6, MIT.
    """
    if len(values) == 0:
        return values
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    rises = (i * (padded[reach + i :][: len(values)] - padded[reach - i :][: len(values)]) for i in range(1, reach + 1))
    return sum(rises, np.zeros(values.shape)) / (2 * sum(i * i for i in range(1, reach + 1)))


def _with_deltas(values: np.ndarray, how: Recipe) -> np.ndarray:
    if how.deltas == "none":
        return values
    if how.deltas == "two-widths":
        return np.concatenate([values, delta(values, 1), delta(values, 2)], 1)
    slope = delta(values, 2)
    return np.concatenate([values, slope, delta(slope, 2)], 1)
