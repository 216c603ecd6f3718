"""What is saved is what is loaded, in files whose columns are those of the docs."""

import resource
from fractions import Fraction

import numpy as np
import pyarrow.parquet as pq
import pytest

from phonoscope.core.faces import Faces, Shots, Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.geometry import Crops, crop_track
from phonoscope.core.media import Clock, Recording, Rights
from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.store.codecs import read_recording, write_recording
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.store.tables import read_table, write_clock

RNG = np.random.default_rng(0)
RECORDING = Recording(
    id="a-00000000", source="file:///a%20b.mp4", sha256="0" * 64, fps=Fraction(30000, 1001), num_frames=90, width=640,
    height=361, sample_rate=16000, num_samples=48048, av_start=Fraction(-1, 44100), rights=Rights(licence="CC0"),
    notes=("variable frame rate",),
)  # fmt: skip


def a_track(id, start, length):
    box = RNG.uniform(0, 100, (length, 4)).astype(np.float32)
    observed = RNG.random(length) < 0.5
    return Track(id, start, box, np.where(observed, 0.9, np.nan).astype(np.float32), observed)


@pytest.fixture
def stored(tmp_path):
    store = Store.create(tmp_path / "films")
    folder = store.root / "recordings" / RECORDING.id
    folder.mkdir()
    write_recording(folder / "recording.json", RECORDING)
    return store[RECORDING.id]


def again(stored, name, value):
    stored.save(name, value, Receipt(key="k", step=name, version=1))
    return stored.load(name)


def test_a_recording_comes_back_with_exact_fractions(stored):
    assert read_recording(stored.folder / "recording.json") == RECORDING


def test_a_clock_comes_back(tmp_path):
    clock = Clock(np.array([-3, 0, 5, 5], np.int64), Fraction(1, 90000))
    write_clock(tmp_path / "clock.parquet", clock)
    back = read_table(tmp_path / "clock.parquet")
    assert pq.read_table(tmp_path / "clock.parquet").column_names == ["frame", "pts"]
    assert back.time_base == clock.time_base and (back.pts == clock.pts).all()


def test_shots_come_back_and_read_as_a_table(stored):
    shots = Shots((Span(0, 40), Span(40, 90)), RECORDING.fps)
    assert again(stored, "shots", shots) == shots
    lines = (stored.folder / "shots.csv").read_text().splitlines()
    assert lines[0] == "start_frame,stop_frame,start_s,stop_s" and lines[2] == "40,90,1.334667,3.003000"


