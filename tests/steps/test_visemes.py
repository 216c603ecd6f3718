"""Visemes as an artifact."""

from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.series import Series
from phonoscope.core.visemes import VISEMES
from phonoscope.models.cards import Card
from phonoscope.models.protocols import VisemeScorer
from phonoscope.steps import visemes as module
from phonoscope.steps.visemes import PIECE, VisemesParams, heard, visemes
from phonoscope.testing.fakes import FakeVisemes


def audio_of(samples: int, rate: int = 16000) -> Series:
    return Series(np.zeros(samples, np.float32), Fraction(rate))


class Says:
    """A viseme scorer that gives what it is told to, when the sound is over."""

    backend_kind: ClassVar[str] = "viseme_scorer"
    card = Card("says", "1", (), "", "", "", "", "")
    look_ahead_s = 0.0

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        return self.rows

    def begin(self) -> "Says":
        return self

    def hear(self, audio: np.ndarray) -> np.ndarray:
        return np.zeros((0, len(VISEMES)), np.float32)

    def end(self) -> np.ndarray:
        return self.rows


def check_types() -> tuple[VisemeScorer, VisemeScorer]:
    """For the type checker: each satisfies the protocol."""
    return FakeVisemes(), Says(np.zeros(0))


@given(samples=st.integers(0, 5000))
def test_there_is_a_row_for_each_started_10_ms(samples):
    made = visemes(audio_of(samples), FakeVisemes(), VisemesParams())
    assert made.values.shape == (-(-samples // 160), 15)
    assert made.values.dtype == np.float32
    assert (made.rate, made.start) == (100, Fraction(1, 200))


def test_a_row_says_what_is_heard_at_its_time():
    audio = audio_of(32000)
    audio.values[16000:24320] = 0.5
    made = visemes(audio, FakeVisemes(), VisemesParams())
    open_ = made.values[:, VISEMES.index("aa")] > 0.5
    np.testing.assert_array_equal(np.flatnonzero(open_), np.arange(100, 152))


@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=12), seed=st.integers(0, 9))
def test_pieces_give_what_the_whole_gives(cuts, seed):
    sound = np.random.default_rng(seed).normal(0, 0.02, sum(cuts)).astype(np.float32)
    pieces = np.split(sound, np.cumsum(cuts)[:-1])
    np.testing.assert_array_equal(np.concatenate([*heard(pieces, FakeVisemes())]), FakeVisemes()(sound))


def test_long_sound_is_heard_in_pieces(monkeypatch):
    monkeypatch.setattr(module, "PIECE", 1000)
    sound = audio_of(5321)
    sound.values[2000:3000] = 0.1
    made = visemes(sound, FakeVisemes(), VisemesParams())
    np.testing.assert_array_equal(made.values, FakeVisemes()(sound.values))
    assert PIECE > 16000


def test_sound_at_another_rate_is_refused():
    with pytest.raises(UsageError, match="visemes hears 16000 samples a second, the store's audio has 48000"):
        visemes(audio_of(480, 48000), FakeVisemes(), VisemesParams())


@pytest.mark.parametrize("rows", [np.zeros((3, 14)), np.full((3, 15), 1.5), np.full((3, 15), np.nan), np.zeros(3)])
def test_a_scorer_that_breaks_its_promise_is_named(rows):
    with pytest.raises(ValueError, match="says must give rows of 15 probabilities"):
        visemes(audio_of(480), Says(rows), VisemesParams())


@pytest.mark.parametrize("count", [2, 4])
def test_a_scorer_that_gives_another_number_of_rows_is_named(count):
    with pytest.raises(ValueError, match=r"says must give 3 rows for 480 samples"):
        visemes(audio_of(480), Says(np.zeros((count, 15))), VisemesParams())
