"""STFT recipes: the published numbers, laws, and the packages that they must equal."""

from fractions import Fraction

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.stft import RECIPES, stft

few = settings(max_examples=40, deadline=None)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, samples)


def tones() -> tuple[np.ndarray, np.ndarray]:
    n = np.arange(48000)
    return 0.5 * np.sin(2 * np.pi * 440 * n / 16000), 0.4 * np.sin(2 * np.pi * 1000 * n / 16000 + 0.3)


def as_published(audio: np.ndarray) -> np.ndarray:
    """The recipe of speech_separation, in plain words."""
    padded = np.concatenate([audio, np.zeros(192)])
    window = np.concatenate([np.zeros(56), np.hanning(400), np.zeros(56)])
    count = max(0, (len(padded) - 512) // 160)
    rows = [np.fft.rfft(padded[160 * row :][:512] * window) for row in range(count)]
    return np.array(rows).reshape(count, 257)


def test_speech_separation_has_its_published_numbers():
    one, two = tones()
    alone, mixed = stft(one, 16000).values, stft(0.5 * one + 0.5 * two, 16000).values
    np.testing.assert_allclose(alone[100, 14], 12.348736 - 48.192635j, rtol=1e-6)
    np.testing.assert_allclose(mixed[100, 14], 6.174332 - 24.096059j, rtol=1e-6)
    np.testing.assert_allclose(mixed[100, 32], 5.895738 - 19.059196j, rtol=1e-6)


@pytest.mark.parametrize(("samples", "rows"), [(48000, 298), (47999, 297), (48160, 299), (44100, 273)])
def test_speech_separation_has_its_published_number_of_rows(samples, rows):
    assert RECIPES["speech-separation"].rows(samples, 16000).count == rows
    assert stft(np.zeros(samples), 16000).values.shape == (rows, 257)


@few
@given(samples=st.integers(0, 9000))
def test_speech_separation_is_what_its_published_recipe_gives(samples):
    audio = noise(samples, samples)
    made = stft(audio, 16000, "speech-separation").values
    assert made.dtype == np.complex64
    np.testing.assert_allclose(made, as_published(audio), rtol=0, atol=1e-5)


@few
@given(samples=st.integers(1, 9000))
@pytest.mark.filterwarnings("ignore:n_fft=")
def test_librosa_equals_librosa(samples):
    audio = noise(samples, samples)
    theirs = librosa.stft(audio, n_fft=512, hop_length=160, win_length=400)
    np.testing.assert_allclose(stft(audio, 16000, "librosa").values, theirs.T, rtol=0, atol=1e-5)


@few
@given(samples=st.integers(512, 9000))
def test_speech_separation_equals_scipy(samples):
    audio = noise(samples, samples)
    window = np.pad(scipy.signal.windows.hann(400, sym=True), 56)
    witness = scipy.signal.ShortTimeFFT(window, hop=160, fs=16000, phase_shift=None)
    made = stft(audio, 16000, "speech-separation").values
    theirs = witness.stft(np.pad(audio, (64, 512))).T  # scipy's row p begins 256 samples before 160·p
    first = 2 - witness.p_min
    np.testing.assert_allclose(made, theirs[first : first + len(made)], rtol=0, atol=1e-5)


@few
@given(samples=st.integers(512, 6000), recipe=st.sampled_from(sorted(RECIPES)))
def test_the_sum_of_two_sounds_has_the_sum_of_their_transforms(samples, recipe):
    one, two = noise(samples, 1), noise(samples, 2)
    both = stft(one, 16000, recipe).values + stft(two, 16000, recipe).values
    np.testing.assert_allclose(stft(one + two, 16000, recipe).values, both, atol=1e-5)


def test_rate_and_start_are_exact_and_row_0_hears_a_click_at_its_centre_best():
    for recipe, start in (("speech-separation", Fraction(2, 125)), ("librosa", Fraction(0))):
        made = stft(np.zeros(16000), 16000, recipe)
        assert (made.rate, made.start) == (100, start)
        click = np.zeros(4000)
        click[int(start * 16000) + 5 * 160] = 1.0
        assert np.abs(stft(click, 16000, recipe).values[:, 9]).argmax() == 5


def test_at_another_sample_rate_times_stay_what_they_are():
    made = stft(noise(48000), 48000)
    assert (made.rate, made.start, made.values.shape[1]) == (100, Fraction(2, 125), 769)


def test_unknown_recipe_and_wrong_arrays_are_refused_in_words():
    with pytest.raises(ValueError, match="no STFT recipe 'torch'; there are speech-separation, librosa"):
        stft(np.zeros(400), 16000, "torch")
    with pytest.raises(ValueError, match=r"got \(2, 400\) float64"):
        stft(np.zeros((2, 400)), 16000)