@pytest.mark.parametrize("count", [0, 7])
def test_faces_come_back(stored, count):
    faces = Faces(
        np.sort(RNG.integers(0, 90, count)).astype(np.int32), RNG.random((count, 4), np.float32),
        RNG.random(count, np.float32), RNG.random((count, 5, 2), np.float32),
    )  # fmt: skip
    back = again(stored, "faces", faces)
    assert pq.read_table(stored.folder / "faces.parquet").column_names == [
        "frame",
        "x0",
        "y0",
        "x1",
        "y1",
        "score",
        "points",
    ]
    for one, other in zip(
        (faces.frame, faces.box, faces.score, faces.points),
        (back.frame, back.box, back.score, back.points),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("lengths", [(), (4,), (30, 1, 12)])
def test_tracks_and_crops_come_back(stored, lengths):
    tracks = Tracks(tuple(a_track(id, 3 * id, length) for id, length in enumerate(lengths)))
    back = again(stored, "tracks", tracks)
    columns = ["track", "frame", "x0", "y0", "x1", "y1", "score", "observed"]
    assert pq.read_table(stored.folder / "tracks.parquet").column_names == columns
    assert [t.id for t in back] == [t.id for t in tracks] and [t.span for t in back] == [t.span for t in tracks]
    for one, other in zip(tracks, back, strict=True):
        np.testing.assert_array_equal(one.box, other.box)
        np.testing.assert_array_equal(one.score, other.score)
        np.testing.assert_array_equal(one.observed, other.observed)
    crops = Crops(tuple(crop_track(t, "fixed", 0.6) for t in tracks))
    back = again(stored, "crops", crops)
    assert pq.read_table(stored.folder / "crops.parquet").column_names == [
        "track", "frame", "m00", "m01", "m02", "m10", "m11", "m12",
    ]  # fmt: skip
    for one, other in zip(crops.crops, back.crops, strict=True):
        np.testing.assert_array_equal(one.matrix, other.matrix)
        assert (one.track, one.start, one.size, one.policy) == (other.track, other.start, other.size, other.policy)


def test_a_track_table_comes_back(stored):
    table = TrackTable(
        np.array([0, 0, 1], np.int32), np.array([5, 6, 0], np.int32), {"score": np.array([1, -2, 0.5], np.float32)}
    )
    back = again(stored, "asd", table)
    assert pq.read_table(stored.folder / "asd.parquet").column_names == ["track", "frame", "score"]
    np.testing.assert_array_equal(back.of(0, "score"), [1, -2])


@pytest.mark.parametrize("words", [["9bK05eBt1GM_0900:1", "Zoë, 'a'", ""], []])
def test_words_along_tracks_come_back(stored, words):
    some = np.arange(len(words), dtype=np.int32)
    table = TrackTable(some, some, {"entity": np.array(words, np.str_), "label": some.astype(np.int8)})
    back = again(stored, "labels", table)
    assert back.columns["entity"].tolist() == words and back.columns["entity"].dtype.kind == "U"
    assert back.columns["label"].dtype == np.int8 and back.of(1, "entity").tolist() == words[1:2]


def test_a_series_comes_back_with_its_clock(stored):
    series = Series(RNG.random((300, 13), np.float32), Fraction(120000, 1001), Fraction(1, 80))
    back = again(stored, "mfcc", series)
    np.testing.assert_array_equal(np.load(stored.folder / "mfcc.npy", allow_pickle=False), series.values)
    assert (back.rate, back.start) == (series.rate, series.start)
    np.testing.assert_array_equal(back.values, series.values)


def test_a_foreign_parquet_file_is_refused(tmp_path):
    import pyarrow as pa

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match="nothing that it names"):
        read_table(tmp_path / "a.parquet")


def test_the_same_table_gives_the_same_bytes(stored):
    tracks = Tracks((a_track(0, 0, 20),))
    again(stored, "tracks", tracks)
    once = (stored.folder / "tracks.parquet").read_bytes()
    again(stored, "tracks", tracks)
    assert (stored.folder / "tracks.parquet").read_bytes() == once


def test_arrays_along_tracks_come_back_a_file_a_track(stored):
    one, two = (RNG.normal(size=(length, 68, 2)).astype(np.float32) for length in (3, 2))
    one[1] = np.nan
    frames = TrackTable(
        np.array([0, 0, 0, 4, 4], np.int32), np.array([7, 8, 9, 30, 31], np.int32),
        {"score": np.array([0.9, 0.1, 0.8, 1, 1], np.float32)},
    )  # fmt: skip
    back = again(stored, "landmarks", TrackArrays({0: one, 4: two}, frames))
    assert sorted(file.name for file in (stored.folder / "landmarks").iterdir()) == ["0.npy", "4.npy", "frames.parquet"]
    np.testing.assert_array_equal(back[0], one)
    np.testing.assert_array_equal(back[4], two)
    np.testing.assert_array_equal(back.frames.of(0, "score"), frames.columns["score"][:3])
    with pytest.raises(KeyError, match=r"no track 1; there are \[0, 4\]"):
        back[1]


def test_more_tracks_than_a_process_may_open_files_are_read_too(stored):
    ids = np.arange(200, dtype=np.int32)
    value = TrackArrays(
        {int(id): np.full((1, 2), id, np.float32) for id in ids}, TrackTable(ids, np.zeros(200, np.int32), {})
    )
    again(stored, "landmarks", value)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (150, hard))
    try:
        back = stored.load("landmarks")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all((back[int(id)] == id).all() and isinstance(back[int(id)], np.memmap) for id in ids)
    assert len(back.arrays) == 200 and [*back.arrays] == ids.tolist()


def test_no_tracks_are_no_arrays(stored):
    none = TrackTable(np.empty(0, np.int32), np.empty(0, np.int32), {"score": np.empty(0, np.float32)})
    assert again(stored, "landmarks", TrackArrays({}, none)).arrays == {}
