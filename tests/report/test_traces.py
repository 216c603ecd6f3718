"""What the page shows of features: few numbers, none of them made up."""

from fractions import Fraction

import numpy as np

from phonoscope.core.series import Series
from phonoscope.report.facts import recording_facts
from phonoscope.report.sound import BINS
from phonoscope.report.traces import BANDS, binned, series_map
from phonoscope.report.wording import map_uri


def test_a_map_is_bright_where_a_series_is_high_and_its_first_number_lies_at_the_bottom():
    values = np.zeros((1000, 4))
    values[500:, 0] = 1
    map = series_map(Series(values, Fraction(100), Fraction(1, 200)), 10.0)
    assert map.shape == (4, BINS) and not map[3, : BINS // 2].any() and (map[3, BINS // 2 :] == 255).all()
    assert not map[:3].any()


def test_a_map_has_no_more_rows_than_can_be_seen_and_ends_where_the_series_does():
    values = np.random.default_rng(0).normal(size=(500, 3, 768)).astype(np.float32)
    map = series_map(Series(values, Fraction(50), Fraction(1, 80)), 20.0)
    assert map.shape == (BANDS, BINS) and map[:, : BINS // 2 - 1].any() and not map[:, BINS // 2 + 1 :].any()


def test_what_is_not_known_stays_unknown(add):
    recording = add(frames=400).recording
    value = np.full(100, 5.0)
    value[:50] = np.nan
    bins = binned(value, np.arange(100, 200), recording)
    assert np.isnan(bins[:75]).all() and (bins[75:100] == 5).all() and np.isnan(bins[100:]).all()


def test_a_film_of_few_frames_has_no_holes_between_them(add):
    bins = binned(np.arange(30.0), np.arange(30), add(frames=30).recording)
    assert np.isfinite(bins).all() and (np.diff(bins) >= 0).all()


def test_every_series_and_the_curves_of_every_track_come_to_the_page(add):
    facts = recording_facts(add(features=0))
    assert set(facts.maps) == {"mfcc", "fbank", "stft", "speech", "visemes"}
    assert [(trace.name, trace.track) for trace in facts.traces] == [
        ("pose", 0),
        ("pose", 1),
        ("mouth", 0),
        ("mouth", 1),
    ]
    assert all(len(map_uri(map)) < 8000 for map in facts.maps.values())
