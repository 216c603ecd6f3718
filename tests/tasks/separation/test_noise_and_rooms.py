"""Noise and rooms in the mixtures that a network learns from: at the level that was asked for, the same each time."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")

from phonoscope.core.errors import UsageError
from phonoscope.data.mix_sounds import Sounds
from phonoscope.data.mixing import active_rms, reverberant
from phonoscope.tasks.separation.examples import Batches, Material, Mixed, draw
from phonoscope.tasks.separation.material import found_in
from phonoscope.tasks.separation.params import ExamplesParams
from phonoscope.testing.talkers import talkers

sys.path.insert(0, str(Path(__file__).parent))
from stand_in import material

FEW = ExamplesParams(frames=30, gains="equal", normalise="none", noise_db=(6.0, 6.0), still=0.0, hide=0.0)


@pytest.fixture
def folders(tmp_path) -> tuple[Path, Path]:
    """Two noises, one of them at another rate and in stereo, and a room."""
    rng = np.random.default_rng(0)
    noise, rooms = tmp_path / "noise", tmp_path / "rooms"
    noise.mkdir()
    rooms.mkdir()
    soundfile.write(noise / "hiss.wav", rng.uniform(-0.5, 0.5, 30000), 16000)
    soundfile.write(noise / "hum.wav", rng.uniform(-0.1, 0.1, (9000, 2)), 44100)
    soundfile.write(rooms / "hall.wav", ECHO, 16000, subtype="FLOAT")
    return noise, rooms


ECHO = np.pad(np.array([0.8], np.float32), (0, 500)) + np.pad(np.array([0.4], np.float32), (500, 0))


def within(sounds: Sounds) -> Material:
    return Material(material().voices, lambda voice: voice.face(), sounds)


def drawn(sounds: Sounds, seed: int = 0, p: ExamplesParams = FEW) -> Mixed:
    return draw(within(sounds), "training", p, np.random.default_rng(seed))


@pytest.mark.parametrize("noise_db", [-3.0, 6.0, 20.0])
def test_noise_is_as_far_below_all_voices_as_was_asked_for(folders, noise_db):
    for seed in range(4):
        it = drawn(Sounds(folders[0]), seed, replace(FEW, noise_db=(noise_db, noise_db)))
        noise = it.sound.astype(float) - it.voices.sum(0)
        level = 20 * np.log10(active_rms(it.voices.sum(0)) / np.sqrt(np.mean(noise**2)))
        assert level == pytest.approx(noise_db, abs=0.01)


def test_a_room_answers_to_each_voice_and_takes_none_of_its_time(folders, tmp_path):
    """With a room that only answers at once voices are what they are; in the hall each has its echo."""
    (tmp_path / "open").mkdir()
    soundfile.write(tmp_path / "open" / "air.wav", np.ones(1, np.float32), 16000, subtype="FLOAT")
    dry, wet = drawn(Sounds(None, tmp_path / "open")), drawn(Sounds(None, folders[1]))
    np.testing.assert_allclose(dry.voices, drawn(Sounds()).voices, atol=1e-6)
    for voice, in_hall in zip(dry.voices, wet.voices, strict=True):
        np.testing.assert_allclose(in_hall, reverberant(voice, ECHO), atol=1e-5)
        assert np.abs(in_hall - voice).max() > 0.01


def test_the_same_numbers_give_the_same_noise_in_every_set(folders):
    for split in ("training", "validation", "test"):
        one, two, other = (
            Batches(within(Sounds(*folders)), split, 1, replace(FEW, mix_seed=seed), 0, list).mixture(3)
            for seed in (0, 0, 1)
        )
        assert np.array_equal(one.sound, two.sound) and not np.array_equal(one.sound, other.sound)
        assert np.abs(one.sound - one.voices.sum(0)).max() > 1e-3, "there is noise in it"
        assert np.isfinite(one.sound).all() and np.isfinite(one.voices).all()


def test_without_folders_chance_is_left_as_it_was():
    rng, fresh = np.random.default_rng(0), np.random.default_rng(0)
    assert Sounds().drawn(2, rng) == (None, None) and rng.random() == fresh.random()


def test_folders_that_will_not_do_are_one_line_before_anything_is_learnt(folders, tmp_path):
    store = talkers(tmp_path / "films", {"training/ana/talk": 60})
    (tmp_path / "none").mkdir()
    for how, said in (
        ({"noise": str(tmp_path / "nowhere")}, "--noise '.*nowhere': there is no such folder"),
        ({"responses": str(tmp_path / "none")}, "--responses '.*none': no sound in it, expected files .wav"),
    ):
        with pytest.raises(UsageError, match=said):
            found_in(store.root, ExamplesParams(**how), sees=False)
    found = found_in(store.root, ExamplesParams(noise=str(folders[0]), responses=str(folders[1])), sees=False)
    assert (found.material.sounds.noises, found.material.sounds.rooms) == (("hiss.wav", "hum.wav"), ("hall.wav",))
    with pytest.raises(UsageError, match=r"noise_db must be a lower and an upper bound, got 9.0 1.0"):
        ExamplesParams(noise_db=(9.0, 1.0))


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_room_that_says_nothing_is_named(tmp_path, value):
    """What is no number is silence to us."""
    soundfile.write(tmp_path / "odd.wav", np.full(90, value, np.float32), 16000, subtype="FLOAT")
    with pytest.raises(UsageError, match=r"the impulse response 'odd\.wav' is silent"):
        drawn(Sounds(None, tmp_path))
