"""Tracks are one face in one shot."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, integers
from scipy.optimize import linear_sum_assignment

from phonoscope.core.faces import Faces, Shots
from phonoscope.core.geometry import iou
from phonoscope.core.time import Span
from phonoscope.steps.tracks import TracksParams, match, tracks
from phonoscope.testing.puppet import cuts_and_fades, two_heads_taking_turns

P = TracksParams(min_len=1, min_size=1)


def one_shot(stop):
    return Shots((Span(0, stop),), Fraction(25))


def faces_of(rows):
    rows = sorted(rows, key=lambda row: row[0])
    box = np.array([box for _, box in rows], np.float32).reshape(-1, 4)
    frame = np.array([frame for frame, _ in rows], np.int32)
    return Faces(frame, box, np.full(len(rows), 0.9, np.float32), np.full((len(rows), 5, 2), np.nan, np.float32))


def square(x, y=50.0, side=40.0):
    return (x, y, x + side, y + side)


def random_faces(seed, frames=60, people=4):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(people):
        x, y, dx = rng.uniform(0, 300), rng.uniform(0, 200), rng.uniform(-4, 4)
        rows += [(f, square(x + dx * f, y)) for f in range(frames) if rng.random() < 0.7]
    return faces_of(rows)


@settings(max_examples=40)
@given(seed=integers(0, 10**6), cut=integers(1, 59))
def test_a_track_never_crosses_a_shot_and_no_face_is_in_two(seed, cut):
    faces = random_faces(seed)
    found = tracks(faces, Shots((Span(0, cut), Span(cut, 60)), Fraction(25)), P)
    seen = []
    for track in found:
        assert (track.span.stop <= cut) or (track.start >= cut)
        assert track.observed[0] and track.observed[-1]
        np.testing.assert_array_equal(np.isnan(track.score), ~track.observed)
        seen += [(track.start + row, *track.box[row].tolist()) for row in np.flatnonzero(track.observed)]
    faces_seen = sorted((f, *b) for f, b in zip(faces.frame.tolist(), faces.box.tolist(), strict=True))
    assert sorted(seen) == faces_seen  # each face in exactly one track, and nothing else


@settings(max_examples=40)
@given(seed=integers(0, 10**6))
def test_two_faces_of_one_frame_are_never_one_track(seed):
    faces, every = random_faces(seed), []
    for track in tracks(faces, one_shot(60), P):
        assert len(track) == len(track.box) == len(track.score) == len(track.observed) == len(track.span)
        frames = (track.start + np.flatnonzero(track.observed)).tolist()
        assert len(set(frames)) == len(frames)
        every += [(frame, *track.box[frame - track.start].tolist()) for frame in frames]
    assert len(set(every)) == len(every) == len(faces)  # no face is in two tracks, and none lost to another


def test_a_gap_is_bridged_by_straight_lines_and_marked():
    faces = faces_of([(0, square(100)), (8, square(116))])
    (track,) = tracks(faces, one_shot(20), P)
    assert track.span == Span(0, 9) and track.observed.tolist() == [True] + [False] * 7 + [True]
    np.testing.assert_allclose(track.box[:, 0], np.linspace(100, 116, 9))


def test_a_longer_gap_than_allowed_ends_the_track():
    faces = faces_of([(0, square(100)), (5, square(100))])
    assert len(tracks(faces, one_shot(9), TracksParams(min_len=1, max_gap=4))) == 1
    assert len(tracks(faces, one_shot(9), TracksParams(min_len=1, max_gap=3))) == 2


def test_people_who_pass_each_other_keep_their_tracks():
    rows = [(f, square(20 + 6 * f, 50)) for f in range(0, 60, 3)] + [
        (f, square(380 - 6 * f, 75)) for f in range(0, 60, 3)
    ]
    found = tracks(faces_of(rows), one_shot(60), P)
    assert len(found) == 2
    for track in found:
        assert np.ptp(track.box[:, 1]) == 0  # each stays on its own height


def test_short_and_small_tracks_are_dropped():
    rows = [(f, square(0)) for f in range(9)] + [(f, square(200, side=19)) for f in range(30)]
    assert len(tracks(faces_of(rows), one_shot(30), TracksParams())) == 0
    assert len(tracks(faces_of(rows), one_shot(30), TracksParams(min_len=9, min_size=19))) == 2


def test_ids_count_in_order_of_appearance_from_the_left():
    rows = (
        [(f, square(300)) for f in range(20)]
        + [(f, square(0)) for f in range(20)]
        + [(f, square(150)) for f in range(5, 20)]
    )
    found = tracks(faces_of(rows), one_shot(20), TracksParams())
    assert [(t.id, t.start, t.box[0, 0]) for t in found] == [(0, 0, 0), (1, 0, 300), (2, 5, 150)]


def test_no_faces_make_no_tracks():
    assert len(tracks(faces_of([]), one_shot(10), P)) == 0


def agreement(one, other, span):
    """Mean overlap of two tracks' boxes over a span."""
    if span is None:
        return 0.0
    a, b = (t.box[span.start - t.start : span.stop - t.start] for t in (one, other))
    return float(np.diag(iou(a, b)).mean())


@pytest.mark.parametrize("scene", [two_heads_taking_turns(2.0), cuts_and_fades()])
def test_seen_in_every_fifth_frame_drawn_people_are_followed_through_all(scene):
    truth = scene.truth
    every = truth.faces()
    edges = {f for span in truth.shots.spans for f in (span.start, span.stop - 1)}
    seen = np.isin(every.frame, [f for f in range(every.frame.max() + 1) if f % 5 == 0 or f in edges])
    sparse = Faces(every.frame[seen], every.box[seen], every.score[seen], every.points[seen])
    found, true = tracks(sparse, truth.shots, TracksParams()), [t for t in truth.tracks() if len(t) >= 10]
    assert len(found) == len(true)
    for track in true:
        shared = [t.span & track.span for t in found]
        best, both = max(zip(found, shared, strict=True), key=lambda it: agreement(it[0], track, it[1]))
        assert both and len(both) >= 0.9 * len(track)
        assert agreement(best, track, both) > 0.85


@settings(max_examples=200)
@given(
    seed=integers(0, 10**6), expected=integers(0, 5), found=integers(0, 5), room=floats(1, 2000), least=floats(0, 0.9)
)
def test_matching_is_scipys_whether_or_not_there_is_anything_to_decide(seed, expected, found, room, least):
    corners = np.random.default_rng(seed).uniform(0, room, (expected + found, 2))
    boxes = np.concatenate([corners, corners + 40], 1)
    overlap = iou(boxes[:expected], boxes[expected:])
    overlap[overlap < least] = 0
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    assert match(boxes[:expected], boxes[expected:], least) == [pair for pair in pairs if overlap[pair] > 0]


def test_matching_takes_the_largest_total_overlap():
    expected = np.array([square(0), square(20)], float)
    found = np.array([square(18), square(-30)], float)
    assert sorted(match(expected, found, 0.05)) == [(0, 1), (1, 0)]  # greedy would pair both with the first
