"""Lips as an artifact: a row for every frame of every track, NaN where no face is, however long the track."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope import Store, prepare
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks
from phonoscope.core.geometry import central, crop_track
from phonoscope.core.media import Picture, Recording
from phonoscope.flow.streams import Film, drive
from phonoscope.job import STEPS
from phonoscope.models.protocols import LipEncoder
from phonoscope.steps import lips as module
from phonoscope.steps.lips import LipsParams, lips, unseen
from phonoscope.testing.fakes import FakeLipEncoder

FRAMES = 400


@dataclass
class FlatPicture:
    """A picture whose crops are one grey: the frame's number."""

    frame: int
    asked: list[tuple[np.ndarray, tuple[int, int], int]]

    def crop_grey(self, matrix: np.ndarray, size: tuple[int, int], border: int) -> np.ndarray:
        self.asked.append((matrix, size, border))
        return np.full(size, self.frame % 251, np.uint8)


class Window(FakeLipEncoder):
    """An encoder that adds up what it sees within its context, and notes how much it was given."""

    width = 1

    def __init__(self, context: int) -> None:
        self.context, self.longest = context, 0

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        self.longest = max(self.longest, len(faces))
        sums = np.convolve(faces[:, 0, 0].astype(float), np.ones(2 * self.context + 1))
        return sums[self.context :][: len(faces), None].astype(np.float32)


def track_of(id: int, start: int, observed: np.ndarray) -> Track:
    length = len(observed)
    box = np.tile(np.array([40, 30, 80, 80], np.float32), (length, 1)) + np.arange(length, dtype=np.float32)[:, None]
    return Track(id, start, box, np.where(observed, 1, np.nan).astype(np.float32), observed)


def recording(fps: Fraction = Fraction(25)) -> Recording:
    return Recording("film-00000000", "", "", fps, FRAMES, 640, 360, 0, 0, Fraction(0))


def read(
    tracks: Tracks, encoder: LipEncoder, p: LipsParams | None = None, frames: range = range(FRAMES)
) -> TrackArrays:
    shown = [FlatPicture(frame, []) for frame in frames]
    return drive(lips(Film(recording()), tracks, recording(), encoder, p or LipsParams()), cast(list[Picture], shown))


spans = st.tuples(st.integers(0, FRAMES - 1), st.integers(1, 150)).map(lambda s: (s[0], min(s[1], FRAMES - s[0])))


@settings(max_examples=30, deadline=None)
@given(layout=st.lists(spans, max_size=4), piece=st.integers(1, 60), context=st.integers(0, 12))
def test_pieces_give_what_whole_tracks_give(layout, piece, context):
    tracks = Tracks(tuple(track_of(id, start, np.ones(length, bool)) for id, (start, length) in enumerate(layout)))
    whole, pieces = Window(context), Window(context)
    want = read(tracks, whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE", piece)
        made = read(tracks, pieces)
    assert {id: rows.tolist() for id, rows in made.arrays.items()} == {
        id: rows.tolist() for id, rows in want.arrays.items()
    }
    assert pieces.longest <= piece + 2 * context


@settings(max_examples=30, deadline=None)
@given(layout=st.lists(spans, max_size=4), gap=st.integers(0, 20), data=st.data())
def test_each_frame_has_one_row_which_is_whole_or_missing_whole(layout, gap, data):
    seen = [np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n))) for _, n in layout]
    tracks = Tracks(tuple(track_of(10 - k, s, seen[k]) for k, (s, _) in enumerate(layout)))
    made = read(tracks, FakeLipEncoder(), LipsParams(max_gap=gap))
    rows = sorted((t.id, frame) for t in tracks for frame in range(t.start, t.start + len(t)))
    assert list(zip(made.frames.track.tolist(), made.frames.frame.tolist(), strict=True)) == rows
    for track in tracks:
        array, missing = made[track.id], made.frames.of(track.id, "missing")
        assert array.dtype == np.float32
        assert array.shape == (len(track), 2)
        assert not missing[track.observed].any()
        assert (np.isnan(array) == missing[:, None]).all()
        levels = (np.arange(track.start, track.start + len(track)) % 251 / 255)[~missing]
        np.testing.assert_allclose(array[~missing], np.stack([levels, levels], 1), atol=1e-6)


