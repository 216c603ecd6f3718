"""Voice activity as an artifact."""

from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.models.cards import Card
from phonoscope.steps.vad import VadParams, vad
from phonoscope.testing.fakes import FakeVoice


def audio_of(samples: int, rate: int = 16000) -> Series:
    return Series(np.zeros(samples, np.float32), Fraction(rate))


class Says:
    """A voice detector that gives what it is told to."""

    backend_kind: ClassVar[str] = "voice_detector"
    card = Card("says", "1", (), "", "", "", "", "")

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        return self.rows


@settings(deadline=None)
@given(samples=st.integers(0, 5000))
def test_there_is_a_row_for_each_started_10_ms(samples):
    made = vad(audio_of(samples), FakeVoice(), VadParams())
    assert made.values.shape == (-(-samples // 160),)
    assert made.values.dtype == np.float32
    assert (made.rate, made.start) == (100, Fraction(1, 200))


def test_a_row_says_what_is_heard_at_its_time():
    audio = audio_of(32000)
    audio.values[16000:24320] = 0.5
    made = vad(audio, FakeVoice(), VadParams())
    np.testing.assert_array_equal(np.flatnonzero(made.values > 0.5), np.arange(100, 152))
    on_frames = made.on(Span(0, 50), Fraction(25)) > 0.5
    np.testing.assert_array_equal(np.flatnonzero(on_frames), np.arange(25, 38))


def test_sound_at_another_rate_is_refused():
    with pytest.raises(UsageError, match="vad hears 16000 samples a second, the store's audio has 48000"):
        vad(audio_of(480, 48000), FakeVoice(), VadParams())


@pytest.mark.parametrize("rows", [np.zeros(2), np.full(3, 1.5), np.full(3, np.nan), np.zeros((3, 1))])
def test_a_detector_that_breaks_its_promise_is_named(rows):
    with pytest.raises(ValueError, match=r"says must give \(3,\) probabilities for 480 samples"):
        vad(audio_of(480), Says(rows), VadParams())
