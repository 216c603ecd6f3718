"""Voices of long film: the same however its sound is fed, with faces that come and go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.models.protocols import VoiceSeparator
from phonoscope.models.stretches import HELD, PER_FRAME, FaceLips, Voices
from phonoscope.testing.fakes import FakeSeparator


def check_types() -> VoiceSeparator:
    """For the type checker: it satisfies its protocol."""
    return FakeSeparator()


class Edgy(FakeSeparator):
    """A separator that errs towards the ends of a stretch, in a way of its own for each; notes what it was shown."""

    def __init__(self, stretch: int = 50) -> None:
        self.stretch: int = stretch
        self.shown: list[tuple[int, int, int]] = []

    def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
        self.shown.append((len(audio), *lips.shape[:2]))
        ramp = np.linspace(-1, 1, len(audio)) * (1 + audio[:100].sum())
        return (super().__call__(audio, lips) * (1 + ramp)).astype(np.float32)


def heard(separator: VoiceSeparator, faces: list[FaceLips], sound: np.ndarray, cuts: list[int]) -> np.ndarray:
    voices = Voices(separator, faces)
    return np.concatenate([*(voices.hear(part) for part in np.split(sound, sorted(cuts))), voices.end()], 1)


def lips_of(seed: int, frames: int, start: int = 0) -> FaceLips:
    return FaceLips(start, np.random.default_rng(seed).uniform(0.1, 1, (frames, 2)).astype(np.float32))


def sound_of(samples: int) -> np.ndarray:
    return np.random.default_rng(9).normal(0, 0.1, samples).astype(np.float32)


samples = st.integers(0, 300 * PER_FRAME)


@settings(max_examples=40, deadline=None)
@given(total=samples, cuts=st.lists(samples, max_size=8), stretch=st.sampled_from([2, 7, 50, 80]))
def test_any_feeding_gives_what_the_whole_gives(total, cuts, stretch):
    faces, sound = [lips_of(0, 200), lips_of(1, 90, 60)], sound_of(total)
    whole = heard(Edgy(stretch), faces, sound, [])
    fed = heard(Edgy(stretch), faces, sound, [min(cut, total) for cut in cuts])
    assert fed.shape == whole.shape == (2, total)
    np.testing.assert_allclose(fed, whole, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(total=samples, frames=st.integers(1, 300), stretch=st.integers(2, 80))
def test_a_separator_that_looks_at_single_frames_gives_the_same_in_stretches(total, frames, stretch):
    """Fades sum to one, nothing is shifted, doubled or lost; sound may be longer than lips, and lips than sound."""

    class Local(FakeSeparator):
        def __init__(self) -> None:
            self.stretch: int = stretch

    faces, sound = [lips_of(0, frames), lips_of(1, frames)], sound_of(total)
    made = heard(Local(), faces, sound, [])
    longest = max(frames, -(-total // PER_FRAME))
    want = FakeSeparator()(sound, np.stack([face.on(0, longest) for face in faces])) if total else sound[None][:0]
    assert made.shape == (2, total)
    known = min(total, frames * PER_FRAME)
    np.testing.assert_allclose(made[:, :known], want[:, :known] if total else made[:, :0], atol=1e-6)
    np.testing.assert_allclose(made.sum(0)[:known], sound[:known], atol=1e-6)
    assert not made[:, known:].any()


def test_stretches_begin_at_multiples_of_half_of_one_and_are_whole():
    separator = Edgy(50)
    heard(separator, [lips_of(0, 300)], sound_of(110 * PER_FRAME), [])
    assert separator.shown == [(50 * PER_FRAME, 1, 50)] * 4, "from frames 0, 25, 50 and 75"
    separator = Edgy(50)
    heard(separator, [lips_of(0, 300)], sound_of(100 * PER_FRAME), [])
    assert len(separator.shown) == 3, "the last ends with the sound"


@pytest.mark.parametrize("total", [1, 4800, 50 * PER_FRAME])
def test_sound_that_fits_into_one_stretch_is_given_as_it_is(total):
    separator, face = Edgy(50), lips_of(0, 50)
    made = heard(separator, [face], sound_of(total), [])
    assert len(separator.shown) == 1
    padded = np.pad(sound_of(total), (0, 50 * PER_FRAME - total))
    np.testing.assert_array_equal(made, Edgy(50)(padded, face.rows[None])[:, :total])


def test_no_more_than_a_stretch_waits():
    voices = Voices(Edgy(50), [lips_of(0, 300)])
    given_, told = 0, 0
    for block in np.split(sound_of(300 * PER_FRAME), 600):
        given_ += len(block)
        told += voices.hear(block).shape[1]
        assert given_ - told <= 50 * PER_FRAME


def test_a_face_is_shown_only_in_stretches_that_it_is_seen_in():
    separator, total = Edgy(50), 400 * PER_FRAME
    faces = [lips_of(0, 400), lips_of(1, 60, 150)]
    made = heard(separator, faces, sound_of(total), [])
    assert [count for _, count, _ in separator.shown] == [1, 1, 1, 1, 1, *[2] * 4, *[1] * 6]
    silent = np.flatnonzero(np.abs(made[1]) > 0) // PER_FRAME
    assert silent.min() >= 150 - HELD
    assert silent.max() <= 210 + HELD


def test_a_voice_ends_two_seconds_after_its_face_was_seen_however_long_stretches_are():
    class Loud(FakeSeparator):
        stretch = 500

        def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
            return np.ones((len(lips), len(audio)), np.float32)

    rows = np.full((300, 2), np.nan, np.float32)
    rows[100:120] = 0.5
    made = heard(Loud(), [FaceLips(10, rows)], np.ones(400 * PER_FRAME, np.float32), [])[0]
    inside = slice((110 - HELD) * PER_FRAME, (130 + HELD) * PER_FRAME)
    assert (made[inside] == 1).all()
    assert not made[: inside.start - PER_FRAME].any()
    assert not made[inside.stop + PER_FRAME :].any()
    assert np.abs(np.diff(made)).max() < 0.01, "it fades"


def test_without_faces_or_sound_nothing_is_run_and_all_is_silent():
    separator = Edgy(50)
    nobody = FaceLips(0, np.full((100, 2), np.nan, np.float32))
    assert heard(separator, [], sound_of(9000), []).shape == (0, 9000)
    assert not heard(separator, [nobody, lips_of(0, 20, 900)], sound_of(9000), []).any()
    assert not heard(separator, [lips_of(0, 100)], np.zeros(40_000, np.float32), []).any()
    assert heard(separator, [lips_of(0, 100)], np.zeros(0, np.float32), []).shape == (1, 0)
    assert separator.shown == []


@pytest.mark.parametrize("wrong", [np.zeros((2, 32000)), np.full((1, 32000), np.nan), np.zeros((1, 31999))])
def test_a_separator_that_breaks_its_promise_is_named(wrong):
    class Broken(FakeSeparator):
        def __call__(self, audio: np.ndarray, lips: np.ndarray) -> np.ndarray:
            return wrong

    with pytest.raises(ValueError, match=r"fake-separator must give \(1, 32000\) finite numbers"):
        heard(Broken(), [lips_of(0, 50)], sound_of(32000), [])


def test_a_stretch_of_one_frame_is_refused():
    with pytest.raises(ValueError, match="must be shown two frames at least, not 1"):
        Voices(Edgy(1), [])


def test_who_comes_back_has_a_voice_again_and_none_in_between():
    rows = np.full((600, 2), np.nan, np.float32)
    rows[:50] = rows[400:450] = 0.5
    made = heard(FakeSeparator(), [FaceLips(0, rows)], np.ones(600 * PER_FRAME, np.float32), [])[0]
    loud = np.flatnonzero(made.reshape(-1, PER_FRAME).any(1))
    assert set(range(50)) | set(range(400, 450)) <= set(loud.tolist()) <= {*range(50 + HELD), *range(350, 450 + HELD)}
