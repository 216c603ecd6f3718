"""Plain clips: film, sound and words of the very same frames, and only what has changed is made again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import TrackTable
from phonoscope.core.time import Span
from phonoscope.data.pack import ClipsParams, pack
from phonoscope.data.pack.about import labelled
from phonoscope.data.pack.speaking import runs
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.testing.known import PAIR as SCENE
from phonoscope.testing.known import known_points, save_asd
from phonoscope.testing.packs import rows_of, stamps, tree

SMALL = ClipsParams(size=64)


@pytest.fixture(scope="module")
def made(two_films, tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("made") / "clips"
    assert all(told.failure is None for told in pack(two_films, to, "clips", params=SMALL).carry_out())
    return to


def told(store, to, **settings):
    return {it.recording: it for it in pack(store, to, "clips", params=replace(SMALL, **settings)).carry_out()}


def pages(folder: Path) -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json"))}


def test_film_sound_and_page_are_of_the_same_frames(two_films, store, made):
    found = pages(made)
    mute, (id, *_) = next(it for it in store if it.startswith("mute")), [*store]
    assert [*found] == [f"{id}_0", f"{id}_1", mute]
    for name, page in found.items():
        folder, span = made / page["split"], Span(page["start_frame"], page["stop_frame"])
        with av.open(str(folder / f"{name}.mp4")) as film:
            frames = list(film.decode(video=0))
            assert len(frames) == page["frames"] == len(span) and {(it.width, it.height) for it in frames} == {(64, 64)}
            assert bool(film.streams.audio) == (page["sample_rate"] > 0)
        assert np.load(folder / f"{name}.landmarks.npy").shape == (len(span), 68, 2)
        if name == mute:
            assert not (folder / f"{name}.wav").exists() and page["samples"] == 0 and page["speaking"] is None
            continue
        sound, rate = soundfile.read(folder / f"{name}.wav", dtype="float32")
        assert rate == 16000 and len(sound) == page["samples"] == len(span) * 640
        np.testing.assert_array_equal(sound, store[id].audio(span))
        rows = np.load(folder / f"{name}.mfcc.npy")
        np.testing.assert_array_equal(rows[:, 0], np.arange(4 * span.start, 4 * span.stop))
        assert page["speaking"] == [{"start": 0, "stop": 15, "start_s": 0.0, "stop_s": 0.6}]


def test_landmarks_lie_on_the_film(made, store):
    name, page = next(iter(pages(made).items()))
    points = np.load(made / page["split"] / f"{name}.landmarks.npy")
    scale = page["size"] / page["side"]
    np.testing.assert_allclose(points, (known_points(SCENE)[0] - [page["x"], page["y"]]) * scale, atol=1e-4)


def test_without_a_size_the_film_has_as_many_pixels_as_its_square(store, tmp_path):
    (mute,) = (it for it in store if it.startswith("mute"))
    list(pack(store, tmp_path / "to", "clips", only=[mute]).carry_out())
    (page,) = pages(tmp_path / "to").values()
    assert page["size"] == page["side"] == int(rows_of(tmp_path / "to")[mute]["side"]) > 64
    with av.open(str(tmp_path / "to" / page["split"] / f"{mute}.mp4")) as film:
        assert film.streams.video[0].width == page["side"]


def test_made_twice_the_bytes_are_the_same(two_films, made, tmp_path):
    told(two_films, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(made)


def test_only_what_has_changed_is_made(store, made, tmp_path):
    to = tmp_path / "to"
    shutil.copytree(made, to)
    before, id = stamps(to), next(iter(store))
    assert not any(it.made for it in told(store, to).values()) and stamps(to) == before
    save_asd(store[id], {it.id: np.full(len(it), 3.0) for it in store[id].load("tracks")}, take=2)
    assert [len(it.made) for it in told(store, to).values()] == [2, 0]
    changed = {Path(path).name for path, stamp in stamps(to).items() if before.get(path) != stamp}
    assert changed == {f"{id}_0.json", f"{id}_1.json", "pack.jsonl"}
    assert pages(to)[f"{id}_0"]["speaking"][0]["stop"] == 30
    (lost,) = to.glob(f"*/{id}_1.wav")
    lost.unlink()
    assert told(store, to)[id].made == (f"{id}_1",) and lost.exists()


def test_a_recording_that_changes_sets_moves(store, made, tmp_path):
    to, id = tmp_path / "to", next(iter(store))
    shutil.copytree(made, to)
    store[id].list_as(Listed("vlogs", "test/ana/talk.mp4", "ana", "test"))
    told(store, to)
    assert {(page["split"], page["speaker"]) for name, page in pages(to).items() if name.startswith(id)} == {
        ("test", "ana")
    }
    assert len([*to.glob(f"*/{id}_0.mp4")]) == 1


def test_without_films_nothing_is_decoded(store, tmp_path):
    id = next(iter(store))
    (store[id].folder / "clock.parquet").unlink()
    made = told(store, tmp_path / "to", film=False)
    assert made[id].failure is None and not [*(tmp_path / "to").glob("*/*.mp4")]
    assert len([*(tmp_path / "to").glob("*/*.wav")]) == 2


def test_a_speaker_in_two_sets_stops_everything(store, tmp_path):
    for id, split in zip(store, ("train", "test"), strict=True):
        store[id].list_as(Listed("vlogs", f"{split}/ana/{id}.mp4", "ana", split))
    with pytest.raises(UsageError, match="speaker 'ana' is in test and train"):
        pack(store, tmp_path / "to", "clips")
    with pytest.raises(UsageError, match="speaker 'ana' is in test and train"):
        pack(store, tmp_path / "to", "webdataset")
    assert not (tmp_path / "to").exists()


def test_labels_are_believed_before_scores(store, tmp_path):
    stored = store[next(iter(store))]
    columns = {"entity": np.array(["bo"] * 30), "label": np.repeat(np.array([0, 1, 2], np.int8), 10)}
    labels = TrackTable(np.zeros(30, np.int32), np.arange(30, dtype=np.int32), columns)
    stored.save("labels", labels, Receipt(key="given", step=BY_CORPUS, version=1))
    told(store, tmp_path / "to", film=False)
    first, second, _ = pages(tmp_path / "to").values()
    assert (first["speaker"], first["speaking_by"]) == ("bo", "labels")
    assert [(it["start"], it["stop"]) for it in first["speaking"]] == [(10, 20)]
    assert second["speaking_by"] == "asd"


@given(heard=st.lists(st.booleans(), min_size=1, max_size=40), start=st.integers(0, 1000))
def test_labels_of_every_frame_are_taken_as_they_are(heard, start):
    said, span = np.array(heard), Span(start, start + len(heard))
    assert labelled(np.arange(span.start, span.stop), said, span, 2) == runs(said, start)


@given(at=st.lists(st.integers(0, 60), min_size=1, max_size=20, unique=True), near=st.integers(1, 5))
def test_labels_say_nothing_of_frames_further_away(at, near):
    spans = labelled(np.array(at), np.ones(len(at), bool), Span(0, 60), near)
    spoken = {frame for span in spans for frame in range(span.start, span.stop)}
    assert spoken == {frame for frame in range(60) if min(abs(frame - it) for it in at) <= near}


def test_an_odd_size_is_refused():
    with pytest.raises(UsageError, match="even"):
        ClipsParams(size=63)
