"""`phonoscope windows` on the command line."""

import json

import numpy as np
import pytest

from phonoscope.cli.main import main
from phonoscope.data.windows import WindowsParams, read_windows
from phonoscope.testing.talkers import save_labels


def told(capsys, *arguments, code=0):
    assert main(["windows", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_a_dry_run_tells_what_would_be_drawn_and_writes_nothing(films, tmp_path, capsys):
    lines = told(capsys, "films", "--to", "windows", "--n-samples", 60, "--dry-run").out.splitlines()
    kinds = "30 positive, 10 temporal, 10 partial, 10 complete"
    assert lines[0] == f"training: 6 clips of 3 speakers, 60 windows: {kinds}"
    assert lines[-1] == "windows: 14 clips would be cut; nothing is written" and not (tmp_path / "windows").exists()


def test_windows_are_written_clip_by_clip_and_kept_the_second_time(films, capsys):
    lines = told(capsys, "films", "--to", "windows", "--n-samples", 60).out.splitlines()
    assert lines[-2].startswith("[14/14] made    test/zoe/walk") and lines[-1].startswith("windows: clips: 14 made;")
    assert len(read_windows("windows").samples["training"]) == 60
    assert "clips: 14 kept;" in told(capsys, "films", "--to", "windows", "--n-samples", 60).out


def test_more_than_there_is_is_told(films, capsys):
    out = told(capsys, "films", "--to", "windows", "--dry-run").out
    assert "  asked for 100 000 windows: its clips have no more that keep the kinds in proportion" in out


def test_programs_get_json(films, capsys):
    said = json.loads(told(capsys, "films", "--to", "windows", "--n-samples", 60, "--json").out)
    assert said["sets"]["training"]["drawn"] == {"positive": 30, "temporal": 10, "partial": 10, "complete": 10}
    assert said["arrays"] == {"made": 14} and said["window"] == 25


def test_settings_reach_the_drawing(films, capsys):
    asked = ["--kinds", "positive", "complete", "--window", 11, "--pad", "--seed", 3, "--sets", "training", "test"]
    told(capsys, "films", "--to", "windows", "--n-samples", 60, *asked, "--keep-ratio", 0.5, 1, 1)
    found = read_windows("windows").samples
    assert found.keys() == {"training", "test"} and len(found["training"]) == 30
    assert {it.kind for it in found["test"]} == {"positive", "complete"} and found["test"][0].window == 11


def test_seed_001s_tables_are_written(films, capsys):
    for id in films:
        save_labels(films[id], np.arange(len(films[id].load("tracks")[0])) // 15 % 2)
    lines = told(capsys, "films", "--to", "tables", "--as", "ava-asd", "--balance").out.splitlines()
    assert (
        lines[0].startswith("training: ") and "NOT_SPEAKING" in lines[0] and lines[-1].startswith("wrote tables/test")
    )
    said = told(capsys, "films", "--to", "tables", "--as", "ava-asd", "--json", "--dry-run").out
    assert json.loads(said)["files"] == []
    assert "in the layout 'ava-asd'" in told(capsys, "films", "--to", "tables", code=2).err


def test_a_clip_whose_film_is_gone_is_exit_code_1(films, capsys):
    films[next(iter(films))].forget("face_crops")
    lines = told(capsys, "films", "--to", "windows", "--n-samples", 60, code=1).out.splitlines()
    assert sum("failed  " in line and "missing: " in line for line in lines) == 1
    assert lines[-1].startswith("windows: clips: 1 failed, 13 made")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--to", "windows"], "no store at 'nowhere'"),
        (["films", "--to", "films"], "other things in it"),
        (["films", "--to", "windows", "--window", "24"], "odd number of frames, 25 for example, got 24"),
        (["films", "--to", "windows", "--kinds", "lies"], "no kind of window 'lies'; there are positive"),
        (["films", "--to", "windows", "--window", "75"], "no clip of training has the 75 frames of a window"),
        (["films", "--to", "windows", "--policy", "aligned"], "`phonoscope run landmarks films` makes them"),
        (["films", "--to", "windows", "--as", "ava-asd"], "14 left out: it has no labels"),
        (["films", "--to", "windows", "--min-face", "999"], "every clip of training has a face smaller than"),
        (["films", "--to", "windows", "--n-samples", "0"], "--n-samples must be 1 or more, got 0"),
        (["films", "--to", "windows", "--sets", "training", "dreams"], "no clip of 'films' is in dreams"),
        (["films", "--to", "windows", "--drop", "NOT_SPEAKING"], "it goes with --as ava-asd"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(films, tmp_path, capsys, arguments, said):
    error = told(capsys, *arguments, code=2).err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "windows").exists()


def test_defaults_are_those_of_the_code():
    from phonoscope.cli.options import parse
    from phonoscope.cli.windows import Windows

    assert parse(Windows, ["films", "--to", "windows"], False)[0].params == WindowsParams()
