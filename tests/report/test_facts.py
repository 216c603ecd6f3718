"""The numbers behind the page."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.report.facts import funnel, recording_facts, store_facts, timings
from phonoscope.report.sound import FLOOR_DB, bin_edges, sound_level, voice_level
from phonoscope.report.speech import speech_runs
from phonoscope.store.codecs import write_recording
from phonoscope.store.ledger import Failure, add_failure

scores = st.lists(st.floats(-9, 9), max_size=60).map(lambda values: np.array(values, np.float32))


@given(score=scores, start=st.integers(0, 10**6))
def test_runs_hold_exactly_the_frames_with_a_score_above_0(score, start):
    runs = speech_runs(score, start)
    held = [frame for run in runs for frame in range(run.start, run.stop)]
    assert held == (start + np.flatnonzero(score > 0)).tolist()


@given(score=scores, cell=st.integers(1, 20))
def test_coarse_runs_stay_within_the_track_and_do_not_touch_where_they_are_equally_sure(score, cell):
    runs = speech_runs(score, 100, cell)
    assert all(100 <= run.start < run.stop <= 100 + len(score) for run in runs)
    assert all(a.stop < b.start or a.level != b.level for a, b in pairwise(runs))


def test_surer_scores_are_drawn_stronger():
    assert [run.level for run in speech_runs(np.array([0.5, 1.5, 3.0], np.float32), 0)] == [1, 2, 3]


@given(length=st.integers(0, 10**7), bins=st.integers(1, 300))
def test_bins_tile_what_they_divide_and_none_is_empty(length, bins):
    edges = bin_edges(length, bins)
    assert edges[0] == 0 and edges[-1] == length
    assert (np.diff(edges) > 0).all() and len(edges) <= bins + 1
    assert length == 0 or np.ptp(np.diff(edges)) <= 1


@pytest.mark.parametrize("seconds", [1, 30])  # heard as a whole, and by the beginning of each bin
def test_the_level_of_a_tone_is_that_of_its_root_mean_square(tmp_path, seconds):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000 * seconds) / 16000)
    soundfile.write(tmp_path / "a.flac", tone, 16000, subtype="PCM_16", format="FLAC")
    level = sound_level(tmp_path / "a.flac", bins=8)
    assert level.shape == (8,)
    np.testing.assert_allclose(level, 20 * np.log10(0.5 / np.sqrt(2)), atol=0.01)


def test_silence_lies_on_the_floor_and_bins_are_no_more_than_samples(tmp_path):
    for samples, bins in ((1000, 8), (3, 3)):
        soundfile.write(tmp_path / "a.flac", np.zeros(samples), 16000, subtype="PCM_16", format="FLAC")
        assert sound_level(tmp_path / "a.flac", bins=8).tolist() == [FLOOR_DB] * bins


def test_voice_bins_keep_the_mean():
    vad = Series(np.random.default_rng(0).random(1000, np.float32), Fraction(100))
    np.testing.assert_allclose(voice_level(vad, 8).mean(), vad.values.mean(), rtol=1e-5)
    assert voice_level(Series(np.zeros(0, np.float32), Fraction(100))).shape == (0,)


def test_the_funnel_counts_frames_as_brute_force_does(store, add):
    add("one.mp4", frames=120, tracks=5, seed=1)
    add("two.mp4", frames=100, tracks=3, seed=2)
    seconds = {"film": 220 / 25}
    for name in ("tracked", "speaking"):
        frames = set()
        for id in store:
            tracks, asd = store[id].load("tracks"), store[id].load("asd")
            for track in tracks:
                said = asd.of(track.id, "score")
                frames |= {(id, track.start + k) for k in range(len(track)) if name == "tracked" or said[k] > 0}
        seconds[name] = len(frames) / 25
    stages = {stage.name: stage.seconds for stage in funnel(store_facts(store))}
    assert {name: stages[name] for name in seconds} == pytest.approx(seconds)


def test_every_stage_of_the_funnel_is_part_of_the_one_before(store, add):
    for seed, (tracks, sound) in enumerate([(3, True), (0, True), (2, False), (None, True)]):
        add(f"{seed}.mp4", tracks=tracks, sound=sound, seed=seed)
    stages = funnel(store_facts(store))
    assert [stage.seconds for stage in stages] == sorted((stage.seconds for stage in stages), reverse=True)
    assert [stage.recordings for stage in stages] == [4, 3, 3, 2]


def test_a_face_stands_for_the_frames_up_to_the_next_look(add):
    facts = recording_facts(add(frames=100, tracks=1))  # looked at in frames 0, 5, … 45 of a track of 48
    assert facts.face_frames == 50
    assert facts.tracked_frames == 48


def test_what_has_not_been_made_is_none_and_what_was_not_found_is_0(add):
    bare, empty = recording_facts(add("a.mp4", tracks=None)), recording_facts(add("b.mp4", tracks=0, seed=1))
    assert (bare.shots, bare.tracks, bare.face_frames, bare.speaking_frames, bare.voice) == (None,) * 5
    assert (empty.tracks, empty.face_frames, empty.tracked_frames, empty.speaking_frames) == ((), 0, 0, 0)
    assert recording_facts(add("c.mp4", sound=False, seed=2)).level_db is None


def test_tracks_are_told_with_their_shares(add):
    one, two = recording_facts(add(frames=100, tracks=2, crop_video=True)).tracks or ()
    assert (one.span, two.span) == (Span(0, 48), Span(50, 98))
    assert (one.speaking, two.speaking) == (0, 0.5)
    assert one.observed == pytest.approx(10 / 48)
    assert one.thumb and one.thumb.name == "0.jpg" and two.crop and two.crop.name == "1.mp4"


def test_a_step_that_makes_three_artifacts_at_once_is_counted_once(store, add):
    add("one.mp4", seed=1)
    add("two.mp4", seed=2)
    spent = {timing.step: timing for timing in timings(store_facts(store))}
    assert spent["ingest"].seconds == pytest.approx(2 * 0.25)
    assert spent["faces"].seconds == pytest.approx(2 * 2.0)
    assert spent["faces"].film_s == pytest.approx(8.0)
    assert spent["faces"].speed == pytest.approx(2.0)


def test_a_failure_is_told_at_its_recording(store, add):
    stored = add()
    said = Failure(
        source="file:///a", recording=stored.recording.id, step="faces", reason="failed", message="no memory"
    )
    add_failure(store.root, said)
    add_failure(store.root, Failure(source="file:///b", recording="", step="ingest", reason="unreadable", message="x"))
    assert store_facts(store)[0].failures == (said,)


def test_a_film_that_another_model_has_seen_than_the_store_names_says_so(store, add):
    stored = add("talk.mp4")  # its faces are by the model "drawn"
    for models, said in (({}, ()), ({"faces": "drawn"}, ()), ({"faces": "yunet"}, ("made by drawn, not by yunet",))):
        assert recording_facts(stored, models=models).warnings == tuple(("faces", it) for it in said)
    store.choose_models({"faces": "yunet"})
    assert store_facts(store)[0].warnings == (("faces", "made by drawn, not by yunet"),)


def test_an_awkward_clock_keeps_exact_seconds(add):
    from dataclasses import replace

    stored = add(frames=100, tracks=None)
    write_recording(stored.folder / "recording.json", replace(stored.recording, fps=Fraction(30000, 1001)))
    del stored.recording
    assert recording_facts(stored).seconds_of(30000) == 1001
