"""Landmarks and mesh as artifacts: a row for every frame of every track, never truncated, never shifted."""

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks
from phonoscope.core.media import Picture, Recording
from phonoscope.core.smooth import one_euro
from phonoscope.flow.streams import Film, drive
from phonoscope.models.cards import Card
from phonoscope.models.protocols import FaceShape, Square
from phonoscope.steps.landmarks import COLUMNS, LandmarksParams, landmarks
from phonoscope.steps.mesh import MeshParams, mesh

FRAMES = 60
FPS = Fraction(25)


class Blank:
    """A picture whose crops say which frame it is, or are black where nothing is to be seen."""

    def __init__(self, frame: int, gone: frozenset[int] = frozenset()) -> None:
        self.frame, self._level = frame, 0 if frame in gone else frame + 1

    def crop_rgb(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        return np.full((*size, 3), self._level, np.uint8)


class Counter:
    """A landmarker that finds every point in the middle of the square, and tells frames by z and by its score."""

    backend_kind: ClassVar[str] = "face_landmarker"
    card = Card("counter", "1", (), "", "", "", "", "")
    size = 32

    def __call__(self, image: np.ndarray) -> FaceShape:
        level = float(image[0, 0, 0])
        points = np.full((68, 2), 16, np.float32) + np.float32([[0.0, 0.0]] * 36 + [[8.0, 0.0]] + [[0.0, 0.0]] * 31)
        solid = np.full((468, 3), 16, np.float32)
        return FaceShape(points, 0.5 + level / 256 if level else 0.0, solid, np.eye(3, dtype=np.float32))

    def first(self, box: np.ndarray) -> Square:
        x0, y0, x1, y1 = box.tolist()
        return Square((x0 + x1) / 2, (y0 + y1) / 2, 64, 0)

    def next(self, shape: FaceShape) -> Square:
        return Square(*shape.points[0].tolist(), 64, 0)


class Flat(Counter):
    def __call__(self, image: np.ndarray) -> FaceShape:
        nothing = np.zeros((0, 3), np.float32)
        return replace(super().__call__(image), mesh=nothing, rotation=np.full((3, 3), np.nan, np.float32))


def track_of(id: int, start: int, length: int) -> Track:
    box = np.tile(np.float32([40 + id, 30, 80 + id, 80]), (length, 1))
    return Track(id, start, box, np.ones(length, np.float32), np.ones(length, bool))


def film() -> Film:
    return Film(Recording("film-00000000", "", "", FPS, FRAMES, 640, 360, 0, 0, Fraction(0)))


def see(tracks: Tracks, p: LandmarksParams | None = None, gone: frozenset[int] = frozenset()) -> TrackArrays:
    shown = cast(list[Picture], [Blank(frame, gone) for frame in range(FRAMES)])
    return drive(landmarks(film(), tracks, Counter(), p or LandmarksParams()), shown)


spans = st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 40)).map(lambda s: (s[0], min(s[1], FRAMES - s[0])))
layouts = st.lists(spans, max_size=4)


@settings(max_examples=30)
@given(layout=layouts, gone=st.frozensets(st.integers(0, FRAMES - 1)), data=st.data())
def test_each_frame_of_each_track_has_one_row_and_nan_says_that_the_face_is_missing(layout, gone, data):
    ids = data.draw(st.permutations(range(10, 10 + len(layout))))
    tracks = Tracks(tuple(track_of(id, *span) for id, span in zip(ids, layout, strict=True)))
    made = see(tracks, gone=gone)
    rows = sorted((t.id, frame) for t in tracks for frame in range(t.start, t.start + len(t)))
    table = made.frames
    assert list(zip(table.track.tolist(), table.frame.tolist(), strict=True)) == rows
    assert tuple(table.columns) == COLUMNS
    assert all(column.dtype == np.float32 for column in table.columns.values())
    for track in tracks:
        frames = np.arange(track.start, track.span.stop)
        missing = np.isin(frames, [*gone])
        assert (made[track.id].shape, made[track.id].dtype) == ((len(track), 68, 2), np.float32)
        assert (np.isnan(made[track.id]).any(axis=(1, 2)) == missing).all()
        assert (np.isnan(made[track.id]).all(axis=(1, 2)) == missing).all()
        assert (np.isnan(table.of(track.id, "r11")) == missing).all()
        want = np.where(missing, 0, 0.5 + (frames + 1) / 256)
        np.testing.assert_allclose(table.of(track.id, "score"), want, atol=1e-6)


@settings(max_examples=20)
@given(layout=layouts)
def test_a_track_gives_the_same_alone_and_among_others(layout):
    tracks = tuple(track_of(id, *span) for id, span in enumerate(layout))
    together = see(Tracks(tracks))
    for track in tracks:
        assert see(Tracks((track,)))[track.id].tobytes() == together[track.id].tobytes()


