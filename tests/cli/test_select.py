"""`phonoscope select` on the command line, and what the report tells of it."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest

from phonoscope.cli.main import main
from phonoscope.core.faces import TrackTable
from phonoscope.store.folder import Store
from phonoscope.store.receipts import Receipt
from phonoscope.testing.quick import quick_job


@pytest.fixture(scope="module")
def prepared(puppets, silent_puppet, tmp_path_factory):
    """A store of two films with a face each, 4 s and 2 s; only of the first one is it known how sharp it is."""
    root = tmp_path_factory.mktemp("cli") / "films"
    assert all(outcome.failure is None for outcome in quick_job([puppets, silent_puppet], root).carry_out())
    stored = Store(root)["two-puppets"]
    (track,) = stored.load("tracks")
    frames = np.arange(track.span.start, track.span.stop, dtype=np.int32)
    blur = TrackTable(np.full(len(track), track.id, np.int32), frames, {"blur": np.linspace(30, 50, len(track))})
    needs = {"tracks": stored.receipts["tracks"].key}
    stored.save("quality", blur, Receipt(key="q", step="quality", version=1, inputs=needs))
    return root


def told(capsys, *arguments, code=0):
    assert main(["select", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_a_dry_run_tells_how_many_each_condition_leaves_and_writes_nothing(prepared, capsys):
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    lines = told(capsys, prepared, "--where", "duration_s >= 1 and blur > 20 and size_px > 1000").out.splitlines()
    assert [line.split()[-1] for line in lines[:5]] == ["alone", "s", "0", "0", "2"]
    assert re.match(r"all tracks +2 +6\.0 s$", lines[1]) and re.match(r"blur > 20 +1 +4\.0 s +0$", lines[3])
    said = f"not measured, so not selected: 1 clip at 'blur > 20'; phonoscope run quality {prepared}"
    assert lines[5:] == [said]
    assert {path: path.stat().st_mtime_ns for path in prepared.rglob("*")} == before


def test_without_a_query_the_columns_are_told_with_their_spread(prepared, capsys):
    lines = told(capsys, prepared).out.splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert table["duration_s"] == ["2", "3", "4"] and table["blur_max"] == ["50", "50", "50", "1"]
    assert table["faces"] == ["1", "1", "1"] and "source" not in table


def test_clips_are_written_and_the_report_tells_of_them(prepared, tmp_path, capsys):
    clips = tmp_path / "clips <1>.parquet"
    said = told(capsys, prepared, "--where", "duration_s >= 3 and blur > 20", "--to", clips)
    assert said.out.splitlines()[-1] == f"1 clip in {clips}"
    assert pq.read_table(clips)["recording"].to_pylist() == [next(id for id in Store(prepared) if "two" in id)]
    page = _Page((prepared / "report.html").read_text(encoding="utf-8"))
    assert [(it["data-clips"], it["data-alone"], it["data-unmeasured"]) for it in page.stages] == [
        ("1", "1", "0"),
        ("1", "0", "0"),
    ]
    assert "duration_s >= 3" in page.codes and any(code.endswith("clips <1>.parquet") for code in page.codes)


def test_programs_get_the_funnel_as_json(prepared, tmp_path, capsys):
    said = told(capsys, prepared, "--where", "blur > 20", "--to", tmp_path / "clips.csv", "--json", "--no-report").out
    funnel = json.loads(said)
    assert funnel["clips"] == 1 and funnel["candidates"] == 2 and funnel["stages"][0]["unmeasured"] == 1
    assert funnel["stages"][0]["wanting"] == ["quality"] and (tmp_path / "clips.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{store}", "--where", "yaw_deg < 30"], "nobody has measured 'yaw_deg' in this store: `phonoscope run pose "),
        (["{store}", "--where", "durations > 2"], "no column 'durations'; did you mean 'duration_s'?"),
        (["{store}", "--where", "size_px = 3"], "Maybe you meant '=='"),
        (["{store}", "--to", "{tmp}/clips.xlsx"], "written to .parquet or .csv"),
        (["{store}", "--to", "{tmp}"], "is a folder: give a file, such as"),
        (["{tmp}/nowhere"], "no store at"),
    ],
)
def test_what_makes_no_sense_is_answered_in_one_line_and_exit_code_2(prepared, tmp_path, capsys, arguments, said):
    error = told(capsys, *[a.format(store=prepared, tmp=tmp_path) for a in arguments], code=2).err
    assert said in error and error.count("\n") == 1 and list(tmp_path.iterdir()) == []


class _Page(HTMLParser):
    """The stages of selections on a page, and all that stands in its <code>."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stages, self.codes, self.code = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.code = tag == "code"
        if tag == "tr" and "data-clips" in dict(attrs):
            self.stages.append(dict(attrs))

    def handle_data(self, data):
        if self.code:
            self.codes.append(data)
            self.code = False
