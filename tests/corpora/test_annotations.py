"""Labels that people gave stand on the frames that they are of, and come back as they were given."""

import csv
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import RecordingFailed, UsageError
from phonoscope.core.media import Recording
from phonoscope.corpora.annotations import frames_at, on_clock, rows_in
from phonoscope.corpora.ava import AvaRows, read_ava, write_ava
from phonoscope.job import annotations, prepare, run
from phonoscope.store.folder import Store
from phonoscope.store.ledger import read_failures
from phonoscope.testing.film import flash_and_beep

NTSC = Fraction(1000, 1001)
RATES = [Fraction(24), 24 * NTSC, Fraction(25), 30 * NTSC, Fraction(30), Fraction(50), 60 * NTSC]
TENTH = Fraction(1, 10)


def csv_rows(path: Path) -> list[list[str]]:
    return [*csv.reader(path.read_text().splitlines())]


def recording(fps=Fraction(25), frames=1000) -> Recording:
    return Recording("v-00000000", "file:///v.mp4", "0" * 64, Fraction(fps), frames, 200, 100, 0, 0, Fraction(0))


def rows(time_s, entity=None, label=None, box=None, video="v", names=("e0", "e1", "e2"), instance=None) -> AvaRows:
    time_s = np.asarray(time_s, np.float64)
    count = len(time_s)
    whose = np.zeros(count, np.int32) if entity is None else np.asarray(entity, np.int32)
    boxes = np.tile([0.25, 0.5, 0.5, 1.0], (count, 1)) if box is None else np.asarray(box, np.float64)
    labels = np.zeros(count, np.int8) if label is None else np.asarray(label, np.int8)
    return AvaRows((video,), names, np.zeros(count, np.int32), whose, time_s, boxes, labels, instance=instance)


def placed(it: AvaRows, about=None, gap=TENTH):
    return on_clock(it, np.arange(len(it)), about or recording(), gap)


def as_set(it: AvaRows):
    """Every row in words and exact numbers, in order."""
    numbers = np.column_stack([it.time_s, it.box])
    told = [None] * len(it) if it.instance is None else it.instance.tolist()
    return [
        (it.videos[v], it.entities[e], *map(float.hex, n), label, i)
        for v, e, n, label, i in zip(
            it.video, it.entity, numbers.tolist(), it.label.tolist(), told, strict=True
        )
    ]  # fmt: skip


@given(
    fps=st.sampled_from(RATES),
    first=st.integers(0, 60_000),
    count=st.integers(1, 60),
    away=st.floats(0, 1, exclude_max=True),
    digits=st.sampled_from([2, 3, 6, 17]),
)
def test_rows_a_frame_apart_stand_on_neighbouring_frames(fps, first, count, away, digits):
    """However the table rounds its times, and wherever its grid lies beside the clock's."""
    true = (first + away + np.arange(count)) / float(fps)
    frame = frames_at(np.round(true, digits), fps)
    off = 0.5 if digits > 2 else 0.5 + 0.005 * float(fps)
    assert (np.diff(frame) == 1).all() and np.abs(frame - true * float(fps)).max() <= off + 1e-6


