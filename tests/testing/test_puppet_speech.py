"""Puppets' speech: a voice, lips that go with it, and turns taken."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import PhonoscopeError
from phonoscope.core.time import Span
from phonoscope.models.registry import card_of, load
from phonoscope.models.weights import where
from phonoscope.testing import puppet
from phonoscope.testing.puppet import Scene, Speech, utter, voice


def loudness(scene: Scene) -> np.ndarray:
    """Root mean square of the sound under each frame, (T,)."""
    audio = scene.audio()
    spans = (Span(frame, frame + 1).samples(scene.fps, scene.sample_rate) for frame in range(scene.num_frames))
    return np.array([np.sqrt(np.mean(audio[span] ** 2)) for span in spans])


def lip_gap(scene: Scene, head: int) -> np.ndarray:
    """How far the inner lips are apart by the landmarks, (T,) as a share of the box's height."""
    truth = scene.truth.heads[head]
    return (truth.landmarks[:, 66, 1] - truth.landmarks[:, 62, 1]) / (truth.box[:, 3] - truth.box[:, 1])


@pytest.mark.parametrize("seed", range(6))
def test_lips_follow_the_voice_that_they_speak(seed: int) -> None:
    scene = puppet.one_head(8.0, seed=seed, turns=((0.5, 3.0), (4.5, 7.5)))
    assert np.corrcoef(lip_gap(scene, 0), loudness(scene))[0, 1] > 0.6
    talking = scene.truth.heads[0].speaking
    assert loudness(scene)[talking].mean() > 20 * loudness(scene)[~talking].mean()


@pytest.mark.parametrize("seed", range(3))
def test_listeners_keep_their_lips_shut(seed: int) -> None:
    scene = puppet.two_heads_taking_turns(8.0, seed=seed)
    first, second = scene.truth.heads
    assert first.speaking.any()
    assert second.speaking.any()
    assert not (first.speaking & second.speaking).any()
    for head, other in ((0, second), (1, first)):
        gap = lip_gap(scene, head)
        assert gap[other.speaking].max() < 0.02
        assert np.corrcoef(gap, loudness(scene) * other.speaking)[0, 1] < 0.1


def test_a_wrong_dub_is_talk_that_is_not_speech() -> None:
    scene = puppet.wrong_dub(6.0)
    (head,) = scene.truth.heads
    assert head.talking.sum() > 75
    assert not head.speaking.any()
    inside = slice(15, -15)
    assert abs(np.corrcoef(lip_gap(scene, 0)[inside], loudness(scene)[inside])[0, 1]) < 0.5


def test_a_voice_from_elsewhere_moves_nobody() -> None:
    scene = puppet.off_screen_voice(4.0)
    assert not scene.truth.heads[0].talking.any()
    assert lip_gap(scene, 0).max() < 0.02
    assert loudness(scene).max() > 0.05


def test_an_offset_only_shifts_the_voice() -> None:
    scene = replace(puppet.one_head(3.0, turns=((0.5, 2.0),)), noise=0.0)
    plain = scene.audio()
    late, early = (replace(scene, audio_offset_s=offset).audio() for offset in (0.2, -0.2))
    assert np.array_equal(late[3200:], plain[:-3200])
    assert np.array_equal(early[:-3200], plain[3200:])
    assert not late[:3200].any()
    assert not replace(scene, audio_offset_s=9.0).audio().any()


turns = st.lists(st.tuples(st.floats(0.3, 6.0), st.floats(0.2, 1.0)), min_size=1, max_size=4)


@given(turns=turns, seed=st.integers(0, 99))
def test_phrases_fill_turns_and_lips_are_shut_between_them(turns: list[tuple[float, float]], seed: int) -> None:
    edges = np.cumsum(np.array(turns).reshape(-1)[::-1])  # silence, turn, silence, turn, …
    spoken = tuple(zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True))
    said = utter(Speech(seed, spoken), float(edges[-1]) + 0.5)
    lengths = said.phrases[:, 1] - said.phrases[:, 0]
    assert ((lengths > 0.19) & (lengths <= 3.0 + 1e-9)).all()
    assert (said.phrases[1:, 0] - said.phrases[:-1, 1] > 0.19).all()
    for start, stop in spoken:
        inside = (said.phrases[:, 0] >= start - 1e-9) & (said.phrases[:, 1] <= stop + 1e-9)
        assert inside.any()
        assert np.isclose(said.phrases[inside][0, 0], start)
        assert np.isclose(said.phrases[inside][-1, 1], stop)
    rows = np.arange(len(said.voicing)) / 200
    far = np.min(np.maximum(said.phrases[:, :1] - rows, rows - said.phrases[:, 1:]), 0) > 0.09
    assert (said.mouth_open[far] == 0).all()
    assert (said.mouth_open >= 0).all()
    assert (said.mouth_open <= 1).all()


def test_a_longer_look_begins_in_the_same_way() -> None:
    speech = Speech(3, ((0.2, 1.7), (2.5, 9.0)))
    short, long = utter(speech, 4.0), utter(speech, 12.0)
    assert np.array_equal(long.mouth_open[:801], short.mouth_open)
    assert np.allclose(voice(long)[: 16000 * 39 // 10], voice(short)[: 16000 * 39 // 10], atol=1e-6)


def test_lips_run_a_little_ahead_of_the_voice() -> None:
    for seed in range(8):
        said = utter(Speech(seed, ((0.3, 12.0),)), 12.5)
        lead = max(range(-20, 21), key=lambda rows: np.corrcoef(np.roll(said.mouth_open, rows), said.voicing)[0, 1])
        assert -0.01 <= lead / 200 <= 0.06, "seconds by which the mouth opens before the voice"


def test_voices_differ_in_pitch() -> None:
    low, high = (pitch_hz(voice(utter(Speech(seed, ((0.1, 3.0),)), 3.2))) for seed in (2, 3))
    assert 75 < low < 150 < high < 270


def pitch_hz(audio: np.ndarray) -> float:
    """The median pitch of the loud parts, by autocorrelation."""
    pieces = audio[: len(audio) // 800 * 800].reshape(-1, 800)
    loud = pieces[pieces.std(1) > 0.5 * pieces.std(1).max()]
    lags = np.arange(16000 // 300, 16000 // 70)
    best = [max(lags, key=lambda lag: np.corrcoef(piece[:-lag], piece[lag:])[0, 1]) for piece in loud]
    return 16000 / float(np.median(best))


@pytest.mark.parametrize("turn", [(-0.1, 1.0), (1.0, 1.0)])
def test_a_turn_that_makes_no_sense_is_refused(turn: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 <= start < stop"):
        utter(Speech(0, (turn,)), 2.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_voice_detector_takes_it_for_speech(seed: int) -> None:
    try:
        here = where(card_of("silero"))
    except PhonoscopeError as error:
        pytest.skip(f"no such model: {error}")
    if here is None:
        pytest.skip("no weights: silero's lie nowhere on this machine")
    scene = puppet.one_head(12.0, seed=seed, turns=((1.0, 4.0), (6.0, 10.0)))
    speech = load("silero")(scene.audio())
    times = (np.arange(len(speech)) + 0.5) / 100
    said = scene.utterance(0)
    assert said is not None
    within, without = said.talks(times - 0.1) & said.talks(times + 0.1), times < 0.8
    without |= ((times > 4.5) & (times < 5.8)) | (times > 10.5)
    assert (speech[within] > 0.5).mean() > 0.95
    assert (speech[without] > 0.5).mean() < 0.05
