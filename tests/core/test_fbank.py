"""Filterbank recipes: laws of their own, and the packages that they must equal."""

from fractions import Fraction
from pathlib import Path

import kaldi_native_fbank
import librosa
import numpy as np
import pytest
import python_speech_features as psf
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.fbank import RECIPES, fbank

few = settings(max_examples=30, deadline=None)
WIDTHS = {"kaldi": 80, "psf": 26, "whisper": 80}
SINGLE = 1e-3  # Kaldi works in single precision; so much may the logarithm of a quiet filter be off
LIBROSA_SHORT = pytest.mark.filterwarnings("ignore:n_fft=")


def noise(samples: int, seed: int = 0) -> np.ndarray:
    """Sound on the 16-bit grid, (N,) float64, coloured so that no filter is idle."""
    white = np.random.default_rng(seed).normal(0, 0.1, samples + 8)
    return np.rint(np.convolve(white, np.ones(8) / 3, "valid")[:samples] * 32768).clip(-32768, 32767) / 32768


def by_kaldi(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    how = kaldi_native_fbank.FbankOptions()
    how.frame_opts.samp_freq, how.frame_opts.dither, how.mel_opts.num_bins = sample_rate, 0, 80
    assert how.frame_opts.window_type == "povey"
    assert how.frame_opts.snip_edges
    witness = kaldi_native_fbank.OnlineFbank(how)
    witness.accept_waveform(sample_rate, (audio * 32768).tolist())
    witness.input_finished()
    rows = [witness.get_frame(number) for number in range(witness.num_frames_ready)]
    return np.stack(rows) if rows else np.zeros((0, 80))


def by_whisper(audio: np.ndarray) -> np.ndarray:
    """Whisper's `log_mel_spectrogram` of sound that was padded to 30 s, in librosa's words, (3000, 80)."""
    padded = np.pad(audio, (0, 480_000 - len(audio)))
    spectrum = librosa.stft(padded, n_fft=400, hop_length=160, pad_mode="reflect")[:, :-1]
    mel = librosa.filters.mel(sr=16000, n_fft=400, n_mels=80) @ np.abs(spectrum) ** 2
    level = np.log10(np.maximum(mel, 1e-10))
    return ((np.maximum(level, level.max() - 8.0) + 4.0) / 4.0).T


@few
@given(samples=st.integers(0, 9000), recipe=st.sampled_from(sorted(RECIPES)), silent=st.booleans())
def test_any_length_gives_finite_rows_of_the_promised_width(samples, recipe, silent):
    made = fbank(np.zeros(samples) if silent else noise(samples), 16000, recipe)
    assert made.values.shape == (RECIPES[recipe].cut.rows(samples, 16000).count, WIDTHS[recipe])
    assert np.isfinite(made.values).all()


@few
@given(samples=st.integers(1, 8000), gain=st.sampled_from([0.5, 0.25, 2.0]))
def test_louder_sound_raises_every_level_of_kaldi_and_psf_alike(samples, gain):
    audio = noise(samples) / 4
    for recipe in ("kaldi", "psf"):
        raised = fbank(audio * gain, 16000, recipe).values - fbank(audio, 16000, recipe).values
        np.testing.assert_allclose(raised, 2 * np.log(gain), atol=1e-9)


@few
@given(samples=st.integers(300, 8000), sample_rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_kaldi_equals_kaldi_native_fbank(samples, sample_rate):
    audio = noise(samples, seed=samples)
    made = fbank(audio, sample_rate, "kaldi").values
    np.testing.assert_allclose(made, by_kaldi(audio, sample_rate), rtol=0, atol=SINGLE)


@few
@given(samples=st.integers(1, 8000), sample_rate=st.sampled_from([8000, 16000]))
def test_psf_equals_logfbank_of_python_speech_features(samples, sample_rate):
    audio = noise(samples)
    theirs = psf.logfbank(audio * 32768, sample_rate)
    np.testing.assert_allclose(fbank(audio, sample_rate, "psf").values, theirs, rtol=0, atol=1e-9)


@settings(max_examples=5, deadline=None)
@given(samples=st.integers(1, 60000))
def test_whisper_equals_whisper_s_own_rows_up_to_the_end_of_the_sound(samples):
    audio = noise(samples)
    made = fbank(audio, 16000, "whisper").values
    assert len(made) == 1 + samples // 160
    np.testing.assert_allclose(made, by_whisper(audio)[: len(made)], rtol=0, atol=1e-6)


def test_silence_equals_the_witnesses():
    silent = np.zeros(1600)
    np.testing.assert_allclose(fbank(silent, 16000, "kaldi").values, by_kaldi(silent, 16000), atol=1e-5)
    np.testing.assert_allclose(fbank(silent, 16000, "psf").values, psf.logfbank(silent, 16000), atol=1e-9)
    np.testing.assert_allclose(fbank(silent, 16000, "whisper").values, -1.5, atol=1e-9)


@pytest.mark.real
def test_real_speech_equals_the_witnesses(shared_data: Path):
    heard = 0
    for path in sorted(shared_data.glob("e_clean_speech/**/*.*")):
        if path.suffix in {".flac", ".wav"} and heard < 3:
            audio, sample_rate = soundfile.read(path, frames=100_000)
            audio = audio if audio.ndim == 1 else audio[:, 0]
            made = fbank(audio, sample_rate, "kaldi").values
            np.testing.assert_allclose(made, by_kaldi(audio, sample_rate), rtol=0, atol=SINGLE)
            if sample_rate == 16000:
                heard += 1
                theirs = psf.logfbank(audio * 32768, sample_rate)
                np.testing.assert_allclose(fbank(audio, sample_rate, "psf").values, theirs, rtol=0, atol=1e-6)
                made = fbank(audio, 16000, "whisper").values
                np.testing.assert_allclose(made, by_whisper(audio)[: len(made)], rtol=0, atol=1e-6)
    assert heard


def test_rate_and_start_are_exact():
    silent = np.zeros(16000)
    found = {recipe: (s.rate, s.start, len(s)) for recipe in RECIPES if (s := fbank(silent, 16000, recipe))}
    assert found == {
        "kaldi": (100, Fraction(1, 80), 98),
        "psf": (100, Fraction(1, 80), 99),
        "whisper": (100, 0, 101),
    }


def test_unknown_recipe_and_wrong_arrays_are_refused_in_words():
    with pytest.raises(ValueError, match="no filterbank recipe 'htk'; there are kaldi"):
        fbank(np.zeros(400), 16000, "htk")
    with pytest.raises(ValueError, match=r"audio must be \(N,\) float in \[-1, 1\], got \(400,\) int16"):
        fbank(np.zeros(400, np.int16), 16000)
