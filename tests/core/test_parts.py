"""What lies under parts of a recording, put together, is the whole again."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sets

from phonoscope.core.faces import Faces, Track, TrackArrays, Tracks, TrackTable
from phonoscope.core.parts import joined, restricted
from phonoscope.core.series import Series
from phonoscope.core.time import Span

LENGTH = 60  # frames
edges = sets(integers(1, LENGTH - 1), max_size=6).map(lambda inner: sorted({0, *inner, LENGTH}))
frames = lists(integers(0, LENGTH - 1), max_size=40)


def spans_of(at: list[int]) -> list[Span]:
    return [Span(a, b) for a, b in pairwise(at)]


def rows(value) -> dict[str, list]:
    columns = {"frame": value.frame} | (
        {"box": value.box, "score": value.score, "points": value.points}
        if isinstance(value, Faces)
        else {"track": value.track, **value.columns}
    )
    return {name: [str(it.dtype), it.tolist()] for name, it in columns.items()}


@given(frame=frames, at=edges)
def test_faces_of_parts_are_the_faces_of_the_whole(frame, at):
    number = np.arange(len(frame), dtype=np.float32)
    box, points = np.stack([number] * 4, 1), np.stack([number] * 10, 1).reshape(-1, 5, 2)
    whole = Faces(np.array(sorted(frame), np.int32), box, number, points)
    assert rows(joined([restricted(whole, span) for span in spans_of(at)])) == rows(whole)


@given(pairs=sets(integers(0, 4 * LENGTH - 1)), at=edges)
def test_rows_of_parts_are_the_rows_of_the_whole_by_track_then_frame(pairs, at):
    track, frame = (it.astype(np.int32) for it in np.divmod(np.array(sorted(pairs), np.int64), LENGTH))
    whole = TrackTable(track, frame, {"x": np.arange(len(track), dtype=np.float32), "is": frame % 2 == 0})
    assert rows(joined([restricted(whole, span) for span in spans_of(at)])) == rows(whole)


def track_at(id: int, start: int, length: int) -> Track:
    return Track(id, start, np.zeros((length, 4), np.float32), np.ones(length, np.float32), np.ones(length, bool))


def test_tracks_lie_in_one_part_or_in_another():
    tracks = Tracks((track_at(0, 0, 10), track_at(1, 10, 5), track_at(2, 3, 7)))
    assert [track.id for track in restricted(tracks, Span(0, 10))] == [0, 2]
    assert [track.id for track in restricted(tracks, Span(10, 20))] == [1]


def test_a_track_that_is_cut_is_told():
    with pytest.raises(ValueError, match="track 7 has frames 5 to 14, and the film is cut at frame 0 or 10"):
        restricted(Tracks((track_at(7, 5, 10),)), Span(0, 10))


def test_arrays_are_those_of_the_tracks_of_a_part():
    table = TrackTable(np.repeat([3, 5], 4).astype(np.int32), np.array([*range(4), *range(6, 10)], np.int32), {})
    whole = TrackArrays({3: np.zeros((4, 2)), 5: np.ones((4, 2))}, table)
    part = restricted(whole, Span(5, 12))
    assert [*part.arrays] == [5] and part[5].all() and part.frames.frame.tolist() == [6, 7, 8, 9]
    with pytest.raises(KeyError, match=r"no track 3; there are \[5\]"):
        part[3]


def test_sound_is_given_whole():
    sound = Series(np.zeros(100, np.float32), 16000, 0)
    assert restricted(sound, Span(0, 1)) is sound


def test_what_nobody_can_put_together_is_told():
    with pytest.raises(TypeError, match="Series of parts of a film cannot be put together"):
        joined([Series(np.zeros(1), 1, 0)])
