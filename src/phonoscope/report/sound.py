"""How loud a recording is and where there is a voice, in as many steps as a page can show."""

from pathlib import Path

import numpy as np

from phonoscope.core.series import Series

BINS = 200
FLOOR_DB = -90.0  # of full scale; silence is no lower
HEARD = 16000  # samples at most that a bin is judged by: an hour of sound must not be read to draw 200 bars


def sound_level(path: Path, bins: int = BINS) -> np.ndarray:
    """Level of sound, (bins,) float32 dB of full scale (RMS), each from the first second at most of its stretch.

    Fewer bins if there are fewer samples. Never more than one bin of sound is held.
    """
    import soundfile

    with soundfile.SoundFile(path) as file:
        edges = bin_edges(len(file), bins)
        level = np.full(len(edges) - 1, FLOOR_DB, np.float32)
        for k, (start, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
            if stop - start > HEARD:
                file.seek(int(start))
            heard = file.read(int(min(stop - start, HEARD)), dtype="float32")
            power = float(np.mean(np.square(heard, dtype=np.float64))) if len(heard) else 0.0
            level[k] = max(FLOOR_DB, 10 * np.log10(power)) if power else FLOOR_DB
    return level


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
