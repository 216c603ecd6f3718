"""Seed 000's layout: its published numbers, its files and lists, and what it gets wrong put right."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import wavfile

from phonoscope.core.errors import UsageError
from phonoscope.core.istft import istft
from phonoscope.core.masks import recovered
from phonoscope.corpora.avspeech import read_valid, write_rows
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.data.mix_avspeech import peak_normalised, seed_arrays, spectrum, write_avspeech
from phonoscope.data.mix_lists import Example, example_of, read_examples, write_examples
from phonoscope.data.mix_plan import PlanParams, plan_mixtures
from phonoscope.data.mixing import MixParams
from phonoscope.testing.packs import stamps, tree
from phonoscope.testing.talkers import talkers

CLIPS = {f"{split}/{who}/talk": 80 for split, people in (("training", "abcd"), ("validation", "ef")) for who in people}


def write(store, root, mix=None, **params):
    plan = plan_mixtures(store, PlanParams(**params), mix or MixParams(), one_each=True)
    return [*write_avspeech(plan, root)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store whose clips are rows 100 to 105 of a catalogue, and its mixtures on disk; only read."""
    root = tmp_path_factory.mktemp("made")
    store = talkers(root / "films", CLIPS)
    for row, id in enumerate(store, 100):
        write_rows(store[id], [Row(row=row, video=id, start_s=0.12, stop_s=3.3, x=0.15, y=0.35)])
    assert all(it.made and not it.failure for it in write(store, root / "database"))
    return store, root / "database"


def lines(root: Path, name: str) -> list[str]:
    text = (root / name).read_text()
    assert text == "" or text.endswith("\n")
    return text.splitlines()


def test_spectra_and_masks_have_the_published_numbers():
    n = np.arange(48000)
    one, two = 0.5 * np.sin(2 * np.pi * 440 * n / 16000), 0.4 * np.sin(2 * np.pi * 1000 * n / 16000 + 0.3)
    made = seed_arrays(np.stack([one, two]))
    assert made.mixture.shape == (298, 257, 2) and made.masks.shape == (2, 298, 257, 2)
    assert made.mixture.dtype == made.masks.dtype == np.float64
    assert spectrum(one)[100, 14] == pytest.approx(12.348736 - 48.192635j, abs=1e-6)
    np.testing.assert_allclose(made.mixture[100, 14], [6.174332, -24.096059], atol=1e-6)
    np.testing.assert_allclose(made.mixture[100, 32], [5.895738, -19.059196], atol=1e-6)
    np.testing.assert_allclose(made.masks[0, 100, 14], [0.9966903, -1.166e-6], atol=1e-7)


@pytest.mark.parametrize(("samples", "rows"), [(48000, 298), (47999, 297), (48160, 299), (44100, 273)])
def test_rows_are_as_many_as_published(samples, rows):
    assert spectrum(np.zeros(samples)).shape == (rows, 257)


def test_masks_give_back_the_voices():
    rng = np.random.default_rng(0)
    voices = rng.normal(0, 0.1, (3, 48000)) * (1 + np.sin(np.arange(48000) / np.array([[900], [1300], [700]])))
    made = seed_arrays(voices)
    mixture = made.mixture[..., 0] + 1j * made.mixture[..., 1]
    for voice, mask in zip(voices, made.masks, strict=True):
        heard = istft(recovered(mask[..., 0] + 1j * mask[..., 1]) * mixture, 48000, 16000)[80:-48]
        true = voice[80:-48]
        assert 10 * np.log10(np.sum(true**2) / np.sum((heard - true) ** 2)) > 30


@given(st.floats(1e-6, 1), st.integers(0, 50))
def test_peaks_are_one_and_silence_stays_silent(loud, samples):
    sound = (loud * np.random.default_rng(samples).normal(size=samples)).astype(np.float32)
    made = peak_normalised(sound)
    assert made.dtype == np.float32 and len(made) == samples
    assert samples == 0 or np.abs(made).max() == 1
    assert not peak_normalised(np.zeros(9, np.float32)).any()


def test_files_are_those_of_the_seed(made):
    _, root = made
    examples = read_examples(root / "dataset.txt")
    assert len(examples) == 7  # 6 pairs of 4 voices, 1 of 2
    for it in examples:
        mixture = np.load(root / "mix" / it.mixture)
        assert mixture.shape == (298, 257, 2) and mixture.dtype == np.float64
        masks = [np.load(root / "crm" / name) for name in it.masks]
        assert all(mask.shape == (298, 257, 2) and np.abs(mask).max() <= 10 for mask in masks)
        rate, sound = wavfile.read(root / "mix_wav" / it.mixture.replace(".npy", ".wav"))
        alone = [wavfile.read(root / "norm_audio_train" / f"trim_audio_train{id}.wav")[1] for id in it.ids]
        assert rate == 16000 and sound.dtype == np.float32 and all(np.abs(voice).max() == 1 for voice in alone)
        np.testing.assert_allclose(sound, (alone[0] + alone[1]) / 2, atol=1e-7)
        singles = [np.load(root / "single" / f"single-{id:05d}.npy") for id in it.ids]
        np.testing.assert_allclose(sum(singles) / 2, mixture, atol=1e-5)
    assert lines(root, "mix_log.txt") == [it.mixture for it in examples]
    assert lines(root, "crm_log.txt") == [mask for it in examples for mask in it.masks]
    assert lines(root, "single_TF.txt") == [f"single-{id:05d}.npy" for id in range(100, 106)]


