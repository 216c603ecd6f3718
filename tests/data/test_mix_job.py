"""Mixtures on disk: what is in them, who is in them, and that they go on after whatever happens."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks
from phonoscope.data.mix_folder import MixFolder
from phonoscope.data.mix_job import read_mixtures, write_mixtures
from phonoscope.data.mix_plan import PlanParams, plan_mixtures
from phonoscope.data.mixing import MixParams, active_rms
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.testing.packs import stamps, tree
from phonoscope.testing.talkers import VLOGS, add_talker, talkers

P = PlanParams(max=14, seconds=1)


def written(store, root, p=P, mix=None):
    return [*write_mixtures(plan_mixtures(store, p, mix or MixParams()), root)]


def sound_of(path):
    return soundfile.read(path, dtype="float32")[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store, and its mixtures on disk; only read."""
    root = tmp_path_factory.mktemp("made")
    store = talkers(root / "films", VLOGS)
    assert all(it.made and not it.failure for it in written(store, root / "mixtures"))
    return store, root / "mixtures"


@pytest.fixture
def store(made, tmp_path):
    """A copy of that store which may be written to."""
    shutil.copytree(made[0].root, tmp_path / "films")
    return Store(tmp_path / "films")


def test_the_mixture_is_the_sum_of_its_voices_which_are_those_of_the_list(made):
    store, root = made
    for split in ("training", "validation", "test"):
        rows = read_mixtures(root / split / "mixtures.parquet")
        assert [it["mixture"] for it in rows] == sorted(path.stem for path in (root / split / "mix").iterdir())
        for row in rows:
            name = f"{row['mixture']}.wav"
            voices = np.stack([sound_of(root / split / f"s{k}" / name) for k in (1, 2)])
            mixture = sound_of(root / split / "mix" / name)
            assert soundfile.info(root / split / "mix" / name).subtype == "FLOAT" and len(mixture) == 16000
            np.testing.assert_allclose(mixture, voices.sum(0), atol=1e-6)
            assert np.abs(mixture).max() == pytest.approx(0.99, abs=1e-6)
            ratio = 20 * np.log10(active_rms(voices[0]) / active_rms(voices[1]))
            assert ratio == pytest.approx(row["snr_db"][1], abs=1e-3)
            for voice, id, start in zip(voices, row["recordings"], row["starts"], strict=True):
                own = store[id].audio()[start * 640 :][:16000]
                np.testing.assert_allclose(voice / np.abs(voice).max(), own / np.abs(own).max(), atol=1e-5)


def test_no_speaker_is_in_two_sets_or_twice_in_a_mixture_and_no_mixture_is_made_twice(made):
    _, root = made
    rows = [row for path in root.glob("*/mixtures.parquet") for row in read_mixtures(path)]
    people = {split: {who for row in rows if row["split"] == split for who in row["speakers"]} for split in
              ("training", "validation", "test")}  # fmt: skip
    assert sum(map(len, people.values())) == len(set().union(*people.values())) == 7
    assert all(len({*row["speakers"]}) == 2 for row in rows)
    assert len({frozenset(zip(row["recordings"], row["starts"], strict=True)) for row in rows}) == len(rows) == P.max


@pytest.mark.parametrize("clips", range(2, 9))
def test_any_number_of_clips_will_do(tmp_path, clips):
    store = talkers(tmp_path / "films", {f"training/who{k}/talk": 30 for k in range(clips)})
    plan = plan_mixtures(store, PlanParams(seconds=1), MixParams())
    assert len(plan) == len([*plan.sets["training"]]) == clips * (clips - 1) // 2


