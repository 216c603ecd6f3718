"""Curves of visemes at any rate: as long as the track, nothing made up, closures not averaged away."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.visemes import SILENCE, VISEMES, VisemeTrack, track_of
from phonoscope.data.viseme_curves import STEPS, curves, stepped

RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(100), Fraction(120)])
EITHER = st.booleans()
PP = VISEMES.index("PP")
SOUNDS = [number for number, name in enumerate(VISEMES) if name not in ("PP", "FF")]


@st.composite
def tracks(draw, weighted=EITHER) -> VisemeTrack:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = np.repeat(rng.integers(0, 15, 40), rng.integers(1, 12, 40))[: draw(st.integers(1, 150))]
    given_ = rng.dirichlet(np.full(15, 0.2), len(rows)).astype(np.float32) if draw(weighted) else None
    return track_of(rows, weights=given_)


@given(track=tracks(), rate=RATES)
def test_weights_are_shares_for_as_long_as_the_track_lasts(track, rate):
    made = curves(track, rate)
    assert made.shape == (-(-track.rows * rate // 100), 15)
    assert made.dtype == np.float32
    assert ((made >= -1e-6) & (made <= 1 + 1e-6)).all()
    assert np.abs(made.sum(1) - 1).max() < 1e-5


@given(track=tracks(weighted=st.just(True)), rate=st.sampled_from([24, 25, 60, 120]))
def test_rows_are_means_over_their_time_where_no_closure_is(track, rate):
    weights = np.array(track.weights)
    weights[:, SILENCE] += weights[:, [PP, PP + 1]].sum(1)
    weights[:, [PP, PP + 1]] = 0
    made = curves(VisemeTrack(track.edges, track.values, track.rate, weights), Fraction(rate))
    fine = np.repeat(weights.astype(np.float64), rate, 0)  # so many rows are 1/100 s, and 100 of them a frame
    for frame, row in enumerate(made):
        assert np.abs(fine[frame * 100 : (frame + 1) * 100].mean(0) - row).max() < 1e-5


@given(track=tracks(weighted=st.just(True)), rate=RATES)
def test_a_closure_is_as_sure_in_some_frame_as_it_ever_was(track, rate):
    weights = np.array(track.weights)
    weights[:, SILENCE] += weights[:, PP + 1]
    weights[:, PP + 1] = 0  # both at once in a frame would have to share it
    made = curves(VisemeTrack(track.edges, track.values, track.rate, weights), rate)
    assert made[:, PP].max() >= weights[:, PP].max() - 1e-6


@pytest.mark.parametrize("rate", [24, 25, 30, 60])
@pytest.mark.parametrize("start", range(8))
def test_a_closure_of_30_ms_shuts_the_mouth_at_any_rate(rate, start):
    rows = np.repeat([10, PP, 10], [20 + start, 3, 20])
    assert curves(track_of(rows), Fraction(rate))[:, PP].max() > 0.95


@given(track=tracks(weighted=st.just(False)))
def test_cues_fade_and_each_is_all_there_is_in_its_middle(track):
    made = curves(track, Fraction(100))
    middles = (track.edges[:-1] + track.edges[1:]) // 2
    odd = np.diff(track.edges) % 2 == 1
    assert (made[middles, track.values][odd] > 1 - 1e-6).all()
    assert (made.argmax(1) == track.per_row()).mean() > 0.5


@settings(max_examples=200)
@given(track=tracks(weighted=st.just(True)), scale=st.sampled_from([0.5, 1.0, 3.0]))
def test_steps_are_whole_and_come_back_as_they_went(track, scale):
    assert track.weights is not None
    steps = stepped(track.weights * np.float32(scale))
    assert (steps >= 0).all() and (steps.sum(1) == STEPS).all()
    assert (stepped((steps / STEPS).astype(np.float32)) == steps).all()
    if scale == 1:
        assert np.abs(steps[:, SOUNDS] / STEPS - track.weights[:, SOUNDS]).max() <= 14 / STEPS


def test_a_track_of_nothing_has_no_rows():
    assert curves(track_of([]), Fraction(60)).shape == (0, 15)
