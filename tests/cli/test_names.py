"""Films with names that are no words: spaces, tildes, bytes that are no UTF-8."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from phonoscope.cli.main import main

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


@pytest.mark.skipif(sys.platform == "darwin", reason="there names are UTF-8, and the system says so")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_names_of_any_bytes_are_taken_and_their_failures_told(silent_puppet, tmp_path, capsys, jobs):
    films, store = tmp_path / "films", tmp_path / "s"
    films.mkdir()
    shutil.copy(silent_puppet, films / os.fsdecode(b"caf\xe9.mp4"))
    (films / os.fsdecode(b"bad\xff.mp4")).write_text("no film")
    gone = str(films / os.fsdecode(b"gone\xe9.mp4"))
    arguments = [str(films), gone, "--to", str(store)]
    assert main(["ingest", *arguments, "--json", "-j", jobs]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    outcomes = {Path(line["source"]).name: line for line in lines}
    assert {name: line["state"] for name, line in outcomes.items()} == {
        "caf%E9.mp4": "made",
        "bad%FF.mp4": "failed",
        "gone%E9.mp4": "failed",
    }
    assert outcomes["gone%E9.mp4"]["failure"]["message"].endswith("gone\\udce9.mp4")
    assert main(["ingest", *arguments]) == 1 and main(["prepare", *arguments, "--dry-run"]) == 1
    assert main(["status", str(store)]) == 1 and main(["report", str(store)]) == 0
    assert "caf" in capsys.readouterr().out


def test_a_film_that_begins_with_a_tilde_is_taken(silent_puppet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(silent_puppet, "~film.mp4")
    assert main(["ingest", ".", "--to", "store"]) == 0
    assert main(["ingest", ".", "--to", "store"]) == 0, "the store is no film"


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_demo_takes_a_name_as_it_is(tmp_path):
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    stand_in.chmod(0o755)
    clip = "my 'talk' \"two\" & `three`; #4 (5).mp4"
    command = ["make", "-s", "-f", str(MAKEFILE), "-o", ".venv/base", "demo", f"BIN={tmp_path}", f"CLIP={clip}"]
    said = subprocess.run(command, cwd=MAKEFILE.parent, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["<-m>", "<phonoscope.testing.demo>", "<demo>", f"<{clip}>"]


def test_the_demo_tells_a_command_that_works(silent_puppet, tmp_path, capsys):
    import shlex

    from phonoscope.testing.demo import main as demo

    clip = shutil.copy(silent_puppet, tmp_path / "My Täłk, which has a name of more than twenty letters.mp4")
    assert demo(str(tmp_path / "a demo"), str(clip)) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("try")]
    _, program, *words = shlex.split(line)
    assert program.endswith("phonoscope") and main(words[:-2]) == 0
