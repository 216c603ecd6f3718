"""Embeddings: of each track a few faces, spread over it, turned to the camera where the landmarks tell."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope import Store
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.media import Recording
from phonoscope.flow.streams import Film, drive
from phonoscope.job import params_from, prepare
from phonoscope.media.picture import Picture
from phonoscope.models import registry
from phonoscope.models.protocols import FaceEmbedder
from phonoscope.steps.embeddings import EmbeddingsParams, chosen, embeddings
from phonoscope.steps.people import PeopleParams, people
from phonoscope.testing.fakes import FakeEmbedder

FILM = Film(Recording("film-00000000", "", "", Fraction(25), 40, 96, 64, 0, 0, Fraction(0)))
RED, BLUE = (250, 130, 130), (130, 130, 250)
LEFT, RIGHT = (8.0, 8.0, 40.0, 40.0), (56.0, 8.0, 88.0, 40.0)


def check_types() -> FaceEmbedder:
    """For the type checker."""
    return FakeEmbedder()


def track_of(id: int, start: int, length: int, box: tuple[float, ...] = LEFT) -> Track:
    boxes = np.tile(np.array(box, np.float32), (length, 1))
    return Track(id, start, boxes, np.ones(length, np.float32), np.ones(length, bool))


def pictures(count: int, left: tuple[int, ...] = RED, right: tuple[int, ...] = BLUE) -> list[Picture]:
    """One face to the left and one to the right, which become darker by four levels a frame."""
    rgb = np.zeros((64, 96, 3), np.uint8)
    made = []
    for frame in range(count):
        rgb[8:40, 8:40], rgb[8:40, 56:88] = np.array(left) - 4 * frame, np.array(right) - 4 * frame
        made.append(Picture.from_rgb(rgb.copy(), frame))
    return made


def embedded(film: list[Picture], *tracks: Track, landmarks: TrackArrays | None = None, **settings) -> TrackArrays:
    return drive(embeddings(FILM, Tracks(tracks), landmarks, FakeEmbedder(), EmbeddingsParams(**settings)), film)


def rows_of(made: TrackArrays, id: int) -> list[int]:
    """Which rows of a track are embeddings; the others are NaN, whole."""
    nan = np.isnan(made[id])
    assert (nan.all(1) | ~nan.any(1)).all()
    return np.flatnonzero(~nan[:, 0]).tolist()


def test_a_track_is_embedded_in_the_middle_of_equal_stretches():
    made = embedded(pictures(30), track_of(3, 5, 20), per_track=4)
    assert rows_of(made, 3) == [2, 7, 12, 17]
    assert (made[3].shape, made[3].dtype) == ((20, 3), np.float32)
    assert made.frames.frame.tolist() == list(range(5, 25))
    for row in rows_of(made, 3):
        assert made[3][row].mean() * 255 == pytest.approx(np.mean(RED) - 4 * (5 + row), abs=1.9)


def test_two_faces_in_one_picture_each_have_their_own():
    made = embedded(pictures(9), track_of(0, 0, 9), track_of(1, 0, 9, RIGHT), per_track=1)
    assert rows_of(made, 0) == rows_of(made, 1) == [4]
    assert made[0][4].argmax() == 0
    assert made[1][4].argmax() == 2
    assert people(made, PeopleParams()).columns["person"].tolist() == [0] * 9 + [1] * 9


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 9))
def test_as_many_as_asked_in_order_only_where_the_face_is_known_and_none_twice(known, count):
    rows = chosen(np.array(known, bool), np.full(len(known), np.nan), count)
    assert len(rows) == min(count, sum(known))
    assert rows == sorted(set(rows))
    assert all(known[row] for row in rows)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 2**31))
def test_of_each_stretch_the_frame_that_faces_the_camera_most(length, count, seed):
    turned = np.random.default_rng(seed).permutation(length).astype(np.float32)
    rows = chosen(np.ones(length, bool), turned, count)
    stretches = np.array_split(np.arange(length), min(count, length))
    assert [turned[row] for row in rows] == [turned[stretch].max() for stretch in stretches]


def test_where_nothing_is_known_of_the_turning_the_middle_will_do():
    turned = np.array([np.nan] * 5 + [0.1, 0.9, np.nan, 0.3, 0.2], np.float32)
    assert chosen(np.ones(10, bool), turned, 2) == [2, 6]


def test_only_the_frames_that_are_needed_are_asked_of_the_film():
    step = embeddings(FILM, Tracks((track_of(0, 4, 21),)), None, FakeEmbedder(), EmbeddingsParams(per_track=3))
    assert [(span.start, span.stop) for span in next(step) or ()] == [(7, 8), (14, 15), (21, 22)]


def test_faces_that_the_detector_did_not_see_are_passed_over():
    track = replace(track_of(0, 0, 9), observed=np.arange(9) < 3)
    assert rows_of(embedded(pictures(9), track, per_track=9), 0) == [0, 1, 2]


class Aligned(FakeEmbedder):
    """The fake, of faces that are cut by landmarks."""

    policy = "aligned"


def landmarks_of(*points: np.ndarray, **columns: np.ndarray) -> TrackArrays:
    """Landmarks of tracks 0, 1 … from frame 0, each (T, 68, 2)."""
    track = np.concatenate([np.full(len(each), id, np.int32) for id, each in enumerate(points)])
    frame = np.concatenate([np.arange(len(each), dtype=np.int32) for each in points])
    return TrackArrays(dict(enumerate(points)), TrackTable(track, frame, columns))


FACE = np.repeat(np.array([[8, 8], [40, 40]], np.float32), 34, axis=0) + np.arange(68, dtype=np.float32)[:, None] % 3


def test_frames_without_landmarks_are_passed_over_and_a_face_that_is_never_seen_has_none():
    seen, unseen = np.tile(FACE, (9, 1, 1)), np.full((9, 68, 2), np.nan, np.float32)
    seen[:4] = np.nan
    tracks = Tracks((track_of(0, 0, 9), track_of(1, 0, 9, RIGHT)))
    step = embeddings(FILM, tracks, landmarks_of(seen, unseen), Aligned(), EmbeddingsParams(per_track=9))
    made = drive(step, pictures(9))
    assert rows_of(made, 0) == [4, 5, 6, 7, 8]
    assert rows_of(made, 1) == []
    with pytest.raises(ValueError, match="need its landmarks"):
        drive(embeddings(FILM, tracks, None, Aligned(), EmbeddingsParams()), pictures(9))


@pytest.mark.parametrize(("limit", "rows"), [(180, range(9)), (40, [0, 1, 2, 3, 4, 8]), (0, [0, 8])])
def test_faces_that_are_turned_too_far_are_passed_over_and_unknown_turning_is_no_reason(limit, rows):
    turned = np.append(np.arange(8) * 10 - 0.1, np.nan)
    turned[0] = 0
    cosines = np.cos(np.radians(turned)).astype(np.float32)
    landmarks = landmarks_of(np.tile(FACE, (9, 1, 1)), r22=cosines)
    p = EmbeddingsParams(per_track=9, max_turned_deg=limit)
    made = drive(embeddings(FILM, Tracks((track_of(0, 0, 9),)), landmarks, Aligned(), p), pictures(9))
    assert rows_of(made, 0) == list(rows)


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 9))
def test_at_nought_every_frame_is_embedded_where_the_face_is_known_and_no_other(seen, start):
    track = replace(track_of(0, start, len(seen)), observed=np.array(seen, bool))
    made = embedded(pictures(30), track, per_track=0)
    assert rows_of(made, 0) == np.flatnonzero(seen).tolist()
    assert made.frames.of(0, "missing").tolist() == [not it for it in seen]
    some = embedded(pictures(30), track, per_track=3)
    assert {*rows_of(some, 0)} <= {*rows_of(made, 0)}
    for row in rows_of(some, 0):
        np.testing.assert_array_equal(some[0][row], made[0][row])


def test_at_nought_it_does_not_matter_where_the_face_looks():
    landmarks = landmarks_of(np.tile(FACE, (9, 1, 1)), r22=np.linspace(-1, 1, 9).astype(np.float32))
    made = drive(
        embeddings(FILM, Tracks((track_of(0, 0, 9),)), landmarks, Aligned(), EmbeddingsParams(per_track=0)), pictures(9)
    )
    assert rows_of(made, 0) == list(range(9))


def test_landmarks_say_where_a_face_is_known_though_the_detector_did_not_look():
    track = replace(track_of(0, 0, 9), observed=np.arange(9) % 5 == 0)
    seen = np.tile(FACE, (9, 1, 1))
    seen[2] = np.nan
    step = embeddings(FILM, Tracks((track,)), landmarks_of(seen), FakeEmbedder(), EmbeddingsParams(per_track=0))
    assert rows_of(drive(step, pictures(9)), 0) == [0, 1, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("count", [0, 2])
def test_missing_is_where_the_face_is_not_known_whatever_is_embedded(count):
    seen = np.tile(FACE, (9, 1, 1))
    seen[3:5] = np.nan
    tracks = Tracks((track_of(0, 0, 9), track_of(1, 0, 9, RIGHT)))
    landmarks = landmarks_of(seen, np.full((9, 68, 2), np.nan, np.float32))
    made = drive(embeddings(FILM, tracks, landmarks, Aligned(), EmbeddingsParams(per_track=count)), pictures(9))
    assert np.flatnonzero(made.frames.of(0, "missing")).tolist() == [3, 4]
    assert made.frames.of(1, "missing").all()


def test_no_tracks_are_no_embeddings():
    made = embedded([])
    assert (made.arrays, len(made.frames.track)) == ({}, 0)


def test_a_film_that_ends_early_is_refused():
    with pytest.raises(ValueError, match="left out frames that were asked for: 17"):
        embedded(pictures(15), track_of(0, 0, 20), per_track=4)


@pytest.mark.parametrize("wrong", [np.zeros((1, 4), np.float32), np.full((1, 3), np.nan, np.float32)])
def test_an_embedder_that_gives_something_else_is_refused(wrong):
    class Wrong(FakeEmbedder):
        def __call__(self, faces: np.ndarray) -> np.ndarray:
            return wrong

    step = embeddings(FILM, Tracks((track_of(0, 0, 3),)), None, Wrong(), EmbeddingsParams(per_track=1))
    with pytest.raises(ValueError, match=r"fake-embedder must give \(1, 3\) finite numbers"):
        drive(step, pictures(3))


@pytest.mark.parametrize("wrong", [{"per_track": -1}, {"max_turned_deg": -1}, {"max_turned_deg": 181}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError, match=r"embeddings\.\w+ must be"):
        EmbeddingsParams(**wrong)


def test_both_steps_run_in_a_store(puppets, tmp_path, monkeypatch):
    monkeypatch.setitem(registry.OURS, "fake-embedder", "phonoscope.testing.fakes:FakeEmbedder")
    params = params_from({"faces": {"model": "blazeface"}, "embeddings": {"model": "fake-embedder"}})
    (outcome,) = prepare([puppets], tmp_path / "films", ["people"], params).carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "films")[outcome.recording]
    faces, found = stored.load("embeddings"), stored.load("people")
    for track in stored.load("tracks"):
        assert (len(rows_of(faces, track.id)), len(faces[track.id])) == (5, len(track))
        assert not faces.frames.of(track.id, "missing").any()  # landmarks, unlike the detector, look at each frame
    assert sorted({*found.columns["person"].tolist()}) == [0, 1]  # two who are seen together are two
    assert found.columns["person"].dtype == np.int32
