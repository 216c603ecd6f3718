"""Seed 001's windows: ten labels a second, five in a row, every fourth, and nothing lost at either end."""

import csv
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Track, TrackTable
from phonoscope.data.windows import WindowsParams, annotation_windows, plan_annotations, write_annotations
from phonoscope.testing.talkers import VLOGS, save_labels, talkers

RATES = [5, 24, 25, 30]


def a_face(frames, fps=25, label=None, id=0):
    box = np.tile(np.array([0, 0, 30, 40], np.float32), (frames, 1))
    track = Track(id, 100, box, np.ones(frames, np.float32), np.ones(frames, bool))
    frame = np.arange(100, 100 + frames, dtype=np.int32)
    said = np.zeros(frames, np.int8) if label is None else np.array(label, np.int8)
    columns = {"label": said, "entity": np.full(frames, "vid:7"), "time_s": 900 + frame / fps}
    return track, TrackTable(np.full(frames, id, np.int32), frame, columns)


@settings(max_examples=60)
@given(
    frames=st.integers(1, 120), fps=st.sampled_from([5, 24, 25, 30]), size=st.integers(1, 7), stride=st.integers(1, 5)
)
def test_windows_are_those_of_a_plain_loop(frames, fps, size, stride):
    track, labels = a_face(frames, fps)
    exact = [Fraction(at, fps) for at in range(frames)]
    wanted = []
    if exact[-1] > Fraction(size, 10):
        ticks = [Fraction(k, 10) for k in range(10 * frames) if Fraction(k, 10) <= exact[-1]]
        rows = [min(range(frames), key=lambda at: (abs(exact[at] - tick), at)) for tick in ticks]
        wanted = [rows[at : at + size] for at in range(0, len(rows), stride) if at + size <= len(rows)]
    found = [*annotation_windows(labels, [track], Fraction(fps), 10, size, stride)]
    assert [[frame - 100 for frame in it.frames] for it in found] == wanted
    assert all(it.frame == it.frames[-1] and it.time_s == it.times_s[-1] for it in found)


def test_the_first_annotation_and_the_last_possible_start_count():
    track, labels = a_face(9, fps=10)
    (one, two) = annotation_windows(labels, [track], Fraction(10))
    assert one.frames == (100, 101, 102, 103, 104) and two.frames == (104, 105, 106, 107, 108)


def test_a_window_is_labelled_by_its_last_annotation():
    track, labels = a_face(9, fps=10, label=[0, 0, 0, 0, 1, 0, 0, 0, 2])
    found = [*annotation_windows(labels, [track], Fraction(10))]
    assert [it.label for it in found] == ["SPEAKING_AUDIBLE", "SPEAKING_NOT_AUDIBLE"]
    assert {(it.entity, it.size_px, it.track) for it in found} == {("vid:7", 40.0, 0)}


def test_a_face_that_lasts_no_longer_than_a_window_is_left_out():
    track, labels = a_face(6, fps=10)  # 0.5 s from first to last
    assert [*annotation_windows(labels, [track], Fraction(10))] == []
    assert len([*annotation_windows(*a_face(7, fps=10)[::-1][:1], [a_face(7, fps=10)[0]], Fraction(10))]) == 1


def test_without_stamps_and_names_times_are_those_of_the_clock():
    track, labels = a_face(30, fps=25, id=3)
    bare = TrackTable(labels.track, labels.frame, {"label": labels.columns["label"]})
    first = next(annotation_windows(bare, [track], Fraction(25)))
    assert first.times_s[0] == 4.0 and first.entity == "3"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    store = talkers(tmp_path_factory.mktemp("labelled") / "films", VLOGS, size_px={"training/bo/walk": 40})
    for id in store:
        stored = store[id]
        save_labels(stored, np.arange(len(stored.load("tracks")[0])) // 15 % 3)
    return store


def test_tables_are_filtered_balanced_and_read_back(labelled, tmp_path):
    p = WindowsParams(min_face=60, balance=True, drop=("SPEAKING_NOT_AUDIBLE",), keep_ratio=(1, 0.5, 1))
    plan = plan_annotations(labelled, p)
    paths = write_annotations(plan, tmp_path / "tables")
    assert [it.name for it in paths] == [f"{name}_annotations.csv" for name in ("training", "validation", "test")]
    for path, part in zip(paths, plan.sets.values(), strict=True):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["recording"], int(row["frame"])) for row in rows] == [(id, it.frame) for id, it in part.windows]
        counts = Counter(row["label"] for row in rows)
        assert len(set(counts.values())) == 1 and set(counts) == {"NOT_SPEAKING", "SPEAKING_AUDIBLE"}
        for row in rows:
            assert float(row["size_px"]) >= 60 and row["times_s"].split()[-1] == row["time_s"]
            assert len(row["frames"].split()) == 5 and row["frames"].split()[-1] == row["frame"]
        assert [it.dropped for it in part.funnel][-1] >= 0 and part.funnel[1].condition == "not SPEAKING_NOT_AUDIBLE"


def test_the_same_seed_keeps_the_same(labelled):
    p = WindowsParams(keep_ratio=(0.4, 0.4, 0.4))
    one, two = plan_annotations(labelled, p).sets, plan_annotations(labelled, p).sets
    assert one == two != plan_annotations(labelled, WindowsParams(keep_ratio=(0.4, 0.4, 0.4), seed=1)).sets


def test_what_cannot_be_is_one_line(labelled, tmp_path):
    with pytest.raises(UsageError, match="no label 'SPEAKING'; AVA has NOT_SPEAKING"):
        plan_annotations(labelled, WindowsParams(drop=("SPEAKING",)))
    with pytest.raises(UsageError, match="no window of annotations is left in training"):
        plan_annotations(labelled, WindowsParams(min_face=1000))
    bare = talkers(tmp_path / "films", VLOGS)
    with pytest.raises(UsageError, match="14 left out: it has no labels"):
        plan_annotations(bare, WindowsParams())
