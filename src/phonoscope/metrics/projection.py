"""How much of a sound is other sounds behind filters: least squares over all filters of 512 taps.

Sounds are rows (…, N). Their spectra are one-sided, and long enough that no filtered sound reaches round their end.
"""

import numpy as np
import scipy.linalg

TAPS = 512  # of the filters, as BSS Eval has it
_FLOORS = (0.0, *(10.0**exponent for exponent in range(-15, 0)))  # white noise, as a share of a sound's energy


def transform_size(samples: int) -> int:
    """How many samples to transform, so that sounds of so many, filtered, fit in: a size that is fast."""
    needed = samples + TAPS - 1
    return min(odd << (-(-needed // odd) - 1).bit_length() for odd in (1, 3, 5, 9, 15))


def energy(spectra: np.ndarray) -> np.ndarray:
    """Sum of squares of the sounds, (…), from their spectra (…, F), up to a factor that all of one size share."""
    all_twice = 2 * np.vecdot(spectra, spectra).real
    return all_twice - np.abs(spectra[..., 0]) ** 2 - np.abs(spectra[..., -1]) ** 2


def inner_products(one: np.ndarray, other: np.ndarray, size: int) -> np.ndarray:
    """⟨`one` delayed by p, `other` delayed by q⟩ as r[q - p + TAPS - 1], (…, 2·TAPS - 1), from spectra (…, F)."""
    lags = np.fft.irfft(one * other.conj(), size)
    return np.concatenate([lags[..., 1 - TAPS :], lags[..., :TAPS]], -1)


def factor(spectra: np.ndarray, size: int) -> np.ndarray:
    """A lower triangle L with L·Lᵀ = the inner products of all delayed sounds, (S·TAPS, S·TAPS), of spectra (S, F).

    Above the diagonal lies anything. Sounds that leave whole bands empty make that matrix singular in double precision.
    Then as much white noise is added to them as is needed, from 150 dB below their energy on, lest filters amplify
    rounding errors.
    """
    floors = iter(_FLOORS)
    while True:
        matrix = _gram(spectra, size)
        matrix[np.diag_indices(len(matrix))] *= 1 + next(floors)
        try:
            return scipy.linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)[0]
        except np.linalg.LinAlgError:
            continue


def _gram(spectra: np.ndarray, size: int) -> np.ndarray:
    """Inner products of all delayed sounds, in LAPACK's order; the blocks above the diagonal are 0."""
    sounds = len(spectra)
    turned = np.zeros((sounds, TAPS, sounds, TAPS))
    for one in range(sounds):
        lags = inner_products(spectra[one], spectra[one:], size)
        for other in range(one, sounds):
            turned[one, :, other] = np.lib.stride_tricks.sliding_window_view(lags[other - one], TAPS)[::-1]
    return turned.reshape(sounds * TAPS, sounds * TAPS).T


def projections(lower: np.ndarray, products: np.ndarray, spectra: np.ndarray, size: int) -> np.ndarray:
    """Spectra (E, F) of what is nearest to each of E sounds among all that filters make of S others.

    Args:
        lower: `factor` of the others, (S·TAPS, S·TAPS).
        products: ⟨others delayed, sounds⟩, (S·TAPS, E).
        spectra: the others', (S, F).
    """
    filters = scipy.linalg.cho_solve((lower, True), products, check_finite=False)
    filters = filters.T.reshape(-1, len(spectra), TAPS)
    return np.einsum("esf,sf->ef", np.fft.rfft(filters, size), spectra)
