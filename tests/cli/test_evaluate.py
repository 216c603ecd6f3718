"""`phonoscope evaluate` on the command line."""

import json

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.corpora.ava import AvaRows, write_ava


@pytest.fixture
def files(tmp_path):
    """A truth of one face, and predictions that are right but for one row."""
    count = 8
    truth = AvaRows(
        videos=("video",),
        entities=("video_0900_0960:1",),
        video=np.zeros(count, np.int32),
        entity=np.zeros(count, np.int32),
        time_s=902 + np.arange(count) / 25,
        box=np.tile([0.1, 0.1, 0.3, 0.4], (count, 1)),
        label=np.array([1, 0, 1, 1, 0, 2, 1, 0], np.int8),
    )
    write_ava(tmp_path / "truth.csv", truth)
    write_ava(tmp_path / "scores.csv", truth.scored(np.array([0.95, 0.9, 0.8, 0.45, 0.4, 0.3, 0.2, 0.1])))
    return tmp_path


def told(capsys, *arguments, code=0):
    assert main(["evaluate", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_programs_get_fractions_counts_and_breakdowns(files, capsys):
    out = told(capsys, "asd", "--truth", files / "truth.csv", "--scores", files / "scores.csv", "--json").out
    found = json.loads(out)
    assert found["average_precision"] == pytest.approx(0.767857, abs=1e-6)
    assert found["average_precision_worst"] == found["average_precision_best"] == found["average_precision"]
    assert found["counts"] == {"rows": 8, "positives": 4, "entities": 1, "videos": 1}
    assert found["breakdowns"]["faces_in_frame"]["1"]["positives"] == 4
    assert found["breakdowns"]["faces_in_frame"]["2"]["average_precision"] is None


def test_people_get_lines(files, capsys):
    lines = told(capsys, "asd", "--truth", files / "truth.csv", "--scores", files / "scores.csv").out.splitlines()
    assert lines[0] == "average precision 76.786 %"
    assert lines[2] == "8 rows, 4 of them speaking; 1 entity, 1 video"
    assert lines[5].split() == ["1", "8", "4", "76.786", "%"]


def test_faces_are_parted_by_width_if_sizes_are_given(files, capsys):
    (files / "sizes.csv").write_text("video,640,360\n")
    arguments = [
        "asd",
        "--truth",
        files / "truth.csv",
        "--scores",
        files / "scores.csv",
        "--sizes",
        files / "sizes.csv",
    ]
    lines = told(capsys, *arguments).out.splitlines()
    assert any(line.split()[:4] == ["64", "to", "128", "px"] for line in lines)


def test_lenient_tells_what_it_filled_in(files, capsys):
    rows = (files / "scores.csv").read_text().splitlines()
    (files / "scores.csv").write_text("\n".join([*rows[1:], rows[0].replace("902", "911")]) + "\n")
    arguments = ["asd", "--truth", files / "truth.csv", "--scores", files / "scores.csv"]
    error = told(capsys, *arguments, code=2).err
    assert "1 row of the truth are wanting in the predictions, first 'video_0900_0960:1'" in error
    out = told(capsys, *arguments, "--lenient").out
    assert "1 row took the nearest of their face" in out
    assert "passed over: 1 prediction that the truth does not have" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["asd", "--truth", "{tmp}/truth.csv"], "--scores is wanting: phonoscope evaluate asd --truth"),
        (["asd", "--scores", "{tmp}/scores.csv"], "--truth is wanting"),
        (["asd", "--truth", "{tmp}/truth.csv", "--scores", "{tmp}/truth.csv"], "the predictions have no scores"),
        (["asd", "--truth", "{tmp}/no.csv", "--scores", "{tmp}/truth.csv"], "there is no file"),
    ],
)
def test_what_makes_no_sense_is_answered_in_one_line_and_exit_code_2(files, capsys, arguments, said):
    error = told(capsys, *[it.format(tmp=files) for it in arguments], code=2).err
    assert said in error and error.count("\n") == 1


def test_f1_is_told_of_all_rows_and_of_each_face(files, capsys):
    tables = ("--truth", files / "truth.csv", "--scores", files / "scores.csv", "--threshold", "0.42")
    found = json.loads(told(capsys, "asd", *tables, "--json").out)["at_threshold"]
    assert found["f1"] == found["f1_by_person"] == pytest.approx(2 * 3 / (4 + 4))  # four taken, three of them right
    assert found["persons"] == 1
    assert "F1 above 0.42: 75.000 %" in told(capsys, "asd", *tables).out
