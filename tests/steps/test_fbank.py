"""Filterbanks as an artifact: the recipe's own rows, in time with the film."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope import Store, prepare
from phonoscope.core.fbank import RECIPES
from phonoscope.core.fbank import fbank as fbank_of
from phonoscope.core.series import Series
from phonoscope.job import params_from
from phonoscope.steps.fbank import FbankParams, fbank

few = settings(max_examples=30, deadline=None)


def sound_of(samples: int, start: Fraction = Fraction(0)) -> Series:
    noise = np.random.default_rng(samples).normal(0, 0.1, samples)
    return Series(noise.astype(np.float32), Fraction(16000), start)


@few
@given(samples=st.integers(0, 9000), recipe=st.sampled_from(sorted(RECIPES)))
def test_rows_are_those_of_the_recipe_in_single_precision(samples, recipe):
    audio = sound_of(samples)
    made, theirs = fbank(audio, FbankParams(recipe=recipe)), fbank_of(audio.values, 16000, recipe)
    assert made.values.dtype == np.float32
    np.testing.assert_array_equal(made.values, theirs.values.astype(np.float32))
    assert (made.rate, made.start) == (theirs.rate, theirs.start)


def test_sound_that_starts_late_has_rows_that_start_late():
    assert fbank(sound_of(4000, Fraction(1, 4)), FbankParams()).start == Fraction(1, 4) + Fraction(1, 80)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_a_store_keeps_rate_and_start_and_aligns_to_every_frame(puppets, tmp_path, recipe):
    params = params_from({"fbank": {"recipe": recipe}})
    (outcome,) = prepare([puppets], tmp_path / "films", ["fbank"], params).carry_out()
    assert outcome.failure is None
    recording = Store(tmp_path / "films")[outcome.recording]
    kept, about = recording.load("fbank"), recording.recording
    theirs = fbank_of(recording.audio(), about.sample_rate, recipe)
    assert (kept.rate, kept.start, len(kept)) == (theirs.rate, theirs.start, len(theirs))
    assert kept.on(about.span, about.fps, 4).shape == (4 * about.num_frames, theirs.values.shape[1])
