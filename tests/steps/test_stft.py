"""STFT as an artifact: complex rows, in time with the film."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope import Store, prepare
from phonoscope.core.series import Series
from phonoscope.core.stft import RECIPES
from phonoscope.core.stft import stft as stft_of
from phonoscope.job import params_from
from phonoscope.steps.stft import StftParams, stft

few = settings(max_examples=30, deadline=None)


def sound_of(samples: int, start: Fraction = Fraction(0)) -> Series:
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    return Series(noise.astype(np.float32), Fraction(16000), start)


@few
@given(samples=st.integers(0, 9000), recipe=st.sampled_from(sorted(RECIPES)))
def test_rows_are_those_of_the_recipe(samples, recipe):
    audio = sound_of(samples)
    made, theirs = stft(audio, StftParams(recipe=recipe)), stft_of(audio.values, 16000, recipe)
    assert made.values.dtype == np.complex64
    np.testing.assert_array_equal(made.values, theirs.values)
    assert (made.rate, made.start) == (theirs.rate, theirs.start)


def test_three_seconds_have_the_shape_that_the_networks_of_speech_separation_take():
    assert stft(sound_of(48000), StftParams()).values.shape == (298, 257)


def test_sound_that_starts_late_has_rows_that_start_late():
    assert stft(sound_of(4000, Fraction(1, 4)), StftParams()).start == Fraction(1, 4) + Fraction(2, 125)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_store_keeps_complex_numbers_rate_and_start(puppets, tmp_path, recipe):
    params = params_from({"stft": {"recipe": recipe}})
    (outcome,) = prepare([puppets], tmp_path / "films", ["stft"], params).carry_out()
    assert outcome.failure is None
    recording = Store(tmp_path / "films")[outcome.recording]
    kept, about = recording.load("stft"), recording.recording
    theirs = stft_of(recording.audio(), about.sample_rate, recipe)
    assert kept.values.dtype == np.complex64
    np.testing.assert_array_equal(kept.values, theirs.values)
    assert (kept.rate, kept.start) == (theirs.rate, theirs.start)
    assert kept.on(about.span, about.fps, 4).shape == (4 * about.num_frames, 257)
