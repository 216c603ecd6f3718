"""The timeline, as it is drawn."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.time import Span
from phonoscope.report.facts import recording_facts
from phonoscope.report.strips import WIDTH, curve, envelope, hill, lanes, strips, ticks

spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)).map(lambda s: Span(s[0], s[0] + s[1])), max_size=30)


@given(spans=spans)
def test_spans_in_one_lane_never_share_a_frame_and_no_lane_is_wasted(spans):
    rows = lanes(spans)
    crowd = max((sum(span.start <= frame < span.stop for span in spans) for frame in range(250)), default=0)
    assert len(set(rows)) == crowd
    for lane in set(rows):
        mine = [span for span, row in zip(spans, rows, strict=True) if row == lane]
        assert all(a == b or (a & b) is None for k, a in enumerate(mine) for b in mine[k + 1 :])


@given(duration_s=st.floats(0.04, 4e4))
def test_ticks_are_few_begin_at_0_and_are_evenly_apart(duration_s):
    x, text = zip(*ticks(duration_s), strict=True)
    assert text[0] in ("0", "0.0") and len(x) <= 10
    assert min(x) >= 0 and max(x) <= WIDTH
    assert len(x) < 3 or np.ptp(np.diff(x)) <= 1


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=300), height=st.integers(2, 200))
def test_a_hill_stays_in_its_box_and_reaches_both_ends(values, height):
    path = hill(np.array(values), height)
    across = [int(x) for x in re.findall(r"H(\d+)", path)]
    down = [int(y) for y in re.findall(r"V(\d+)", path)]
    assert across[-1] == WIDTH and across == sorted(across)
    assert all(0 <= y <= height for y in down)


def test_an_envelope_is_as_tall_as_the_sound_is_loud():
    full, quiet = envelope(np.array([0.0]), 128), envelope(np.array([-90.0]), 128)
    assert full == f"M0 64V0H{WIDTH}V128H0Z"
    assert quiet == f"M0 64V63H{WIDTH}V65H0Z"
    assert envelope(np.zeros(0), 128) == hill(np.zeros(0), 64) == ""


def test_bars_lie_where_their_tracks_are(add):
    view = strips(recording_facts(add(frames=100, tracks=2)))
    assert [(bar.x, bar.width) for bar in view.bars] == [(0, 48 * WIDTH // 100), (WIDTH // 2, 48 * WIDTH // 100)]
    assert view.shots == ((0, WIDTH // 2), (WIDTH // 2, WIDTH // 2))
    assert not view.bars[0].speech
    said = [int(x) for _, path in view.bars[1].speech for x in re.findall(r"[MH](\d+)", path)]
    assert min(said) == 74 * WIDTH // 100 and max(said) == 98 * WIDTH // 100


def test_a_crowd_gets_lower_lanes(add):
    few, many = (strips(recording_facts(add(f"{n}.mp4", frames=400, tracks=n, seed=n))) for n in (4, 40))
    assert few.bars[0].height > many.bars[0].height
    assert many.height == 20 * 8


def test_a_curve_stops_where_nothing_is_known_and_stays_in_its_box():
    values = np.array([0.0, 1.0, np.nan, 9.0])
    assert curve(values, 0.0, 1.0, 128) == "M500 128L1500 0M3500 0"
