"""Mouths that follow somebody's voice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.testing.puppet import Head, Scene, Seat, Shot, Speech, utter, voice
from phonoscope.testing.puppet.driven import crops, driven
from phonoscope.testing.puppet.speech import CONTROL_RATE

few = settings(max_examples=10, deadline=None)
SAID = utter(Speech(4, ((0.5, 2.5),), 1), 3.0)  # whose lips are known, as is its voice
SOUND = voice(SAID)[:48000]


def test_lips_follow_a_voice_as_the_mouth_did_that_spoke_it():
    said = driven(SOUND)
    known, driven_ = SAID.mouth_open, said.mouth_open
    assert len(driven_) == len(SOUND) * CONTROL_RATE // 16000 + 1
    assert np.corrcoef(known[: len(driven_)], driven_)[0, 1] > 0.7


def test_lips_are_shut_where_it_is_silent():
    said = driven(SOUND)
    assert said.mouth_open[: CONTROL_RATE // 4].max() < 0.02 and said.mouth_open[-CONTROL_RATE // 4 :].max() < 0.02
    assert said.talks(np.array([1.5])).all() and not said.talks(np.array([0.1, 2.9])).any()


@few
@given(gain=st.floats(0.01, 5), seed=st.integers(0, 99))
def test_a_louder_voice_opens_no_mouth_wider(gain, seed):
    assert np.allclose(driven(SOUND, seed).mouth_open, driven(SOUND * gain, seed).mouth_open, atol=1e-4)


@few
@given(samples=st.integers(0, 2000), level=st.floats(0, 1), seed=st.integers(0, 99))
def test_curves_keep_to_their_range_whatever_is_heard(samples, level, seed):
    said = driven(np.random.default_rng(seed).uniform(-level, level, samples), seed)
    assert len(said.mouth_open) == len(said.mouth_wide) == samples // 80 + 1
    assert (said.mouth_open >= 0).all() and (said.mouth_open <= 1).all() and (np.abs(said.mouth_wide) <= 1).all()


def test_digital_silence_moves_nothing():
    assert not driven(np.zeros(16000)).mouth_open.any() and not len(driven(np.zeros(16000)).phrases)


def test_some_lips_are_ahead_of_the_voice_but_by_no_more_than_a_picture():
    starts = [np.flatnonzero(driven(SOUND, seed).mouth_open > 0.1)[0] for seed in range(12)]
    assert 0 < np.ptp(starts) <= 0.06 * CONTROL_RATE


def test_sound_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        driven(np.full(100, np.nan))


def test_a_head_says_it_and_its_scene_adds_no_sound_of_its_own():
    head = Head(1, driven(SOUND))
    scene = Scene(heads=(head,), shots=(Shot(75, (Seat(0, 96, 96, 90),)),), width=192, height=192, noise=0.0)
    assert scene.truth.heads[0].open[30:60].max() > 0.3 and scene.truth.heads[0].talking[40]
    assert not scene.audio().any()


def test_crops_show_the_mouth_open_as_the_curve_says():
    said = driven(SOUND, 2)
    faces = crops(said, 1, 40)
    assert faces.shape == (40, 112, 112) and faces.dtype == np.uint8
    opening, _ = said.lips((np.arange(40) + 0.5) / 25)
    mouth = faces[:, 50:80, 40:72].astype(float)
    unlike_shut = np.abs(mouth - mouth[:8].mean(0)).mean((1, 2))
    assert np.corrcoef(opening, unlike_shut)[0, 1] > 0.6
