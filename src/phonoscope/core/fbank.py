"""Filterbanks: how loud it is along the mel scale, by the recipes that the field's models were trained on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from phonoscope.core.mel import kaldi_filters, psf_filters, whisper_filters
from phonoscope.core.series import Series
from phonoscope.core.spectra import Cut, Rows, checked, hann, povey, spectra


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How spectra become levels, choice by choice."""

    cut: Cut
    power: float = 1.0  # by which |spectrum|² is multiplied
    filters: Callable[[int, int], np.ndarray]  # (nfft, sample rate) -> (M, nfft // 2 + 1)
    floor: float = 0.0  # least power a filter gives; 0: only nothing at all is raised, to 2.2e-16
    log: float = 1.0  # by which the natural logarithm is multiplied
    plus: float = 0.0  # what is added to it
    depth: float | None = None  # by how much a level may lie below the loudest of the whole sound; None: by any


RECIPES: Mapping[str, Recipe] = {
    # Kaldi's compute-fbank-feats with 80 bins and no dither, on 16-bit samples, as WeNet and many ASR models are fed
    "kaldi": Recipe(
        cut=Cut(
            rounds="down", edges="drop", scale=32768.0, level=True, preemphasis="row-edge", taper=povey,
            nfft="power-of-two",
        ),
        filters=kaldi_filters, floor=float(np.finfo(np.float32).eps),
    ),
    # logfbank of python_speech_features 0.6 on 16-bit samples, which AV-HuBERT stacks by four
    "psf": Recipe(
        cut=Cut(edges="pad", scale=32768.0, preemphasis="signal", nfft=512),
        power=1 / 512, filters=psf_filters,
    ),
    # OpenAI's Whisper, of the whole sound at once instead of 30 s of it
    "whisper": Recipe(
        cut=Cut(rounds="down", edges="mirror", taper=hann),
        filters=whisper_filters, floor=1e-10, log=1 / (4 * np.log(10)), plus=1.0, depth=2.0,
    ),
}  # fmt: skip


def fbank(audio: np.ndarray, sample_rate: int, recipe: str = "kaldi") -> Series:
    """Levels of mel filters, (T, 80) or (T, 26) float64, with the rate of their rows and the centre of the first.

    Args:
        audio: (N,) float in [-1, 1]; none gives no rows.
        sample_rate: Hz.
        recipe: a name in `RECIPES`.

    Raises:
        ValueError: there is no such recipe, `audio` is not one row of floats, or a row would be no sample long.
    """
    if recipe not in RECIPES:
        raise ValueError(f"no filterbank recipe '{recipe}'; there are {', '.join(RECIPES)}")
    how = RECIPES[recipe]
    rows = how.cut.rows(len(checked(audio)), sample_rate)
    values = np.empty((rows.count, len(how.filters(rows.nfft, sample_rate))))
    for at, level in levels(audio, rows, how):
        values[at : at + len(level)] = level
    return Series(values, rows.rate, rows.start)


def levels(audio: np.ndarray, rows: Rows, how: Recipe, energy: bool = False) -> Iterator[tuple[int, np.ndarray]]:
    """For each chunk of rows: the number of its first, and the levels of M filters, (n, M) float64.

    Args:
        energy: the level of the whole row is a last column of its own, (n, M + 1).
    """
    filters = how.filters(rows.nfft, rows.sample_rate)
    banks = len(filters)
    every = np.concatenate([filters, np.ones((1, filters.shape[1]))]) if energy else filters
    weights = np.ascontiguousarray(every.T * how.power)
    least = -np.inf
    if how.depth is not None:  # a pass of its own, so that no row must wait for the last one
        powers = (power.max() for _, power in _powers(audio, rows, how.cut, filters.T * how.power))
        least = float(_log(np.array([max(powers, default=0.0)]), how)[0]) - how.depth
    for at, power in _powers(audio, rows, how.cut, weights):
        level = _log(power, how)
        if how.depth is not None:
            np.maximum(level[:, :banks], least, out=level[:, :banks])
        yield at, level


def _powers(audio: np.ndarray, rows: Rows, cut: Cut, weights: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """|spectrum|² · weights (F, M), chunk by chunk, (n, M)."""
    power = np.empty((0, 0))
    for at, spectrum in spectra(audio, rows, cut):
        parts = spectrum.view(np.float64)  # re, im, re, im …: squared where they lie, in one go
        np.square(parts, out=parts)
        power = power if len(power) == len(parts) else np.empty(spectrum.shape)
        yield at, np.add(parts[:, 0::2], parts[:, 1::2], out=power) @ weights


def _log(power: np.ndarray, how: Recipe) -> np.ndarray:
    """Levels of powers, which are overwritten."""
    if how.floor:
        np.maximum(power, how.floor, out=power)
    else:
        power[power == 0] = np.finfo(np.float64).eps
    level = np.log(power, out=power)
    if how.log != 1:
        level *= how.log
    if how.plus:
        level += how.plus
    return level
