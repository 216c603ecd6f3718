"""Pairs of a sound and soft viseme labels: nothing is shifted, nothing is lost unseen, one at a time."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.mfcc import mfcc
from phonoscope.core.phones import Alignment, Interval
from phonoscope.core.visemes import SILENCE, VISEMES, track_of
from phonoscope.corpora.viseme_label_writing import weights_of, write_labelled
from phonoscope.corpora.viseme_labels import frames, labelled, natural, pairs_in, read_pair

QUIET = np.eye(15)[SILENCE]
ONE = "1.000000e+00"  # as it stands in a label


def write(folder, name, samples=16000, weights=None):
    audio = 0.3 * np.sin(np.arange(samples) / 9).astype(np.float32)
    write_labelled(folder, name, audio, np.tile(QUIET, (frames(samples), 1)) if weights is None else weights)


def soft(rng, rows):
    weights = rng.random((rows, 15)) + 1e-3
    return weights / weights.sum(1, keepdims=True)


def label(folder, name, change):
    path = folder / "label" / f"{name}.txt"
    lines = path.read_text().splitlines()
    path.write_bytes("\r\n".join(change(lines)).encode())


def faults_of(folder):
    said = []
    read = [it.name for it in labelled(pairs_in(folder).pairs, said.append)]
    return read, said


@pytest.mark.parametrize(("samples", "rows"), [(255, 0), (256, 1), (383, 1), (384, 2), (96_000, 749), (95_999, 748)])
def test_a_sound_has_the_frames_of_its_mfcc(samples, rows):
    assert frames(samples) == rows == len(mfcc(np.zeros(samples), 16000, "viseme"))


@given(seed=st.integers(0, 10**6), samples=st.integers(256, 5000))
def test_what_is_written_is_read(tmp_path_factory, seed, samples):
    folder, rng = tmp_path_factory.mktemp("pair"), np.random.default_rng(seed)
    weights, audio = soft(rng, frames(samples)), rng.uniform(-0.9, 0.9, samples)
    write_labelled(folder, "7", audio, weights)
    (pair,) = pairs_in(folder).pairs
    read = read_pair(pair)
    np.testing.assert_allclose(read.weights, weights, atol=1e-6)
    np.testing.assert_allclose(read.audio, audio, atol=1 / 32768)
    first = [path.read_bytes() for path in (pair.wav, pair.label)]
    write_labelled(folder, "7", read.audio, read.weights.astype(np.float64))
    assert first[0] == pair.wav.read_bytes(), "what is read and written again is the same"


def test_a_line_is_what_seed_004_has(tmp_path):
    write(tmp_path, "1", 384)
    content = (tmp_path / "label" / "1.txt").read_bytes()
    assert content.split(b"\r\n") == [b",".join([b"1.000000e+00"] + [b"0.000000e+00"] * 14)] * 2 + [b""]
    assert len(content) == 2 * 196


def test_pairs_go_by_name_and_in_natural_order_and_what_is_alone_is_told(tmp_path):
    for name in ("10", "2", "1", "3", "7"):
        write(tmp_path, name)
    (tmp_path / "wav_data" / "1.wav").unlink()  # pairing by position would shift all the others
    (tmp_path / "label" / "3.txt").unlink()
    (tmp_path / "wav_data" / "notes.docx").touch()
    (tmp_path / "label" / ".DS_Store").touch()
    found = pairs_in(tmp_path)
    assert [it.name for it in found.pairs] == ["2", "7", "10"]
    assert all(it.wav.stem == it.label.stem for it in found.pairs)
    assert found.faults == (
        "label/1.txt: no wav_data/1.wav",
        "wav_data/3.wav: no label/3.txt",
        "wav_data/notes.docx: no .wav file, passed over",
    )


def test_a_range_of_names_is_read(tmp_path):
    for number in range(1, 13):
        write(tmp_path, str(number), 512)
    assert [it.name for it in pairs_in(tmp_path, "9", "11").pairs] == ["9", "10", "11"]
    assert [it.name for it in pairs_in(tmp_path, last="2").pairs] == ["1", "2"]
    with pytest.raises(UsageError, match=r"no pair in .* from 13 to 12: there are 12, from 1 to 12"):
        pairs_in(tmp_path, "13")
    assert sorted(["b10", "b9", "a", "10", "9"], key=natural) == ["9", "10", "a", "b9", "b10"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ls: [*ls[:4], ls[4].rpartition(",")[0], *ls[5:]], "line 5: expected 15 numbers with commas between th"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "nan"), *ls[5:]], "line 5: expected probabilities, got nan"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "-1.0"), *ls[5:]], "line 5: expected probabilities, got -1.0"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "0.9"), *ls[5:]], "line 5: expected numbers that sum to 1 within 0"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "1,0"), *ls[5:]], "line 5: expected 15 numbers with commas between"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "l.0"), *ls[5:]], "line 5: expected numbers, got 'l.0"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "0_1"), *ls[5:]], "line 5: expected numbers, got '0_1'"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, ""), *ls[5:]], "line 5: expected probabilities, got nothing"),
        (lambda ls: [*ls[:4], ls[4].replace(ONE, "inf"), *ls[5:]], "line 5: expected numbers that sum to 1 within 0"),
        (lambda ls: [*ls[:4], "", *ls[5:]], "line 5: expected 15 numbers with commas between them, got 0"),
        (lambda ls: [it.rpartition(",")[0] for it in ls], "line 1: expected 15 numbers with commas between them, go"),
        (lambda ls: ["# visemes", *ls], "line 1: expected 15 numbers with commas between them, got 1"),
        (lambda ls: [""], "is empty: expected 15 numbers a line"),
        (lambda ls: ls[:-2], r"122 rows, but '.*7.wav' has 124 frames"),
        (lambda ls: [*ls, *ls[:2]], "126 rows, but '.*7.wav' has 124 frames"),
    ],
)
def test_a_label_that_cannot_be_used_is_named_with_its_line_and_the_rest_is_read(tmp_path, change, said):
    for name in ("6", "7", "8"):
        write(tmp_path, name)
    label(tmp_path, "7", change)
    read, (fault,) = faults_of(tmp_path)
    assert read == ["6", "8"] and "\n" not in fault and "7.txt'" in fault
    assert re.search(said, fault), fault


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_one_frame_more_or_less_is_trimmed(tmp_path, more):
    write(tmp_path, "7")
    label(tmp_path, "7", lambda lines: lines[:more] if more < 0 else lines + lines[:more])
    (it,) = labelled(pairs_in(tmp_path).pairs, pytest.fail)
    assert len(it.weights) == min(124, 124 + more)


def test_lines_may_end_as_anywhere_and_rows_may_be_off_by_what_is_rounded(tmp_path):
    write(tmp_path, "7", weights=soft(np.random.default_rng(0), 124))
    path = tmp_path / "label" / "7.txt"
    before = read_pair(pairs_in(tmp_path).pairs[0])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n") + b"\n\n")
    after = read_pair(pairs_in(tmp_path).pairs[0])
    assert np.array_equal(before.weights, after.weights) and before.digest != after.digest
    label(tmp_path, "7", lambda lines: [f"{1.0009},{','.join(['0'] * 14)}", *lines[1:]])
    assert len(read_pair(pairs_in(tmp_path).pairs[0]).weights) == 124


@pytest.mark.parametrize(
    ("rate", "shape", "said"),
    [
        (8000, 16000, "has 1 channels at 8000 Hz: expected one at 16000"),
        (16000, (16000, 2), "has 2 channels at 16000 Hz: expected one at 16000"),
        (16000, 0, "has 0 samples: a frame is 256"),
        (16000, 255, "has 255 samples: a frame is 256"),
    ],
)
def test_a_sound_that_is_another_one_is_told(tmp_path, rate, shape, said):
    write(tmp_path, "6")
    write(tmp_path, "7")
    soundfile.write(tmp_path / "wav_data" / "7.wav", np.zeros(shape), rate)
    read, (fault,) = faults_of(tmp_path)
    assert read == ["6"] and "7.wav'" in fault and said in fault


def test_what_is_no_sound_and_what_is_no_text_are_told(tmp_path):
    for name in ("5", "6", "7"):
        write(tmp_path, name)
    (tmp_path / "wav_data" / "6.wav").write_bytes(b"no sound")
    (tmp_path / "label" / "7.txt").write_bytes(b"\xff\xfe\x00")
    read, (first, second) = faults_of(tmp_path)
    assert read == ["5"]
    assert "6.wav' is no sound that can be read" in first and "7.txt' is no text" in second


def test_folders_without_pairs_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"there is no folder '.*wav_data': expected wav_data/NAME.wav and label/NAME"):
        pairs_in(tmp_path)
    (tmp_path / "wav_data").mkdir()
    (tmp_path / "label").mkdir()
    with pytest.raises(UsageError, match=r"no pair in '.*': 0 sounds and 0 labels"):
        pairs_in(tmp_path)
    (tmp_path / "wav_data" / "1.wav").touch()
    (tmp_path / "label" / "2.txt").touch()
    with pytest.raises(UsageError, match=r"1 sounds and 1 labels, none of one name, as wav_data/7.wav and label/7.txt"):
        pairs_in(tmp_path)


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    write(tmp_path, "1", 32_000)
    wav, text = ((tmp_path / part).read_bytes() for part in ("wav_data/1.wav", "label/1.txt"))
    for number in range(2, 71):
        (tmp_path / "wav_data" / f"{number}.wav").write_bytes(wav)
        (tmp_path / "label" / f"{number}.txt").write_bytes(text)

    def peak(last):
        tracemalloc.start()
        assert sum(len(it.weights) for it in labelled(pairs_in(tmp_path, last=last).pairs, pytest.fail)) > 0
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak("2")
    assert peak("70") < 1.1 * peak("7") + 50_000  # names of files are kept, contents are not


def test_a_folder_may_be_named_by_a_text(tmp_path):
    write_labelled(str(tmp_path), "1", np.zeros(1000), np.eye(15)[np.zeros(frames(1000), int)])
    assert [pair.name for pair in pairs_in(tmp_path).pairs] == ["1"]


def test_a_frame_says_what_is_said_in_its_middle():
    said = Alignment(phones=(Interval(0.0, 0.1, "P"), Interval(0.1, 0.2, "HH"), Interval(0.2, 0.3, "AA1")))
    weights = weights_of(said, 8000)
    middles = (128 * np.arange(frames(8000)) + 128) / 16000
    told = ["PP" if t < 0.1 else "any" if t < 0.2 else "aa" if t < 0.3 else "sil" for t in middles]
    assert ["any" if row.max() < 0.1 else VISEMES[row.argmax()] for row in weights] == told
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


def test_a_track_becomes_labels_by_its_cues_or_its_weights(tmp_path):
    track = track_of([1] * 20 + [10] * 20)
    weights = weights_of(track, 8000)
    assert [VISEMES[at] for at in weights.argmax(1)[[0, 23, 24, 48, 49, 60]]] == ["PP", "PP", "aa", "aa", "sil", "sil"]
    blended = np.zeros((40, 15), np.float32)
    blended[:, 10], blended[:20, 1] = 0.5, 1.0
    of_weights = weights_of(replace(track, weights=blended), 8000)
    np.testing.assert_allclose(of_weights[0, [1, 10]], [2 / 3, 1 / 3], atol=1e-6)
    np.testing.assert_allclose(of_weights.sum(1), 1, atol=1e-6)
    write_labelled(tmp_path, "track", np.zeros(8000), of_weights)
    with pytest.raises(ValueError, match=r"expected weights \(61, 15\), got \(60, 15\)"):
        write_labelled(tmp_path, "track", np.zeros(8000), of_weights[1:])
