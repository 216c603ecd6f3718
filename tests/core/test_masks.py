"""Masks and the way back to sound: published numbers, laws, and librosa."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.istft import istft
from phonoscope.core.masks import complex_ratio_mask, compressed, ideal_binary_masks, ideal_ratio_masks, recovered
from phonoscope.core.stft import RECIPES, stft

few = settings(max_examples=30)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples)


def spectrum(sound: np.ndarray, recipe: str = "speech-separation") -> np.ndarray:
    return stft(sound, 16000, recipe).values


def snr_db(made: np.ndarray, true: np.ndarray, seen: slice = slice(80, -48)) -> float:
    """Of the samples that rows see."""
    return 10 * np.log10(np.sum(true[seen] ** 2) / np.sum((made - true)[seen] ** 2))


def test_masks_have_the_published_numbers():
    n = np.arange(48000)
    one, two = 0.5 * np.sin(2 * np.pi * 440 * n / 16000), 0.4 * np.sin(2 * np.pi * 1000 * n / 16000 + 0.3)
    mask = complex_ratio_mask(spectrum(one), spectrum(0.5 * one + 0.5 * two))
    np.testing.assert_allclose([mask[100, 14].real, mask[100, 14].imag], [2.0000208, -2.33e-6], rtol=1e-6, atol=2e-7)
    np.testing.assert_allclose([mask[100, 32].real, mask[100, 32].imag], [2.754e-5, 3.246e-6], rtol=0, atol=2e-7)
    small = compressed(mask)[100, 14]
    np.testing.assert_allclose([small.real, small.imag], [0.9966903, -1.166e-6], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(compressed(np.array([1.0, 5.0, 20.0])), [0.499584, 2.449187, 7.615942], rtol=1e-6)


@few
@given(st.complex_numbers(max_magnitude=100, allow_nan=False), st.floats(1, 20), st.floats(0.01, 0.15))
def test_what_was_compressed_is_recovered(mask, limit, steepness):
    mask = np.array([mask])
    small = compressed(mask, limit, steepness)
    assert max(abs(small.real[0]), abs(small.imag[0])) <= limit
    inside = [abs(part[0]) < limit - 1e-3 for part in (small.real, small.imag)]
    back = recovered(small, limit, steepness)
    for part, other, exact in zip((back.real, back.imag), (mask.real, mask.imag), inside, strict=True):
        assert not exact or part[0] == pytest.approx(other[0], rel=1e-6, abs=1e-9)


def test_a_mask_at_the_limit_or_beyond_is_recovered_as_a_number():
    back = recovered(np.array([10, -10, 25 + 1e9j]))
    assert np.isfinite(back).all()
    assert back[0].real == pytest.approx(2 / 0.1 * np.arctanh(0.9999))
    assert compressed(np.array([complex(np.inf, -np.inf)]))[0] == 10 - 10j


@few
@given(st.integers(600, 20000), st.integers(0, 2**32 - 1), st.sampled_from(sorted(RECIPES)))
def test_a_sound_comes_back_from_its_rows(samples, seed, recipe):
    sound = noise(samples + 400, seed)
    made = istft(spectrum(sound, recipe), len(sound), 16000, recipe)
    first, last = (80, -207) if recipe == "speech-separation" else (0, len(sound))
    np.testing.assert_allclose(made[first:last], sound[first:last], atol=1e-4)


def test_librosas_inverse_gives_the_same_sound():
    made = spectrum(noise(8000), "librosa") * np.linspace(0, 1, 257)
    theirs = librosa.istft(made.T, n_fft=512, hop_length=160, win_length=400, length=8000)
    np.testing.assert_allclose(istft(made, 8000, 16000, "librosa"), theirs, atol=1e-5)


def test_the_perfect_mask_gives_back_the_source_and_the_seeds_gain_does_not():
    one, two = noise(48000, 1), noise(48000, 2)
    mixture = spectrum(one + two)
    heard = complex_ratio_mask(spectrum(one), mixture) * mixture
    assert snr_db(istft(heard, 48000, 16000), one) > 60
    legacy = istft(heard, 48000, 16000, legacy=True)
    assert snr_db(legacy, one, slice(None)) == pytest.approx(18.8, abs=0.2)
    assert snr_db(legacy / 0.9375, one, slice(None)) == pytest.approx(20.2, abs=0.2)
    level = istft(spectrum(np.ones(48000)), 48000, 16000, legacy=True)[600:-600]
    assert (level.min(), level.max()) == pytest.approx((0.853, 1.018), abs=1e-3)


def test_oracles_are_better_the_more_they_know():
    one, two = (noise(48000, seed) * (1 + np.sin(np.arange(48000) / pace)) for seed, pace in ((1, 900), (2, 1300)))
    sources = np.array([spectrum(one), spectrum(two)])
    mixture = spectrum(one + two)
    masks = (ideal_binary_masks(sources), ideal_ratio_masks(sources), complex_ratio_mask(sources, mixture))
    binary, ratio, complex_ = (snr_db(istft(it[0] * mixture, 48000, 16000), one) for it in masks)
    assert snr_db(one + two, one) + 4 < min(binary, ratio) < max(binary, ratio) + 20 < complex_


@few
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_one_source_has_each_cell_or_all_share_it(count, seed):
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(count, 5, 7)) + 1j * rng.normal(size=(count, 5, 7))
    sources[:, 0] = 0
    assert np.all(ideal_binary_masks(sources).sum(0) == 1)
    shares = (ideal_ratio_masks(sources) ** 2).sum(0)
    np.testing.assert_allclose(shares[1:], 1)
    assert np.all(shares[0] == 0)


@pytest.mark.parametrize("samples", [0, 100, 500])
def test_what_is_too_short_for_a_row_comes_back_silent(samples):
    made = istft(spectrum(noise(samples)), samples, 16000)
    assert made.shape == (samples,) and not made[:57].any()


def test_rows_that_do_not_belong_to_so_many_samples_are_refused():
    with pytest.raises(ValueError, match=r"48000 samples have 298 rows of 257, got \(297, 257\)"):
        istft(np.zeros((297, 257), complex), 48000, 16000)
    with pytest.raises(ValueError, match="no STFT recipe 'torch'"):
        istft(np.zeros((298, 257), complex), 48000, 16000, "torch")
