"""OpenFace's csv as a series: a row a frame, whatever the file leaves out."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonoscope.core.errors import UsageError
from phonoscope.core.time import Span
from phonoscope.data.openface import read_action_units

FPS = Fraction(25)
INTENSITY = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
PRESENCE = sorted([*INTENSITY, 28])
NAMES = (*(f"AU{n:02d}_r" for n in INTENSITY), *(f"AU{n:02d}_c" for n in PRESENCE))
HEAD = ("frame", "face_id", "timestamp", "confidence", "success", *NAMES)


def units(frame: int, face_id: int = 0) -> list[float]:
    """Numbers that say whose they are, with OpenFace's two decimals."""
    return [round((frame * 35 + at + face_id * 7) % 500 / 100, 2) for at in range(35)]


def row(frame: int, success: int = 1, face_id: int = 0) -> str:
    cells = [f"{frame}", f"{face_id}", "0.000", "0.98", f"{success}", *(f"{it:.2f}" for it in units(frame, face_id))]
    return ", ".join(cells)


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([", ".join(HEAD), *rows]) + "\n")
    return path


@given(
    there=st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 1])), min_size=1, unique_by=lambda it: it[0]),
)
def test_every_frame_has_its_row_and_what_was_not_found_is_nan(there, tmp_path_factory):
    path = table(tmp_path_factory.mktemp("au") / "a.csv", *(row(frame, success) for frame, success in there))
    series, names = read_action_units(path, FPS)
    assert names == NAMES and len(names) == 35
    assert series.values.shape == (max(frame for frame, _ in there), 35) and series.values.dtype == np.float32
    good = {frame for frame, success in there if success}
    for at, values in enumerate(series.values):
        want = units(at + 1) if at + 1 in good else np.full(35, np.nan)
        np.testing.assert_allclose(values, want, atol=1e-6)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)])
def test_row_k_is_frame_k_by_the_law_of_series(tmp_path, fps):
    series, _ = read_action_units(table(tmp_path / "a.csv", *(row(frame) for frame in range(1, 101))), fps)
    np.testing.assert_array_equal(series.on(Span(7, 93), fps), series.values[7:93])


def test_faces_are_told_apart(tmp_path):
    path = table(tmp_path / "a.csv", row(1), row(1, face_id=1), row(2, face_id=1))
    first, second = (read_action_units(path, FPS, face_id)[0].values for face_id in (0, 1))
    np.testing.assert_allclose(first, [units(1)], atol=1e-6)
    np.testing.assert_allclose(second, [units(1, 1), units(2, 1)], atol=1e-6)


def test_names_without_blanks_and_files_of_one_face_will_do(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("frame,AU01_r,AU02_c\n1,2.5,1\n\n2,0.5,0\n")
    series, names = read_action_units(path, FPS)
    assert names == ("AU01_r", "AU02_c")
    np.testing.assert_array_equal(series.values, np.array([[2.5, 1], [0.5, 0]], np.float32))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no table of OpenFace's"),
        ("frame, gaze_0_x\n1, 2\n", "no table of OpenFace's"),
        ("timestamp, AU01_r\n1, 2\n", "no table of OpenFace's"),
        ("frame, AU01_r\n1, two\n", "line 2: could not convert string to float: 'two'"),
        ("frame, AU01_r\n1, 2\n2\n", "line 3 has 1 cells, the first line 2"),
        ("frame, AU01_r\n0, 2\n", "line 2: frame 0 is none: they count from 1"),
        ("frame, AU01_r\nnan, 2\n", "line 2: frame nan is none"),
        ("frame, AU01_r\n1.5, 2\n", "line 2: frame 1.5 is none"),
        ("frame, AU01_r\n1e12, 2\n", "line 2: frame 1e\\+12 is none"),
        ("frame, AU01_r\n1, 2\n1, 3\n", "line 3: frame 1 has had its row"),
    ],
)
def test_what_is_no_such_table_is_answered_in_one_line(tmp_path, text, said):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_action_units(tmp_path / "a.csv", FPS)


def test_a_file_that_is_not_there_is_answered_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot read action units from"):
        read_action_units(tmp_path / "a.csv", FPS)
