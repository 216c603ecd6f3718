"""Which frames are learnt from: sure ones, of the classes that are asked for, a fair and repeatable draw of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import mfcc
from phonoscope.core.visemes import VISEMES
from phonoscope.corpora.viseme_labels import Labelled, frames
from phonoscope.tasks.visemes.frames import Count, drawn, sure
from phonoscope.tasks.visemes.params import FramesParams
from phonoscope.tasks.visemes.speakers import speakers_of


def speech(number, rows=60, spread=4.0):
    """A sound of noise with labels of which some are sure."""
    rng = np.random.default_rng(number)
    weights = rng.dirichlet(np.full(15, 1 / spread), rows)
    audio = rng.normal(0, 0.1, 256 + 128 * (rows - 1)).astype(np.float32)
    return Labelled(str(number), audio, weights.astype(np.float32), f"{number:012x}")


SOUNDS = [speech(number) for number in range(12)]


def draw(p, sounds=SOUNDS, most=10**6, **how):
    return drawn(sounds, p, most, lambda names: (), **how)


def test_the_subsets_are_those_of_seed_004():
    assert FramesParams(classes="5").names == ("aa", "E", "ih", "oh", "ou")
    assert FramesParams(classes="9").names == ("CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
    assert FramesParams(classes="14").names == VISEMES[1:] and FramesParams(classes="15").names == VISEMES
    assert FramesParams(classes="ou, PP").names == ("PP", "ou"), "in the order of all visemes"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"classes": "aa,xx"}, "no viseme 'xx': there are sil, PP"),
        ({"classes": "aa,aa"}, "two visemes or more"),
        ({"classes": "7"}, "no viseme '7'"),
        ({"confidence": 1.2}, "from 0 to 1"),
        ({"classes": "15", "silence": "ignore"}, "leave out sil"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        FramesParams(**settings).names  # noqa: B018


def test_what_is_kept_is_what_the_rules_say_and_every_frame_is_accounted_for():
    counts: dict[str, Count] = {}
    it, p = SOUNDS[0], FramesParams(classes="9", confidence=0.6)
    features, classes, rows = sure(it, p, counts)
    likeliest, likely = it.weights.argmax(1), it.weights.max(1)
    expected = np.flatnonzero((likeliest >= 6) & (likely >= 0.6))
    assert np.array_equal(rows, expected) and np.array_equal(classes, likeliest[expected] - 6)
    np.testing.assert_allclose(features, mfcc(it.audio, 16000, "viseme").values[rows], rtol=1e-6)
    assert all(c.labelled == c.unsure + c.unasked + c.kept for c in counts.values())
    assert sum(c.labelled for c in counts.values()) == frames(len(it.audio))


def test_silence_is_dropped_kept_or_looked_through():
    quiet, half = np.eye(15)[0], np.zeros(15)
    half[[0, 10, 11]] = 0.6, 0.35, 0.05
    it = replace(SOUNDS[0], weights=np.stack([quiet, half] * 30).astype(np.float32))
    assert len(sure(it, FramesParams(), {})[1]) == 0
    _, classes, rows = sure(it, FramesParams(silence="ignore"), {})
    assert rows.tolist() == list(range(1, 60, 2)) and set(classes) == {9}, "0.35 of 0.4 is sure"
    _, classes, rows = sure(it, FramesParams(classes="15"), {})
    assert rows.tolist() == list(range(0, 60, 2)) and set(classes) == {0}


def test_classes_are_cut_to_the_smallest_or_left():
    p = FramesParams(confidence=0.4)
    even = draw(p)
    kept = [even.counts[name].kept for name in p.names]
    assert np.bincount(even.classes).tolist() == [min(kept)] * 14 == [even.counts[name].drawn for name in p.names]
    for how in ("none", "weights"):
        assert np.bincount(draw(replace(p, balance=how)).classes).tolist() == kept


@settings(max_examples=10)
@given(most=st.integers(14, 400), order=st.permutations(range(12)))
def test_a_draw_is_as_large_as_it_may_be_and_does_not_depend_on_the_order_of_files(most, order):
    p = FramesParams(confidence=0.4, balance="none")
    first, second = draw(p, most=most), draw(p, [SOUNDS[at] for at in order], most)
    whole = sum(first.counts[name].kept for name in p.names)
    assert len(first.classes) == len(second.classes) == min(most, whole)
    assert np.array_equal(first.mfcc, second.mfcc) and np.array_equal(first.classes, second.classes)
    even = np.bincount(draw(replace(p, balance="downsample"), most=most).classes)
    assert set(even.tolist()) == {min(most // 14, min(first.counts[name].kept for name in p.names))}


def test_another_seed_draws_others_and_the_same_one_the_same():
    p = FramesParams(confidence=0.4)
    first, again, other = draw(p), draw(p), draw(replace(p, sample_seed=1))
    assert np.array_equal(first.mfcc, again.mfcc) and not np.array_equal(first.mfcc, other.mfcc)


def test_many_files_are_held_no_longer_than_one_draw():
    """Four times the speech, of which no more is drawn, takes no more memory while it goes by."""
    import tracemalloc

    def peak(times):
        tracemalloc.start()
        draw(FramesParams(confidence=0.4), (speech(n) for n in range(times)), 140)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(12)
    assert peak(300) < 1.2 * peak(75) + 100_000


def test_classes_that_are_not_there_are_told_with_what_would_do():
    one = [replace(it, weights=np.tile(np.eye(15, dtype=np.float32)[10], (60, 1))) for it in SOUNDS]
    with pytest.raises(UsageError, match="of 14 classes the frames hold only aa"):
        draw(FramesParams(), one)
    with pytest.raises(UsageError, match="hold none"):
        draw(FramesParams(classes="PP,FF"), one)
    two = [*one[:6], *(replace(it, weights=np.tile(np.eye(15, dtype=np.float32)[11], (60, 1))) for it in SOUNDS[6:])]
    with pytest.raises(UsageError, match=r"no frame of ih, oh, ou is as sure as 0.75: --classes aa,E does without"):
        draw(FramesParams(classes="5"), two)
    assert set(draw(FramesParams(classes="5"), one, whole=False).classes) == {0}, "whoever judges takes what there is"


def test_speakers_come_from_a_table_or_from_names(tmp_path):
    table = tmp_path / "who.csv"
    table.write_text("file,speaker\r\n1.wav,ana\n2,bob\nlabel/3.txt, ana\n")
    assert speakers_of(["1", "2", "3"], str(table)) == ("ana", "bob", "ana")
    assert speakers_of(["S01_1", "S02_1"], r"(S\d+)_") == speakers_of(["S01_1", "S02_1"], r"^S\d+") == ("S01", "S02")
    assert speakers_of(["1"], "") == ()
    with pytest.raises(UsageError, match="does not say who speaks in '4' and 1 more"):
        speakers_of(["1", "4", "5"], str(table))
    with pytest.raises(UsageError, match=r"does not say who speaks in 'x1'"):
        speakers_of(["x1"], r"(S\d+)_")
    with pytest.raises(UsageError, match=r"neither a .csv file nor a pattern"):
        speakers_of(["x1"], "(")
    with pytest.raises(UsageError, match="cannot be read"):
        speakers_of(["x1"], "nowhere.csv")
