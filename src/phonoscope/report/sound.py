"""How loud a recording is and where there is a voice, in as many steps as a page can show."""

from pathlib import Path

import numpy as np

from phonoscope.core.series import Series

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
            power = _means(np.square(file.read(dtype="float32")), edges)
        else:
            power = np.array([_power_at(file, int(start)) for start in edges[:-1]])
    return np.maximum(FLOOR_DB, 10 * np.log10(power + 1e-12)).astype(np.float32)


def voice_level(vad: Series, bins: int = BINS) -> np.ndarray:
    """Mean probability of speech, (bins,) float32; fewer bins if there are fewer rows."""
    return _means(np.asarray(vad.values), bin_edges(len(vad), bins)).astype(np.float32)


def bin_edges(length: int, bins: int) -> np.ndarray:
    """Where runs of nearly equal length begin and end, (bins + 1,); none is empty."""
    bins = min(bins, length)
    return np.arange(bins + 1) * length // max(bins, 1)


def _means(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    if len(edges) < 2:
        return np.zeros(0)
    return np.add.reduceat(values, edges[:-1], dtype=np.float64) / np.diff(edges)


def _power_at(file, start: int) -> float:
    file.seek(start)
    return float(np.mean(np.square(file.read(HEARD, dtype="float32"), dtype=np.float64)))
