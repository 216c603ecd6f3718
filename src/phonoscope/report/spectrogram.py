"""A sound as a picture: how loud it is at each pitch, over time, in as many columns as a page can show."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.mel import slaney_filters
from phonoscope.report.sound import bin_edges

if TYPE_CHECKING:
    from soundfile import SoundFile

COLUMNS, BANDS = 760, 72  # px
NFFT = 512  # samples of a spectrum
HEARD = 4096  # samples at most that a column is judged by: an hour of sound must not be read to draw one picture
DEPTH_DB = 60.0  # from white to black


def spectrogram(path: Path, columns: int = COLUMNS) -> np.ndarray:
    """Levels in dB on Slaney's mel scale, (BANDS, ≤ columns) float32, the highest pitch first.

    A column is the mean over its stretch, or over the `HEARD` first samples of it; there are fewer columns if the
    sound is shorter than that many spectra.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        edges = bin_edges(len(file), min(columns, max(1, 4 * len(file) // NFFT)))
        filters = slaney_filters(NFFT, file.samplerate, BANDS)
        power = [filters @ _power(_around(file, int(a), int(b))) for a, b in pairwise(edges)]
    levels = 10 * np.log10(np.array(power, np.float64).reshape(-1, BANDS) + 1e-12)
    return levels.T[::-1].astype(np.float32)


def shaded(levels: np.ndarray, loudest_db: float) -> np.ndarray:
    """Levels in dB (…) as grey (…) uint8: white as loud as that, black `DEPTH_DB` below."""
    return np.rint(255 * np.clip(1 + (levels - loudest_db) / DEPTH_DB, 0, 1)).astype(np.uint8)


def _around(file: "SoundFile", start: int, stop: int) -> np.ndarray:
    """The sound of a stretch, with half a spectrum on either side; silence beyond the ends."""
    first, last = start - NFFT // 2, min(stop, start + HEARD) + NFFT // 2
    file.seek(max(first, 0))
    heard = file.read(last - max(first, 0), dtype="float32")
    return np.pad(heard, (max(-first, 0), last - max(first, 0) - len(heard)))


def _power(sound: np.ndarray) -> np.ndarray:
    """Mean power (NFFT // 2 + 1,) of spectra half of which each shares with the next."""
    rows = np.lib.stride_tricks.sliding_window_view(sound, NFFT)[:: NFFT // 2]
    return (np.abs(np.fft.rfft(rows * np.hanning(NFFT))) ** 2).mean(0)
