"""Window samples: what they promise of centres, overlap and speakers, and that what is written is what was meant."""

import csv
import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.faces import Tracks, TrackTable
from phonoscope.core.mfcc import fit_rows, mfcc
from phonoscope.data.windows import (
    KINDS,
    SHARES,
    SpeakerClip,
    StoreSource,
    WindowSample,
    WindowsParams,
    centres,
    draw,
    frame_labels,
    labelled_clips,
    labelled_windows,
    min_shift,
    plan_windows,
    speaker_clips,
    speaking_track,
    window_arrays,
)
from phonoscope.media.video import decode
from phonoscope.steps.face_crops import FaceCropsParams, face_crops
from phonoscope.store.codecs import read_track_arrays
from phonoscope.store.folder import Store
from phonoscope.testing.quick import quick_job
from phonoscope.testing.talkers import VLOGS, add_talker, faces_of, save_face_crops, save_labels, talkers

few = settings(max_examples=40)
odd = st.integers(0, 40).map(lambda half: 2 * half + 1)
people = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 160)), min_size=1, max_size=9)


def clips_of(people, split="training"):
    return [SpeakerClip(f"{split}/{who}/{at}", who, split, frames) for at, (who, frames) in enumerate(people)]


def drawn(people, n, window, pad=False, kinds=KINDS, seed=0):
    shares = {kind: SHARES[kind] for kind in kinds}
    return draw(clips_of(people), n, window, seed, shares, pad=pad, may_lack=KINDS)


@given(window=odd)
def test_the_least_shift_is_the_first_at_which_windows_share_at_most_half(window):
    shared = [max(0, window - shift) for shift in range(window + 1)]
    assert min_shift(window) == next(shift for shift, frames in enumerate(shared) if 2 * frames <= window)


def test_the_least_shifts_are_those_that_upstream_meant():
    assert (min_shift(25), min_shift(51)) == (13, 26)


@few
@given(people=people, n=st.integers(1, 200), window=odd, pad=st.booleans())
def test_windows_overlap_at_most_half_and_lie_within_half_open_ranges(people, n, window, pad):
    side = (window - 1) // 2
    for it in drawn(people, n, window, pad).samples:
        margin = 0 if pad else side
        for clip, center in ((it.video, it.center), (it.audio, it.audio_center)):
            assert margin <= center < clip.num_frames - margin
        seen, heard = (set(range(c - side, c + side + 1)) for c in (it.center, it.audio_center))
        if it.kind == "temporal":
            assert 2 * len(seen & heard) <= window


@few
@given(people=people, n=st.integers(1, 200), window=odd, pad=st.booleans())
def test_kinds_labels_and_ids_agree(people, n, window, pad):
    for it in drawn(people, n, window, pad).samples:
        assert it.label == (it.kind == "positive") and it.window == window
        same_clip, same_speaker = it.video == it.audio, it.video.speaker == it.audio.speaker
        assert (same_clip, same_speaker) == {
            "positive": (True, True), "temporal": (True, True), "partial": (False, True), "complete": (False, False),
        }[it.kind]  # fmt: skip
        assert it.kind != "positive" or it.center == it.audio_center


@few
@given(people=people, n=st.integers(1, 200), window=odd, pad=st.booleans(), seed=st.integers(0, 3))
def test_samples_are_unique_counted_and_no_more_than_asked(people, n, window, pad, seed):
    made = drawn(people, n, window, pad, seed=seed)
    assert len(set(made.samples)) == len(made.samples) <= n
    assert Counter(it.kind for it in made.samples) == {it.kind: it.drawn for it in made.kinds if it.drawn}
    assert all(it.clips + it.unable == len(people) and it.drawn <= it.asked + n for it in made.kinds)


@few
@given(people=people, n=st.integers(1, 400), window=odd, pad=st.booleans())
def test_positives_stay_in_proportion_however_few_windows_there_are(people, n, window, pad):
    made = drawn(people, n, window, pad)
    labels = Counter(it.label for it in made.samples)
    if len({it.kind for it in made.kinds if it.clips} - {"positive"}) and labels[1]:
        assert abs(labels[1] - labels[0]) <= 1
    possible = sum(len(centres(frames, window, pad)) for _, frames in people)
    assert labels[1] <= possible


