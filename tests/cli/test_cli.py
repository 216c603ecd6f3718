"""The command line as people and programs meet it."""

import importlib.metadata
import json
import re

import pytest

from phonoscope.cli.main import main


@pytest.fixture(scope="module")
def films(puppets, tmp_path_factory):
    root = tmp_path_factory.mktemp("cli") / "films"
    assert main(["prepare", str(puppets), "--to", str(root)]) == 0
    return root


def test_prepare_says_what_it_made_and_where_to_look(films, puppets, capsys):
    assert main(["prepare", str(puppets), "--to", str(films)]) == 0
    said = capsys.readouterr().out
    assert "kept    two-puppets-" in said and f"look at {films}/report.html" in said
    assert (films / "report.html").stat().st_size > 5000


def test_programs_get_a_line_of_json_a_film(films, puppets, capsys):
    assert main(["prepare", str(puppets), "nosuch.mp4", "--to", str(films), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["kept", "failed", "over"]
    assert lines[1]["failure"]["reason"] == "missing" and lines[2]["failed"] == 1


def test_a_dry_run_makes_nothing(films, puppets, tmp_path, capsys):
    assert main(["prepare", str(puppets), "--to", str(tmp_path / "new"), "--dry-run"]) == 0
    assert "would make recording, clock, audio" in capsys.readouterr().out and not (tmp_path / "new").exists()
    assert main(["prepare", str(puppets), "--to", str(films), "--dry-run", "--tracks.min-len", "30"]) == 0
    assert "would make tracks, crops, asd, thumbs" in capsys.readouterr().out


def test_settings_come_from_a_file_and_flags_go_before(films, puppets, tmp_path, capsys):
    config = tmp_path / "c.toml"
    config.write_text('[tracks]\nmin-len = 30\n[clock]\nfps = "25"\n')
    arguments = ["prepare", str(puppets), "--to", str(films), "--dry-run", "--json", "--config", str(config)]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["make"] == ["tracks", "crops", "asd", "thumbs"]
    assert main([*arguments, "--tracks.min-len", "10"]) == 0
    assert json.loads(capsys.readouterr().out)["make"] == []


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[trakcs]\nmin_len = 3", "no section 'trakcs'; did you mean 'tracks'?"),
        ("[tracks]\nminlen = 3", "no setting of [tracks] 'minlen'; did you mean 'min_len'?"),
        ('[tracks]\nmin_len = "x"', "[tracks] Expected `int`, got `str`"),
        ("tracks = 3", "'tracks' must be a table"),
        ("[tracks", "c.toml"),
    ],
)
def test_a_bad_settings_file_is_answered_in_one_line(tmp_path, capsys, toml, said):
    (tmp_path / "c.toml").write_text(toml)
    assert main(["prepare", "a.mp4", "--to", str(tmp_path / "s"), "--config", str(tmp_path / "c.toml")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prepair"], "did you mean 'prepare'?"),
        (["prepare", "--to", "s"], "no film given"),
        (["prepare", "a.mp4", "--to", "{tmp}/s", "--want", "trakcs"], "did you mean 'tracks'?"),
        (["status", "{tmp}/nowhere"], "no store at"),
        (["run", "tracks"], "then the store"),
        (["show", "{tmp}/nowhere/a", "tracks"], "no store at"),
    ],
)
def test_wrong_usage_is_answered_in_one_line_and_exit_code_2(tmp_path, capsys, arguments, said):
    assert main([a.format(tmp=tmp_path) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_an_unknown_flag_exits_with_2_and_a_suggestion(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "a.mp4", "--to", "s", "--trakcs.min-len", "3"])
    assert stop.value.code == 2 and "--tracks.min-len" in capsys.readouterr().err


def test_status_tells_what_is_there(films, capsys):
    main(["status", str(films), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["artifacts"]["tracks"] == 1 and found["recordings"][0]["duration_s"] == 4.0
    main(["status", str(films)])
    assert "1 recordings" in capsys.readouterr().out


def test_run_makes_more_of_a_store(films, capsys):
    assert main(["run", "crop_video", str(films), "--no-report"]) == 0
    assert "made    two-puppets" in capsys.readouterr().out
    assert sorted(p.name for p in films.glob("recordings/*/crops/*")) == ["0.mp4", "1.mp4"]


def test_ingest_makes_clock_and_sound_and_nothing_more(puppets, tmp_path, capsys):
    assert main(["ingest", str(puppets), "--to", str(tmp_path / "s"), "--clock.fps", "30000/1001"]) == 0
    (folder,) = (tmp_path / "s" / "recordings").iterdir()
    assert sorted(p.name for p in folder.iterdir()) == [
        "audio.flac",
        "clock.parquet",
        "receipts.json",
        "recording.json",
    ]
    assert json.loads((folder / "recording.json").read_text())["fps"] == "30000/1001"


def test_the_card_of_weights_goes_by_their_name_and_nothing_is_no_name(capsys):
    assert main(["models", "card", "lr-asd:ava"]) == 0
    assert '"version": "ava-' in capsys.readouterr().out
    assert main(["models", "card"]) == 2
    assert "the card of what?" in capsys.readouterr().err


def test_models_and_doctor_name_licences_and_places(capsys):
    assert main(["models"]) == 0
    assert "Apache-2.0" in capsys.readouterr().out
    main(["doctor", "--offline"])
    assert "face_detector" in capsys.readouterr().out


def test_doctor_is_not_well_without_a_package_that_is_needed(capsys, monkeypatch):
    needs = ["numpy>=2", "no-such_package.here[x]>=1; python_version > '3'", "nor-this; extra == 'all'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needs)
    assert main(["doctor", "--offline"]) == 1
    said = capsys.readouterr().out
    assert "no-such_package.here       MISSING: " in said and "\nmissing: no-such_package.here" in said
    assert "nor-this" not in said


def test_doctor_looks_at_all_that_the_package_asks_for(capsys):
    main(["doctor", "--offline"])
    said = capsys.readouterr().out
    needs = importlib.metadata.requires("phonoscope") or []
    named = [need.split(">")[0].split("<")[0] for need in needs if "extra ==" not in need]
    assert named and all(f"  {name} " in said for name in named)
    assert re.search(r"  \[ssl\] +(.*torch \d|not installed: .*pip install 'phonoscope\[ssl\]')", said)


def test_every_verb_teaches(capsys):
    from phonoscope.cli.main import VERBS

    for verb in VERBS:
        with pytest.raises(SystemExit) as stop:
            main([verb, "--help"])
        said = capsys.readouterr().out
        assert stop.value.code == 0 and f"phonoscope {verb}" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-j", "0"], "--jobs is at least 1, got 0"),
        (["--timeout", "0"], "--timeout is longer than 0 s"),
        (["--shard", "5/4"], "there is no part 5 of 4"),
        (["--shard", "half"], "written 'i/n', as in 2/8"),
        (["--retry-failed"], "no store at"),
    ],
)
def test_how_the_work_is_done_must_make_sense(puppets, tmp_path, capsys, arguments, said):
    film = [] if "--retry-failed" in arguments else [str(puppets)]
    assert main(["prepare", *film, "--to", str(tmp_path / "s"), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "s").exists()


def test_what_failed_is_tried_again_by_one_command(silent_puppet, tmp_path, capsys):
    film, store = tmp_path / "film.mp4", str(tmp_path / "s")
    film.write_text("no film yet")
    assert main(["ingest", str(film), str(silent_puppet), "--to", store]) == 1
    assert main(["ingest", "--retry-failed", "--to", store]) == 1
    film.write_bytes(silent_puppet.read_bytes())
    capsys.readouterr()
    assert main(["ingest", "--retry-failed", "--to", store, "--json"]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in said] == ["made", "over"] and said[0]["source"] == film.as_uri()
    assert main(["ingest", "--retry-failed", "--to", store]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_shards_share_the_films_among_them(puppets, silent_puppet, tmp_path, capsys):
    for part in ("1/2", "2/2"):
        arguments = [str(puppets), str(silent_puppet), "--to", str(tmp_path / "s"), "--shard", part]
        assert main(["ingest", *arguments, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    made = [line["source"] for line in lines if line["state"] == "made"]
    assert sorted(made) == sorted([puppets.as_uri(), silent_puppet.as_uri()])


def test_a_timeout_stops_what_takes_too_long_and_only_that_is_left_alone(puppets, tmp_path, capsys):
    arguments = ["ingest", str(puppets), "--to", str(tmp_path / "s")]
    assert main([*arguments, "--timeout", "0.001"]) == 1
    assert "timeout in ingest: took longer than 0.001 s" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "left alone since: --retry-failed tries it again" in capsys.readouterr().out
    assert main([*arguments, "--retry-failed"]) == 0
