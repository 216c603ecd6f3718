"""Inverse STFT: sound from short-time Fourier transforms, by the recipe that made them."""

import numpy as np

from phonoscope.core.stft import RECIPES

_FLOOR = 1e-3  # share of the greatest power that the windows over a sample have: below, errors would be amplified


def istft(
    values: np.ndarray, samples: int, sample_rate: int, recipe: str = "speech-separation", legacy: bool = False
) -> np.ndarray:
    """Sound (N,) float64 of rows (T, F) complex, so that of the rows of a sound comes that sound.

    By `speech-separation` no row sees the first 57 samples and, of 3 s, the last 25: they are 0, and 23 beside them
    fade. By `librosa` nothing is lost.

    Args:
        samples: N, as long as the sound was.
        sample_rate: Hz.
        recipe: a name in `RECIPES`.
        legacy: leave out the division by what the windows add up to, as speech_separation does; its sound has a gain of
            0.85 to 1.02, which varies from sample to sample.

    Raises:
        ValueError: there is no such recipe, or so many samples do not have so many rows.
    """
    if recipe not in RECIPES:
        raise ValueError(f"no STFT recipe '{recipe}'; there are {', '.join(RECIPES)}")
    cut = RECIPES[recipe]
    rows = cut.rows(samples, sample_rate)
    if values.shape != (rows.count, rows.nfft // 2 + 1):
        raise ValueError(f"{samples} samples have {rows.count} rows of {rows.nfft // 2 + 1}, got {values.shape}")
    taper = cut.taper(rows.window) if cut.taper else np.ones(rows.window)
    seen = np.fft.irfft(values, rows.nfft)[:, : rows.window] * taper
    sound = _laid_over(seen, rows.step, rows.lead, samples)
    if legacy or not rows.count:
        return sound
    power = _laid_over(np.broadcast_to(taper**2, seen.shape), rows.step, rows.lead, samples)
    return sound / np.maximum(power, _FLOOR * power.max())


def _laid_over(rows: np.ndarray, step: int, lead: int, samples: int) -> np.ndarray:
    """The sum of rows (T, W) that begin `step` samples after each other, the first at -`lead`: samples [0, N)."""
    count, window = rows.shape
    parts = -(-window // step)
    cut = np.pad(rows, ((0, 0), (0, parts * step - window))).reshape(count, parts, step)
    total = np.zeros((max(count + parts, -(-(samples + lead) // step)), step))
    for part in range(parts):
        total[part : part + count] += cut[:, part]
    return total.ravel()[lead : lead + samples]
