"""Masks: by what each cell of a mixture's spectrum is multiplied, so that one source is left.

Spectra are complex (…, T, F), as `core.stft` makes them; `sources` are (S, …, T, F). Masks made of sources that one
knows are ceilings for what separators that guess masks of their kind reach.
"""

import numpy as np

LIMIT, STEEPNESS = 10.0, 0.1  # K and C of speech_separation
_EPSILON = 1e-8  # of |mixture|², so that silence has a mask
_MARGIN = 1e-3  # what a network gives is cut to so much below the limit, where its inverse is endless


def complex_ratio_mask(source: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """The complex mask that makes `source` of `mixture`, (…, T, F).

    Source: Williamson, Wang and Wang, "Complex Ratio Masking for Monaural Speech Separation", TASLP 2016; as
        bill9800/speech_separation (MIT) has it.
    """
    return source * np.conj(mixture) / (np.abs(mixture) ** 2 + _EPSILON)


def compressed(mask: np.ndarray, limit: float = LIMIT, steepness: float = STEEPNESS) -> np.ndarray:
    """A mask (…) whose real and imaginary parts lie within ±`limit`: limit · tanh(steepness · x / 2) of each."""
    parts = np.tanh(steepness / 2 * _parts(mask))
    return _complex(limit * parts)


def recovered(mask: np.ndarray, limit: float = LIMIT, steepness: float = STEEPNESS) -> np.ndarray:
    """The mask (…) that was `compressed`; parts at the limit or beyond it are taken as just below."""
    parts = np.clip(_parts(mask), _MARGIN - limit, limit - _MARGIN)
    return _complex(2 / steepness * np.arctanh(parts / limit))


def ideal_binary_masks(sources: np.ndarray) -> np.ndarray:
    """1 for the loudest source of each cell, 0 for the others, (S, …, T, F) float32; of equals for the first.

    Source: Wang, "On Ideal Binary Mask as the Computational Goal of Auditory Scene Analysis", 2005.
    """
    loudest = np.abs(sources).argmax(0)
    numbers = np.arange(len(sources)).reshape(-1, *[1] * loudest.ndim)
    return (numbers == loudest).astype(np.float32)


def ideal_ratio_masks(sources: np.ndarray) -> np.ndarray:
    """Root of each source's share of the energy of all in each cell, (S, …, T, F) in [0, 1]; 0 in silence.

    Source: Wang, Narayanan and Wang, "On Training Targets for Supervised Speech Separation", TASLP 2014.
    """
    energy = np.abs(sources) ** 2
    everything = energy.sum(0)
    return np.sqrt(energy / np.where(everything > 0, everything, 1))


def _parts(mask: np.ndarray) -> np.ndarray:
    """Real and imaginary part, (…, 2)."""
    return np.stack([np.real(mask), np.imag(mask)], -1)


def _complex(parts: np.ndarray) -> np.ndarray:
    return parts[..., 0] + 1j * parts[..., 1]
