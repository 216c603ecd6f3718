"""Voices of a store: who speaks alone, when, with which face, in which set."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phonoscope.core.clips import Listed
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import write_rows
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.data.speaking_alone import PAUSE, going_on
from phonoscope.data.voices import voices_in
from phonoscope.store.folder import Store, StoreSettings
from phonoscope.store.receipts import Receipt
from phonoscope.testing.talkers import VLOGS, add_talker, save_labels, talkers


@pytest.fixture
def store(tmp_path):
    return talkers(tmp_path / "films", VLOGS)


@pytest.fixture
def two(tmp_path):
    """A recording of 205 frames with two faces, from frame 3 to 203 and from 10 to 110; nobody knows who speaks."""
    stored = add_talker(Store.create(tmp_path / "films"), "two", 200, listed=False)
    one = stored.load("tracks")[0]
    other = Track(1, 10, one.box[:100] + 200, np.ones(100, np.float32), np.arange(100) >= 50)
    stored.save("tracks", Tracks((one, other)), Receipt(key="two", step="tracks", version=1))
    return stored


def save(stored, name, value):
    stored.save(name, value, Receipt(key=name, step=name, version=1, inputs={"tracks": stored.receipts["tracks"].key}))


def save_scores(stored, one, other):
    track = np.repeat(np.arange(2, dtype=np.int32), [200, 100])
    frame = np.concatenate([np.arange(3, 203), np.arange(10, 110)]).astype(np.int32)
    columns = {"score": np.concatenate([one, other]).astype(np.float32)}
    save(stored, "asd", TrackTable(track, frame, columns))


def on(*spans, of):
    said = np.full(of, -1.0)
    for start, stop in spans:
        said[start:stop] = 1
    return said


def rewrite(stored, old, new):
    path = stored.folder / "recording.json"
    path.write_text(path.read_text().replace(old, new))


def store_of(stored):
    return Store(stored.folder.parents[1])


def test_the_only_face_is_whose_voice_it_is(store):
    found = voices_in(store)
    assert len(found.voices) == len(VLOGS) and not found.left_out
    for voice in found.voices:
        frames = VLOGS[next(name for name in VLOGS if name.startswith(f"{voice.split}/{voice.speaker}/"))]
        assert voice.track == 0 and voice.span.start == 3 and abs(len(voice.span) - frames) <= 7 and voice.seen == 1
        sound = voice.audio()
        assert sound.shape == (640 * len(voice.span),) and sound.dtype == np.float32
        np.testing.assert_array_equal(sound, voice.stored.audio()[3 * 640 :][: len(sound)])


def test_of_several_faces_only_the_stretches_count_in_which_one_speaks(two):
    save_scores(two, on((0, 60), (80, 200), of=200), on((40, 90), of=100))
    found = voices_in(store_of(two)).voices
    assert [(it.track, it.span) for it in found] == [(0, Span(3, 50)), (0, Span(100, 203))]  # 1 is alone for 0.8 s
    found = voices_in(store_of(two), least_s=0.5).voices
    assert (1, Span(63, 83)) in [(it.track, it.span) for it in found]


def test_labels_of_people_go_before_scores(two):
    save_scores(two, on((0, 200), of=200), on(of=100))
    labels = TrackTable(
        np.array([0, 0, 1, 1], np.int32), np.array([3, 202, 10, 109], np.int32),
        {"label": np.array([0, 1, 2, 0], np.int8)},
    )  # fmt: skip
    save(two, "labels", labels)
    (voice,) = voices_in(store_of(two)).voices
    assert voice.track == 0 and voice.span.stop == 203 and abs(voice.span.start - 103) <= 1


def test_labels_count_where_there_is_one_face_too(store):
    stored = next(store[id] for id in store)
    frames = len(stored.load("tracks")[0])
    save_labels(stored, (np.arange(frames) >= 20).astype(np.int8))
    assert voices_in(store).voices[0].span.start == 23


def test_several_faces_without_scores_are_left_out_and_it_is_said_why(two):
    said = []
    found = voices_in(store_of(two), say=said.append)
    assert found.voices == () and "2 faces, and nobody knows who speaks: `phonoscope run asd`" in said[0]
    assert list(found.left_out) == [two.folder.name]


@pytest.mark.parametrize(
    ("least_s", "max_missing", "left"),
    [(1.0, 1.0, "a face without a voice"), (9.0, 1.0, "nobody speaks alone for 9 s"), (1.0, 0.4, "is missing in 50%")],
)
def test_what_is_left_out_has_its_reason(two, tmp_path, least_s, max_missing, left):
    save_scores(two, on(of=200), on((0, 100), of=100))
    if left.startswith("a face"):
        rewrite(two, '"num_samples": 131200', '"num_samples": 0')
    found = voices_in(store_of(two), least_s=least_s, max_missing=max_missing)
    assert left in found.left_out[two.folder.name]


def test_other_rates_and_missing_faces_are_left_out(store, tmp_path):
    ids = [*store]
    for id, old, new in (
        (ids[0], '"fps": "25"', '"fps": "30"'),
        (ids[1], '"sample_rate": 16000', '"sample_rate": 44100'),
    ):
        path = store[id].folder / "recording.json"
        path.write_text(path.read_text().replace(old, new))
    store[ids[2]].save("tracks", Tracks(()), Receipt(key="none", step="tracks", version=1))
    store[ids[3]].forget("tracks")
    why = voices_in(store).left_out
    assert "30 frames and 16000 samples" in why[ids[0]] and "25 frames and 44100 samples" in why[ids[1]]
    assert "a voice without a face" in why[ids[2]] and "it has no tracks" in why[ids[3]] and len(why) == 4


def test_no_speaker_and_no_recording_is_in_two_sets(tmp_path):
    store = talkers(tmp_path / "films", {f"clip{k}": 30 for k in range(25)}, listed=False)
    sets = defaultdict(set)
    for it in voices_in(store, seed=3).voices:
        sets[it.speaker].add(it.split)
    assert len(sets) == 25 and all(len(its) == 1 for its in sets.values())
    assert {split for its in sets.values() for split in its} == {"training", "validation", "test"}


def test_persons_of_one_film_are_speakers_of_their_own_in_one_set(two):
    save_scores(two, on((110, 200), of=200), on((0, 90), of=100))
    table = two.load("asd")
    save(two, "people", TrackTable(table.track, table.frame, {"person": table.track.copy()}))
    rows = {0: np.zeros((200, 3), np.float32), 1: np.ones((100, 3), np.float32)}
    save(two, "embeddings", TrackArrays(rows, TrackTable(table.track, table.frame, {})))
    for seed in range(20):
        found = voices_in(store_of(two), seed=seed).voices
        assert len({it.speaker for it in found}) == 2 and len({it.split for it in found}) == 1


def test_a_speaker_whom_a_corpus_has_in_two_sets_is_refused(store):
    store[next(iter(store))].list_as(Listed("vlogs", "test/ana/x.mp4", "ana", "test"))
    with pytest.raises(UsageError, match="'ana' is in test and training"):
        voices_in(store)


def test_lips_are_those_of_the_frames(two):
    save_scores(two, on((50, 150), of=200), on(of=100))
    rows = {0: np.arange(400, dtype=np.float32).reshape(200, 2), 1: np.zeros((100, 2), np.float32)}
    table = two.load("asd")
    save(two, "lips", TrackArrays(rows, TrackTable(table.track, table.frame, {})))
    (voice,) = voices_in(store_of(two)).voices
    np.testing.assert_array_equal(voice.rows("lips"), rows[0][50:150])
    early, late = replace(voice, span=Span(0, 50)), replace(voice, span=Span(190, 220))
    np.testing.assert_array_equal(early.rows("lips"), np.concatenate([np.full((3, 2), np.nan), rows[0][:47]]))
    np.testing.assert_array_equal(late.rows("lips"), np.concatenate([rows[0][187:], np.full((17, 2), np.nan)]))


def test_a_row_of_a_catalogue_is_a_voice_with_the_nearest_face(two):
    write_rows(two, [
        Row(row=7, video="abc", start_s=0.4, stop_s=4.0, x=0.15, y=0.3),
        Row(row=9, video="abc", start_s=0.4, stop_s=4.0, x=0.8, y=1.3),
        Row(row=11, video="abc", start_s=60.0, stop_s=64.0, x=0.8, y=1.3),
    ])  # fmt: skip
    found = {it.row: it for it in voices_in(store_of(two)).voices}
    assert (found[7].track, found[7].span, found[7].seen) == (0, Span(10, 100), 1.0)
    assert (found[9].track, found[9].seen) == (1, pytest.approx(40 / 90)) and len(found) == 2


@given(arrays(bool, st.integers(0, 120)), st.integers(0, 2**32 - 1))
def test_stretches_hold_all_that_is_said_and_nothing_that_breaks_them(speaks, seed):
    broken = ~speaks & (np.random.default_rng(seed).random(len(speaks)) < 0.1)
    held = np.zeros(len(speaks), bool)
    for span in going_on(speaks, broken):
        assert speaks[span.start] and speaks[span.stop - 1] and not held[span.start : span.stop].any()
        held[span.start : span.stop] = True
    assert not (speaks & ~held).any() and not (held & broken).any()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], held & ~speaks, [0]]).astype(int)))
    assert all(stop - start <= PAUSE for start, stop in edges.reshape(-1, 2))


def test_a_store_of_another_rate_has_no_voice(tmp_path):
    Store.create(tmp_path / "films", StoreSettings(sample_rate=44100))
    stored = add_talker(Store(tmp_path / "films"), "a", 50, listed=False)
    rewrite(stored, '"sample_rate": 16000', '"sample_rate": 44100')
    assert "44100 samples a second" in voices_in(Store(tmp_path / "films")).left_out[stored.folder.name]