@few
@given(people=people, window=odd)
def test_all_windows_are_drawn_if_more_are_asked_for(people, window):
    made = drawn(people, 10**6, window, kinds=["positive"])
    wanted = {(at, c) for at, (_, frames) in enumerate(people) for c in centres(frames, window)}
    assert {(int(it.video.id.rpartition("/")[2]), it.center) for it in made.samples} == wanted


@few
@given(people=people, window=odd)
def test_a_clip_is_passed_over_for_a_shifted_window_only_if_it_has_no_room_for_any(people, window):
    made = drawn(people, 10**6, window, kinds=["temporal"])
    room = [
        {c for c in centres(frames, window) if any(abs(c - d) >= min_shift(window) for d in centres(frames, window))}
        for _, frames in people
    ]
    found = Counter(int(it.video.id.rpartition("/")[2]) for it in made.samples)
    assert found == {at: len(its) for at, its in enumerate(room) if its}
    assert made.kinds[0].unable == sum(not its for its in room)


@few
@given(people=people, seed=st.integers(0, 5), order=st.randoms(use_true_random=False))
def test_the_same_seed_gives_the_same_samples_in_whatever_order_clips_come(people, seed, order):
    clips = clips_of(people)
    shuffled = order.sample(clips, len(clips))
    there, back = (draw(it, 60, 5, seed, may_lack=KINDS).samples for it in (clips, shuffled))
    assert there == back


def test_another_seed_gives_other_samples():
    people = [("a", 90), ("a", 80), ("b", 90)]
    assert drawn(people, 60, 25, seed=1).samples != drawn(people, 60, 25, seed=2).samples


def test_speakers_and_their_clips_give_alike():
    people = [("a", 500), ("b", 500), ("b", 500), ("b", 500), ("c", 30)]
    made = drawn(people, 600, 25, kinds=["positive"])
    assert Counter(it.video.speaker for it in made.samples) == {"a": 297, "b": 297, "c": 6}  # c has no more
    assert [Counter(it.video.id for it in made.samples)[f"training/b/{at}"] for at in (1, 2, 3)] == [99, 99, 99]


def test_shares_are_those_of_the_seed():
    made = drawn([("a", 400), ("a", 300), ("b", 500)], 600, 25)
    assert Counter(it.kind for it in made.samples) == {
        "positive": 300,
        "temporal": 100,
        "partial": 100,
        "complete": 100,
    }


def test_middles_are_uniform():
    made = drawn([("a", 1024)], 500, 25, kinds=["positive"])
    middles = np.array([it.center for it in made.samples])
    counts, _ = np.histogram(middles, bins=4, range=(12, 1012))
    assert counts.min() > 85 and middles.min() >= 12 and middles.max() < 1012


def test_other_negatives_stand_in_for_those_that_cannot_be_had():
    made = Counter(it.kind for it in drawn([("a", 400), ("b", 500)], 600, 25).samples)
    assert made == {"positive": 300, "temporal": 150, "complete": 150}


