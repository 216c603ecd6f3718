"""The voice detector, against the one-pass export of the same network that its authors ship beside it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phonoscope.models.backends.silero import CHUNK, CONTEXT, Silero
from phonoscope.models.cards import Card

SEQUENCE = replace(
    Silero.card,
    name="silero-sequence",
    sources=("wheel:silero-vad==6.2.3/silero_vad/data/silero_vad_16k_sequence.onnx",),
    sha256="9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",
    size=1246165,
)


@pytest.fixture(scope="module")
def silero(from_index: Callable[[Card], Path]) -> Silero:
    return Silero(from_index(Silero.card))


def speech(shared_data: Path, name: str) -> np.ndarray:
    import soundfile

    audio, rate = soundfile.read(shared_data / "e_clean_speech" / "librispeech_test-other" / name, dtype="float32")
    assert rate == 16000
    return audio


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 161, 511, 512, 513, 16000])
def test_there_is_a_row_for_every_10_ms_begun(silero: Silero, samples: int) -> None:
    said = silero(np.zeros(samples, np.float32))
    assert said.shape == (-(-samples // 160),)
    assert said.dtype == np.float32
    assert ((said >= 0) & (said <= 1)).all()


def test_silence_noise_and_tones_are_no_speech(silero: Silero) -> None:
    hiss = np.random.default_rng(0).normal(0, 0.01, 32000).astype(np.float32)
    tone = (0.3 * np.sin(np.arange(32000) * 2 * np.pi * 440 / 16000)).astype(np.float32)
    for sound in (np.zeros(32000, np.float32), hiss, tone):
        assert silero(sound).max() < 0.2


@pytest.mark.parametrize("audio", [np.zeros((2, 160), np.float32), np.zeros(160), np.zeros(160, np.int16)])
def test_what_is_no_mono_float32_sound_is_refused(silero: Silero, audio: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected audio"):
        silero(audio)


def test_what_comes_later_changes_nothing_but_the_last_chunk_before_it(silero: Silero) -> None:
    generator = np.random.default_rng(1)
    first, later = generator.normal(0, 0.1, (2, 32 * CHUNK)).astype(np.float32)
    alone = silero.chunks(first)
    together = silero.chunks(np.concatenate([first, later]))
    assert np.array_equal(together[: len(alone)], alone)
    assert np.array_equal(silero.chunks(first), alone)  # and nothing is left over from one call to the next


@pytest.mark.real
def test_speech_between_silences_is_found_where_it_is(silero: Silero, shared_data: Path) -> None:
    said = speech(shared_data, "1688-142285-0003.flac")
    hush = np.random.default_rng(0).normal(0, 1e-4, 32000).astype(np.float32)
    rows = silero(np.concatenate([hush, said, hush]))
    inside = slice(200, 200 + len(said) // 160)
    assert rows[:200].max() < 0.3
    assert (rows[inside] > 0.5).mean() > 0.7
    assert rows[inside.stop + 50 :].max() < 0.3


@pytest.mark.real
def test_the_authors_own_export_for_whole_recordings_says_the_same(
    silero: Silero, from_index: Callable[[Card], Path], shared_data: Path
) -> None:
    from phonoscope.models.sessions import onnx_network

    witness = onnx_network(from_index(SEQUENCE))
    audio = speech(shared_data, "3080-5032-0000.flac")
    chunks = -(-len(audio) // CHUNK)
    framed = np.zeros(CONTEXT + chunks * CHUNK, np.float32)
    framed[CONTEXT : CONTEXT + len(audio)] = audio
    windows = np.lib.stride_tricks.sliding_window_view(framed, CONTEXT + CHUNK)[::CHUNK]
    rest = np.zeros((1, 1, 128), np.float32)
    said = witness({"input": np.ascontiguousarray(windows), "h": rest, "c": rest})["speech_probs"]
    assert np.allclose(silero.chunks(audio), said, atol=1e-5)


@pytest.mark.real
def test_rows_lie_between_the_chunks_around_them(silero: Silero, shared_data: Path) -> None:
    audio = speech(shared_data, "3080-5032-0003.flac")
    chunks, rows = silero.chunks(audio), silero(audio)
    at = 10  # its centre is 16 + 32 · 10 = 336 ms, between those of rows 33 (335 ms) and 34 (345 ms)
    nearest = chunks[at - 1] + (chunks[at] - chunks[at - 1]) * 31 / 32
    assert np.isclose(rows[33], nearest, atol=1e-6)
    assert rows[0] == chunks[0]
