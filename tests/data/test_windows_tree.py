"""Windows on disk: written as AnnoTheia's fine-tuning reads them, and read in every dialect that it wrote."""

import csv
import itertools
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import python_speech_features

from phonoscope import prepare
from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.data.windows import (
    SpeakerClip,
    StoreSource,
    WindowsParams,
    min_shift,
    plan_windows,
    read_windows,
    window_arrays,
    write_windows,
)
from phonoscope.data.windows.tree import read_faces, rows_in
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.testing.packs import stamps, tree
from phonoscope.testing.talkers import VLOGS, add_talker, faces_of, save_face_crops, talkers

P = WindowsParams(n_samples=120)
HEAD = "video_id,audio_id,label,window_center,video_path,audio_path"


def written(store, to, p=P):
    return [*write_windows(plan_windows(store, p), to)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store, and its windows on disk; only read."""
    root = tmp_path_factory.mktemp("made")
    store = talkers(root / "films", VLOGS)
    assert not any(it.failure for it in written(store, root / "windows"))
    return store, root / "windows"


@pytest.fixture
def store(made, tmp_path):
    """A copy of that store which may be written to."""
    shutil.copytree(made[0].root, tmp_path / "films")
    return talkers(tmp_path / "films", {})


def test_samples_and_arrays_come_back_as_they_were(made):
    store, root = made
    plan, back = plan_windows(store, P), read_windows(root)
    assert back.samples.keys() == plan.sets.keys() and not back.left_out
    source = StoreSource(store)
    for name, part in plan.sets.items():
        for there, it in zip(part.samples, back.samples[name], strict=True):
            for one, other in zip(window_arrays(there, source), window_arrays(it, back.source), strict=True):
                np.testing.assert_array_equal(one, other)
            same = [(x.video.id, x.audio.id, x.label, x.kind, x.center, x.audio_center) for x in (there, it)]
            assert same[0] == same[1] and it.window == 25
            assert (it.video.speaker, it.video.num_frames) == (there.video.speaker, there.video.num_frames)


def test_arrays_are_as_the_seed_has_them(made):
    _, root = made
    for id, frames in VLOGS.items():
        crops, rows = (np.load(root / kind / f"{id}.npz")["data"] for kind in ("face_crops", "mfccs"))
        assert (crops.shape, crops.dtype) == ((frames, 112, 112), np.uint8)
        assert (rows.shape, rows.dtype) == ((4 * frames, 13), np.float64)


def test_every_path_in_the_csv_leads_from_its_folder_to_the_array_that_the_id_names(made):
    _, root = made
    for path in root.glob("t*.csv"):
        for row, kind in itertools.product(csv.DictReader(path.read_text().splitlines()), ("video", "audio")):
            assert (root / row[f"{kind}_path"]).is_file() and Path(row[f"{kind}_path"]).name == row[f"{kind}_id"]


def test_the_second_run_makes_nothing_new(made):
    store, root = made
    before = stamps(root)
    assert not any(it.made or it.failure for it in written(store, root))
    assert stamps(root) == before


def test_the_same_store_gives_the_same_bytes(made, tmp_path):
    store, root = made
    written(store, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(root)


def test_only_what_has_changed_is_made_anew(made, store, tmp_path):
    shutil.copytree(made[1], tmp_path / "windows")
    victim = tmp_path / "windows" / "mfccs" / "training" / "bo" / "walk.npz"
    victim.write_bytes(victim.read_bytes()[:100])
    first = next(id for id in store if "talk" in id)
    stored = store[first]
    stored.save("tracks", stored.load("tracks"), Receipt(key="another", step="tracks", version=1))
    save_face_crops(stored, faces_of(len(stored.load("tracks")[0])))
    again = [it.clip for it in written(store, tmp_path / "windows") if it.made]
    assert {it.id for it in again} == {"training/bo/walk", *(it.id for it in again if it.recording == first)}
    assert len(again) == 2


def test_what_was_stopped_goes_on_and_ends_as_if_it_had_not_been(made, tmp_path):
    store, root = made
    run = write_windows(plan_windows(store, P), tmp_path / "windows")
    first = [next(run).clip for _ in range(4)]
    run.close()
    assert not [*(tmp_path / "windows").glob("*.csv")]  # a csv means that its arrays are there
    assert [it.clip for it in written(store, tmp_path / "windows") if not it.made] == first
    assert tree(tmp_path / "windows") == tree(root)


def test_a_clip_that_fails_stops_no_other_and_its_windows_wait(store, tmp_path):
    ids = sorted(store)
    store[ids[0]].forget("face_crops")  # and there is no film
    done = written(store, tmp_path / "windows")
    (failed,) = [it for it in done if it.failure]
    assert failed.failure.reason == "missing" and failed.clip.recording == ids[0] and len(done) == len(VLOGS)
    samples = [it for its in read_windows(tmp_path / "windows").samples.values() for it in its]
    assert samples and failed.clip.id not in {clip.id for it in samples for clip in (it.video, it.audio)}
    assert json.loads((tmp_path / "windows" / "windows.json").read_text())["failed"] == [failed.clip.id]


def test_sets_that_are_no_longer_asked_for_go(store, tmp_path):
    written(store, tmp_path / "windows")
    written(store, tmp_path / "windows", WindowsParams(n_samples=120, sets=("training", "test")))
    assert read_windows(tmp_path / "windows").samples.keys() == {"training", "test"}


def test_two_clips_of_one_name_are_not_confused(tmp_path):
    names = {f"{split}/{who}{split}/0001": 70 for split in ("training", "validation", "test") for who in "ab"}
    store = talkers(tmp_path / "films", names)
    written(store, tmp_path / "windows", WindowsParams(n_samples=40))
    samples = read_windows(tmp_path / "windows").samples["training"]
    assert Counter(it.kind for it in samples) == {"positive": 20, "temporal": 10, "complete": 10}
    assert all((it.video.id != it.audio.id) == (it.kind == "complete") for it in samples)


def test_folders_with_other_things_are_left_alone(made, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="other things in it"):
        written(made[0], tmp_path)
    with pytest.raises(UsageError, match="among the recordings of the store"):
        written(made[0], made[0].root / "recordings" / "windows")


@pytest.mark.real
def test_real_speakers_hear_what_the_networks_recipe_gives(shared_data, shared_weights, tmp_path):
    films = [shared_data / "a_talking_head" / f"grid_{name}.mpg" for name in ("bbaf2n", "lbax4n")]
    assert all(it.failure is None for it in prepare(films, tmp_path / "films", ("tracks",)).carry_out())
    store = Store(tmp_path / "films")
    for id in store:
        store[id].list_as(Listed("vlogs", f"training/{id}/clip.mpg", id, "training"))
    assert not any(it.failure for it in written(store, tmp_path / "w", replace(P, sets=("training",))))
    found = read_windows(tmp_path / "w")
    for it in found.samples["training"]:
        faces, heard, missing = window_arrays(it, found.source)
        assert not missing.any() and faces.std(axis=(1, 2)).min() > 10 and (np.diff(heard[:, 0]) != 0).any()
    clip = found.samples["training"][0].audio
    stored = next(store[id] for id in store if id == clip.speaker)
    sound = np.rint(stored.audio(stored.load("tracks").tracks[0].span) * 32768)
    witness = python_speech_features.mfcc(sound, 16000, numcep=13, winlen=0.025, winstep=0.010)
    np.testing.assert_allclose(found.source.mfcc(clip)[: len(witness)], witness, atol=1e-4)  # ours is single precision


# what AnnoTheia's scripts made


def theirs(root, clips, colour=False, as_float=False):
    """A folder as AnnoTheia's scripts leave it, of clips set/speaker/clip -> frames."""
    for id, frames in clips.items():
        faces = faces_of(frames)
        faces = np.repeat(faces[..., None], 3, 3) if colour else faces
        faces = np.where(np.arange(frames).reshape(-1, *[1] * (faces.ndim - 1)) == 2, 0.0, faces) if as_float else faces
        rows = np.repeat(np.arange(4.0 * frames)[:, None], 13, 1) + 1000 * frames
        for kind, data in (("face_crops", faces), ("mfccs", rows)):
            path = root / kind / f"{id}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, data=data)


CLIPS = {"training/ana/talk": 90, "training/ana/walk": 80, "training/bo/talk_bo": 70, "test/uma/hum": 60}


def test_upstreams_rows_hear_the_clip_that_audio_id_names_not_the_path(tmp_path):
    theirs(tmp_path, CLIPS)
    video, audio = "data/face_crops/training/ana/talk.npz", "data/mfccs/training/ana/talk.npz"
    rows = [HEAD, *(f"talk.npz,{heard}.npz,{int(heard == 'talk')},40,{video},{audio}" for heard in ("talk", "walk"))]
    rows += [f"talk.npz,talk_bo.npz,0,90,{video},{audio}", f"talk.npz,talk.npz,0,20,{video},{audio}"]
    (tmp_path / "training.csv").write_text("\n".join(rows) + "\n")
    samples = read_windows(tmp_path).samples["training"]
    assert [it.kind for it in samples] == ["positive", "partial", "complete", "temporal"]
    assert [it.audio.id for it in samples] == [
        f"training/{it}" for it in ("ana/talk", "ana/walk", "bo/talk_bo", "ana/talk")
    ]
    for it in samples:
        _, heard, _ = window_arrays(it, read_windows(tmp_path).source)
        assert (heard // 1000 == it.audio.num_frames).all()  # whole windows of that clip's own sound
    assert samples[0].audio_center == 40 and abs(samples[3].audio_center - 20) >= min_shift(25)


def test_a_place_for_the_sound_is_drawn_once(tmp_path):
    theirs(tmp_path, CLIPS)
    rows = [f"talk.npz,walk.npz,0,{at},x/training/ana/talk.npz,x/training/ana/talk.npz" for at in range(12, 70)]
    (tmp_path / "train.csv").write_text("\n".join([HEAD, *rows]))
    first, again, other = (read_windows(tmp_path, seed=seed).samples["training"] for seed in (0, 0, 1))
    assert first == again != other and {12 <= it.audio_center < 68 for it in first} == {True}
    assert len({it.audio_center for it in first}) > 20


@pytest.mark.parametrize("head", ["video_id,audio_id,label,video_window_center,video_path,audio_path", HEAD])
def test_both_names_of_the_middle_are_read(tmp_path, head):
    theirs(tmp_path, CLIPS)
    row = "hum.npz,hum.npz,1,30,face_crops/test/uma/hum.npz,mfccs/test/uma/hum.npz"
    (tmp_path / "test.csv").write_text(f"{head}\n{row}\n")
    (sample,) = read_windows(tmp_path, window=51).samples["test"]
    assert (sample.center, sample.audio_center, sample.window) == (30, 30, 51)


def test_lists_of_lip_rtve_are_read(tmp_path):
    theirs(tmp_path, {"speaker008_0000": 60, "speaker008_0001": 70, "speaker015_0000": 80})
    rows = ["0,speaker008_0000,speaker008_0000,1,30", "1,speaker008_0000,speaker008_0001,0,30",
            "2,speaker008_0000,speaker015_0000,0,30"]  # fmt: skip
    (tmp_path / "dev.csv").write_text("\n".join([",video,audio,label,center", *rows]))
    samples = read_windows(tmp_path).samples["validation"]
    assert [it.kind for it in samples] == ["positive", "partial", "complete"]
    assert samples[2].video == SpeakerClip("speaker008_0000", "speaker008", "validation", 60)


def test_colour_and_float_arrays_of_older_scripts_become_grey_bytes_and_blank_frames_are_missing(tmp_path):
    for number, (colour, as_float) in enumerate([(True, False), (False, True), (True, True)]):
        theirs(tmp_path / str(number), {"a/b/c": 30}, colour, as_float)
        faces, missing = read_faces(tmp_path / str(number) / "face_crops/a/b/c.npz")
        assert faces.dtype == np.uint8 and np.flatnonzero(missing).tolist() == [2] * as_float
        np.testing.assert_array_equal(faces[~missing], faces_of(30)[~missing])
        assert rows_in(tmp_path / str(number) / "face_crops/a/b/c.npz") == 30


def test_a_clip_without_room_for_shifted_sound_is_left_out_and_counted(tmp_path, caplog):
    theirs(tmp_path, {"training/ana/short": 20})
    row = "short.npz,short.npz,0,10,face_crops/training/ana/short.npz,mfccs/training/ana/short.npz"
    (tmp_path / "training.csv").write_text(f"{HEAD}\n{row}\n{row.replace(',0,10', ',1,10')}\n")
    found = read_windows(tmp_path)
    assert [it.kind for it in found.samples["training"]] == ["positive"]
    assert [*found.left_out.values()] == [1] and "1 rows left out: a clip has no room" in caplog.text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("hum.npz,hum.npz,2,30,,", "line 2: a label is 0 or 1, got 2"),
        ("hum.npz,hum.npz,one,30,,", "line 2: label is a whole number, got 'one'"),
        ("hum.npz,hum.npz,1,99,,", "line 2: a window's centre is frame 99, but 'test/uma/hum' has 60"),
        ("hem.npz,hum.npz,1,30,,", "line 2: no 'hem.npz' in"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(tmp_path, row, said):
    theirs(tmp_path, CLIPS)
    (tmp_path / "test.csv").write_text(f"{HEAD}\n{row}\n")
    with pytest.raises(UsageError, match=said):
        read_windows(tmp_path)


def test_what_is_no_folder_of_windows_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        read_windows(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="has no csv of windows: expected training"):
        read_windows(tmp_path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no array 'data'"), (np.zeros((3, 64, 64)), r"holds \(3, 64, 64\), expected faces"),
        (np.array([{}], object), "cannot be read as npz"),
    ],
)  # fmt: skip
def test_arrays_that_are_none_are_one_line_and_no_pickle_is_opened(tmp_path, data, said):
    np.savez(tmp_path / "x.npz", **({"other": np.zeros(3)} if data is None else {"data": data}))
    with pytest.raises(UsageError, match=said):
        read_faces(tmp_path / "x.npz")


def test_a_blank_in_a_name_stays(tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    add_talker(store, "training/ana/talk show", 60)
    written(store, tmp_path / "windows")
    assert (tmp_path / "windows" / "face_crops" / "training" / "ana" / "talk show.npz").is_file()