@given(fps=st.sampled_from(RATES), frame=st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_times_of_frames_are_these_frames_at_the_film_s_own_rate(fps, frame):
    assert frames_at(np.array([float(k / fps) for k in frame]), fps).tolist() == frame
    hundredths = np.array([round(float(k / fps), 2) for k in frame])
    assert frames_at(hundredths, fps).tolist() == frame


def test_a_gap_is_bridged_and_a_longer_one_begins_a_new_track():
    at = np.array([10, 11, 13, 16, 17])  # 25 frames a second: steps of 1, 2 and 3 frames are 0.04, 0.08 and 0.12 s
    box = [[x / 100, 0, x / 100 + 0.1, 0.5] for x in (10, 11, 15, 20, 20)]
    tracks, labels = placed(rows(at / 25, box=box))
    assert [(t.id, t.start, len(t)) for t in tracks] == [(0, 10, 4), (1, 16, 2)]
    assert tracks[0].observed.tolist() == [True, True, False, True]
    np.testing.assert_allclose(tracks[0].box[:, 0], [20, 22, 26, 30], rtol=1e-6)  # px of a picture 200 px wide
    assert np.isnan(tracks[0].score).tolist() == [False, False, True, False]
    assert labels.frame.tolist() == at.tolist() and labels.track.tolist() == [0, 0, 0, 1, 1]


def test_a_gap_of_just_the_longest_is_bridged():
    tracks, _ = placed(rows(np.array([0, 3, 7]) / 30), recording(30))
    assert [(t.start, len(t)) for t in tracks] == [(0, 4), (7, 1)]


def test_no_first_row_is_dropped_and_a_single_row_is_a_track():
    it = rows([0.0, 0.04, 1.0, 2.0], entity=[0, 0, 0, 1])
    tracks, labels = placed(it)
    assert [(t.start, len(t)) for t in tracks] == [(0, 2), (25, 1), (50, 1)]
    assert len(labels.track) == len(it) == sum(int(t.observed.sum()) for t in tracks)


def test_tables_of_few_rows_a_second_give_whole_tracks():
    at = np.concatenate([np.arange(20), np.arange(24, 30)]) / 5  # ASW's: a row each 0.2 s; then 1 s without one
    tracks, labels = placed(rows(at), gap=Fraction(3, 10))
    assert [(t.start, len(t)) for t in tracks] == [(0, 96), (120, 26)]
    assert (tracks[0].observed == (np.arange(96) % 5 == 0)).all() and len(labels.track) == 26


def test_tracks_count_in_order_of_appearance_from_the_left():
    box = [[0.5, 0, 0.6, 1], [0.1, 0, 0.2, 1], [0.0, 0, 0.1, 1]]
    tracks, labels = placed(rows([0.4, 0.4, 0.0], entity=[0, 1, 2], box=box))
    assert [(t.start, round(float(t.box[0, 0]))) for t in tracks] == [(0, 0), (10, 20), (10, 100)]
    assert labels.columns["entity"].tolist() == ["e2", "e1", "e0"]


@pytest.mark.parametrize(
    ("times", "fps", "said"),
    [
        ([0, 1 / 30, 2 / 30, 3 / 30], 10, "'e0' has labels at 0 and 0.0333333 s, which are one frame here"),
        ([1.0, 41.0], 25, "1 of 2 labels lie beyond the end of the film"),
    ],
)
def test_labels_that_do_not_fit_the_film_are_refused_in_one_line(times, fps, said):
    with pytest.raises(RecordingFailed, match=said) as error:
        placed(rows(times), recording(fps))
    assert error.value.reason == "annotations" and "\n" not in str(error.value)


@pytest.fixture(scope="module")
def trainval(tmp_path_factory) -> Path:
    """Two films of 24 and 29.97 frames a second, named as AVA's."""
    folder = tmp_path_factory.mktemp("trainval")
    flash_and_beep(folder / "-5KQ66BBWC4.mp4", fps=Fraction(24), duration_s=Fraction(3))
    (folder / "more").mkdir()
    flash_and_beep(folder / "more" / "zzz.v2.mkv", fps=30 * NTSC, duration_s=Fraction(3))
    return folder


def table(path: Path, layout="official") -> AvaRows:
    """Three entities in two videos, in no order; a third video has no film."""
    rng = np.random.default_rng(1)
    names = ("-5KQ66BBWC4_0000_0060:1", "-5KQ66BBWC4_0000_0060:2", "zzz.v2_0000_0060:1", "gone_0:1")
    spans = {0: (24, np.arange(5, 40)), 1: (24, np.arange(0, 20)), 2: (29.97003, np.arange(30, 60)), 3: (25, [1, 2])}
    entity = np.concatenate([np.full(len(frames), e, np.int32) for e, (_, frames) in spans.items()])
    time_s = np.concatenate([np.round(np.asarray(frames) / fps, 2) for fps, frames in spans.values()])
    count = len(entity)
    start = rng.uniform(0, 0.5, (count, 2))
    made = AvaRows(
        videos=("gone", "zzz.v2", "-5KQ66BBWC4"), entities=names, video=np.array([2, 2, 1, 0], np.int32)[entity],
        entity=entity, time_s=time_s, box=np.hstack([start, start + rng.uniform(0.1, 0.4, (count, 2))]),
        label=rng.integers(0, 3, count).astype(np.int8),
    )  # fmt: skip
    made = made.take(rng.permutation(count))
    write_ava(path, made, layout)
    return read_ava(path)


@pytest.mark.parametrize(("layout", "jobs"), [("official", 2), ("orig", 1)])
def test_rows_come_back_from_the_store_exactly_and_in_order(trainval, tmp_path, layout, jobs, caplog):
    given_rows = table(tmp_path / "t.csv", layout)
    outcomes = list(annotations([tmp_path / "t.csv"], trainval, tmp_path / "ava", split="train").carry_out(jobs))
    assert [o.failure for o in outcomes] == [None, None] and outcomes[0].made[-2:] == ("tracks", "labels")
    store = Store(tmp_path / "ava")
    there = given_rows.take(given_rows.video != given_rows.videos.index("gone"))
    back = rows_in(store)
    assert as_set(back) == as_set(there)
    assert "for these videos of the table, passed over: gone" in caplog.text
    write_ava(tmp_path / "back.csv", back, layout)
    witness = [row for row in csv_rows(tmp_path / "t.csv") if row[0] != "gone"]
    assert csv_rows(tmp_path / "back.csv") == witness
    assert {store[id].recording.fps for id in store} == {Fraction(24), 30 * NTSC}
    listed = {store[id].listed for id in store}
    assert {(it.corpus, it.path, it.split) for it in listed if it} == {
        ("ava", "-5KQ66BBWC4.mp4", "train"), ("ava", "zzz.v2.mkv", "train"),
    }  # fmt: skip


def test_a_second_run_keeps_all_and_other_labels_leave_the_tracks(trainval, tmp_path):
    def again() -> list[tuple[str, ...]]:
        return [o.made for o in annotations([tmp_path / "t.csv"], trainval, tmp_path / "ava").carry_out()]

    it = table(tmp_path / "t.csv")
    assert [made[-2:] for made in again()] == [("tracks", "labels")] * 2
    assert again() == [(), ()]
    label = it.label.copy()
    label[np.argmax(it.video != it.videos.index("gone"))] += 3
    write_ava(tmp_path / "t.csv", replace(it, label=label % 3))
    assert sorted(again()) == [(), ()]
    label[np.argmax(it.video != it.videos.index("gone"))] += 1
    write_ava(tmp_path / "t.csv", replace(it, label=label % 3))
    assert sorted(again()) == [(), ("labels",)]
    write_ava(tmp_path / "t.csv", replace(it, box=it.box * 0.9))
    assert again() == [("tracks", "labels")] * 2


def test_what_a_kill_left_out_is_written_by_the_next_run(trainval, tmp_path):
    table(tmp_path / "t.csv")
    list(annotations([tmp_path / "t.csv"], trainval, tmp_path / "ava").carry_out())
    stored = Store(tmp_path / "ava")["zzz"]
    listed = stored.listed
    assert listed
    stored.forget("labels")  # as if we had been killed after the tracks
    (stored.folder / "listed.json").unlink()
    made = [o.made for o in annotations([tmp_path / "t.csv"], trainval, tmp_path / "ava").carry_out()]
    assert sorted(made) == [(), ("labels",)] and Store(tmp_path / "ava")["zzz"].listed == listed


def test_a_retry_without_the_labels_leaves_the_films_alone_that_come_with_some(trainval, tmp_path, caplog):
    films, store = tmp_path / "films", tmp_path / "ava"
    shutil.copytree(trainval, films)
    broken = films / "more" / "zzz.v2.mkv"
    film = broken.read_bytes()
    broken.write_bytes(b"half of it")
    table(tmp_path / "t.csv")
    job = annotations([tmp_path / "t.csv"], films, store)
    assert [bool(o.failure) for o in job.carry_out()] == [False, True]
    broken.write_bytes(film)
    assert list(prepare([], store, retry_failed=True).carry_out()) == [] and len(Store(store)) == 1
    assert f"left alone (1, the first '{broken.as_uri()}')" in caplog.text and "phonoscope annotations" in caplog.text
    assert [o.made[-2:] for o in job.carry_out()] == [(), ("tracks", "labels")] and read_failures(store) == []


def test_the_labelled_faces_are_those_that_are_scored(trainval, tmp_path):
    table(tmp_path / "t.csv")
    list(annotations([tmp_path / "t.csv"], trainval, tmp_path / "ava").carry_out())
    outcomes = list(run(["crops"], tmp_path / "ava").carry_out())
    assert [o.made for o in outcomes] == [("crops",)] * 2  # and no shots, no faces
    store = Store(tmp_path / "ava")
    for id in store:
        tracks, labels = store[id].load("tracks"), store[id].load("labels")
        assert [crop.track for crop in store[id].load("crops").crops] == [t.id for t in tracks]
        observed = [(t.id, t.start + k) for t in tracks for k in np.flatnonzero(t.observed)]
        assert sorted(observed) == sorted(zip(labels.track.tolist(), labels.frame.tolist(), strict=True))


def test_labels_that_do_not_fit_fail_that_film_alone(trainval, tmp_path):
    it = table(tmp_path / "t.csv")
    late = np.where(it.video == it.videos.index("zzz.v2"), 100.0, 0.0)
    write_ava(tmp_path / "t.csv", replace(it, time_s=it.time_s + late))
    outcomes = {o.recording[:3]: o for o in annotations([tmp_path / "t.csv"], trainval, tmp_path / "a").carry_out()}
    failure = outcomes["zzz"].failure
    assert failure and failure.reason == "annotations" and outcomes["5kq"].failure is None


def test_other_labels_of_a_clock_that_has_changed_are_asked_for(trainval, tmp_path):
    table(tmp_path / "t.csv")
    list(annotations([tmp_path / "t.csv"], trainval, tmp_path / "a").carry_out())
    stored = Store(tmp_path / "a")["zzz"]
    receipts = (stored.folder / "receipts.json").read_text()
    clock = stored.receipts["clock"].key
    changed = receipts.replace(f'"clock": {{\n  "key": "{clock}"', '"clock": {\n  "key": "other"')
    (stored.folder / "receipts.json").write_text(changed)
    with pytest.raises(UsageError, match="'tracks' was made from other clock: give its labels again"):
        stored.load("tracks")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["t.csv"], "no film in .* is named for a video of the table"),
        (["t.csv", "asw.json"], "tables of AVA and of ASW at a time"),
        (["p.csv"], "has scores: these are predictions"),
    ],
)
def test_tables_and_films_that_do_not_belong_together_are_refused(tmp_path, names, said):
    it = rows([0.0, 0.04])
    write_ava(tmp_path / "t.csv", it)
    write_ava(tmp_path / "p.csv", it.scored(np.array([0.1, 0.2])))
    (tmp_path / "asw.json").write_text('{"track_0": []}')
    (tmp_path / "films").mkdir()
    with pytest.raises(UsageError, match=said):
        annotations([tmp_path / name for name in names], tmp_path / "films", tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_two_films_of_one_name_are_refused(tmp_path):
    write_ava(tmp_path / "t.csv", rows([0.0]))
    for name in ("v.mp4", "b/v.mkv"):
        (tmp_path / "films" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "films" / name).touch()
    with pytest.raises(UsageError, match="have one name"):
        annotations([tmp_path / "t.csv"], tmp_path / "films", tmp_path / "s")


def test_rows_that_are_far_apart_are_said_to_fall_apart(tmp_path, caplog):
    (tmp_path / "films").mkdir()
    flash_and_beep(tmp_path / "films" / "v.mp4", duration_s=Fraction(3))
    write_ava(tmp_path / "t.csv", rows(np.arange(10) / 5))
    annotations([tmp_path / "t.csv"], tmp_path / "films", tmp_path / "s")
    assert "most rows of a face are 0.2 s apart" in caplog.text and "try --max-gap-s 0.3" in caplog.text


def test_labels_of_asw_become_tracks_too(tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    flash_and_beep(folder / "A4N.mp4", duration_s=Fraction(3))
    one = ", ".join(f'{{"time": {k / 5}, "bbox": [0.1, 0.1, 0.4, 0.5], "label": {k % 2}, "eval": 1}}' for k in range(9))
    (tmp_path / "A4N.json").write_text(f'{{"track_000000": [{one}]}}')
    (outcome,) = annotations([tmp_path / "A4N.json"], folder, tmp_path / "asw").carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "asw")["a4n"]
    assert stored.listed and stored.listed.corpus == "asw"
    (track,), labels = stored.load("tracks"), stored.load("labels")
    assert len(track) == 41 and labels.columns["label"].tolist() == [k % 2 for k in range(9)]
    assert labels.columns["entity"][0] == "A4N:000000"


def test_films_of_a_store_that_lies_among_the_films_are_no_videos(tmp_path):
    write_ava(tmp_path / "t.csv", rows([0.0]))
    store = tmp_path / "films" / "store"
    for name in ("store/recordings/v-0/crops/0.mp4", "store/recordings/w-0/crops/0.mp4", ".trash/v.mp4", "v.mp4"):
        (tmp_path / "films" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "films" / name).touch()
    (store / "store.json").touch()
    job = annotations([tmp_path / "t.csv"], tmp_path / "films", tmp_path / "s")
    assert list(job.items) == [str(tmp_path / "films" / "v.mp4")]
