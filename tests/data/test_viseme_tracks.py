"""A track of visemes tiles its sound, holds its shapes, keeps closures, and speaks where its weights do."""

import re
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from phonoscope.core.errors import UsageError
from phonoscope.core.visemes import NOT_SCORED, SILENCE, VISEMES
from phonoscope.data.viseme_tracks import CLOSED, VisemeTrackParams, filled, shaped

P = VisemeTrackParams()
HOLD, CLOSURE, PAUSE = 7, 3, 15  # rows, of the settings as they are
PP, AA = VISEMES.index("PP"), VISEMES.index("aa")


def runs_of(rows) -> list[tuple[int, int, int]]:
    """Start, stop and value of each run of equal rows."""
    at, made = 0, []
    for value, of in groupby(np.asarray(rows).tolist()):
        count = len(list(of))
        made.append((at, at + count, value))
        at += count
    return made


@st.composite
def weights(draw, least=0, most=100):
    """Weights as a network gives them: sure or unsure, steady or restless, by a seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, steady = draw(st.integers(least, most)), draw(st.sampled_from([1, 2, 5, 12]))
    values = rng.dirichlet(np.full(len(VISEMES), draw(st.sampled_from([0.05, 0.3, 1.0]))), size=count // steady + 1)
    silence = rng.random((len(values), 1)) < draw(st.sampled_from([0.0, 0.3, 0.7]))
    values = np.where(silence, 0.1 * values + 0.9 * np.eye(len(VISEMES))[SILENCE], values)
    return np.repeat(values, steady, 0)[:count].astype(np.float32)


@settings(max_examples=1000)
@given(given_=weights())
def test_a_track_keeps_its_promises(given_):
    track = shaped(given_, P)
    rows = track.per_row()
    assert (track.rows, track.rate, track.edges[0]) == (len(given_), 100, 0)  # that cues tile is so by their type
    assert track.weights is not None and track.weights.shape == given_.shape
    cues = runs_of(rows)
    for start, stop, value in cues:
        inside = start > 0 and stop < len(rows)
        least = CLOSURE if value in CLOSED else PAUSE if value == SILENCE and inside else HOLD
        assert stop - start >= least or len(cues) == 1
    if len(rows) < HOLD:
        return
    silence = given_[:, SILENCE]
    for closure in CLOSED:
        for start, stop, sure in runs_of(given_[:, closure] > 0.501):
            assert not sure or stop - start < CLOSURE or (rows[start:stop] == closure).all()
    for start, stop, spoken in runs_of(silence <= 0.499):
        if spoken and stop - start >= HOLD:
            assert (rows[start:stop] != SILENCE).all()
    for start, stop, silent in runs_of(silence > 0.501):
        ends = start == 0 or stop == len(rows)
        if silent and stop - start >= (HOLD if ends else PAUSE):
            assert (rows[start:stop] == SILENCE).all()


@settings(max_examples=50)
@given(given_=weights())
def test_the_same_weights_give_the_same_track(given_):
    one, two = shaped(given_, P), shaped(given_.copy(), P)
    assert one.edges.tolist() == two.edges.tolist()
    assert one.values.tolist() == two.values.tolist()
    assert one.weights is not None and two.weights is not None
    assert one.weights.tobytes() == two.weights.tobytes()


@settings(max_examples=50)
@given(given_=weights(least=7), scale=st.sampled_from([0.25, 2.0, 64.0]))
def test_weights_count_by_their_shares(given_, scale):
    assert shaped(given_ * np.float32(scale), P).values.tolist() == shaped(given_, P).values.tolist()


@given(names=st.lists(st.tuples(st.integers(0, 14), st.integers(15, 40)), min_size=1, max_size=12))
def test_what_is_sure_and_calm_is_shown_as_it_is(names):
    rows = np.concatenate([np.full(count, value) for value, count in names])
    assert shaped(np.eye(15)[rows], P).per_row().tolist() == rows.tolist()


def test_many_unlikely_sounds_are_no_silence():
    spoken = np.full((30, 15), 0.6 / 14)
    spoken[:, SILENCE] = 0.4
    assert SILENCE not in shaped(spoken, P).values


def test_a_short_pause_is_bridged_and_a_long_one_kept():
    for pause, kept in ((14, False), (15, True)):
        rows = np.repeat([AA, SILENCE, AA], [20, pause, 20])
        assert (SILENCE in shaped(np.eye(15)[rows], P).values) == kept


def test_a_flicker_is_not_shown_but_a_closure_of_30_ms_is():
    flicker = np.repeat([AA, VISEMES.index("SS"), AA], [20, 3, 20])
    assert shaped(np.eye(15)[flicker], P).values.tolist() == [AA]
    assert shaped(np.eye(15)[np.where(flicker == AA, AA, PP)], P).values.tolist() == [AA, PP, AA]


def test_rows_of_zeros_take_their_neighbours_shape():
    told = np.eye(15)[np.repeat([SILENCE, PP, AA], [20, 10, 20])]
    told[25:33] = 0
    assert shaped(told, P).values.tolist() == [SILENCE, PP, AA]
    assert shaped(np.zeros((50, 15)), P).values.tolist() == [SILENCE]


def test_weights_stay_as_given_without_smoothing_and_sum_to_one_with_it():
    rng = np.random.default_rng(1)
    given_ = rng.dirichlet(np.ones(15), 40).astype(np.float32)
    kept = shaped(given_, VisemeTrackParams(smooth_s=0)).weights
    assert kept is not None and np.abs(kept - given_).max() < 1e-6
    mixed = shaped(given_, P).weights
    assert mixed is not None and np.abs(mixed.sum(1) - 1).max() < 1e-6
    assert np.abs(np.diff(mixed, axis=0)).sum() < np.abs(np.diff(given_, axis=0)).sum()


@pytest.mark.parametrize("bad", [np.ones((5, 14)), np.ones(15), np.full((5, 15), -1.0), np.full((5, 15), np.nan)])
def test_what_are_no_weights_is_refused(bad):
    with pytest.raises(ValueError, match=r"expected weights \(T, 15\) of 0 or more"):
        shaped(bad, P)


@pytest.mark.parametrize("bad", [{"min_hold_s": -1}, {"closure_s": 0.2}, {"pause_s": 0.01}, {"silence": 1.0}])
def test_settings_that_contradict_each_other_are_refused(bad):
    with pytest.raises(UsageError, match=r"visemes\.\w+ must be"):
        VisemeTrackParams(**bad)


@given(rows=arrays(np.int8, st.integers(0, 40), elements=st.integers(NOT_SCORED, 14)))
def test_what_has_no_shape_takes_a_neighbours(rows):
    made = filled(rows)
    assert (made != NOT_SCORED).all()
    assert (made[rows != NOT_SCORED] == rows[rows != NOT_SCORED]).all()
    for start, stop, value in runs_of(rows):
        if value == NOT_SCORED:
            around = set(rows[max(0, start - 1) : start].tolist() + rows[stop : stop + 1].tolist()) or {SILENCE}
            assert len(set(made[start:stop].tolist())) == 1 and made[start] in around


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([0, -1, 10], [0, 10, 10]),
        ([10, -1, 0], [10, 10, 0]),
        ([-1, 3], [3, 3]),
        ([3, -1], [3, 3]),
        ([-1], [0]),
        ([], []),
    ],
)
def test_a_breath_goes_where_the_mouth_goes_next(rows, shown):
    assert filled(np.array(rows, np.int8)).tolist() == shown


def test_the_page_has_the_settings_of_the_code():
    page = Path(__file__).resolve().parents[2] / "docs" / "visemes.md"
    said = dict(re.findall(r"^\| `(\w+)` \| `([\d.]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert said == {name: str(getattr(P, name)) for name in VisemeTrackParams.__dataclass_fields__}
