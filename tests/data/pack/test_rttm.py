"""Turns of speakers: every moment above the threshold is in one, and readers of RTTM understand it."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.faces import TrackTable
from phonoscope.data.pack import RttmParams, pack
from phonoscope.data.pack.rttm import turns_of
from phonoscope.data.pack.speaking import bridged, runs, smoothed
from phonoscope.store.receipts import BY_CORPUS, Receipt
from phonoscope.testing.known import save_asd

PLAIN = RttmParams(smoothing=1, fill_gap_s=0, min_duration_s=0)


def parsed(text: str) -> list[tuple[str, float, float, str]]:
    """RTTM as its readers take it: file, onset, duration, speaker."""
    turns = []
    for line in text.splitlines():
        kind, file, channel, onset, duration, *rest = line.split()
        assert (kind, channel, len(rest)) == ("SPEAKER", "1", 5)
        assert [rest[0], rest[1], rest[3], rest[4]] == ["<NA>"] * 4
        turns.append((file, float(onset), float(duration), rest[2]))
    return turns


@pytest.fixture
def scored(pair):
    scores = {track.id: np.full(len(track), -5.0) for track in pair.load("tracks")}
    scores[0][2:9] = scores[0][20:29] = scores[1][6:15] = 5  # of track 1, which begins at frame 5: frames 11 to 19
    save_asd(pair, scores)
    return pair


def told(stored, to, **settings):
    (told,) = pack(stored.folder.parents[1], to, "rttm", params=RttmParams(**settings)).carry_out()
    assert told.failure is None
    return parsed((to / "all.rttm").read_text())


def test_turns_have_the_times_of_their_frames(scored, tmp_path):
    id = scored.recording.id
    assert told(scored, tmp_path / "a", smoothing=1) == [
        (id, 0.08, 0.28, f"{id}:0"), (id, 0.44, 0.36, f"{id}:1"), (id, 0.8, 0.36, f"{id}:0"),
    ]  # fmt: skip
    assert len(told(scored, tmp_path / "b", smoothing=1, min_duration_s=0.3)) == 2
    assert told(scored, tmp_path / "c", smoothing=1, fill_gap_s=0.5)[0][1:3] == (0.08, 1.08)
    assert (tmp_path / "a" / "rttm" / f"{id}.rttm").read_text() == (tmp_path / "a" / "all.rttm").read_text()


def test_speakers_have_the_names_that_a_corpus_gave(scored, tmp_path):
    entity = np.array(["ana b", "ana b"])
    columns = {"entity": entity, "label": np.ones(2, np.int8)}
    labels = TrackTable(np.zeros(2, np.int32), np.array([3, 4], np.int32), columns)
    scored.save("labels", labels, Receipt(key="given", step=BY_CORPUS, version=1))
    assert {turn[3] for turn in told(scored, tmp_path / "a")} == {"ana_b", f"{scored.recording.id}:1"}


@given(above=st.lists(st.booleans(), max_size=60), start=st.integers(0, 1000))
def test_without_smoothing_turns_hold_exactly_the_frames_above(above, start):
    scores = np.where(np.array(above, bool), 1.0, -1.0)
    spans = turns_of(scores, start, Fraction(25), PLAIN)
    assert [start + k for k, it in enumerate(above) if it] == [
        k for span in spans for k in range(span.start, span.stop)
    ]
    assert all(a.stop < b.start for a, b in pairwise(spans))


@given(above=st.lists(st.booleans(), max_size=60), gap=st.integers(0, 10))
def test_bridging_fills_short_holes_and_no_others(above, gap):
    before = runs(np.array(above, bool))
    after = bridged(before, gap)
    assert all(b.start - a.stop > gap for a, b in pairwise(after))
    kept = {k for span in before for k in range(span.start, span.stop)}
    filled = {k for span in after for k in range(span.start, span.stop)} - kept
    holes = [range(a.stop, b.start) for a, b in pairwise(before) if b.start - a.stop <= gap]
    assert filled == {k for hole in holes for k in hole}


@given(values=st.lists(st.floats(-10, 10), min_size=1, max_size=40), width=st.integers(1, 13))
def test_smoothing_is_the_mean_of_a_window_that_shrinks_at_the_ends(values, width):
    side = (width - 1) // 2
    wanted = [np.mean(values[max(0, k - side) : k + side + 1]) for k in range(len(values))]
    np.testing.assert_allclose(smoothed(np.array(values), width), wanted, atol=1e-12)


def test_recursive_smoothing_takes_its_own_means():
    values = [1.0, 0, 0, 0]
    assert smoothed(np.array(values), 3).tolist() == [0.5, 1 / 3, 0, 0]
    assert smoothed(np.array(values), 3, recursive=True).tolist() == [0.5, 0.5 / 3, 0.5 / 9, 0.5 / 18]


def test_at_a_rate_that_is_no_whole_number_times_do_not_drift():
    fps = Fraction(30000, 1001)
    (span,) = turns_of(np.ones(10**5), 0, fps, PLAIN)
    assert float(len(span) / fps) == pytest.approx(10**5 * 1001 / 30000, abs=1e-9)
