"""How loud a recording is and where there is a voice, in as many steps as a page can show."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phonoscope.core.series import Series

if TYPE_CHECKING:
    from soundfile import SoundFile

BINS = 200
FLOOR_DB = -90.0  # of full scale; silence is no lower
HEARD = 16000  # samples at most that a bin is judged by: an hour of sound must not be read to draw 200 bars


def sound_level(path: Path, bins: int = BINS) -> np.ndarray:
    """Level of sound, (bins,) float32 dB of full scale (RMS), each from the first `HEARD` samples of its stretch.

    Fewer bins if there are fewer samples. `bins` × `HEARD` samples are read at most.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        edges = bin_edges(len(file), bins)
        if len(file) <= bins * HEARD:  # one read: the library seeks before and after each
            heard = file.read(dtype="float32")
            power = [_power(heard[start:stop]) for start, stop in pairwise(edges)]
        else:
            power = [_power(_read_at(file, int(start))) for start in edges[:-1]]
    return np.maximum(FLOOR_DB, 10 * np.log10(np.array(power) + 1e-12)).astype(np.float32)


def voice_level(vad: Series, bins: int = BINS) -> np.ndarray:
    """Mean probability of speech, (bins,) float32; fewer bins if there are fewer rows."""
    edges = bin_edges(len(vad), bins)
    if len(edges) < 2:
        return np.zeros(0, np.float32)
    sums = np.add.reduceat(np.asarray(vad.values, np.float64), edges[:-1])
    return (sums / np.diff(edges)).astype(np.float32)


def bin_edges(length: int, bins: int) -> np.ndarray:
    """Where runs of nearly equal length begin and end, (bins + 1,); none is empty."""
    bins = min(bins, length)
    return np.arange(bins + 1) * length // max(bins, 1)


def _read_at(file: "SoundFile", start: int) -> np.ndarray:
    file.seek(start)
    return file.read(HEARD, dtype="float32")


def _power(heard: np.ndarray) -> float:
    return float(np.dot(heard, heard)) / max(len(heard), 1)
