"""The sound of any file: as long as it is, at the rate that is asked for."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import RecordingFailed
from phonoscope.media.probe import probe
from phonoscope.media.sound import listened, read_sound


def test_sound_at_its_own_rate_comes_back_as_it_is(tmp_path):
    audio = np.random.default_rng(0).uniform(-1, 1, 70_001).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", audio, 16000, "FLOAT")
    np.testing.assert_array_equal(np.concatenate([*read_sound(tmp_path / "a.wav", 16000)]), audio)


@given(samples=st.integers(10, 30_000), rate=st.sampled_from([8000, 11025, 22050, 44100, 48000]))
def test_a_sound_lasts_as_long_at_another_rate(tmp_path_factory, samples, rate):
    path = tmp_path_factory.mktemp("sounds") / "a.wav"
    soundfile.write(path, np.zeros(samples, np.float32), rate)
    heard = sum(map(len, read_sound(path, 16000)))
    assert abs(heard - samples * 16000 / rate) <= 1
    assert listened(path).duration_s == pytest.approx(samples / rate, abs=1e-3)


def test_a_tone_is_heard_when_it_sounds_whatever_the_file(tmp_path):
    audio = np.zeros((48000, 2), np.float32)
    audio[12000:24000] = 0.5 * np.sin(np.arange(12000) * 0.1)[:, None]
    for name, subtype in (("a.wav", "PCM_24"), ("a.flac", None), ("a.ogg", None), ("a.mp3", None)):
        soundfile.write(tmp_path / name, audio, 48000, subtype)
        heard = np.concatenate([*read_sound(tmp_path / name, 16000)])
        loud = np.flatnonzero(np.abs(heard) > 0.2) / 16000
        assert (loud[0], loud[-1]) == pytest.approx((0.25, 0.5), abs=0.03), name
        assert np.abs(heard).max() == pytest.approx(0.5, abs=0.05), "channels are mixed, not added up"


def test_a_film_sounds_on_the_clock_of_its_pictures(puppets):
    found = probe(puppets, None, 16000)
    assert sum(map(len, read_sound(puppets, 16000))) == found.num_samples
    assert listened(puppets).film


def test_what_cannot_be_heard_is_named(tmp_path, silent_puppet):
    (tmp_path / "broken.wav").write_text("no sound")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16000)
    for path, said in (
        (tmp_path / "broken.wav", "cannot be opened"),
        (tmp_path / "empty.wav", "has no sound: not one sample can be decoded"),
        (silent_puppet, "has no sound that can be decoded"),
        (tmp_path / "gone.wav", "there is no file"),
    ):
        with pytest.raises(RecordingFailed, match=said):
            list(read_sound(path, 16000))
