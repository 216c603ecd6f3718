"""MFCC as an artifact: rows that fit the pictures."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.media import Recording
from phonoscope.core.mfcc import RECIPES, fit_rows
from phonoscope.core.mfcc import mfcc as mfcc_of
from phonoscope.core.series import Series
from phonoscope.core.time import sample_at
from phonoscope.steps.mfcc import MfccParams, mfcc

few = settings(max_examples=40, deadline=None)
AWKWARD_RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]


def film_of(frames: int, fps: Fraction = Fraction(25)) -> Recording:
    samples = sample_at(frames, fps, 16000)
    return Recording("film-00000000", "", "", fps, frames, 640, 360, 16000, samples, Fraction(0))


def sound_of(recording: Recording) -> Series:
    noise = np.random.default_rng(recording.num_samples).normal(0, 0.1, recording.num_samples)
    return Series(noise.astype(np.float32), Fraction(16000))


@few
@given(
    frames=st.integers(2, 60),
    fps=st.sampled_from(AWKWARD_RATES),
    recipe=st.sampled_from(sorted(RECIPES)),
    rows=st.integers(1, 5),
)
def test_every_frame_gets_exactly_its_rows(frames, fps, recipe, rows):
    recording = film_of(frames, fps)
    made = mfcc(sound_of(recording), recording, MfccParams(recipe=recipe, rows_per_frame=rows))
    assert made.values.shape == (frames * rows, RECIPES[recipe].width)
    assert made.values.dtype == np.float32
    assert made.rate == rows * fps


@few
@given(frames=st.integers(1, 60), fill=st.sampled_from(["wrap", "edge"]))
def test_at_25_frames_a_second_the_rows_are_those_of_talknet(frames, fill):
    recording = film_of(frames)
    audio = sound_of(recording)
    made = mfcc(audio, recording, MfccParams(fill=fill))
    theirs = fit_rows(mfcc_of(audio.values, 16000).values, 4 * frames, fill)
    np.testing.assert_array_equal(made.values, theirs.astype(np.float32))
    assert (made.rate, made.start) == (100, Fraction(1, 80))


def test_rows_do_not_drift_where_a_step_is_no_whole_number_of_samples():
    recording = film_of(30 * 60, Fraction(30))
    click = np.zeros(recording.num_samples, np.float32)
    click[sample_at(1750, recording.fps, 16000) + 267] = 1.0  # in the middle of frame 1750
    made = mfcc(Series(click, Fraction(16000)), recording, MfccParams())
    loud = np.flatnonzero(made.values[:, 0] > made.values[:, 0].min() + 1)
    assert loud.min() // 4 in {1749, 1750}
    assert loud.max() // 4 in {1750, 1751}


def test_no_rows_asked_a_frame_keeps_those_of_the_recipe():
    recording = film_of(50, Fraction(30))
    audio = sound_of(recording)
    made = mfcc(audio, recording, MfccParams(recipe="viseme", rows_per_frame=0))
    theirs = mfcc_of(audio.values, 16000, "viseme")
    np.testing.assert_array_equal(made.values, theirs.values.astype(np.float32))
    assert (made.rate, made.start) == (theirs.rate, theirs.start)


def test_sound_that_starts_late_has_rows_that_start_late():
    recording = film_of(25)
    audio = sound_of(recording)
    late = mfcc(Series(audio.values, audio.rate, Fraction(1, 4)), recording, MfccParams(rows_per_frame=0))
    assert late.start == Fraction(1, 4) + Fraction(1, 80)


def test_no_sound_gives_no_rows():
    recording = film_of(25)
    made = mfcc(Series(np.zeros(0, np.float32), Fraction(16000)), recording, MfccParams(recipe="psf39"))
    assert made.values.shape == (0, 39)


def test_a_negative_number_of_rows_is_refused():
    with pytest.raises(UsageError, match="0 or more, got -1"):
        mfcc(sound_of(film_of(5)), film_of(5), MfccParams(rows_per_frame=-1))


def test_mean_and_deviation_of_the_recording_are_taken_out():
    recording = film_of(50)
    audio = sound_of(recording)
    kept = mfcc(audio, recording, MfccParams(recipe="librosa", rows_per_frame=0)).values.astype(np.float64)
    made = mfcc(audio, recording, MfccParams(recipe="librosa", rows_per_frame=0, less="mean-and-deviation")).values
    np.testing.assert_allclose(made, (kept - kept.mean(0)) / kept.std(0), atol=1e-4)
    centred = mfcc(audio, recording, MfccParams(recipe="librosa", rows_per_frame=0, less="mean")).values
    np.testing.assert_allclose(centred, kept - kept.mean(0), atol=1e-3)


def test_a_coefficient_that_never_varies_becomes_0_and_not_infinite():
    recording = film_of(50)
    silence = Series(np.zeros(recording.num_samples, np.float32), Fraction(16000))
    made = mfcc(silence, recording, MfccParams(recipe="librosa", less="mean-and-deviation")).values
    np.testing.assert_allclose(made, 0, atol=1e-5)
