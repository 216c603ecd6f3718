"""Examples are the frames and rows that were asked for, and batches hold each of them once."""

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.data.windows.samples import POSITIVE, WindowSample
from phonoscope.tasks.asd.batches import Batches, batches_of, bucketed, joined
from phonoscope.tasks.asd.examples import BY_FRAME, Arrays, Example, Material, of_track, of_window, run_of
from phonoscope.tasks.asd.figures import Scored, best_threshold, figures
from phonoscope.tasks.asd.material import checked, extent, material_of
from phonoscope.tasks.asd.params import AugmentParams, ExamplesParams

sys.path.insert(0, str(Path(__file__).parent))
from known_clips import Known, KnownSound, clip

PLAIN = AugmentParams(vary_faces=False, overlay=0)


def window(video: str, audio: str, center: int = 30, audio_center: int = 30, label: int = 1) -> Example:
    kind = POSITIVE if label else "complete"
    return of_window(WindowSample(clip(video), clip(audio), label, kind, center, audio_center, 25))


def test_a_window_shows_its_faces_and_lets_hear_its_rows():
    found = Material({}, Known()).load(window("ana", "ben", 20, 40, 0))
    assert found.faces[:, 0, 0].tolist() == list(range(9, 34))
    assert found.mfcc[:, 0].tolist() == list(range(4 * 28, 4 * 53))
    assert (found.faces.dtype, found.mfcc.dtype, found.labels.dtype) == (np.uint8, np.float32, np.int64)
    assert not found.labels.any() and found.weight.all() and found.whole


def test_frames_without_a_face_or_beyond_the_clip_do_not_count():
    found = Material({}, Known(missing={"ana": [1, 3]})).load(window("ana", "ana", 5, 5))
    assert found.weight.tolist() == [0] * 7 + [1, 0, 1, 0] + [1] * 14
    assert not found.faces[:7].any() and not found.mfcc[:28].any()


def test_a_labelled_track_has_a_label_a_frame_and_what_nobody_has_said_does_not_count():
    said = [1, 0, -1] * 20
    material = Material({}, Known(said={"ana": said}))
    (example,) = of_track(clip("ana"), 500)
    found = material.load(example)
    assert example.label == BY_FRAME and not found.whole
    assert found.weight.tolist() == [float(it >= 0) for it in said]
    assert found.labels[found.weight > 0].tolist() == [it for it in said if it >= 0]


@given(frames=integers(1, 300), piece=integers(1, 80))
def test_pieces_of_a_track_tile_it(frames, piece):
    pieces = of_track(clip("ana", frames), piece)
    assert [it.start for it in pieces] == [0, *np.cumsum([it.num_frames for it in pieces])[:-1]]
    assert sum(it.num_frames for it in pieces) == frames
    lengths = [it.num_frames for it in pieces]
    assert max(lengths) <= piece and max(lengths) - min(lengths) <= 1
    assert all(it.start == it.audio_start for it in pieces)


@given(count=integers(0, 9), start=integers(-12, 12), length=integers(0, 12))
def test_a_run_beyond_the_ends_is_zero(count, start, length):
    made, outside = run_of(np.arange(1, count + 1), start, length)
    expected = [at + 1 if 0 <= at < count else 0 for at in range(start, start + length)]
    assert made.tolist() == expected
    assert outside.tolist() == [it == 0 for it in expected]


