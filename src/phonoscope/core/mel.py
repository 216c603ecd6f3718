"""Mel filters, cosine transforms and lifters: the small matrices between a power spectrum and an MFCC."""

from functools import cache

import numpy as np


def _htk_corners_hz(count: int, sample_rate: int) -> np.ndarray:
    """Corners of `count` triangles on the HTK mel scale from 0 Hz to half the sample rate, (count + 2,) Hz."""
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, count + 2) / 2595) - 1)


def _triangles(corners: np.ndarray, bins: int) -> np.ndarray:
    """Triangles with corners at `corners` (M + 2,), in bins, sampled at whole bins, (M, bins)."""
    filters = np.zeros((len(corners) - 2, bins))
    for row, (left, top, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        # two corners may share a bin where the bins are coarse: that side is empty, nothing is divided by zero
        rising, falling = np.arange(np.ceil(left), np.ceil(top)), np.arange(np.ceil(top), np.ceil(right))
        filters[row, rising.astype(int)] = (rising - left) / (top - left)
        filters[row, falling.astype(int)] = (right - falling) / (right - top)
    return filters


@cache
def psf_filters(nfft: int, sample_rate: int) -> np.ndarray:
    """26 triangles with corners at whole bins, (26, nfft // 2 + 1).

    Source: python_speech_features 0.6 (James Lyons), MIT.
    """
    return _triangles(np.floor((nfft + 1) * _htk_corners_hz(26, sample_rate) / sample_rate), nfft // 2 + 1)


@cache
def viseme_filters(nfft: int, sample_rate: int) -> np.ndarray:
    """40 triangles with corners between bins, (40, nfft // 2 + 1).

    Source: Viseme-Classification, by its published recipe.
    """
    return _triangles(_htk_corners_hz(40, sample_rate) * nfft / sample_rate, nfft // 2 + 1)


def _slaney_hz(mel: np.ndarray) -> np.ndarray:
    """Hz on Slaney's scale: 200/3 Hz a mel up to 1 kHz, above it 27 mel for each factor of 6.4."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


@cache
def slaney_filters(nfft: int, sample_rate: int, count: int = 128) -> np.ndarray:
    """Triangles of equal area on Slaney's mel scale, (count, nfft // 2 + 1), in single precision as librosa has them.

    Source: Slaney, Auditory Toolbox, 1998, as in librosa 0.11, ISC.
    """
    nyquist = sample_rate / 2
    top = nyquist * 3 / 200 if nyquist < 1000 else 15 + np.log(nyquist / 1000) / (np.log(6.4) / 27)
    corners = _slaney_hz(np.linspace(0, top, count + 2))[:, None]
    bins = np.arange(nfft // 2 + 1) * sample_rate / nfft
    rise = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    filters = np.maximum(0, np.minimum(rise, fall)).astype(np.float32)
    filters *= 2 / (corners[2:] - corners[:-2])
    return filters.astype(np.float64)


def whisper_filters(nfft: int, sample_rate: int) -> np.ndarray:
    """Whisper's 80 triangles, (80, nfft // 2 + 1): librosa's.

    Source: openai/whisper, MIT.
    """
    return slaney_filters(nfft, sample_rate, 80)


@cache
def kaldi_filters(nfft: int, sample_rate: int) -> np.ndarray:
    """80 triangles from 20 Hz to half the sample rate, straight along the mel scale, not along Hz, (80, nfft // 2 + 1).

    Source: Kaldi, feat/mel-computations.cc, Apache-2.0.
    """
    low, top = 1127 * np.log1p(np.array([20, sample_rate / 2]) / 700)
    corners = np.linspace(low, top, 82)[:, None]
    mel = 1127 * np.log1p(np.arange(nfft // 2 + 1) * sample_rate / nfft / 700)
    rise = (mel - corners[:-2]) / (corners[1:-1] - corners[:-2])
    fall = (corners[2:] - mel) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rise, fall))


@cache
def cosines(count: int, kept: range) -> np.ndarray:
    """The rows `kept` of the orthonormal DCT-II of `count` numbers, (len(kept), count)."""
    row = np.array(kept)[:, None]
    basis = np.cos(np.pi * row * (2 * np.arange(count) + 1) / (2 * count)) * np.sqrt(2 / count)
    return np.where(row == 0, np.sqrt(1 / count), basis)


def lifter(count: int, length: int) -> np.ndarray:
    """What lifts the higher cepstral coefficients, (count,); ones if `length` is 0."""
    return 1 + length / 2 * np.sin(np.pi * np.arange(count) / length) if length else np.ones(count)