def test_the_same_again_makes_nothing_and_elsewhere_gives_the_same_bytes(made, tmp_path):
    store, root = made
    before = stamps(root)
    assert not any(it.made or it.failure for it in written(store, root)) and stamps(root) == before
    written(store, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(root)


def test_another_seed_gives_other_mixtures_and_what_is_no_longer_asked_for_goes(made, tmp_path):
    shutil.copytree(made[1], tmp_path / "mixtures")
    assert all(it.made for it in written(made[0], tmp_path / "mixtures", P, MixParams(seed=1)))
    told = written(made[0], tmp_path / "mixtures", PlanParams(max=3, seconds=1), MixParams(seed=1))
    names = {path.stem for path in (tmp_path / "mixtures").glob("*/s2/*.wav")}
    assert names == {it.name.split("/")[1] for it in told} and len(names) == 3


def test_a_mixture_of_fewer_voices_has_no_more_than_these(tmp_path):
    store = talkers(tmp_path / "films", {f"training/who{k}/talk": 30 for k in range(4)})
    written(store, tmp_path / "mixtures", P, MixParams(speakers=3))
    written(store, tmp_path / "mixtures")
    assert {it.parent.name for it in (tmp_path / "mixtures").rglob("*.wav")} == {"mix", "s1", "s2"}


def test_half_a_mixture_by_other_settings_is_not_taken_for_the_old_one(tmp_path, monkeypatch):
    store, root = talkers(tmp_path / "films", {f"training/who{k}/talk": 30 for k in range(2)}), tmp_path / "mixtures"
    written(store, root)
    before = tree(root)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(MixFolder, "_size", killed)  # asked when all files lie there, before their line
        patch.setattr(MixFolder, "has", lambda *_: False)
        written(store, root, P, MixParams(seed=1))
    written(store, root)
    assert {name: it for name, it in tree(root).items() if name.endswith(".wav")} == {
        name: it for name, it in before.items() if name.endswith(".wav")
    }


def test_other_sets_stay_when_one_is_made(made, tmp_path):
    shutil.copytree(made[1], tmp_path / "mixtures")
    before = tree(tmp_path / "mixtures" / "training")
    written(made[0], tmp_path / "mixtures", PlanParams(max=2, seconds=1, split=("test",)))
    assert tree(tmp_path / "mixtures" / "training") == before
    assert len([*(tmp_path / "mixtures" / "test" / "mix").iterdir()]) == 2


def test_what_was_spoilt_is_made_anew_and_nothing_else(made, tmp_path):
    store, root = made
    shutil.copytree(root, tmp_path / "mixtures")
    victim = next((tmp_path / "mixtures" / "test" / "s1").iterdir())
    victim.write_bytes(b"RIFF")
    assert [it.name for it in written(store, tmp_path / "mixtures") if it.made] == [f"test/{victim.stem}"]
    assert tree(tmp_path / "mixtures" / "test") == tree(root / "test")


def test_killed_at_any_touch_it_goes_on(made, tmp_path):
    program = Path(__file__).with_name("kill_mixing.py")
    told = subprocess.run(
        [sys.executable, program, made[0].root, tmp_path], capture_output=True, text=True, check=True, timeout=280
    )
    said = json.loads(told.stdout)
    assert said["bad"] == [] and said["kills"] >= 5


def test_noise_and_rooms_are_laid_in_and_told(made, tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("noise", "rooms"):
        (tmp_path / folder).mkdir()
    soundfile.write(tmp_path / "noise" / "babble.wav", rng.uniform(-0.5, 0.5, (44100, 2)), 44100)  # at another rate
    soundfile.write(tmp_path / "rooms" / "hall.wav", np.exp(-np.arange(800) / 90) * rng.uniform(-1, 1, 800), 16000)
    p = PlanParams(max=2, seconds=1, split=("test",), noise=tmp_path / "noise", responses=tmp_path / "rooms")
    assert not any(it.failure for it in written(made[0], tmp_path / "mixtures", p, MixParams(noise_db=(6, 6))))
    for row in read_mixtures(tmp_path / "mixtures" / "test" / "mixtures.parquet"):
        parts = [
            sound_of(tmp_path / "mixtures" / "test" / at / f"{row['mixture']}.wav") for at in ("s1", "s2", "noise")
        ]
        np.testing.assert_allclose(
            sound_of(tmp_path / "mixtures" / "test" / "mix" / f"{row['mixture']}.wav"), sum(parts), atol=1e-6
        )
        level = np.sqrt(np.mean(parts[2].astype(float) ** 2))
        assert 20 * np.log10(active_rms(parts[0] + parts[1]) / level) == pytest.approx(6, abs=0.01)
        assert (row["noise"], row["responses"], row["noise_db"]) == ("babble.wav", ["hall.wav"] * 2, 6)


def test_a_sound_that_cannot_be_heard_fails_its_mixtures_alone(made, tmp_path):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "no.wav").write_text("this is no sound")
    told = written(made[0], tmp_path / "mixtures", PlanParams(max=2, seconds=1, noise=tmp_path / "noise"))
    assert [it.failure.reason for it in told] == ["unreadable"] * 2 and "no.wav" in told[0].failure.message
    assert not [*(tmp_path / "mixtures").rglob("*.wav")]


def replace_sound(stored, sound):
    soundfile.write(stored.folder / "audio.flac", sound, 16000, subtype="PCM_16")


def test_silent_short_and_clipped_voices_are_told_and_nothing_is_nan(store, tmp_path):
    ids = [*store]
    samples = store[ids[0]].recording.num_samples
    replace_sound(store[ids[0]], np.zeros(samples))
    replace_sound(store[ids[1]], np.sign(np.random.default_rng(0).normal(size=store[ids[1]].recording.num_samples)))
    nearly = np.zeros(store[ids[2]].recording.num_samples)
    nearly[5 * 640 : 8 * 640] = 0.5
    replace_sound(store[ids[2]], nearly)
    plan = plan_mixtures(store, P, MixParams())
    assert plan.left_out[f"{ids[0]} [3, 28)"] == "digital silence"
    assert "clipped: 100" in plan.notes[f"{ids[1]} [3, 28)"]
    assert plan.left_out[f"{ids[2]} [3, 28)"] == "the voice is heard in 12% of it"
    for told in write_mixtures(plan, tmp_path / "mixtures"):
        split, name = told.name.split("/")
        assert not told.failure and np.isfinite(sound_of(tmp_path / "mixtures" / split / "mix" / f"{name}.wav")).all()


def test_voices_shorter_than_a_mixture_are_told_how_short_they_are(tmp_path):
    store = talkers(tmp_path / "films", {"training/a/x": 75, "training/b/x": 80, "training/c/x": 7})
    plan = plan_mixtures(store, PlanParams(), MixParams())
    assert len(plan) == 1 and [*plan.left_out.values()] == ["0.28 s, a mixture has 3.00 s"]


def test_faces_that_are_missing_too_long_are_told(store):
    stored = store[next(iter(store))]
    box = np.zeros((50, 4), np.float32)
    track = Track(0, 3, box, np.ones(50, np.float32), np.arange(50) % 25 >= 7)
    stored.save("tracks", Tracks((track,)), Receipt(key="gaps", step="tracks", version=1))
    plan = plan_mixtures(store, PlanParams(seconds=1, max_missing=0.1), MixParams())
    left_out = {why for name, why in plan.left_out.items() if name.startswith(stored.folder.name)}
    assert left_out == {"the face is missing in 28% of it"}


def test_one_speaker_is_not_enough_and_it_is_said(tmp_path):
    store = talkers(tmp_path / "films", {"training/ana/talk": 90, "training/ana/walk": 90})
    with pytest.raises(UsageError, match=r"a mixture wants 2 speakers .*speakers: 1 in training"):
        plan_mixtures(store, PlanParams(), MixParams())
    add_talker(store, "training/bo/talk", 90)
    assert len(plan_mixtures(store, PlanParams(), MixParams())) == 2
    with pytest.raises(UsageError, match="a mixture wants 2 speakers of one set, 'test' has too few"):
        plan_mixtures(store, PlanParams(split=("test",)), MixParams())
    with pytest.raises(UsageError, match="--count 3 mixtures, but there are 2 in training"):
        plan_mixtures(store, PlanParams(count=3), MixParams())


def test_a_limit_is_a_limit_and_a_count_is_exact(made):
    for p in (PlanParams(max=5, seconds=1), PlanParams(count=5, seconds=1)):
        plan = plan_mixtures(made[0], p, MixParams())
        assert len(plan) == sum(len([*it]) for it in plan.sets.values()) == 5
    assert len(plan_mixtures(made[0], PlanParams(max=10**6, seconds=1), MixParams())) == 80


def test_films_without_a_corpus_are_parted_by_people_too(tmp_path):
    store = talkers(tmp_path / "films", {f"clip{k}": 30 for k in range(12)}, listed=False)
    plan = plan_mixtures(store, PlanParams(seconds=1, shares=(0.5, 0.5, 0)), MixParams())
    speakers = [{it.voice.speaker for it in part.pieces} for part in plan.sets.values()]
    assert len(speakers) == 2 and not speakers[0] & speakers[1]


def test_a_set_of_its_own_name_is_mixed_too(store):
    for id, who in zip(store, "abcdefghijklmn", strict=True):
        store[id].list_as(Listed("vlogs", f"x/{who}/{id}.mp4", who, "swahili"))
    assert [*plan_mixtures(store, P, MixParams()).sets] == ["swahili"]


def test_the_list_says_what_it_is(made, tmp_path):
    pq.write_table(
        pq.read_table(made[1] / "test" / "mixtures.parquet").replace_schema_metadata(), tmp_path / "x.parquet"
    )
    with pytest.raises(UsageError, match="lists no mixtures"):
        read_mixtures(tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="cannot be read"):
        read_mixtures(tmp_path / "nowhere.parquet")


@pytest.mark.parametrize(
    ("place", "said"),
    [("films/recordings/x", "lies among"), ("films/store.json", "is a file"), ("films", "other things")],
)
def test_other_places_are_left_alone(store, place, said):
    with pytest.raises(UsageError, match=said):
        written(store, store.root.parent / place)