def test_a_face_is_missing_where_it_was_not_detected_for_long():
    observed = np.array([1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0], bool)
    assert np.flatnonzero(unseen(observed, 2)).tolist() == [4, 5, 6, 9, 10, 11, 12]
    assert np.flatnonzero(unseen(observed, 3)).tolist() == [9, 10, 11, 12]
    assert unseen(observed, 0).tolist() == (~observed).tolist()
    assert unseen(np.zeros(3, bool), 2).all()


def test_the_encoder_sees_the_middle_of_the_asd_crop():
    asked: list = []
    track = track_of(0, 7, np.ones(3, bool))
    shown = [FlatPicture(frame, asked) for frame in range(7, 10)]
    tracks = Tracks((track,))
    drive(lips(Film(recording()), tracks, recording(), FakeLipEncoder(), LipsParams()), cast(list[Picture], shown))
    crop = central(crop_track(track, "asd"), 112)
    assert [size for _, size, _ in asked] == [(112, 112)] * 3
    assert all(np.array_equal(matrix, crop.matrix[at]) for at, (matrix, _, _) in enumerate(asked))
    assert {border for _, _, border in asked} == {110}


def test_no_tracks_have_no_arrays():
    made = read(Tracks(), FakeLipEncoder())
    assert dict(made.arrays) == {}
    assert len(made.frames.track) == len(made.frames.columns["missing"]) == 0


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(50)])
def test_film_of_another_rate_is_refused_in_one_line(fps):
    looker = lips(Film(recording(fps)), Tracks(), recording(fps), FakeLipEncoder(), LipsParams())
    with pytest.raises(UsageError, match=r"lips are read at 25 .* has (29\.97|50): make the store at --clock\.fps 25"):
        drive(looker, [])


def test_a_film_that_leaves_out_a_frame_or_ends_early_is_refused():
    tracks = Tracks((track_of(3, 5, np.ones(20, bool)),))
    with pytest.raises(ValueError, match="track 3 needs frame 8, got 9"):
        drive(
            lips(Film(recording()), tracks, recording(), FakeLipEncoder(), LipsParams()),
            cast(list[Picture], [FlatPicture(frame, []) for frame in (5, 6, 7, 9)]),
        )
    with pytest.raises(ValueError, match="ended before these tracks did: 3"):
        read(tracks, FakeLipEncoder(), frames=range(5, 20))


@pytest.mark.parametrize("wrong", [np.zeros(10), np.full((10, 2), np.nan), np.zeros((9, 2))])
def test_an_encoder_that_breaks_its_promise_is_named(wrong):
    class Broken(FakeLipEncoder):
        def __call__(self, faces: np.ndarray) -> np.ndarray:
            return wrong

    with pytest.raises(ValueError, match=r"fake-lips must give \(10, 2\) finite numbers"):
        read(Tracks((track_of(0, 0, np.ones(10, bool)),)), Broken())


def test_gaps_are_no_fewer_than_none():
    with pytest.raises(UsageError, match=r"lips\.max_gap must be 0 or more, got -1"):
        LipsParams(max_gap=-1)


def test_lips_of_a_drawn_film_are_made_and_follow_its_mouths(puppets, tmp_path):
    (outcome,) = prepare([puppets], tmp_path / "films", ("lips",)).carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "films")[outcome.recording]
    made: TrackArrays = stored.load("lips")
    tracks = stored.load("tracks")
    assert {id: rows.shape for id, rows in made.arrays.items()} == {t.id: (len(t), 35) for t in tracks}
    assert stored.receipts["lips"].card == "mouth@1"
    assert "lips" in STEPS
    assert replace(LipsParams(), model="mouth") != LipsParams()
