"""The face that AVSpeech's catalogue means, and how much of it is seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.faces import Track, Tracks
from phonoscope.core.time import Span
from phonoscope.corpora.avspeech import read_valid, rows_of, write_rows, write_valid
from phonoscope.corpora.avspeech_rows import Row
from phonoscope.data.right_face import face_of, nearest_track, seen_in, share_seen, validity
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt, write_receipts
from phonoscope.testing.talkers import add_talker


def looked_at_every(stored, frames):
    receipt = Receipt(key="f", step="faces", version=1, params={"every": frames})
    write_receipts(stored.folder, {**stored.receipts, "faces": receipt})


def track(id, middle, start=0, frames=75, observed=None):
    box = np.tile(np.array([*np.subtract(middle, 20), *np.add(middle, 20)], np.float32), (frames, 1))
    seen = np.ones(frames, bool) if observed is None else observed
    return Track(id, start, box, seen.astype(np.float32), seen)


def test_the_nearest_face_is_chosen_and_not_the_first():
    tracks = Tracks((track(0, (160, 100)), track(1, (120, 100)), track(2, (400, 100))))
    assert nearest_track(tracks, Span(0, 75), (110, 100)).id == 1  # the seed takes the first whose grown box holds it
    assert nearest_track(tracks, Span(0, 75), (410, 90)).id == 2
    assert nearest_track(tracks, Span(0, 75), (260, 300)) is None
    assert nearest_track(Tracks(), Span(0, 75), (1, 1)) is None


def test_a_face_that_stays_is_nearer_than_one_that_passes_by():
    tracks = Tracks((track(0, (150, 100)), track(1, (110, 100), start=30, frames=5), track(2, (320, 100))))
    assert nearest_track(tracks, Span(0, 75), (110, 100)).id == 0


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=6), st.integers(0, 300))
def test_of_faces_that_all_stay_it_is_the_nearest(middles, x):
    tracks = Tracks(tuple(track(id, middle) for id, middle in enumerate(middles)))
    away = [np.hypot(*np.subtract(it, (x, 150))) for it in middles]
    chosen, near = (
        nearest_track(tracks, Span(10, 40), (x, 150)),
        [max(abs(a - x), abs(b - 150)) <= 70 for a, b in middles],
    )
    if chosen is None:
        assert not any(near)
    else:
        assert away[chosen.id] == pytest.approx(min(d for d, it in zip(away, near, strict=True) if it))


@pytest.fixture
def store(tmp_path):
    """Two films of the catalogue: of row 4 the face is lost in a quarter of its frames, of row 12 in none."""
    store = Store.create(tmp_path / "films")
    for row, every in ((4, 4), (12, 999)):
        stored = add_talker(store, f"{row}", 80, listed=False)
        seen = np.arange(80) % every != 1
        made = track(0, (50, 60), start=3, frames=80, observed=seen)
        stored.save("tracks", Tracks((made,)), Receipt(key="t", step="tracks", version=1))
        looked_at_every(stored, 1)
        write_rows(stored, [Row(row=row, video="x", start_s=0.2, stop_s=3.2, x=50 / 320, y=60 / 200)])
    return store


def test_validity_is_a_share_and_nothing_is_deleted(store):
    shares = validity(store)
    assert shares == {4: pytest.approx(1 - 18 / 75, abs=0.01), 12: 1.0} and len(store) == 2
    stored = store[next(id for id in store if id.startswith("4"))]
    span, face, share = face_of(rows_of(stored)[0], stored)
    assert (span, face.id, share) == (Span(5, 80), 0, shares[4])
    assert share == face.observed[2:77].mean()
    assert face_of(Row(row=1, video="x", start_s=90, stop_s=93, x=0, y=0), stored) is None
    assert face_of(Row(row=1, video="x", start_s=0, stop_s=3, x=0.99, y=0.99), stored)[1:] == (None, 0.0)


def test_the_list_of_valid_clips_is_the_seeds_at_none_missing(store, tmp_path):
    path = tmp_path / "valid_frame.txt"
    write_valid(path, validity(store))
    assert path.read_text() == "frame_12\n"
    write_valid(path, validity(store), max_missing=0.3)
    assert path.read_text() == "frame_4\nframe_12\n" and read_valid(path) == {4, 12}


@pytest.mark.parametrize("every", [1, 2, 5])
def test_a_face_is_missing_only_where_the_detector_looked_for_it(tmp_path, every):
    stored = add_talker(Store.create(tmp_path / "films"), "a", 80, listed=False)
    looked_at_every(stored, every)
    looked = np.arange(80) % every == 0
    looked[-1] = True
    whole = replace(track(0, (50, 60), frames=80), observed=looked)
    assert seen_in(stored, whole).all()
    once = looked & (np.arange(80) // every != 4)  # one look found nothing
    missing = ~seen_in(stored, replace(whole, observed=once))
    assert missing[4 * every] and missing.sum() == 2 * every - 1
    assert share_seen(~missing, whole, Span(0, 160)) == pytest.approx((80 - missing.sum()) / 160)
    assert share_seen(~missing, whole, Span(80, 160)) == 0
