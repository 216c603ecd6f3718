"""MFCC recipes: laws of their own, and the packages that they must equal."""

from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
import pytest
import python_speech_features as psf
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.mfcc import RECIPES, delta, fit_rows, mfcc

few = settings(max_examples=40, deadline=None)
LIBROSA_SHORT = pytest.mark.filterwarnings("ignore:n_fft=", "ignore:Empty filters detected")
AWKWARD_RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]


def noise(samples: int, seed: int = 0) -> np.ndarray:
    """Sound on the 16-bit grid, (N,) float64, coloured so that no filter is idle."""
    white = np.random.default_rng(seed).normal(0, 0.1, samples + 8)
    return np.rint(np.convolve(white, np.ones(8) / 3, "valid")[:samples] * 32768).clip(-32768, 32767) / 32768


def tone() -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 16000)


def by_librosa(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    window, hop = int(sample_rate * 0.025), int(sample_rate * 0.01)
    return librosa.feature.mfcc(y=audio, sr=sample_rate, n_mfcc=13, n_fft=window, hop_length=hop).T


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_no_sound_gives_no_rows(recipe):
    assert mfcc(np.zeros(0), 16000, recipe).values.shape == (0, RECIPES[recipe].width)


@few
@given(
    samples=st.integers(1, 9000), recipe=st.sampled_from(sorted(RECIPES)), kind=st.sampled_from(["noise", "silence"])
)
def test_any_length_gives_finite_rows_of_the_promised_width(samples, recipe, kind):
    audio = noise(samples) if kind == "noise" else np.zeros(samples)
    made = mfcc(audio, 16000, recipe)
    assert made.values.shape[1] == RECIPES[recipe].width
    assert np.isfinite(made.values).all()


@few
@given(
    samples=st.integers(1, 30000),
    recipe=st.sampled_from(sorted(RECIPES)),
    sample_rate=st.sampled_from([8000, 16000, 44100]),
    fps=st.sampled_from(AWKWARD_RATES),
)
def test_every_row_is_centred_within_the_sound_give_or_take_a_window(samples, recipe, sample_rate, fps):
    made = mfcc(np.zeros(samples), sample_rate, recipe, fps)
    window_s = RECIPES[recipe].bank.cut.window_s * Fraction(25) / min(fps, 25)
    if len(made):
        last = made.start + (len(made) - 1) / made.rate
        assert 0 <= made.start <= window_s
        assert abs(last - Fraction(samples, sample_rate)) <= window_s + 1 / made.rate


@few
@given(samples=st.integers(1, 5000), fps=st.sampled_from(AWKWARD_RATES), sample_rate=st.sampled_from([16000, 44100]))
@pytest.mark.filterwarnings("ignore:The 'warn' function is deprecated")  # it says so when it cuts a long window
def test_psf_equals_python_speech_features_as_talknet_calls_it(samples, fps, sample_rate):
    audio, rate = noise(samples), float(fps)
    theirs = psf.mfcc(audio * 32768, sample_rate, numcep=13, winlen=0.025 * 25 / rate, winstep=0.010 * 25 / rate)
    np.testing.assert_allclose(mfcc(audio, sample_rate, "psf", fps).values, theirs, rtol=0, atol=1e-6)


@few
@given(samples=st.integers(1, 5000))
def test_psf39_equals_statics_their_slope_and_its_slope_of_python_speech_features(samples):
    audio = noise(samples)
    statics = psf.mfcc(audio, 16000)
    slope = psf.delta(statics, 2)
    theirs = np.concatenate([statics, slope, psf.delta(slope, 2)], 1)
    np.testing.assert_allclose(mfcc(audio, 16000, "psf39").values, theirs, rtol=0, atol=1e-6)


@few
@given(samples=st.integers(1, 5000))
def test_psf39_upstream_equals_statics_and_two_slopes_of_python_speech_features(samples):
    audio = noise(samples)
    statics = psf.mfcc(audio, 16000)
    theirs = np.concatenate([statics, psf.delta(statics, 1), psf.delta(statics, 2)], 1)
    np.testing.assert_allclose(mfcc(audio, 16000, "psf39-upstream").values, theirs, rtol=0, atol=1e-6)


def test_only_the_true_second_delta_is_an_acceleration():
    parabola = np.arange(30.0)[:, None] ** 2
    np.testing.assert_allclose(delta(delta(parabola, 2), 2)[4:-4], 2.0)
    np.testing.assert_allclose(delta(parabola, 2)[4:-4], delta(parabola, 1)[4:-4])  # upstream's: the slope once more


@LIBROSA_SHORT
@few
@given(samples=st.integers(1, 5000), sample_rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_librosa_equals_librosa(samples, sample_rate):
    audio = noise(samples)
    np.testing.assert_allclose(
        mfcc(audio, sample_rate, "librosa").values, by_librosa(audio, sample_rate), rtol=0, atol=1e-6
    )


@LIBROSA_SHORT
def test_librosa_raises_quiet_filters_to_80_db_below_the_loudest_of_the_whole_sound():
    audio = np.concatenate([noise(8000), np.zeros(8000), noise(8000) * 1e-6])
    np.testing.assert_allclose(mfcc(audio, 16000, "librosa").values, by_librosa(audio, 16000), rtol=0, atol=1e-6)


@LIBROSA_SHORT
@pytest.mark.parametrize("samples", [1, 159, 160, 399, 400, 401, 16000])
def test_silence_equals_the_witnesses(samples):
    silent = np.zeros(samples)
    np.testing.assert_allclose(mfcc(silent, 16000, "psf").values, psf.mfcc(silent, 16000), rtol=0, atol=1e-6)
    np.testing.assert_allclose(mfcc(silent, 16000, "librosa").values, by_librosa(silent, 16000), rtol=0, atol=1e-6)


@pytest.mark.real
@LIBROSA_SHORT
def test_real_speech_equals_the_witnesses(shared_data: Path):
    heard = 0
    for path in sorted(shared_data.glob("e_clean_speech/**/*.*")):
        if path.suffix in {".flac", ".wav"} and heard < 4:
            audio, sample_rate = soundfile.read(path, frames=100_000)
            audio = audio if audio.ndim == 1 else audio[:, 0]
            nfft = RECIPES["psf"].bank.cut.nfft
            assert isinstance(nfft, int)
            if sample_rate * 0.025 > nfft:
                continue
            heard += 1
            theirs = psf.mfcc(audio * 32768, sample_rate)
            np.testing.assert_allclose(mfcc(audio, sample_rate, "psf").values, theirs, rtol=0, atol=1e-6)
            theirs = by_librosa(audio, sample_rate)
            np.testing.assert_allclose(mfcc(audio, sample_rate, "librosa").values, theirs, rtol=0, atol=1e-6)
    assert heard


def test_psf_has_its_published_row():
    published = [20.4995, 19.5092, 2.6441, -13.1912, -26.1623, -32.5299, -28.6792, -17.6733, -2.3674, 10.7954, 18.8847,
                 18.6874, 12.3791]  # fmt: skip
    on_grid = (tone() * 32767).astype(np.int16) / 32768
    np.testing.assert_allclose(mfcc(on_grid, 16000).values[5], published, atol=5e-5)


def test_viseme_has_its_published_row():
    published = [15.0126, -29.3561, 134.8836, -566.7535, -675.802, -40.7453, -563.6963, -303.1137, 745.7271, 255.4497,
                 218.9208, 797.5482, -22.3425]  # fmt: skip
    n = np.arange(256)
    audio = 0.5 * np.sin(2 * np.pi * 440 * n / 16000) + 0.1 * np.sin(2 * np.pi * 3000 * n / 16000)
    np.testing.assert_allclose(mfcc(audio, 16000, "viseme").values, [published], atol=6e-5)


@pytest.mark.parametrize(("samples", "rows"), [(400, 1), (401, 2), (16000, 99), (32000, 199), (80000, 499)])
def test_psf_gives_the_published_number_of_rows(samples, rows):
    assert len(mfcc(np.zeros(samples), 16000)) == rows


@few
@given(samples=st.integers(0, 4000))
def test_viseme_gives_only_full_rows(samples):
    assert len(mfcc(np.zeros(samples), 16000, "viseme")) == max(0, (samples - 256) // 128 + 1)


@few
@given(samples=st.integers(1, 4000))
def test_scale_moves_only_the_energy_by_what_is_published(samples):
    audio = noise(samples)
    difference = mfcc(audio, 16000, "psf").values - mfcc(audio, 16000, "psf39").values[:, :13]
    np.testing.assert_allclose(difference[:, 0], 20.794415, atol=1e-5)
    np.testing.assert_allclose(difference[:, 1:], 0, atol=1e-8)


def test_rate_and_start_are_exact_and_follow_the_frame_rate_only_where_the_recipe_does():
    silent = np.zeros(16000)
    assert (mfcc(silent, 16000).rate, mfcc(silent, 16000).start) == (100, Fraction(1, 80))
    faster = mfcc(silent, 16000, "psf", Fraction(30))
    assert (faster.rate, faster.start) == (Fraction(16000, 133), Fraction(333, 32000))
    assert mfcc(silent, 16000, "psf39", Fraction(30)).rate == 100
    assert (mfcc(silent, 44100, "librosa").rate, mfcc(silent, 44100, "librosa").start) == (100, 0)
    assert (mfcc(silent, 16000, "viseme").rate, mfcc(silent, 16000, "viseme").start) == (125, Fraction(1, 125))


def test_single_precision_sound_is_worked_on_in_double():
    audio = noise(4000).astype(np.float32)
    assert mfcc(audio, 16000).values.dtype == np.float64
    np.testing.assert_array_equal(mfcc(audio, 16000).values, mfcc(audio.astype(np.float64), 16000).values)


@few
@given(length=st.integers(1, 60), rows=st.integers(0, 200))
def test_wrapping_is_what_talknet_does(length, rows):
    values = np.arange(2 * length, dtype=float).reshape(length, 2)
    theirs = np.pad(values, ((0, max(0, rows - length)), (0, 0)), "wrap")[:rows]
    np.testing.assert_array_equal(fit_rows(values, rows), theirs)


@few
@given(length=st.integers(1, 60), rows=st.integers(0, 200))
def test_filling_by_the_edge_repeats_the_last_row(length, rows):
    values = np.arange(2 * length, dtype=float).reshape(length, 2)
    theirs = np.pad(values, ((0, max(0, rows - length)), (0, 0)), "edge")[:rows]
    np.testing.assert_array_equal(fit_rows(values, rows, "edge"), theirs)


def test_no_rows_cannot_be_filled_up():
    assert fit_rows(np.zeros((0, 13)), 0).shape == (0, 13)
    with pytest.raises(ValueError, match="out of none"):
        fit_rows(np.zeros((0, 13)), 4)


@few
@given(length=st.integers(1, 40), reach=st.integers(1, 4))
def test_slope_of_a_ramp_is_its_slope(length, reach):
    ramp = 3.0 * np.arange(length + 2 * reach)[:, None]
    np.testing.assert_allclose(delta(ramp, reach)[reach : reach + length], 3.0)


def test_unknown_recipe_and_wrong_arrays_are_refused_in_words():
    with pytest.raises(ValueError, match="no MFCC recipe 'htk'; there are psf"):
        mfcc(np.zeros(400), 16000, "htk")
    with pytest.raises(ValueError, match=r"audio must be \(N,\) float in \[-1, 1\], got \(400,\) int16"):
        mfcc(np.zeros(400, np.int16), 16000)
    with pytest.raises(ValueError, match=r"got \(2, 400\) float64"):
        mfcc(np.zeros((2, 400)), 16000)
    with pytest.raises(ValueError, match="more than 40 samples a second"):
        mfcc(np.zeros(400), 40)
