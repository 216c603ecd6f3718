"""Laws of time: edges are shared, the nearest frame is the nearest, alignment is one row a frame."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from

from phonoscope.core.series import Series
from phonoscope.core.time import Span, frames_of, merge_spans, nearest_frames

RATES = [Fraction(r) for r in ("25", "24000/1001", "30000/1001", "24", "30", "50", "60000/1001", "60", "120", "12.5")]


@given(frame=integers(0, 10**7), fps=sampled_from(RATES), rate=sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_neighbouring_frames_share_an_edge(frame, fps, rate):
    here, after = Span(frame, frame + 1), Span(frame + 1, frame + 2)
    assert here.samples(fps, rate).stop == after.samples(fps, rate).start


@given(
    steps=lists(integers(1, 9000), min_size=1, max_size=60), start=integers(-(10**6), 10**12), fps=sampled_from(RATES)
)
def test_each_tick_shows_the_nearest_source_frame_and_the_later_of_two(steps, start, fps):
    pts = start + np.cumsum([0, *steps])
    time_base = Fraction(1, 90000)
    count = frames_of(Fraction(int(pts[-1] - pts[0])) * time_base, fps)
    chosen = nearest_frames(pts, time_base, fps, count)
    for k in range(0, count, max(1, count // 7)):
        tick = Fraction(k) / fps
        far = [abs(int(p - pts[0]) * time_base - tick) for p in pts]
        nearest = min(far)
        assert chosen[k] == max(i for i, d in enumerate(far) if d == nearest)


@given(n=integers(1, 10**6), fps=sampled_from(RATES))
def test_a_film_at_the_clock_s_own_rate_keeps_its_number_of_frames(n, fps):
    assert frames_of(n / fps, fps) == n


@given(samples=integers(400, 400_000), fps=sampled_from(RATES), rows=sampled_from([1, 2, 4]))
def test_a_series_gives_exactly_so_many_rows_a_frame_none_far_from_its_instant(samples, fps, rows):
    rate, start = Fraction(50), Fraction(200, 16000)
    centres = np.array([float(start + k / rate) for k in range((samples - 400) // 320 + 1)])
    frames = frames_of(Fraction(samples, 16000), fps)
    series = Series(centres[:, None], rate, start)
    try:
        aligned = series.on(Span(0, frames), fps, rows)
    except ValueError:
        tail = frames / fps - (start + (len(centres) - 1) / rate)
        assert tail > Fraction(1, 2) / fps  # the series really ends too early
        return
    assert aligned.shape == (frames * rows, 1)
    wanted = (np.arange(frames * rows) + 0.5) / float(fps * rows)
    inside = (wanted >= centres[0]) & (wanted <= centres[-1])
    assert np.abs(aligned[inside, 0] - wanted[inside]).max(initial=0) <= 0.01 + 1e-9


@given(lists(integers(0, 200), min_size=1, max_size=30))
def test_merged_spans_hold_the_same_frames_and_never_touch(starts):
    spans = [Span(s, s + 1 + s % 7) for s in starts]
    merged = merge_spans(spans)
    frames = {f for span in spans for f in range(span.start, span.stop)}
    assert {f for span in merged for f in range(span.start, span.stop)} == frames
    assert all(a.stop < b.start for a, b in pairwise(merged))


def test_a_span_without_frames_is_refused():
    with pytest.raises(ValueError, match="start < stop"):
        Span(3, 3)


def test_timestamps_that_go_back_are_refused():
    with pytest.raises(ValueError, match="strictly increasing"):
        nearest_frames(np.array([0, 2, 1]), Fraction(1, 25), Fraction(25), 3)


def test_a_series_that_ends_too_early_is_refused():
    with pytest.raises(ValueError, match="needs rows"):
        Series(np.zeros((10, 1)), Fraction(100), Fraction(1, 200)).on(Span(0, 25), Fraction(25))


@given(start=integers(0, 3000), frames=integers(1, 40), fps=sampled_from(RATES), rows=sampled_from([1, 2, 4]))
def test_the_row_taken_is_the_nearest_and_the_later_of_two(start, frames, fps, rows):
    rate, first = Fraction(100), Fraction(1, 80)
    series = Series(np.arange(int(3100 / fps * 100) + 9), rate, first)
    for n, row in enumerate(series.on(Span(start, start + frames), fps, rows)):
        instant = Fraction(2 * (start * rows + n) + 1, 2 * rows) / fps
        exact = (instant - first) * rate
        assert row == max(0, int((exact + Fraction(1, 2)) // 1))


def test_an_awkward_rate_and_a_fine_time_base_do_not_overflow():
    fps, base = Fraction(23.976023976023976), Fraction(1, 90000)
    pts = np.arange(0, 90000 * 3600, 3753)
    chosen = nearest_frames(pts, base, fps, 5)
    assert chosen.tolist() == [0, 1, 2, 3, 4]
