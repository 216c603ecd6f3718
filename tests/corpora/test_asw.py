"""Labels of "Look Who's Talking", read as AVA's rows."""

import json

import numpy as np
import pytest

from phonoscope.core.errors import UsageError
from phonoscope.corpora.asw import read_asw
from phonoscope.corpora.ava import read_ava


def label(time, value, evaluated=1):
    return {"time": time, "bbox": [0.1, 0.2, 0.3, 0.4], "label": value, "eval": evaluated}


@pytest.fixture
def folder(tmp_path):
    first = {"track_000000": [label(0.0, 0), label(0.2, 1, 0)], "track_000001": [label(0.2, 1)]}
    (tmp_path / "one.json").write_text(json.dumps(first))
    (tmp_path / "two.json").write_text(json.dumps({"track_000000": [label(4.0, 1)]}))
    return tmp_path


def test_a_folder_is_read_video_by_video(folder):
    rows = read_asw(folder)
    assert rows.videos == ("one", "two") and rows.entities == ("one:000000", "one:000001", "two:000000")
    assert rows.entity.tolist() == [0, 0, 1, 2] and rows.time_s.tolist() == [0.0, 0.2, 0.2, 4.0]
    assert rows.speaking.tolist() == [False, True, True, True] and rows.box[3].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_rows_that_the_authors_leave_out_can_be_left_out(folder):
    assert read_asw(folder / "one.json", only_evaluated=True).time_s.tolist() == [0.0, 0.2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no table of ASW's"),
        ('{"track_0": [{"time": 1, "bbox": [1, 2], "label": 0}]}', "no table of ASW's"),
        ('{"track_0": [{"time": 1, "bbox": [0, 0, 1, 1], "label": 7}]}', "has the label 7, expected 0 or 1"),
    ],
)
def test_what_is_no_table_of_theirs_is_refused_in_one_line(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UsageError, match=said) as error:
        read_asw(tmp_path / "a.json")
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no JSON of ASW's"):
        read_asw(tmp_path)


@pytest.mark.real
def test_they_are_the_rows_that_others_have_written_in_avas_layout(shared_data):
    theirs = read_ava(shared_data / "c_annotations" / "asw_ava_style.csv.gz")
    files = sorted((shared_data / "c_annotations" / "asw_json").glob("*.json"))
    assert len(files) > 5
    for path in files:
        ours = read_asw(path)
        same = theirs.take(theirs.video == theirs.videos.index(path.stem))
        assert [ours.entities[code] for code in ours.entity] == [same.entities[code] for code in same.entity]
        assert np.array_equal(ours.tick, same.tick) and np.array_equal(ours.label, same.label)
        assert np.allclose(ours.box, same.box, rtol=0, atol=5.1e-6), "theirs has six digits"