@pytest.mark.parametrize(
    ("people", "kinds", "said"),
    [
        ([("a", 90), ("a", 90)], KINDS, "training has one speaker only, 'a': add speakers, or leave the kind out: "
         "--kinds positive temporal partial"),
        ([("a", 30), ("b", 30)], ["temporal"], "has the 38 frames of two windows that half overlap"),
        ([("a", 20), ("b", 20)], ["positive"], "has the 25 frames of a window, the longest has 20: take a shorter"),
        ([("a", 90), ("b", 90)], ["partial"], "no speaker of training has two clips"),
        ([("a", 90), ("b", 90)], ["positiv"], "no kind of window 'positiv'; there are positive, temporal"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_one_line_that_says_what_to_do(people, kinds, said):
    with pytest.raises(UsageError, match=said):
        draw(clips_of(people), 10, 25, 0, dict.fromkeys(kinds, 1.0), may_lack=())


def test_only_windows_with_a_middle_exist():
    with pytest.raises(UsageError, match="odd number of frames, 25 for example, got 24"):
        draw(clips_of([("a", 90)]), 10, 24)


def test_clips_that_share_a_sound_or_come_from_two_sets_are_no_drawing():
    one = replace(clips_of([("a", 90)])[0], recording="film")
    with pytest.raises(ValueError, match="two clips are of 'film'"):
        draw([one, replace(one, id="training/a/2", track=1)], 10)
    with pytest.raises(ValueError, match="one set at a time"):
        draw([one, replace(one, split="test")], 10)


class Numbers:
    """A source whose arrays tell where they come from: frame t of a clip is t + 1, rows 4t … 4t+3 likewise."""

    def faces(self, clip):
        return faces_of(clip.num_frames), np.zeros(clip.num_frames, bool)

    def mfcc(self, clip):
        return np.repeat(np.arange(1.0, 4 * clip.num_frames + 1)[:, None], 13, 1)

    def labels(self, clip):
        return (np.arange(clip.num_frames) // 10 % 3 - 1).astype(np.int8)  # nobody said, 0, 1


@few
@given(frames=st.integers(1, 120), window=odd, data=st.data())
def test_a_window_is_a_slice_of_what_is_padded_with_zeros(frames, window, data):
    clip, side = SpeakerClip("training/a/0", "a", "training", frames), window // 2
    c, d = (data.draw(st.integers(0, frames - 1)) for _ in "cd")
    faces, heard, missing = window_arrays(WindowSample(clip, clip, 1, "positive", c, d, window), Numbers())
    assert (faces.shape, faces.dtype) == ((window, 112, 112), np.uint8) and heard.shape == (4 * window, 13)
    padded = np.pad(np.arange(1, frames + 1), side)
    assert faces[:, 5, 5].tolist() == padded[c : c + window].tolist()
    rows = np.pad(np.arange(1, 4 * frames + 1), 4 * side)
    assert heard[:, 7].tolist() == rows[4 * d : 4 * (d + window)].tolist()
    assert missing.tolist() == (padded[c : c + window] == 0).tolist()


def test_labels_of_a_drawn_window_are_its_own_all_along():
    clip = SpeakerClip("training/a/0", "a", "training", 60)
    for label, kind in ((1, "positive"), (0, "temporal")):
        said = frame_labels(WindowSample(clip, clip, label, kind, 20, 20, 7), Numbers())
        assert said.tolist() == [label] * 7 and said.dtype == np.int8


@given(frames=st.integers(1, 90), window=odd, stride=st.integers(1, 9), rule=st.sampled_from(["last", "all"]))
def test_labelled_windows_are_those_of_a_plain_loop(frames, window, stride, rule):
    clip = SpeakerClip("training/a/0", "a", "training", frames)
    said, wanted = Numbers().labels(clip).tolist(), []
    for start in range(0, frames - window + 1, stride):
        of = said[start : start + window]
        if (of[-1] != -1) if rule == "last" else (len(set(of)) == 1 and of[0] != -1):
            wanted.append((start + window // 2, of[-1], of))
    made = labelled_windows([clip], Numbers(), window, stride, rule)
    found = [(it.center, it.label, frame_labels(it, Numbers()).tolist()) for it in made]
    assert found == wanted and all(it.audio_center == it.center for it in made)


@pytest.fixture(scope="module")
def vlogs(tmp_path_factory):
    """Two clips of each of seven people, listed in three sets; only read."""
    return talkers(tmp_path_factory.mktemp("vlogs") / "films", VLOGS)


def test_clips_are_called_as_the_corpus_calls_them(vlogs):
    found = speaker_clips(vlogs).clips
    assert {it.id: it.num_frames for it in found} == VLOGS and found[0].start == 3
    assert all(it.id.split("/")[:2] == [it.split, it.speaker] for it in found)


def test_sets_share_no_speaker_and_no_recording(vlogs):
    plan = plan_windows(vlogs, WindowsParams(n_samples=400))
    assert [*plan.sets] == ["training", "validation", "test"]
    for one, other in itertools.combinations(plan.sets.values(), 2):
        for whose in ("speaker", "recording"):
            assert not {getattr(it, whose) for it in one.used} & {getattr(it, whose) for it in other.used}
    sizes = [len(it.samples) for it in plan.sets.values()]
    assert sizes == [400, 120, 120]  # 30 per cent each


@pytest.mark.parametrize("listed", [True, False])
def test_adding_a_recording_to_training_changes_nothing_elsewhere(tmp_path, listed):
    names = VLOGS if listed else {f"x/y/film{number}": 60 for number in range(14)}
    store = talkers(tmp_path / "films", names, listed=listed)
    p = WindowsParams(n_samples=200)
    before = plan_windows(store, p).sets
    for number in range(30):
        new = add_talker(store, f"training/new/more{number}", 70, listed=listed)
        where = {it.recording: it.split for it in speaker_clips(store).clips}[new.folder.name]
        if where == "training":
            break
    after = plan_windows(store, p).sets
    changed = {name for name in after if before[name].samples != after[name].samples}
    assert where == "training" and "training" in changed
    assert listed is False or changed == {"training"}  # unlisted ones that came before it may lie anywhere


def test_a_film_that_nobody_lists_is_its_own_speaker_and_copies_are_one(tmp_path):
    store = talkers(tmp_path / "films", {"a/b/one": 60, "a/b/two": 60}, listed=False)
    one, two = speaker_clips(store).clips
    assert {one.speaker, two.speaker} == {id[-8:] for id in store}
    assert one.id == f"{one.split}/{one.speaker}/{one.recording}"
    text = (store[one.recording].folder / "recording.json").read_text()
    sha = store[two.recording].recording.sha256
    (store[one.recording].folder / "recording.json").write_text(
        text.replace(store[one.recording].recording.sha256, sha)
    )
    assert {it.speaker for it in speaker_clips(store).clips} == {two.speaker}


def test_a_speaker_in_two_sets_is_refused(tmp_path):
    store = talkers(tmp_path / "films", {"training/ana/one": 60, "test/ana/two": 60})
    with pytest.raises(UsageError, match="speaker 'ana' is in test and training: keep all"):
        speaker_clips(store)


def test_clips_of_one_name_are_told_apart(tmp_path):
    store = talkers(tmp_path / "films", {"training/ana/talk": 60, "train/ana/Talk": 60})
    ids = [it.id for it in speaker_clips(store).clips]
    assert len(set(map(str.casefold, ids))) == 2 and all(it.rpartition("-")[2] in it for it in ids)


def test_the_track_that_speaks_is_taken_else_the_longest(vlogs):
    (first,) = vlogs[next(iter(vlogs))].load("tracks")
    rows = slice(0, 20)
    short = replace(first, id=4, box=first.box[rows], score=first.score[rows], observed=first.observed[rows])
    tracks = Tracks((short, first))
    assert speaking_track(tracks, None).id == first.id
    ids = np.concatenate([np.full(len(it), it.id) for it in tracks])
    scores = TrackTable(ids, np.zeros(len(ids)), {"score": np.where(ids == 4, 1.0, -1.0)})
    assert speaking_track(tracks, scores).id == 4


def test_sound_is_the_clips_own_by_the_recipe_of_talknet(vlogs):
    clip = speaker_clips(vlogs).clips[0]
    sound = vlogs[clip.recording].audio()[3 * 640 : (3 + clip.num_frames) * 640]
    wanted = fit_rows(mfcc(sound, 16000, "psf").values, 4 * clip.num_frames)
    np.testing.assert_array_equal(StoreSource(vlogs).mfcc(clip), wanted)


def test_faces_of_another_policy_are_not_taken_and_missing_ones_are_zero(tmp_path):
    stored = add_talker(talkers(tmp_path / "films", {}), "training/ana/talk", 30)
    (clip,) = speaker_clips(talkers(tmp_path / "films", {})).clips
    with pytest.raises(UsageError, match="no landmarks, by which aligned faces are cut: `phonoscope run landmarks"):
        StoreSource(talkers(tmp_path / "films", {}), "aligned").faces(clip)
    save_face_crops(stored, faces_of(30), "aligned")
    faces, missing = StoreSource(talkers(tmp_path / "films", {}), "aligned").faces(clip)
    assert np.flatnonzero(missing).tolist() == [0, 10, 20]
    assert (faces.any(axis=(1, 2)) == ~missing).all()


def test_faces_are_the_same_from_the_film_as_from_face_crops(puppets, tmp_path):
    (outcome,) = quick_job([puppets], tmp_path / "films").carry_out()
    store = Store(tmp_path / "films")
    (clip,) = speaker_clips(store).clips
    faces, missing = StoreSource(store).faces(clip)
    near = store[outcome.recording].crops(clip.track, "asd", grey=True)[:, 56:168, 56:168]
    assert np.abs(faces.astype(int) - near).max() <= 1 and not missing.any()  # another place of zero rounds otherwise
    tracks, out = store[clip.recording].load("tracks"), tmp_path / "face_crops"
    out.mkdir()
    look = face_crops(None, tracks, None, out, FaceCropsParams())
    spans = next(look)
    look.send([*decode(puppets, store[clip.recording].clock, spans)])
    with pytest.raises(StopIteration):
        look.send([])
    np.testing.assert_array_equal(read_track_arrays(out)[clip.track], faces)


def test_what_has_no_sound_or_no_faces_is_left_out_with_the_reason(tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    first, second = [*store][:2]
    store[first].forget("tracks")
    store[second].save("tracks", Tracks(()), store[second].receipts["tracks"])
    assert speaker_clips(store).left_out == {
        first: "it has no tracks: `phonoscope run tracks` makes them",
        second: "nobody is seen in it",
    }
    assert {*labelled_clips(store).left_out.values()} >= {"it has no labels"}


@pytest.mark.parametrize("names", [{"training/a/1": 90, "training/b/1": 90}, {}])
def test_an_empty_set_is_one_line(tmp_path, names):
    said = "no clip of '.*' is in validation.*--sets training, or" if names else "no recording of '.*' can give windows"
    with pytest.raises(UsageError, match=said):
        plan_windows(talkers(tmp_path / "films", names), WindowsParams())


@settings(max_examples=10)
@given(seed=st.integers(0, 9), balance=st.booleans(), ratio=st.sampled_from([1.0, 0.5, 0.1]))
def test_a_set_is_thinned_out_by_the_seed_and_told(vlogs, seed, balance, ratio):
    p = WindowsParams(
        n_samples=90, seed=seed, balance=balance, keep_ratio=(1.0, ratio, 1.0), kinds=("positive", "complete")
    )
    plan = plan_windows(vlogs, p)
    assert {name: len(it.samples) for name, it in plan.sets.items()} == {
        "training": 90, "validation": 26 if ratio == 1 else pytest.approx(27 * ratio, abs=2), "test": 26,
    } if balance else True  # fmt: skip
    assert plan_windows(vlogs, p).sets == plan.sets
    for it in plan.sets.values():
        assert sum(it.funnel[-1].left.values()) == len(it.samples)


def test_small_faces_are_left_out(tmp_path):
    sizes = {name: 40 for name in VLOGS if name.endswith("walk")}
    store = talkers(tmp_path / "films", VLOGS, size_px=sizes)
    for least in (60, 0.25):  # px, or a share of 200 px
        plan = plan_windows(store, WindowsParams(n_samples=50, min_face=least))
        assert all(it.clips == it.speakers for it in plan.sets.values())
        assert plan.sets["test"].funnel[1].dropped == 2


def test_labelled_film_gives_windows_without_any_drawing(tmp_path):
    store = talkers(tmp_path / "films", VLOGS)
    for id in store:
        stored = store[id]
        save_labels(stored, np.arange(len(stored.load("tracks")[0])) // 20 % 3)
    for rule in ("last", "all"):
        plan = plan_windows(store, WindowsParams(labels=rule, window=15, stride=5))
        samples = [it for part in plan.sets.values() for it in part.samples]
        assert {it.kind for it in samples} == {"labelled"} and {it.label for it in samples} == {0, 1}
        said = {it.label: frame_labels(it, StoreSource(store)) for it in samples}
        assert rule == "last" or all((frames == label).all() for label, frames in said.items())
        assert all(frames[-1] == label for label, frames in said.items())


def test_csv_module_reads_what_is_meant(vlogs, tmp_path):
    from phonoscope.data.windows import write_samples

    plan = plan_windows(vlogs, WindowsParams(n_samples=40))
    write_samples(tmp_path / "training.csv", plan.sets["training"].samples)
    with (tmp_path / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, it in zip(rows, plan.sets["training"].samples, strict=True):
        assert row == {
            "video_id": it.video.id.split("/")[2] + ".npz", "audio_id": it.audio.id.split("/")[2] + ".npz",
            "label": str(it.label), "window_center": str(it.center), "video_path": f"face_crops/{it.video.id}.npz",
            "audio_path": f"mfccs/{it.audio.id}.npz", "audio_center": str(it.audio_center), "kind": it.kind,
        }  # fmt: skip


def test_seeds_and_names_of_sets_that_cannot_be_are_one_line(tmp_path):
    with pytest.raises(UsageError, match="--seed must be 0 or more, got -1"):
        WindowsParams(seed=-1)
    for name in ("clips", "a:b"):
        with pytest.raises(UsageError, match=f"the set '{name}' cannot be written as {name}.csv"):
            plan_windows(talkers(tmp_path / name[0], {f"{name}/ana/1": 60}), WindowsParams())
