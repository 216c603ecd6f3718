"""One law of alignment for everything that varies with time: so many rows a frame, none far from its instant."""

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core import fbank, mfcc, stft
from phonoscope.core.series import Series
from phonoscope.core.spectra import Cut
from phonoscope.core.time import Span, frames_of, sample_at

few = settings(max_examples=200, deadline=None)
RATE = 16000  # Hz
PAIRS = 10_000
FAR = 0.020  # s
RATES = [Fraction(r) for r in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "12.5", "10")]

Made = Callable[[int, Fraction], Series]


def _by_cut(cut: Cut) -> Made:
    def made(samples: int, fps: Fraction) -> Series:
        rows = cut.rows(samples, RATE, fps)
        return Series(np.arange(rows.count), rows.rate, rows.start)

    return made


def speech(samples: int, fps: Fraction) -> Series:
    """As HuBERT and its kin: rows of 400 samples, 320 apart, one at least."""
    return Series(np.arange(max(0, samples - 400) // 320 + 1), Fraction(50), Fraction(200, RATE))


def whispered(samples: int, fps: Fraction) -> Series:
    """As Whisper's encoder: rows centred on every 320th sample."""
    return Series(np.arange(-(-samples // 320)), Fraction(50))


def vad(samples: int, fps: Fraction) -> Series:
    return Series(np.arange(-(-samples // 160)), Fraction(100), Fraction(1, 200))


def by_cut(cuts: Mapping[str, Cut]) -> dict[str, Made]:
    """Recipes by name; those that place their rows alike stand under one."""
    alike: dict[tuple, list[str]] = {}
    for name, cut in cuts.items():
        tried = (cut.rows(samples, RATE, fps) for samples in range(160, 1920) for fps in (Fraction(24), Fraction(25)))
        places = tuple((rows.count, rows.rate, rows.start) for rows in tried)
        alike.setdefault(places, []).append(name)
    return {", ".join(names): _by_cut(cuts[names[0]]) for names in alike.values()}


# each gives, for so many samples, a series whose values are the numbers of its rows
FEATURES: Mapping[str, Made] = {
    **by_cut(
        {f"mfcc {name}": recipe.bank.cut for name, recipe in mfcc.RECIPES.items()}
        | {f"fbank {name}": recipe.cut for name, recipe in fbank.RECIPES.items()}
        | {f"stft {name}": cut for name, cut in stft.RECIPES.items()}
    ),
    "vad": vad,
    "speech": speech,
    "speech of Whisper": whispered,
}


def pairs(seed: int) -> list[tuple[int, Fraction]]:
    """Numbers of samples, up to 3 s, odd ones too, and frame rates from 5 to 120 a second."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(RATE // 5, 3 * RATE, PAIRS).tolist()
    usual, tops, bases = (rng.integers(*span, PAIRS).tolist() for span in ((0, 20), (5000, 120_001), (1000, 1002)))
    return [
        (count, RATES[which] if which < len(RATES) else Fraction(top, base))
        for count, which, top, base in zip(samples, usual, tops, bases, strict=True)
    ]


def distances(series: Series, frames: int, fps: Fraction, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """How far each row taken is from its instant, s, and which instants lie between the first row and the last."""
    taken = series.on(Span(0, frames), fps, rows)
    assert taken.shape == (frames * rows,)
    rate, start = float(series.rate), float(series.start)
    instants = (2 * np.arange(frames * rows) + 1) / float(2 * rows * fps)
    inside = (instants >= start) & (instants <= start + (len(series) - 1) / rate)
    return np.abs(start + taken / rate - instants), inside


@pytest.mark.parametrize("feature", FEATURES)
def test_ten_thousand_pairs_of_samples_and_frame_rate_all_give_one_near_row_a_frame(feature):
    for samples, fps in pairs(seed=len(feature)):
        series = FEATURES[feature](samples, fps)
        distance, inside = distances(series, samples * fps.numerator // (RATE * fps.denominator), fps, rows=1)
        half_a_row = 1 / float(2 * series.rate)
        assert distance[inside].max(initial=0) <= half_a_row + 1e-9
        # HuBERT's last window may end 20 ms before the sound does: frames may be so short that no row is so near
        far = 0.0325 - 1 / float(2 * fps) if feature == "speech" and fps > 40 else 0.0
        assert distance.max() <= max(FAR, half_a_row, far) + 1e-9, (samples, fps)


@few
@given(
    feature=st.sampled_from(sorted(FEATURES)),
    frames=st.integers(1, 400),
    fps=st.sampled_from(RATES),
    rows=st.sampled_from([1, 2, 3, 4, 8]),
)
def test_every_recording_is_covered_by_every_feature_of_its_sound(feature, frames, fps, rows):
    samples = sample_at(frames, fps, RATE)
    series = FEATURES[feature](samples, fps)
    if len(series):
        distance, inside = distances(series, frames, fps, rows)
        assert distance[inside].max(initial=0) <= 1 / float(2 * series.rate) + 1e-9


@few
@given(
    feature=st.sampled_from(sorted(FEATURES)),
    samples=st.integers(600, 60_000),
    fps=st.sampled_from(RATES),
    rows=st.sampled_from([1, 2, 4]),
)
def test_half_a_frame_more_or_less_is_no_reason_to_refuse(feature, samples, fps, rows):
    series = FEATURES[feature](samples, fps)
    frames = frames_of(Fraction(samples, RATE), fps)
    if frames / fps <= Fraction(samples, RATE) + 1 / (2 * fps):  # else the sound is shorter than half a frame
        distances(series, frames, fps, rows)


def test_speech_covers_the_last_of_sixty_frames_a_second():
    series = speech(sample_at(120, Fraction(60), RATE) + 319, Fraction(60))  # one that the former law refused
    shorter = Series(series.values[:99], series.rate, series.start)
    assert shorter.on(Span(0, 120), Fraction(60), 2).shape == (240,)


@few
@given(
    rate=st.sampled_from([Fraction(25), Fraction(50), Fraction(100), Fraction(125)]),
    fps=st.sampled_from(RATES),
    frames=st.integers(1, 100),
    window_s=st.sampled_from([Fraction(0), Fraction(1, 40), Fraction(1, 32)]),
    rows=st.sampled_from([1, 2, 4]),
)
def test_a_series_is_refused_once_it_leaves_more_bare_than_any_recipe_does(rate, fps, frames, window_s, rows):
    start = window_s / 2
    slack = 1 / (2 * fps) + 1 / rate + min(start, 2 / rate)
    last = (frames - Fraction(1, 2 * rows)) / fps - start
    short = max(0, int((last - slack) * rate // 1))  # number of the last row that is too early
    long = Series(np.arange(short + 2), rate, start)
    assert len(long.on(Span(0, frames), fps, rows)) == frames * rows
    if (last - slack) >= 0:
        with pytest.raises(ValueError, match="needs rows"):
            Series(np.arange(short + 1), rate, start).on(Span(0, frames), fps, rows)


def test_a_series_that_begins_too_late_is_refused_where_it_is_not_and_taken_where_it_is():
    late = Series(np.arange(500), Fraction(100), Fraction(5))
    with pytest.raises(ValueError, match="which has 500 at 100 a second"):
        late.on(Span(0, 100), Fraction(25))
    assert late.on(Span(125, 127), Fraction(25)).tolist() == [2, 6]


def test_a_frame_a_row_may_lack_the_last_one_but_not_two():
    whole, fps = Series(np.arange(50), Fraction(25), Fraction(1, 50)), Fraction(25)
    assert whole.on(Span(0, 51), fps)[-1] == 49
    with pytest.raises(ValueError, match="needs rows 0 to 51"):
        whole.on(Span(0, 52), fps)


def test_a_series_without_rows_covers_nothing():
    with pytest.raises(ValueError, match="which has 0 at 100 a second"):
        Series(np.zeros((0, 13)), Fraction(100)).on(Span(0, 1), Fraction(25))


@few
@given(fps=st.fractions(1, 240, max_denominator=10**9), start=st.fractions(0, 1, max_denominator=10**9))
def test_numbers_too_large_for_64_bits_change_nothing(fps, start):
    series = Series(np.arange(4000), Fraction(100), start)
    frames = max(1, int((30 + start) * fps))
    taken = series.on(Span(frames - 1, frames), fps, 2)
    for at, row in enumerate(taken.tolist()):
        exact = ((frames - 1 + Fraction(2 * at + 1, 4)) / fps - start) * 100
        assert row == max(0, int((exact + Fraction(1, 2)) // 1))
