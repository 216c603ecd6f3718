"""What a clip is, and how it is called."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, Tracks
from phonoscope.core.time import Span
from phonoscope.data.pack.clips import clips_of, read_choice


def track_of(id: int, start: int, length: int) -> Track:
    box = np.arange(start, start + length, dtype=np.float32)[:, None] + np.array([0, 0, 20, 20], np.float32)
    return Track(id, start, box, np.ones(length, np.float32), np.ones(length, bool))


layouts = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=1, max_size=5).map(
    lambda runs: Tracks(tuple(track_of(id, *run) for id, run in enumerate(runs)))
)


@given(tracks=layouts, data=st.data())
def test_names_are_unique_safe_and_do_not_depend_on_what_else_is_chosen(tracks, data):
    pieces = []
    for track in tracks:
        start = data.draw(st.integers(track.start, track.span.stop - 1))
        pieces.append((track.id, Span(start, data.draw(st.integers(start + 1, track.span.stop)))))
    every = [*((t.id, t.span) for t in tracks), *pieces]
    clips = clips_of("talk-0a1b2c3d", tracks, every)
    names = [clip.name for clip in clips]
    assert len({*names}) == len(names) == len({*every})
    assert all(re.fullmatch(r"talk-0a1b2c3d(_\d+)?(_\d+-\d+)?", name) for name in names)
    for clip, (id, span) in zip(clips, dict.fromkeys(every), strict=True):
        assert (clip.track.id, clip.span) == (id, span)
        np.testing.assert_array_equal(clip.track.box[:, 0], np.arange(span.start, span.stop))
        assert [it.name for it in clips_of("talk-0a1b2c3d", tracks, [(id, span)])] == [clip.name]


def test_without_a_choice_every_track_is_a_clip():
    two = Tracks((track_of(0, 0, 5), track_of(1, 3, 4)))
    assert [clip.name for clip in clips_of("a-00000000", two)] == ["a-00000000_0", "a-00000000_1"]
    assert [clip.name for clip in clips_of("a-00000000", Tracks(two.tracks[:1]))] == ["a-00000000"]
    assert clips_of("a-00000000", Tracks()) == []


@pytest.mark.parametrize(
    ("id", "span", "said"),
    [
        (2, Span(0, 5), "does not exist"),
        (0, Span(0, 6), r"has frames \[0, 5\)"),
        (1, Span(2, 4), r"has frames \[3, 7\)"),
    ],
)
def test_a_piece_that_no_track_has_is_refused(id, span, said):
    with pytest.raises(UsageError, match=said):
        clips_of("a-00000000", Tracks((track_of(0, 0, 5), track_of(1, 3, 4))), [(id, span)])


def test_a_table_of_clips_is_read_by_its_columns(tmp_path):
    rows = [("b", 1, 3, 5), ("a", 0, 0, 9), ("b", 0, 2, 4)]
    columns = dict(zip(("recording", "track", "start_frame", "stop_frame"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({"speaking": [0.1, 0.2, 0.3], **{k: [*v] for k, v in columns.items()}}), tmp_path / "c")
    assert read_choice(tmp_path / "c") == {"b": [(1, Span(3, 5)), (0, Span(2, 4))], "a": [(0, Span(0, 9))]}


@pytest.mark.parametrize("value", [None, "three", 2.5, float("nan")])
def test_a_clip_has_whole_numbers_however_they_are_written(tmp_path, value):
    row = {"recording": "a-00000000", "track": 1.0, "start_frame": 3.0, "stop_frame": 5.0}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "spreadsheet.parquet")
    (chosen,) = read_choice(tmp_path / "spreadsheet.parquet")["a-00000000"]
    assert chosen == (1, Span(3, 5)) and isinstance(chosen[0], int) and isinstance(chosen[1].start, int)
    pq.write_table(pa.Table.from_pylist([row | {"track": value}]), tmp_path / "wrong.parquet")
    with pytest.raises(UsageError, match="track of a clip is a whole number, not "):
        read_choice(tmp_path / "wrong.parquet")


def test_a_table_of_something_else_is_answered_in_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"there is no file '.*nowhere\.parquet'"):
        read_choice(tmp_path / "nowhere.parquet")
    (tmp_path / "text").write_text("no table")
    with pytest.raises(UsageError, match="cannot be read"):
        read_choice(tmp_path / "text")
    pq.write_table(pa.table({"recording": ["a"], "track": [0]}), tmp_path / "short")
    with pytest.raises(UsageError, match="has no column start_frame, stop_frame"):
        read_choice(tmp_path / "short")
    columns = {"recording": ["a"], "track": [0], "start_frame": [5], "stop_frame": [5]}
    pq.write_table(pa.table(columns), tmp_path / "empty")
    with pytest.raises(UsageError, match="span must satisfy 0 <= start < stop, got start=5, stop=5"):
        read_choice(tmp_path / "empty")