def test_lists_lose_no_line_and_no_speaker_is_in_two(made):
    _, root = made
    train, val = (read_examples(root / f"dataset_{name}.txt") for name in ("train", "val"))
    assert len(train) == 6 and len(val) == 1 and lines(root, "dataset_test.txt") == []
    assert sorted(it.line for it in train + val) == sorted(lines(root, "dataset.txt"))
    assert not {id for it in train for id in it.ids} & {id for it in val for id in it.ids}
    for name, plain in (("train", train), ("val", val)):
        seen = read_examples(root / f"AVdataset_{name}.txt")
        assert seen == [it.with_faces() for it in plain]
        assert all(it.faces == tuple(f"{id:05d}_face_emb.npy" for id in it.ids) for it in seen)


def test_ids_are_the_rows_of_the_catalogue(made):
    store, root = made
    rows = [*csv.DictReader((root / "ids.csv").read_text().splitlines())]
    assert [(int(row["id"]), row["recording"]) for row in rows] == list(zip(range(100, 106), store, strict=True))
    assert {(row["start_frame"], row["stop_frame"]) for row in rows} == {("3", "78")}
    assert read_valid(root / "valid_frame.txt") == {*range(100, 106)}


def test_the_same_again_makes_nothing_and_adds_no_line(made, tmp_path):
    store, root = made
    before = stamps(root)
    assert not any(it.made or it.failure for it in write(store, root)) and stamps(root) == before
    write(store, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(root)


def test_fewer_are_only_those_that_are_listed(made, tmp_path):
    (tmp_path / "valid.txt").write_text("frame_100\nframe_103\n")
    told = write(made[0], tmp_path / "database", valid=tmp_path / "valid.txt", split=("training",))
    assert len(told) == 1 and len([*(tmp_path / "database" / "mix").iterdir()]) == 1
    assert {id for it in read_examples(tmp_path / "database" / "dataset.txt") for id in it.ids} == {100, 103}


def test_sound_as_it_is_and_three_speakers(made, tmp_path):
    mix = MixParams(speakers=3, normalise="none")
    assert len(write(made[0], tmp_path / "database", mix, max=2, seconds=2)) == 2
    (first, second) = read_examples(tmp_path / "database" / "dataset_train.txt")
    assert len(first.masks) == len({*second.ids}) == 3
    assert np.load(tmp_path / "database" / "mix" / first.mixture).shape == (198, 257, 2)
    assert (tmp_path / "database" / "audio_train" / f"trim_audio_train{first.ids[0]}.wav").exists()


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(0, 99999), min_size=1, max_size=5, unique=True), max_size=6), st.booleans())
def test_lists_come_back_as_they_were_whatever_the_number_of_speakers(tmp_path_factory, every, faces):
    path = tmp_path_factory.mktemp("lists") / "dataset.txt"
    examples = [it.with_faces() if faces else it for it in map(example_of, every)]
    write_examples(path, examples)
    assert read_examples(path) == examples and [list(it.ids) for it in examples] == every


def test_a_line_is_the_seeds():
    made = example_of([3, 12]).with_faces()
    assert made.line == (
        "mix-00003-00012.npy crm-00003-00012-00003.npy crm-00003-00012-00012.npy 00003_face_emb.npy 00012_face_emb.npy"
    )
    assert Example(made.mixture, made.masks) == example_of((3, 12))


@pytest.mark.parametrize(
    "line",
    ["mix-00001.npy", "mix-a-b.npy crm-1 crm-2", "crm-00001-00002-00001.npy", "mix-1-2.npy crm-1-2-1.npy",
     "mix-1-2.npy crm-1-2-1.npy crm-1-2-2.npy 1_face_emb.npy"],
)  # fmt: skip
def test_a_line_that_is_none_is_told(tmp_path, line):
    (tmp_path / "list.txt").write_text(f"{example_of([1, 2]).line}\n\n{line}\n")
    with pytest.raises(UsageError, match=r"list.txt', line 3: .* is no example"):
        read_examples(tmp_path / "list.txt")


def test_what_the_seed_has_not_is_refused(made, tmp_path):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "a.wav").touch()
    for params, mix, said in (
        ({"noise": tmp_path / "noise"}, MixParams(), "knows no --noise"),
        ({"responses": tmp_path / "noise"}, MixParams(), "knows no --responses"),
        ({}, MixParams(normalise="loudness"), "--normalise peak or none"),
    ):
        with pytest.raises(UsageError, match=said):
            write(made[0], tmp_path / "database", mix, **params)
    assert not (tmp_path / "database").exists()