def test_points_lie_where_the_face_is_in_the_film():
    made = see(Tracks((track_of(3, 5, 2),)))
    np.testing.assert_allclose(made[3][:, 0], [[63, 55]] * 2, atol=1e-4)
    np.testing.assert_allclose(made[3][:, 36], [[79, 55]] * 2, atol=1e-4)  # 8 px of 32, in a square of 64 px


def test_no_tracks_give_nothing_and_nothing_is_looked_at():
    looker = landmarks(film(), Tracks(), Counter(), LandmarksParams())
    assert list(next(looker) or ()) == []
    made = see(Tracks())
    assert (dict(made.arrays), len(made.frames.track)) == ({}, 0)


def test_a_film_that_leaves_out_a_frame_or_ends_early_is_refused():
    def shown(frames: list[int]) -> TrackArrays:
        looker = landmarks(film(), Tracks((track_of(3, 5, 20),)), Counter(), LandmarksParams())
        return drive(looker, cast(list[Picture], [Blank(frame) for frame in frames]))

    with pytest.raises(ValueError, match="track 3 needs frame 8, got 9"):
        shown([5, 6, 7, 9])
    with pytest.raises(ValueError, match="ended before these tracks did: 3"):
        shown(list(range(5, 20)))


def test_smoothing_is_that_of_the_filter_in_eye_distances():
    rng = np.random.default_rng(0)

    class Noisy(Counter):
        def __call__(self, image: np.ndarray) -> FaceShape:
            found = super().__call__(image)
            return replace(found, points=found.points + rng.normal(0, 0.1, (68, 2)).astype(np.float32))

    tracks = Tracks((track_of(0, 0, 30),))
    shown = cast(list[Picture], [Blank(frame, frozenset({11})) for frame in range(30)])
    raw = drive(landmarks(film(), tracks, Noisy(), LandmarksParams()), shown)[0]
    rng = np.random.default_rng(0)
    smooth = drive(landmarks(film(), tracks, Noisy(), LandmarksParams(smooth_hz=1.0, smooth_beta=0.5)), shown)[0]
    unit = np.nanmedian(np.linalg.norm(raw[:, 36] - raw[:, 45], axis=1))
    np.testing.assert_allclose(smooth, one_euro(raw / unit, 25.0, 1.0, 0.5) * unit, rtol=1e-5)
    assert np.nanstd(np.diff(smooth, axis=0)) < 0.6 * np.nanstd(np.diff(raw, axis=0))
    all_gone = frozenset(range(FRAMES))
    assert np.isnan(see(tracks, LandmarksParams(smooth_hz=1.0), all_gone)[0]).all()


def test_a_landmarker_without_depth_gives_points_but_neither_rotation_nor_mesh():
    tracks, shown = Tracks((track_of(0, 0, 3),)), cast(list[Picture], [Blank(frame) for frame in range(3)])
    made = drive(landmarks(film(), tracks, Flat(), LandmarksParams()), shown)
    assert np.isfinite(made[0]).all()
    assert np.isnan(made.frames.columns["r00"]).all()
    with pytest.raises(UsageError, match=r"'counter' gives no mesh of 468 vertices: use --mesh\.model facemesh"):
        drive(mesh(film(), tracks, Flat(), MeshParams()), shown)


def test_a_mesh_has_the_same_rows_with_depth():
    tracks = Tracks((track_of(2, 4, 3), track_of(1, 6, 1)))
    shown = cast(list[Picture], [Blank(frame, frozenset({5})) for frame in range(FRAMES)])
    made = drive(mesh(film(), tracks, Counter(), MeshParams()), shown)
    assert (made[2].shape, made[2].dtype, made[1].shape) == ((3, 468, 3), np.float32, (1, 468, 3))
    assert np.isnan(made[2]).all(axis=(1, 2)).tolist() == [False, True, False]
    np.testing.assert_allclose(made[2][0, 0], [62, 55, 32], atol=1e-4)  # z: 16 px of 32, in a square of 64 px
    assert (made.frames.track.tolist(), made.frames.frame.tolist()) == ([1, 2, 2, 2], [6, 4, 5, 6])
    np.testing.assert_allclose(made.frames.of(2, "score"), [0.5 + 5 / 256, 0, 0.5 + 7 / 256], atol=1e-6)


@pytest.mark.parametrize("wrong", [{"min_score": 1.5}, {"smooth_hz": -1.0}, {"smooth_beta": -0.1}])
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(UsageError, match=f"landmarks.{next(iter(wrong))} must be"):
        LandmarksParams(**wrong)
    if "min_score" in wrong:
        with pytest.raises(UsageError, match=r"mesh\.min_score"):
            MeshParams(**wrong)
