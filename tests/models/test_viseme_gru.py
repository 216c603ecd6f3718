"""viseme-gru: what it owes whoever listens with it, whatever its weights are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.phones import viseme_rows
from phonoscope.core.visemes import SILENCE, VISEMES
from phonoscope.models import viseme_graph as graph
from phonoscope.models.backends.viseme_gru import VisemeGru
from phonoscope.models.hashes import sha256_of
from phonoscope.models.registry import choose, load
from phonoscope.models.viseme_rows import BANKS, EASE, FLOOR, MEAN, ROW, SAMPLE_RATE, Rows, levelled, rows_of

NETWORK = VisemeGru(graph.FILE)
TEXTS = ("Peter bought a map of the park before supper.", "Vier alte Wölfe schlafen im Garten.")


def spoken(samples: int, seed: int = 0) -> np.ndarray:
    """A buzz whose formants wander and which pauses: (N,) float32, nearer to speech than noise is."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / SAMPLE_RATE
    buzz = np.cumsum(rng.normal(0, 1, samples)) % 7 - 3.5 + 3 * np.sign(np.sin(2 * np.pi * 120 * time_s))
    loud = 0.03 * (np.sin(2 * np.pi * 2.7 * time_s + rng.uniform(0, 6)) > -0.4)
    return (buzz * loud + rng.normal(0, 1e-3, samples)).astype(np.float32)


def in_pieces(audio: np.ndarray, cuts: list[int]) -> np.ndarray:
    """What is told of a sound that comes in pieces, cut at these samples."""
    stream = NETWORK.begin()
    rows = [stream.hear(piece) for piece in np.split(audio, sorted(cuts))]
    return np.concatenate([*rows, stream.end()])


@settings(max_examples=25)
@given(samples=st.integers(0, 9000), cuts=st.lists(st.integers(0, 9000), max_size=12), seed=st.integers(0, 99))
def test_any_way_of_giving_a_sound_bit_by_bit_tells_the_same(samples, cuts, seed):
    audio = spoken(samples, seed)
    told = in_pieces(audio, [min(cut, samples) for cut in cuts])
    assert told.shape == (-(-samples // ROW), len(VISEMES))
    np.testing.assert_allclose(told, NETWORK(audio), atol=1e-4)


def test_a_sample_at_a_time_tells_the_same_too():
    audio = spoken(2345)
    np.testing.assert_allclose(in_pieces(audio, list(range(1, 2345))), NETWORK(audio), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 161, 320, 399, 400, 401, 1600, 16001])
def test_there_is_a_row_for_every_ten_milliseconds_begun_and_it_sums_to_one(samples):
    told = NETWORK(spoken(samples))
    assert told.shape == (-(-samples // ROW), len(VISEMES))
    assert told.dtype == np.float32
    np.testing.assert_allclose(told.sum(1), 1, atol=1e-5)
    assert (told >= 0).all()


@settings(max_examples=25)
@given(row=st.integers(0, 80), seed=st.integers(0, 99))
def test_a_row_does_not_depend_on_what_comes_later_than_it_says(row, seed):
    assert NETWORK.look_ahead_s <= 0.12
    audio = spoken(100 * ROW, seed)
    known = round((row + 0.5) * ROW + NETWORK.look_ahead_s * SAMPLE_RATE)
    other = audio.copy()
    other[known:] = np.random.default_rng(seed).normal(0, 0.3, len(audio) - min(known, len(audio)))
    np.testing.assert_allclose(NETWORK(audio)[: row + 1], NETWORK(other)[: row + 1], atol=1e-5)


def test_the_look_ahead_is_no_longer_than_needed():
    audio = spoken(100 * ROW)
    late = [
        np.abs(NETWORK(audio)[row] - NETWORK(np.concatenate([audio[:known], spoken(9999, 1)])[: len(audio)])[row]).max()
        for row in (40, 41)
        for known in [round((row + 0.5) * ROW + (NETWORK.look_ahead_s - 0.015) * SAMPLE_RATE)]
    ]
    assert max(late) > 0


def test_rows_come_as_soon_as_they_are_certain():
    stream, told = NETWORK.begin(), 0
    for at in range(0, 100 * ROW, ROW):
        told += len(stream.hear(spoken(100 * ROW)[at : at + ROW]))
        heard_s = (at + ROW) / SAMPLE_RATE
        assert told >= (heard_s - NETWORK.look_ahead_s) * 100 - graph.STEP


@pytest.mark.parametrize("audio", [np.zeros(32000), np.random.default_rng(0).normal(0, 1e-4, 32000)])
def test_silence_is_silence(audio):
    told = NETWORK(audio.astype(np.float32))
    assert (told[20:].argmax(1) == SILENCE).all()


@pytest.mark.parametrize(("voice", "text"), [("en-us", TEXTS[0]), ("de", TEXTS[1])])
def test_a_synthetic_voice_is_heard_to_speak(voice, text):
    pytest.importorskip("espeakng_loader", reason="espeak-ng is not installed: pip install espeakng-loader")
    from phonoscope.data.espeak import speak

    audio, said = speak(text, voice)
    told = NETWORK(audio).argmax(1)
    speaking = viseme_rows(said, len(told)) != SILENCE
    assert (told[speaking] != SILENCE).mean() > 0.8
    assert len(set(told[speaking].tolist())) > 6


def test_the_same_sound_tells_the_same_bytes():
    audio = spoken(20000)
    assert NETWORK(audio).tobytes() == VisemeGru(graph.FILE)(audio).tobytes()


def test_hours_take_no_more_than_a_piece_at_a_time(monkeypatch):
    whole = NETWORK(spoken(50000))
    monkeypatch.setattr("phonoscope.models.backends.viseme_gru.PIECE", 7000)
    np.testing.assert_allclose(NETWORK(spoken(50000)), whole, atol=1e-4)


def test_it_comes_along_and_is_what_auto_means():
    assert choose("viseme_scorer") == "viseme-gru"
    assert load("viseme-gru").card.sha256 == sha256_of(graph.FILE)
    assert graph.FILE.stat().st_size == VisemeGru.card.size <= 1_000_000


def test_what_is_no_sound_is_refused():
    with pytest.raises(ValueError, match=r"expected audio \(N,\) float32, got \(2, 10\) float32"):
        NETWORK(np.zeros((2, 10), np.float32))


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"told.weight": np.zeros((3, 3), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="viseme-gru cannot take these weights"):
        VisemeGru(tmp_path / "other.safetensors")


def test_a_louder_sound_is_the_same_sound_before_long():
    audio = spoken(25 * SAMPLE_RATE) / 20
    soft, loud = rows_of(audio), rows_of(4 * audio)
    assert np.median(loud[:20] - soft[:20]) > 0.6
    assert np.median(np.abs(loud[-300:] - soft[-300:])) < 0.05


def test_the_mean_forgets_but_never_counts_silence_as_loud():
    levels = np.concatenate([np.full((600, BANKS), 2, np.float32), np.full((5, BANKS), 15, np.float32)])
    made, mean = levelled(levels, np.full(BANKS, MEAN, np.float32))
    assert (made[590:600] == (2 - FLOOR) / EASE).all()
    assert (made[600] == (15 - FLOOR) / EASE).all()
    assert (mean < FLOOR).all()


def test_a_stream_that_is_only_ended_tells_nothing():
    assert NETWORK.begin().end().shape == (0, len(VISEMES))
    assert Rows().end().shape == (0, BANKS)
