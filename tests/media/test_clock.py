"""The clock shows at each tick the picture that is nearest in time."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.time import frames_of
from phonoscope.media.clock import MAX_HOLE_S, Stamps, clock_of, longest_run, steady

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(50), Fraction(120)]
UNITS = [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 12800), Fraction(1001, 30000)]


def nearest(pts: list[int], unit: Fraction, at: Fraction) -> int:
    """The rule, spelled out: the nearest picture, of two the later."""
    return min(pts, key=lambda p: (abs((p - pts[0]) * unit - at), -p))


@given(
    steps=st.lists(st.integers(1, 4000), max_size=25),
    first=st.integers(-(10**6), 10**10),
    unit=st.sampled_from(UNITS),
    fps=st.sampled_from(RATES),
)
def test_every_tick_shows_the_nearest_picture(steps: list[int], first: int, unit: Fraction, fps: Fraction):
    pts = [first, *(first + int(s) for s in np.cumsum(steps))] if steps else [first]
    clock = clock_of(Stamps(np.array(pts), unit, 0), fps)
    for k in range(0, len(clock), 1 + len(clock) // 50):
        assert clock.pts[k] == nearest(pts, unit, k / fps)


@given(fps=st.sampled_from(RATES), count=st.integers(2, 400))
def test_a_film_at_the_clocks_own_rate_is_shown_picture_by_picture(fps: Fraction, count: int):
    pts = np.arange(count) * 7
    clock = clock_of(Stamps(pts, 1 / fps / 7, 7), fps)
    assert (clock.pts == pts).all()


@given(last=st.integers(1, 100_000))
def test_a_film_ends_with_the_duration_of_its_last_picture(last: int):
    clock = clock_of(Stamps(np.array([0, 3600, 7200]), Fraction(1, 90000), last), Fraction(25))
    true_length = 7200 + (last if last > 900 else 3600)
    assert len(clock) == frames_of(Fraction(true_length, 90000), Fraction(25))


def test_an_absurd_timestamp_makes_no_million_frames():
    pts = np.concatenate([np.arange(50), np.arange(20) + 143_165 * 25])
    kept, hole_s = longest_run(Stamps(pts, Fraction(1, 25), 1))
    assert kept.pts.tolist() == list(range(50))
    assert hole_s > 140_000


def test_a_long_still_scene_is_no_hole():
    pts = np.array([0, 1, (MAX_HOLE_S - 1) * 25, MAX_HOLE_S * 25])
    kept, hole_s = longest_run(Stamps(pts, Fraction(1, 25), 1))
    assert len(kept.pts) == 4
    assert hole_s == 0


@given(fps=st.sampled_from(RATES), count=st.integers(3, 200))
def test_rounded_timestamps_are_steady(fps: Fraction, count: int):
    pts = np.array([round(k * 1000 / fps) for k in range(count)])
    assert steady(Stamps(pts, Fraction(1, 1000), 0))
    wavering = pts.copy()
    wavering[1] += round(500 / fps)
    assert not steady(Stamps(wavering, Fraction(1, 1000), 0))
