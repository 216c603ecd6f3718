"""`phonoscope mix` on the command line."""

import json
from pathlib import Path

import pytest

from phonoscope.cli.main import main
from phonoscope.data.mix_lists import read_examples
from phonoscope.data.mix_plan import PlanParams
from phonoscope.data.mixing import MixParams
from phonoscope.testing.packs import tree


def told(capsys, *arguments, code=0):
    assert main(["mix", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_a_dry_run_tells_what_would_be_mixed_and_writes_nothing(films, capsys):
    lines = told(capsys, "films", "--to", "mixtures", "--seconds", 1, "--max", 8, "--dry-run").out.splitlines()
    assert lines[0] == "training: 12 voices of 3 speakers, 4 mixtures of 48 possible, 1 s each"
    assert lines[-1] == "mixtures: 8 mixtures would be made; nothing is written" and not Path("mixtures").exists()


def test_mixtures_are_made_once_and_evaluate_reads_them(films, capsys):
    arguments = ["films", "--to", "mixtures", "--seconds", 1, "--count", 6]
    assert told(capsys, *arguments).out.splitlines()[-1] == "mixtures: mixtures: 6 made"
    assert told(capsys, *arguments).out.splitlines()[-1] == "mixtures: mixtures: 6 kept"
    test = "mixtures/test"
    assert main(["evaluate", "separation", "--references", test, "--estimates", test, "--mixtures", f"{test}/mix"]) == 0
    assert "inf" in capsys.readouterr().out


def test_programs_get_json(films, capsys):
    said = json.loads(told(capsys, "films", "--to", "mixtures", "--seconds", 1, "--max", 5, "--json").out)
    assert said["mixtures"] == {"made": 5} and said["settings"]["seconds"] == 1 and said["failures"] == {}
    assert sum(it["mixtures"] for it in said["sets"].values()) == 5
    assert json.loads(Path("mixtures/mix.json").read_text())["sets"] == said["sets"]


def test_the_seeds_layout_is_written_and_kept_apart(films, capsys):
    arguments = ["films", "--to", "database", "--layout", "avspeech", "--seconds", 1, "--max", 4, "--max-missing", 0]
    assert told(capsys, *arguments).out.splitlines()[-1] == "database: mixtures: 4 made"
    assert len(read_examples(Path("database/dataset.txt"))) == 4
    assert "in the layout 'avspeech'" in told(capsys, "films", "--to", "database", code=2).err


def test_a_list_of_what_is_valid_is_read_back_where_there_is_no_catalogue(films, capsys):
    arguments = ["--layout", "avspeech", "--seconds", 1, "--max", 60]
    told(capsys, "films", "--to", "all", *arguments)
    listed = Path("all/valid_frame.txt").read_text().split()
    told(capsys, "films", "--to", "again", *arguments, "--valid", "all/valid_frame.txt")
    assert tree(Path("again")) == {**tree(Path("all")), "mix.json": tree(Path("again"))["mix.json"]}
    Path("some.txt").write_text("\n".join(listed[1:]))
    told(capsys, "films", "--to", "some", *arguments, "--valid", "some.txt")
    ids, kept = (
        {line.split(",")[0]: line for line in Path(f"{it}/ids.csv").read_text().splitlines()[1:]}
        for it in ("all", "some")
    )
    assert kept == {id: line for id, line in ids.items() if f"frame_{id}" in listed[1:]}, "and ids stay what they were"


def test_a_voice_that_is_gone_is_exit_code_1(films, capsys):
    told(capsys, "films", "--to", "mixtures", "--seconds", 1, "--split", "test")
    first = next(it for it in films if films[it].listed.split == "test")
    Path("noise").mkdir()
    Path("noise/broken.wav").write_text("no sound")
    lines = told(capsys, "films", "--to", "other", "--seconds", 1, "--max", 1, "--noise", "noise", code=1).out
    assert "unreadable: " in lines and lines.endswith("other: mixtures: 1 failed\n") and first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--to", "mixtures"], "no store at 'nowhere'"),
        (["films", "--to", "films"], "other things in it"),
        (["films", "--to", "mixtures", "--speakers", "4"], "a mixture wants 4 speakers of one set"),
        (["films", "--to", "mixtures", "--seconds", "9"], "2.36 s, a mixture has 9.00 s and 13 more: add"),
        (["films", "--to", "mixtures", "--seconds", "0"], "--seconds must be 0.1 or more, got 0"),
        (["films", "--to", "mixtures", "--count", "9", "--max", "9"], "give one of them"),
        (["films", "--to", "mixtures", "--seconds", "1", "--count", "999"], "--count 999 mixtures, but there are 48"),
        (["films", "--to", "mixtures", "--snr-db", "5", "-5"], "snr-db is the least and the most"),
        (["films", "--to", "mixtures", "--noise", "films"], "no sound in it, expected files .wav"),
        (["films", "--to", "mixtures", "--noise", "films/recordings", "--layout", "avspeech"], "knows no --noise"),
        (["films", "--to", "mixtures", "--valid", "films/store.json"], "expected lines frame_0"),
        (["films", "--to", "mixtures", "--split", "dreams"], "--split 'dreams' is no set of 'films'; there are"),
        (["films", "--to", "mixtures", "--noise", "nowhere"], "--noise 'nowhere': there is no such folder"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(films, capsys, arguments, said):
    error = told(capsys, *arguments, code=2).err
    assert said in error and error.count("\n") == 1 and not Path("mixtures").exists()


def test_defaults_are_those_of_the_code():
    from phonoscope.cli.mix import Mix
    from phonoscope.cli.options import parse

    made = parse(Mix, ["films", "--to", "mixtures"], False)[0]
    assert (made.plan, made.mix) == (PlanParams(), MixParams())
