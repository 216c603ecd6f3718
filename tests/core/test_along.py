"""Along tracks: blank tables, and which rows a speed leans on."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.along import blank_table, neighbours
from phonoscope.core.faces import Track, Tracks


def track_of(id: int, start: int, length: int) -> Track:
    return Track(id, start, np.zeros((length, 4)), np.ones(length), np.ones(length, bool))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=5), st.randoms())
def test_a_blank_table_has_a_row_for_every_frame_of_every_track_in_order(spans, random):
    tracks = [track_of(10 + id, *span) for id, span in enumerate(spans)]
    random.shuffle(tracks)
    table, first = blank_table(Tracks(tuple(tracks)), "a", "b")
    wanted = sorted((track.id, frame) for track in tracks for frame in range(track.span.start, track.span.stop))
    assert list(zip(table.track.tolist(), table.frame.tolist(), strict=True)) == wanted
    assert all((table.track[first[t.id]], table.frame[first[t.id]]) == (t.id, t.start) for t in tracks)
    assert all(column.dtype == np.float32 and np.isnan(column).all() for column in table.columns.values())
    assert table.columns["a"] is not table.columns["b"]


@given(st.lists(st.booleans(), max_size=30).map(np.array), st.integers(1, 4))
def test_a_speed_leans_on_rows_that_were_all_seen_and_else_there_is_none(seen, reach):
    seen = seen.astype(bool)
    before, after, frames = neighbours(seen, reach)
    for row in range(len(seen)):
        low, high = max(row - reach, 0), min(row + reach, len(seen) - 1)
        assert (before[row], after[row]) == (low, high)
        whole = seen[low : high + 1].all() and high > low
        assert frames[row] == high - low if whole else np.isnan(frames[row])
