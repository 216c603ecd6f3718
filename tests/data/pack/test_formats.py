"""Rows that are not known, landmarks as text, layers of speech."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from phonoscope.core.series import Series
from phonoscope.core.time import Span
from phonoscope.data.pack.formats import (
    landmark_lines,
    picture_name,
    read_landmarks,
    repeated,
    rows_under,
    unknown,
    write_layers,
    write_lines,
)


@given(known=st.lists(st.booleans(), min_size=1, max_size=40).filter(any), width=st.integers(1, 3))
def test_a_lost_row_is_the_last_known_before_it_or_the_first_of_all(known, width):
    values = np.arange(len(known) * width, dtype=float).reshape(-1, width)
    values[~np.array(known), -1] = np.nan
    assert unknown(values).tolist() == [not it for it in known]
    made, last = repeated(values), values[known.index(True)]
    for row, it in enumerate(known):
        last = values[row] if it else last
        np.testing.assert_array_equal(made[row], last)


def test_of_nothing_known_nothing_can_be_repeated():
    with pytest.raises(ValueError, match="none of 3 rows is known"):
        repeated(np.full((3, 2), np.nan))


@given(st.lists(st.tuples(*[st.floats(-9999, 9999)] * 4), min_size=1, max_size=5))
def test_landmarks_are_upstream_s_bytes(faces):
    points = np.array(faces).reshape(-1, 2, 2)
    written = ""  # as upstream's `save_lmds` writes them
    for row, face in enumerate(points, 1):
        written += f"{row:06d}.png "
        for x, y in face:
            written += f"{int(x)}_{int(y)} "
        written += "\n"
    assert "".join(landmark_lines(points)) == written


def test_what_is_not_known_is_nan_in_either_form():
    points = np.array([[[1.23456, np.nan]], [[-0.6, 12.9996]]])
    assert "".join(landmark_lines(points)) == "000001.png 1_nan \n000002.png 0_12 \n"
    assert "".join(landmark_lines(points, True)) == "000001.png 1.235_nan \n000002.png -0.600_13.000 \n"


def test_pictures_count_from_one():
    assert [picture_name(row) for row in (0, 99, 999_999)] == ["000001.png", "000100.png", "1000000.png"]


@given(start=st.integers(0, 400), frames=st.integers(1, 300), layers=st.integers(1, 3))
def test_layers_are_those_that_a_series_gives(start, frames, layers, tmp_path_factory):
    samples = (start + frames + 3) * 640
    values = np.random.default_rng(frames).normal(size=((samples - 400) // 320 + 1, layers, 2)).astype(np.float16)
    speech, span = Series(values, Fraction(50), Fraction(200, 16000)), Span(start, start + frames)
    path = tmp_path_factory.mktemp("speech") / "a.npy"
    write_layers(path, speech, rows_under(speech, span, Fraction(25), "two-a-frame"))
    made = np.load(path, allow_pickle=False)
    assert made.dtype == np.float32 and made.shape == (layers, 2 * frames, 2)
    np.testing.assert_array_equal(made, speech.on(span, Fraction(25), 2).transpose(1, 0, 2))


@given(frames=st.integers(2, 400))
def test_rows_as_heard_are_all_there_are_and_upstream_s_are_one_more(frames):
    heard = (frames * 640 - 400) // 320 + 1
    speech = Series(np.zeros((heard, 1, 1), np.float32), Fraction(50), Fraction(200, 16000))
    whole = Span(0, frames)
    assert rows_under(speech, whole, Fraction(25), "as-heard").tolist() == [*range(heard)]
    assert rows_under(speech, whole, Fraction(25), "plus-one").tolist() == [*range(heard), heard - 1]
    parts = [rows_under(speech, part, Fraction(25), "as-heard") for part in (Span(0, 1), Span(1, frames))]
    assert np.concatenate(parts).tolist() == [*range(heard)]  # neighbours share none and lose none


def test_speech_that_ends_before_the_clip_begins_has_no_rows():
    speech = Series(np.zeros((10, 1, 1), np.float32), Fraction(50), Fraction(200, 16000))
    with pytest.raises(ValueError, match="no row of the speech"):
        rows_under(speech, Span(100, 110), Fraction(25), "as-heard")


@given(faces=hnp.arrays(np.float32, (3, 68, 2), elements=st.one_of(st.floats(-999, 9999, width=32), st.just(np.nan))))
def test_landmarks_come_back_from_their_file(faces, tmp_path_factory):
    path = tmp_path_factory.mktemp("landmarks") / "a.txt"
    write_lines(path, landmark_lines(faces, sub_pixel=True))
    np.testing.assert_allclose(read_landmarks(path), faces, atol=6e-4, rtol=1e-6)
    write_lines(path, landmark_lines(faces))
    np.testing.assert_array_equal(read_landmarks(path), np.trunc(faces))


@pytest.mark.parametrize("text", ["000002.png 1_2 \n", "000001.png 1_2 \n000002.png 1_2 3_4 \n", "000001.png 1_2_3 \n"])
def test_a_file_with_lines_left_out_or_other_points_is_refused(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=r"a\.txt, line"):
        read_landmarks(tmp_path / "a.txt")
