"""STFT: short-time Fourier transforms of sound, by recipes that have a name."""

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from phonoscope.core.series import Series
from phonoscope.core.spectra import Cut, checked, hann, spectra


def _inside(window: Callable[[int], np.ndarray]) -> Callable[[int], np.ndarray]:
    """A taper of which the middle 25 of 32 parts are `window` and the rest is zeros."""

    def taper(length: int) -> np.ndarray:
        inner = window(length * 25 // 32)
        before = (length - len(inner)) // 2
        return np.pad(inner, (before, length - len(inner) - before))

    return taper


RECIPES: Mapping[str, Cut] = {
    # speech_separation: 512 samples every 160, under a symmetric Hann window of 400. It adds 12 ms of silence to the
    # sound and then leaves out the last row that is full, which is the same as to add 2 ms
    "speech-separation": Cut(
        window_s=Fraction(32, 1000), edges="drop", tail_s=Fraction(2, 1000), taper=_inside(np.hanning)
    ),
    # librosa.stft(y, n_fft=512, hop_length=160, win_length=400), at 16 kHz
    "librosa": Cut(window_s=Fraction(32, 1000), rounds="down", edges="centre", taper=_inside(hann)),
}


def stft(audio: np.ndarray, sample_rate: int, recipe: str = "speech-separation") -> Series:
    """Short-time Fourier transform, (T, F) complex64, with the rate of its rows and the centre of the first.

    Column f is at f · sample_rate / (2F - 2) Hz: 257 columns at 16 kHz. Worked out in double precision.

    Args:
        audio: (N,) float in [-1, 1]; none gives no rows.
        sample_rate: Hz.
        recipe: a name in `RECIPES`.

    Raises:
        ValueError: there is no such recipe, `audio` is not one row of floats, or a row would be no sample long.
    """
    if recipe not in RECIPES:
        raise ValueError(f"no STFT recipe '{recipe}'; there are {', '.join(RECIPES)}")
    cut = RECIPES[recipe]
    rows = cut.rows(len(checked(audio)), sample_rate)
    values = np.empty((rows.count, rows.nfft // 2 + 1), np.complex64)
    for at, spectrum in spectra(audio, rows, cut):
        values[at : at + len(spectrum)] = spectrum
    return Series(values, rows.rate, rows.start)