@given(lengths=lists(integers(1, 90), max_size=40), budget=integers(1, 300), seed=integers(-1, 5))
def test_every_example_is_in_one_batch_of_like_lengths(lengths, budget, seed):
    rng = np.random.default_rng(seed) if seed >= 0 else None
    found = bucketed(lengths, budget, rng)
    assert sorted(at for batch in found for at in batch) == list(range(len(lengths)))
    for batch in found:
        longest = max(lengths[at] for at in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget
    spans = sorted((min(lengths[at] for at in batch), max(lengths[at] for at in batch)) for batch in found)
    assert all(high <= low for (_, high), (low, _) in pairwise(spans))


def arrays(frames: int, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    faces, rows = rng.integers(1, 256, (frames, 8, 8), np.uint8), rng.normal(size=(4 * frames, 13)).astype(np.float32)
    return Arrays(faces, rows, rng.integers(0, 2, frames), np.ones(frames, np.float32), np.array(False))


@given(lengths=lists(integers(1, 12), min_size=1, max_size=4))
def test_masked_batches_lose_nothing_and_count_nothing_twice(lengths):
    them = [arrays(length, at) for at, length in enumerate(lengths)]
    whole = joined(them, "mask")
    assert whole.faces.shape == (len(them), max(lengths), 8, 8) and whole.mfcc.shape[1] == 4 * max(lengths)
    assert whole.weight.sum() == sum(lengths)
    for at, it in enumerate(them):
        assert np.array_equal(whole.faces[at][whole.weight[at] > 0], it.faces)
        assert np.array_equal(whole.mfcc[at, : len(it.mfcc)], it.mfcc)
        assert (whole.faces[at, len(it.faces) :] == it.faces[-1]).all()


@given(lengths=lists(integers(1, 12), min_size=1, max_size=4))
def test_upstream_cuts_a_batch_to_its_shortest(lengths):
    whole = joined([arrays(length) for length in lengths], "upstream")
    assert whole.faces.shape[1] == whole.labels.shape[1] == min(lengths) and whole.weight.all()


def batches(augment: AugmentParams | None, epoch: int = 1, seed: int = 0, sound: bool = True) -> Batches:
    people = [window(name, name, 12 + 5 * n, 12 + 5 * n) for n, name in enumerate(("ana", "ben", "cem", "dan"))]
    material = Material({"training": people}, Known(), sound=KnownSound() if sound else None)
    return batches_of(material, "training", epoch, ExamplesParams(batch_frames=50), augment, seed, lambda made: made)


def test_a_batch_is_the_same_whenever_it_is_asked_for_and_another_in_another_epoch():
    lively = AugmentParams(overlay=1.0)
    once, again = batches(lively)[1], batches(lively)[1]
    assert np.array_equal(once.faces, again.faces) and np.array_equal(once.mfcc, again.mfcc)
    other = batches(lively, epoch=2)[1]
    assert not np.array_equal(once.mfcc, other.mfcc)
    assert not np.array_equal(once.mfcc, batches(lively, seed=1)[1].mfcc)


def test_without_augmentation_examples_stand_in_order_as_they_are():
    found = batches(None)
    assert len(found) == 2
    assert [int(it.faces[0, 0, 0, 0]) for it in found] == [1, 11]
    assert list(batches(None, epoch=7)[0].mfcc.ravel()) == list(found[0].mfcc.ravel())


def test_an_overlay_changes_the_sound_and_only_the_sound():
    material = Material({}, Known(), sound=KnownSound())
    example, others = window("ana", "ana"), [window("ben", "ben")]
    rng = np.random.default_rng(0)
    found = material.vary(example, others, rng, replace(PLAIN, overlay=1.0))
    assert np.array_equal(found.faces, material.load(example).faces)
    assert found.mfcc.shape == (100, 13) and found.mfcc.dtype == np.float32
    assert not np.array_equal(found.mfcc, material.load(example).mfcc)


def test_an_overlay_that_cannot_be_heard_leaves_the_rows_of_the_whole_clip():
    """100 dB softer it changes nothing: so the piece is cut where the rows of the clip lie."""
    material, sound, ana = Material({}, Known(), sound=KnownSound()), KnownSound(), clip("ana")
    whole = fit_rows(mfcc(sound.audio(ana, 0, 60), 16000, "psf").values, 240)
    for center in (12, 30, 47):
        example = window("ana", "ana", center, center)
        rng = np.random.default_rng(1)
        found = material._overlaid(sound, example, window("ben", "ben"), 100.0, rng)
        wanted = whole[4 * (center - 12) : 4 * (center + 13)]
        assert found is not None
        assert np.abs(found - wanted)[: 98 if center == 47 else 100].max() < 0.02


def test_nothing_is_laid_over_where_only_mfcc_are_kept():
    material = Material({}, Known())
    found = material.vary(
        window("ana", "ana"), [window("ben", "ben")], np.random.default_rng(0), AugmentParams(overlay=1)
    )
    assert np.array_equal(found.mfcc, material.load(window("ana", "ana")).mfcc)


def test_how_much_there_is_counts_clips_once():
    found = extent([window("ana", "ana"), window("ana", "ben"), window("ben", "ana", 20)])
    assert (found.examples, found.recordings, found.speakers) == (3, 2, 2)
    assert found.hours == pytest.approx(120 / 25 / 3600, abs=1e-4)


def test_empty_splits_and_one_label_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no examples of the split 'validation' \\(1 of training\\)"):
        checked(
            Material(
                {
                    "training": [
                        window("ana", "ana"),
                    ][:1]
                },
                Known(),
            ),
            tmp_path,
            ["validation"],
        )
    with pytest.raises(UsageError, match="all 1 examples of the split 'training' say that somebody speaks"):
        checked(Material({"training": [window("ana", "ana")]}, Known()), tmp_path)
    with pytest.raises(UsageError, match="no store and no folder of windows"):
        material_of(tmp_path / "nowhere", ExamplesParams())


def test_figures_of_perfect_scores_and_of_windows():
    good = Scored(np.array([2.0, 3.0, -1.0]), np.array([1, 1, 0]), False)
    window_ = Scored(np.array([-5.0, 1.0]), np.array([0, 0]), True)
    found = figures([good, window_])
    assert found["ap"] == 1 and found["auc"] == 1 and found["f1"] == 1
    assert found["accuracy"] == 0.8 and found["window_accuracy"] == 1
    assert 1 < found["threshold"] < 2
    assert figures([]) == {} and set(figures([window_])) == {"accuracy", "window_accuracy"}


@given(seed=integers(0, 999), count=integers(1, 12))
def test_no_threshold_has_a_better_f1(seed, count):
    rng = np.random.default_rng(seed)
    labels, odds = rng.random(count) < 0.5, rng.integers(-3, 4, count).astype(float)
    labels[0] = True

    def f1(above: float) -> float:
        said = odds > above
        return 2 * (said & labels).sum() / (said.sum() + labels.sum())

    threshold, best = best_threshold(labels, odds)
    assert (
        best
        == pytest.approx(f1(threshold))
        == pytest.approx(max(f1(it) for it in [-9.0, *(odds + 0.5), *(odds - 0.5)]))
    )
