"""People: tracks that look alike are one person, unless they are seen at the same time."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import AgglomerativeClustering

from phonoscope import Store
from phonoscope.core.along import blank_table
from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackArrays, Tracks
from phonoscope.job import prepare
from phonoscope.steps.people import UNKNOWN, PeopleParams, joined, people

Seen = tuple[int, int, np.ndarray | None]  # first frame, frames, what is embedded (K, D)


def embedded(*seen: Seen, wide: int = 3) -> TrackArrays:
    tracks, arrays = [], {}
    for id, (start, length, rows) in enumerate(seen):
        ones = np.ones(length, np.float32)
        tracks.append(Track(id, start, np.zeros((length, 4), np.float32), ones, ones > 0))
        arrays[id] = np.full((length, wide), np.nan, np.float32)
        if rows is not None:
            arrays[id][np.linspace(0, length - 1, len(rows)).astype(int)] = rows
    return TrackArrays(arrays, blank_table(Tracks(tuple(tracks)))[0])


def persons(made: TrackArrays, threshold: float = 0.5) -> list[int]:
    """The person of each track."""
    table = people(made, PeopleParams(threshold=threshold))
    assert table.columns["person"].dtype == np.int32
    np.testing.assert_array_equal(table.track, made.frames.track)
    np.testing.assert_array_equal(table.frame, made.frames.frame)
    each = [np.unique(table.of(id, "person")).tolist() for id in made.arrays]
    assert all(len(found) == 1 for found in each)
    return [found[0] for found in each]


def same(groups: np.ndarray | list[int]) -> np.ndarray:
    """Which are one, (N, N) bool, whatever the groups are called."""
    return np.equal.outer(groups, groups)


ANA, BEN, EVE = np.eye(3, dtype=np.float32)


def test_tracks_of_one_face_are_one_person_and_people_count_in_order_of_appearance():
    made = embedded((60, 9, BEN[None]), (0, 9, EVE[None] + 0.1), (20, 9, ANA[None]), (40, 9, EVE[None] - 0.1))
    assert persons(made) == [2, 0, 1, 0]


@pytest.mark.parametrize("start", [0, 5, 9])
def test_who_is_seen_beside_themself_is_two_people(start):
    assert persons(embedded((0, 10, ANA[None]), (start, 10, ANA[None])), threshold=100) == [0, 1]


def test_one_frame_later_they_may_be_one():
    assert persons(embedded((0, 10, ANA[None]), (10, 10, ANA[None]))) == [0, 0]


def test_a_twin_stays_apart_also_by_way_of_a_third_track():
    """Each of two that are seen together is like the third; it joins the nearer one, and the other stays alone."""
    made = embedded((0, 10, ANA[None]), (0, 10, ANA[None] + 0.1), (20, 10, ANA[None] + 0.02))
    assert persons(made, threshold=10) == [0, 1, 0]


def test_a_track_without_embeddings_is_nobody_we_know():
    assert persons(embedded((0, 5, None), (10, 5, ANA[None]), (20, 5, None))) == [UNKNOWN, 0, UNKNOWN]
    assert persons(embedded((0, 5, None))) == [UNKNOWN]


def test_no_tracks_are_no_people():
    assert len(people(embedded(), PeopleParams()).track) == 0


def test_a_track_is_the_mean_of_its_embeddings_however_many_it_has():
    made = embedded((0, 9, np.stack([ANA, ANA + 0.6, ANA - 0.6])), (10, 9, ANA[None] + 0.01), (20, 9, BEN[None]))
    assert persons(made) == [0, 0, 1]


seen = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30), st.one_of(st.none(), st.integers(0, 2**31))), max_size=12
)


def drawn(tracks: list[tuple[int, int, int | None]]) -> list[Seen]:
    """Random faces (or none), those with odd seeds near one another."""
    look = [None if seed is None else np.random.default_rng(seed).normal(0, 0.1 + seed % 2, 3) for *_, seed in tracks]
    return [
        (start, length, None if it is None else it[None].astype(np.float32))
        for (start, length, _), it in zip(tracks, look, strict=True)
    ]


@given(seen, st.floats(0, 5))
def test_tracks_that_share_a_frame_are_never_one_person(tracks, threshold):
    found = persons(embedded(*drawn(tracks)), threshold)
    for at, (start, length, look) in enumerate(tracks):
        assert (found[at] == UNKNOWN) == (look is None)
        for other, (start2, length2, look2) in enumerate(tracks[:at]):
            if look is not None and look2 is not None and start < start2 + length2 and start2 < start + length:
                assert found[at] != found[other]


@given(seen, st.floats(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_tracks_does_not_matter_and_numbers_leave_no_gap(tracks, threshold, random):
    tracks = list({seed: track for *_, seed in tracks for track in tracks if track[2] == seed}.values())  # no ties
    order = random.sample(range(len(tracks)), len(tracks))
    found = persons(embedded(*drawn(tracks)), threshold)
    again = persons(embedded(*(drawn(tracks)[at] for at in order)), threshold)
    np.testing.assert_array_equal(same([found[at] for at in order]), same(again))
    known = sorted({*found} - {UNKNOWN})
    assert known == list(range(len(known)))
    begun = [min(start for (start, _, _), it in zip(tracks, found, strict=True) if it == person) for person in known]
    assert begun == sorted(begun)


@given(st.integers(2, 25), st.integers(0, 2**31), st.floats(0.1, 5))
def test_groups_are_those_of_scikit_learn_where_nothing_keeps_them_apart(many, seed, threshold):
    means = np.random.default_rng(seed).normal(size=(many, 4))
    witness: Any = AgglomerativeClustering
    theirs = witness(n_clusters=None, linkage="average", distance_threshold=threshold).fit(means).labels_
    ours = joined(means, np.zeros((many, many), bool), threshold)
    np.testing.assert_array_equal(same(ours), same(theirs))


def test_more_is_joined_as_the_threshold_rises():
    means, apart = np.random.default_rng(5).normal(size=(40, 3)), np.zeros((40, 40), bool)
    groups = [joined(means, apart, threshold) for threshold in np.linspace(0, 6, 30)]
    assert (len(set(groups[0])), len(set(groups[-1]))) == (40, 1)
    for fine, coarse in pairwise(groups):
        assert (same(fine) <= same(coarse)).all()


def test_a_threshold_below_nothing_is_refused():
    with pytest.raises(UsageError, match=r"people\.threshold must be 0 or more"):
        PeopleParams(threshold=-0.1)


@pytest.mark.real
def test_the_singer_is_one_person_before_and_after_the_cut_and_nobody_else_is(shared_data, of_dlib, tmp_path):
    of_dlib("dlib128")  # or skip
    film = shared_data / "b_multi_face" / "whitehouse_hamilton_10s.mp4"
    (outcome,) = prepare([film], tmp_path / "films", ["people"]).carry_out()
    assert outcome.failure is None
    stored = Store(tmp_path / "films")[outcome.recording]
    tracks, table = stored.load("tracks"), stored.load("people")
    who = {track.id: int(table.of(track.id, "person")[0]) for track in tracks}
    (singer,) = {who[track.id] for track in tracks if 100 in range(track.start, track.span.stop)}
    at_first = [who[track.id] for track in tracks if track.start == 0]
    assert (len(at_first), at_first.count(singer)) == (2, 1)
    assert singer not in {who[track.id] for track in tracks if track.start > 100}
